//! Who holds a slot, for everybody to see: whoever does need not ask the line.
//!
//! The line keeps this copy of what its ledger says and is the only one to write to it. A reader
//! may be a moment behind, as the answer to a question would be by the time it arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;

use crate::domain::queue::{Holder, Identity};
use crate::domain::time::UnixMicros;

/// The copy. It has as many entries as there are slots in the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Holders {
    until: Arc<DashMap<Identity, UnixMicros, DefaultHashBuilder>>,
    turns: Arc<AtomicBool>,
}

impl Holders {
    /// Whether this identity's player holds a slot that lasts beyond `at`.
    pub(super) fn has(&self, identity: Identity, at: UnixMicros) -> bool {
        self.until.get(&identity).is_some_and(|until| *until > at)
    }

    /// Whether many dropped at once, so that who holds a slot asks the line when it is their turn.
    pub(super) fn have_turns(&self) -> bool {
        self.turns.load(Ordering::Relaxed)
    }
}

/// The line's end. When it goes nobody holds anything: nobody knows any more.
#[derive(Debug)]
pub(super) struct Publisher(pub(super) Holders);

impl Publisher {
    /// Tells what has changed, and whether who comes back has a turn.
    pub(super) fn publish(&self, changed: impl Iterator<Item = Holder>, turns: bool) {
        self.0.turns.store(turns, Ordering::Relaxed);
        for Holder { identity, until } in changed {
            match until {
                Some(until) => drop(self.0.until.insert(identity, until)),
                None => drop(self.0.until.remove(&identity)),
            }
        }
    }

    /// From now on everybody has to ask.
    pub(super) fn withdraw(&self) {
        self.0.until.clear();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.withdraw();
    }
}
