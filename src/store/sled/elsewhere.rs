//! Where links were last found that are not at home: a device added later, a console linked to the
//! account of a phone. Without it each sign-in by one looks at its home and into the index first.
//!
//! A memory may be out of date and does no harm then: an account has the link or it has not.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::domain::account::AccountId;

/// Links remembered; some 60 bytes each.
const MOST: usize = 65_536;

/// From a link's home to the account that had it. Cheap to clone.
#[derive(Clone)]
pub struct Elsewhere(Arc<Cache<AccountId, AccountId>>);

impl Default for Elsewhere {
    fn default() -> Self {
        Self(Arc::new(Cache::new(MOST)))
    }
}

impl Elsewhere {
    /// Who had the link of this home when it was last looked for.
    pub fn of(&self, home: AccountId) -> Option<AccountId> {
        self.0.get(&home)
    }

    /// The link of this home was found here.
    pub fn remember(&self, home: AccountId, account: AccountId) {
        self.0.insert(home, account);
    }
}
