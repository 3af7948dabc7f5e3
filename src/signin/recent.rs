//! Who signed in last: kept in memory, for a sign-in of an account that is there writes nothing, and it
//! shall stay so.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;

/// Sign-ins remembered, of all players together: about 3 MB.
const KEPT_MAX: usize = 65_536;
/// Sign-ins told of one account.
pub const TOLD_MAX: usize = 16;

/// A sign-in that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentSignIn {
    /// When.
    pub at: UnixMicros,
    /// How, as metrics name it.
    pub method: &'static str,
    /// Whether the account was made by it.
    pub created: bool,
}

/// The last sign-ins since the start.
#[derive(Debug, Default)]
pub struct RecentSignIns(Mutex<VecDeque<(AccountId, RecentSignIn)>>);

impl RecentSignIns {
    pub(super) fn note(&self, account: AccountId, what: RecentSignIn) {
        let mut kept = self.lock();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((account, what));
    }

    /// The last [`TOLD_MAX`] of an account that are remembered, the newest first.
    pub fn of(&self, account: AccountId) -> Vec<RecentSignIn> {
        let kept = self.lock();
        let own = kept.iter().rev().filter(|(whose, _)| *whose == account);
        own.map(|(_, what)| *what).take(TOLD_MAX).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(AccountId, RecentSignIn)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_last_ones_are_told_and_the_oldest_go() {
        let recent = RecentSignIns::default();
        let (ada, bob) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let at =
            |s| RecentSignIn { at: UnixMicros::from_secs(s), method: "device", created: s == 1 };
        for second in 1..=20 {
            recent.note(ada, at(second));
        }
        let told = recent.of(ada);
        assert_eq!((told.len(), told[0].at), (TOLD_MAX, UnixMicros::from_secs(20)));
        assert_eq!(recent.of(bob), []);
        for second in 0..KEPT_MAX as u64 {
            recent.note(bob, at(second + 100));
        }
        assert_eq!(recent.of(ada), []);
    }
}
