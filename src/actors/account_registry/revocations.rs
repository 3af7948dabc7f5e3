//! What is revoked, for everybody who checks a token: one shared view, no message.

use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::HashMap;
use uuid::Uuid;

use crate::domain::account::{AccountId, Revoked};
use crate::domain::time::UnixMicros;

/// Tells whether a token is revoked. Cheap to clone and to ask: a read lock and one look-up.
///
/// It shows what is durable, so a restart takes no revocation back. It holds an entry for an
/// account only while a revoked token of it could still live, and each entry is bounded
/// ([`crate::domain::account::revoking::TOKENS_MAX`]).
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<RwLock<HashMap<AccountId, Revoked>>>);

impl Revocations {
    /// Whether a token of `account` is revoked: by its id and kind, or because it was issued at or
    /// before the moment everything was.
    pub fn is_revoked(
        &self,
        account: AccountId,
        token: Uuid,
        refresh: bool,
        issued_at_us: u64,
    ) -> bool {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&account).is_some_and(|revoked| revoked.covers(token, refresh, issued_at_us))
    }

    /// How many accounts have something revoked.
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Replaces what is revoked of some accounts.
    pub(super) fn set(&self, changed: impl IntoIterator<Item = (AccountId, Revoked)>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.extend(changed);
    }

    /// Forgets what nobody needs any more. Goes through all of it.
    pub(super) fn sweep(&self, now: UnixMicros) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, revoked| revoked.until() >= now.as_secs());
        if kept.len() < kept.capacity() / 4 {
            kept.shrink_to_fit();
        }
    }
}
