//! Why something about operators was not done.

use super::super::hashing::PoolFull;
use super::super::limits::TooOften;
use crate::actors::CallError;
use crate::actors::account_registry::AccountsError;
use crate::actors::audit::NotTaken;
use crate::domain::account::{OfficeRefusal, Refusal};
use crate::domain::operator::{OperatorRefusal, StartAgain};
use crate::identity::IdentityError;

/// Why an operator was not let in, or something about operators not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// Unknown address, wrong password, no operator, banned: nobody is told which.
    #[error("the address or the password is not right")]
    Wrong,
    /// The password is right; the authenticator's code is asked for.
    #[error("a code of your authenticator is needed")]
    CodeNeeded,
    /// The code is not right, too old, or was used before.
    #[error("the code is not right, or was used before")]
    WrongCode,
    /// The setup code or the invitation is not right, was used, or is over.
    #[error("the code is not right, was used, or is too old")]
    NotInvited,
    /// There is an operator already, so nobody is made one by a setup code.
    #[error("there is an operator already: ask for an invitation")]
    SetupOver,
    /// The address is somebody's, an operator's or a player's.
    #[error("this address is in use: take another")]
    AddressTaken,
    /// More than the asker may do would be given or taken away.
    #[error("nobody gives or takes away what they may not do themselves")]
    NotYours,
    /// A life or a label is out of bounds.
    #[error("a label has 1 to 128 characters, a token lives 1 to 366 days and permits something")]
    Form,
    /// There is no such operator.
    #[error("there is no such operator")]
    Unknown,
    /// Whom the provider knows is no operator here, not any more, or banned: nobody is told which.
    #[error(
        "nobody is an operator by this account there: ask for an invitation, or sign in otherwise"
    )]
    NoOperator,
    /// The provider did not say who somebody is, or said it of another sign-in.
    #[error("the provider did not say who you are: try again")]
    NotProven,
    /// Somebody else is signed in at the provider.
    #[error("this is not the account there that you sign in by")]
    OtherAccount,
    /// The attempt was not begun in this browser, came back before, or is over.
    #[error("this sign-in was not begun in this browser, or too long ago: begin again")]
    StartAgain,
    /// The provider cannot be asked.
    #[error("the provider does not answer: try again, or sign in otherwise")]
    ProviderAway,
    /// The provider does not say when somebody showed who they are.
    #[error(
        "this provider does not say when you signed in there: set up an authenticator, or sign in again"
    )]
    NoStepUp,
    /// A rule refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Asked too often, or too much to hash.
    #[error("asked too often: come back in {retry_after_s} s")]
    Busy {
        /// When, in seconds.
        retry_after_s: u32,
    },
    /// It cannot be put on record, so it was not done.
    #[error(transparent)]
    Audit(#[from] NotTaken),
    /// No answer in time.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server has no way to keep a secret: never seen.
    #[error("a secret could not be sealed")]
    Seal,
}

impl From<IdentityError> for OperatorError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Unavailable(..) => Self::ProviderAway,
            IdentityError::NotConfigured(_)
            | IdentityError::Refused(..)
            | IdentityError::Unverified(..) => Self::NotProven,
        }
    }
}

impl From<StartAgain> for OperatorError {
    fn from(_: StartAgain) -> Self {
        Self::StartAgain
    }
}

impl From<TooOften> for OperatorError {
    fn from(error: TooOften) -> Self {
        Self::Busy { retry_after_s: error.retry_after_s }
    }
}

impl From<PoolFull> for OperatorError {
    fn from(error: PoolFull) -> Self {
        Self::Busy { retry_after_s: error.retry_after_s }
    }
}

impl From<AccountsError> for OperatorError {
    fn from(error: AccountsError) -> Self {
        let code = |why| Refusal::from(OfficeRefusal::Operator(why));
        match error {
            AccountsError::Refused(why) if why == code(OperatorRefusal::Code) => Self::WrongCode,
            AccountsError::Refused(why) if why == code(OperatorRefusal::NotFirst) => {
                Self::SetupOver
            }
            AccountsError::Refused(why) => Self::Refused(why),
            AccountsError::Call(call) => Self::Call(call),
        }
    }
}
