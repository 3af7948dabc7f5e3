//! Looking without asking the registry: what is stored and durable is read on the caller's own
//! thread. Two wake-ups of other threads would cost more than the look.

use std::sync::Arc;

use uuid::Uuid;

use crate::actors::CallError;
use crate::domain::account::sign_in::{self, Fresh, Seen, SignIn};
use crate::domain::account::{Account, AccountId};
use crate::domain::friend::Edge;
use crate::domain::notification::Notification;
use crate::store::{Copies, StoreError};

use super::{Accounts, Key, SignedIn};

impl Accounts {
    /// The account with this key, if it is stored, durable and nothing is being changed about it.
    pub fn glimpse(&self, key: &Key) -> Option<Account> {
        let account = key.look(&*self.reads).ok().flatten()?;
        if !self.is_alive() {
            return None; // nobody knows what is on disk
        }
        (!self.in_flight.has(account.id)).then_some(account)
    }

    /// A sign-in that changes nothing, which is nearly every one of an account that is there.
    /// `None`: the registry has to decide.
    pub(super) fn sign_in_as_is(&self, ask: &SignIn) -> Option<SignedIn> {
        if ask.pass.is_some() || ask.single_session {
            return None; // they always write: no need to look
        }
        let account = self.glimpse(&Key::Link(ask.link.clone()))?;
        // Nothing is rolled: whatever would need it is a change, or refused, and not for here.
        let fresh = Fresh {
            account: account.id,
            player: Uuid::nil(),
            discriminator: None,
            token_life_s: self.token_life_s,
        };
        let seen = Seen { account: Some(account), ..Seen::default() };
        let decided = sign_in::sign_in(ask, seen, fresh, self.clock.now()).ok()?;
        if decided.change.is_some() {
            return None;
        }
        Some(SignedIn { account: decided.account, created: false, at: decided.at })
    }

    /// A way to copy every account while the registry works; `None`: this store has none.
    pub fn copies(&self) -> Option<Arc<dyn Copies>> {
        self.copies.clone()
    }

    /// An account as it is stored, without waiting for what is being changed about it: to be shown,
    /// not to be decided by.
    pub fn seen(&self, account: AccountId) -> Option<Account> {
        self.reads.account(account).ok().flatten()
    }

    /// What `owner` has recorded about `other`.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] when the store cannot be read.
    pub fn edge(&self, owner: AccountId, other: AccountId) -> Result<Option<Edge>, CallError> {
        self.reads.edge(owner, other).map_err(|error| unreadable(&error))
    }

    /// Everything `owner` has recorded about others, by their ids.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] when the store cannot be read.
    pub fn edges(&self, owner: AccountId) -> Result<Vec<(AccountId, Edge)>, CallError> {
        self.reads.edges(owner).map_err(|error| unreadable(&error))
    }

    /// The notifications of a player behind `after`, oldest first.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] when the store cannot be read.
    pub fn notifications(
        &self,
        owner: AccountId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Notification>, CallError> {
        self.reads.notifications(owner, after, limit).map_err(|error| unreadable(&error))
    }
}

pub(super) fn unreadable(error: &StoreError) -> CallError {
    tracing::error!(error = error as &dyn std::error::Error, "the account store cannot be read");
    CallError::NoAnswer
}
