//! Accounts whose changes are on their way to the disk: a reader sees them before they are durable.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::account::AccountId;

/// The accounts of the commit under way. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<RwLock<HashSet<AccountId>>>);

impl InFlight {
    /// Whether what was just read of this account may not be durable yet. To be asked after
    /// reading: a commit is announced before it begins.
    pub fn has(&self, account: AccountId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&account)
    }

    /// A commit of these accounts begins; or, with none, it has landed.
    pub fn set(&self, accounts: HashSet<AccountId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = accounts;
    }
}
