//! What a rule wants written: whole or not at all.

use crate::domain::time::UnixMicros;

use super::record::{Account, AccountId};
use super::revoking::Revoked;

/// Everything one decision changes, for the store to write in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The account as the rule saw it; `None`: it is new.
    pub before: Option<Account>,
    /// The account as it shall be. Equal to `before` when only something beside it changes.
    pub after: Account,
    /// A pass that this account redeems.
    pub redeemed: Option<PassUse>,
    /// What is revoked of the account from now on, instead of what was.
    pub revoked: Option<Revoked>,
}

impl Change {
    /// A change of the account alone.
    pub const fn of(before: Option<Account>, after: Account) -> Self {
        Self { before, after, redeemed: None, revoked: None }
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.redeemed.is_none() && self.revoked.is_none() && !self.changes_account()
    }

    /// Whether the account's own record differs.
    pub fn changes_account(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }
}

/// A pass to redeem exactly once (design §5): a repeat by the same account is the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassUse {
    /// The pass: epoch and ticket number.
    pub epoch: u32,
    /// The ticket number.
    pub number: u64,
    /// Until when the redemption has to be remembered; kept in whole seconds, rounded up.
    pub remember_until: UnixMicros,
}

/// A pass and who redeemed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// The pass.
    pub pass: PassUse,
    /// The account it let in.
    pub account: AccountId,
}
