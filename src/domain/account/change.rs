//! What a rule wants written: whole or not at all.

use crate::domain::friend::{Edge, ListNews};
use crate::domain::notification::Notification;
use crate::domain::realm::Realm;
use crate::domain::time::UnixMicros;

use super::record::{Account, AccountId};
use super::revoking::Revoked;

/// Everything one decision changes, for the store to write in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The account as the rule saw it; `None`: it is new.
    pub before: Option<Account>,
    /// The account as it shall be. Equal to `before` when only something beside it changes, or
    /// when it goes.
    pub after: Account,
    /// The account goes and leaves a tombstone: nobody gets its id again.
    pub deletes: bool,
    /// Further accounts, before and after: their number of friends.
    pub others: Vec<(Account, Account)>,
    /// Relationships.
    pub edges: Vec<EdgeWrite>,
    /// Notifications.
    pub notifications: Vec<NotificationWrite>,
    /// A pass that this account redeems.
    pub redeemed: Option<PassUse>,
    /// What is revoked of the account from now on, instead of what was.
    pub revoked: Option<Revoked>,
    /// The realm from now on, when an operator changes it.
    pub realm: Option<Box<Realm>>,
    /// How lists of friends have changed, to be told once this is stored.
    pub lists: Vec<ListNews>,
}

/// An account that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountNews {
    /// It was made.
    Created(Account),
    /// It is gone; as it was last.
    Deleted(Account),
}

/// One side's record of a relationship; `None`: it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeWrite {
    /// Whose record.
    pub owner: AccountId,
    /// About whom.
    pub other: AccountId,
    /// The record.
    pub edge: Option<Edge>,
}

/// A notification of a player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationWrite {
    /// It is kept.
    Keep(AccountId, Notification),
    /// It goes.
    Drop(AccountId, uuid::Uuid),
}

impl Change {
    /// A change of the account alone.
    pub const fn of(before: Option<Account>, after: Account) -> Self {
        Self {
            before,
            after,
            deletes: false,
            others: Vec::new(),
            edges: Vec::new(),
            notifications: Vec::new(),
            redeemed: None,
            revoked: None,
            realm: None,
            lists: Vec::new(),
        }
    }

    /// Nothing yet, for an account that is there.
    pub fn beside(account: &Account) -> Self {
        Self::of(Some(account.clone()), account.clone())
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.redeemed.is_none()
            && self.revoked.is_none()
            && self.realm.is_none()
            && self.edges.is_empty()
            && self.notifications.is_empty()
            && self.others.is_empty()
            && !self.deletes
            && !self.changes_account()
    }

    /// Whether the account's own record differs.
    pub fn changes_account(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    /// Whether an account comes or goes with this, to be told once it is stored.
    pub fn news(&self) -> Option<AccountNews> {
        if self.deletes {
            return Some(AccountNews::Deleted(self.after.clone()));
        }
        self.before.is_none().then(|| AccountNews::Created(self.after.clone()))
    }

    /// Every account that this is about.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        let others = self.others.iter().map(|(_, after)| after.id);
        std::iter::once(self.after.id).chain(others)
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
