//! Accounts as their players and others see them: look up, change, delete.

use super::{Door, SignInError};
use crate::actors::CallError;
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, AccountId};

/// Whom to look up; each found account is given once.
#[derive(Clone, Debug, Default)]
pub struct UsersAsk {
    /// By id.
    pub ids: Vec<AccountId>,
    /// By user name, exactly.
    pub usernames: Vec<String>,
    /// By Facebook's user id.
    pub facebook_ids: Vec<String>,
}

impl Door {
    /// The accounts that are there (protocol-nakama §5.5).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn users(&self, _ask: UsersAsk) -> Result<Vec<Account>, CallError> {
        Err(CallError::NoAnswer)
    }

    /// Changes what players may change about themselves (§5.2). An account that is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`] with what [`AccountUpdate::check`] says, or
    /// [`crate::domain::account::Refusal::UsernameTaken`].
    pub async fn update_account(
        &self,
        _account: AccountId,
        _update: AccountUpdate,
    ) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }

    /// Deletes an account with everything that hangs on it, revokes its tokens, closes its sockets
    /// and frees its slot (§5.3). One that is gone: nothing.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn delete_account(&self, _account: AccountId) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }
}
