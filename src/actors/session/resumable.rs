//! Sessions that outlive their sockets: a client that reconnects within the grace
//! finds its attributes and their version again (protocol-pragma §10.7).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Channel;
use crate::domain::account::AccountId;
use crate::domain::session::attributes::{Attributes, Changed, TooMany};
use crate::domain::time::UnixMicros;

/// One session, whichever socket it has.
#[derive(Debug)]
pub struct Resumable {
    /// Its id.
    pub id: Uuid,
    attributes: Mutex<Attributes>,
}

impl Resumable {
    /// A session without attributes.
    pub fn new(id: Uuid) -> Self {
        Self { id, attributes: Mutex::default() }
    }

    /// Its attributes now.
    pub fn attributes(&self) -> Attributes {
        self.lock().clone()
    }

    /// Changes them.
    pub(super) fn change(
        &self,
        set: BTreeMap<i32, Uuid>,
        removed: Vec<i32>,
    ) -> Result<Changed, TooMany> {
        self.lock().change(set, removed)
    }

    fn lock(&self) -> MutexGuard<'_, Attributes> {
        self.attributes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every resumable session, by player and channel: one for each socket that is open, and those that
/// may come back.
#[derive(Default)]
pub(super) struct Resumables {
    held: HashMap<(AccountId, Channel), Held>,
    sweep_at: UnixMicros,
}

struct Held {
    resumable: Arc<Resumable>,
    /// Open sockets of it: two while one takes over from another.
    sockets: usize,
    /// Without a socket: until when it may come back.
    until: UnixMicros,
}

impl Held {
    fn stands(&self, now: UnixMicros) -> bool {
        self.sockets > 0 || now < self.until
    }
}

/// How often what nobody came back for is taken out, in seconds.
const SWEEP_S: u64 = 30;

impl Resumables {
    /// The session for a socket to come: the one from before, if it is to be resumed and stands;
    /// else `fresh`. Nothing is held yet.
    pub(super) fn find(
        &self,
        of: (AccountId, Channel),
        resume: bool,
        fresh: Uuid,
        now: UnixMicros,
    ) -> Arc<Resumable> {
        let kept = self.get(of, now).filter(|_| resume);
        kept.unwrap_or_else(|| Arc::new(Resumable::new(fresh)))
    }

    /// A socket of this session is open. Any other session of the player on the channel is over.
    pub(super) fn hold(
        &mut self,
        of: (AccountId, Channel),
        resumable: &Arc<Resumable>,
        now: UnixMicros,
    ) {
        self.sweep(now);
        let own = self.held.get_mut(&of).filter(|held| Arc::ptr_eq(&held.resumable, resumable));
        if let Some(held) = own {
            held.sockets += 1;
        } else {
            let resumable = Arc::clone(resumable);
            self.held.insert(of, Held { resumable, sockets: 1, until: now });
        }
    }

    /// A socket of this session went. `until`: when it was the last one, the session may come back
    /// until then; a moment that is over ends it.
    pub(super) fn leave(
        &mut self,
        of: (AccountId, Channel),
        resumable: &Arc<Resumable>,
        until: UnixMicros,
    ) {
        // Another session may have taken over.
        let own = self.held.get_mut(&of).filter(|held| Arc::ptr_eq(&held.resumable, resumable));
        if let Some(held) = own {
            held.sockets = held.sockets.saturating_sub(1);
            held.until = until;
        }
    }

    /// The session of a player, with a socket or about to come back.
    pub(super) fn get(&self, of: (AccountId, Channel), now: UnixMicros) -> Option<Arc<Resumable>> {
        let held = self.held.get(&of).filter(|held| held.stands(now))?;
        Some(Arc::clone(&held.resumable))
    }

    fn sweep(&mut self, now: UnixMicros) {
        if now >= self.sweep_at {
            self.sweep_at = now.plus_secs(SWEEP_S);
            self.held.retain(|_, held| held.stands(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: (AccountId, Channel) = (AccountId(Uuid::from_u128(1)), Channel::PragmaGame);

    fn at(second: u64) -> UnixMicros {
        UnixMicros::from_secs(1_000 + second)
    }

    fn open(resumables: &mut Resumables, resume: bool, fresh: u128, second: u64) -> Arc<Resumable> {
        let resumable = resumables.find(OF, resume, Uuid::from_u128(fresh), at(second));
        resumables.hold(OF, &resumable, at(second));
        resumable
    }

    #[test]
    fn a_session_is_resumed_within_its_grace_and_only_by_who_asks_for_it() {
        let mut resumables = Resumables::default();
        let first = open(&mut resumables, false, 10, 0);
        resumables.leave(OF, &first, at(60));
        assert!(Arc::ptr_eq(&first, &open(&mut resumables, true, 11, 59)));
        resumables.leave(OF, &first, at(60));
        assert_eq!(open(&mut resumables, true, 12, 60).id, Uuid::from_u128(12), "too late");
        assert_eq!(open(&mut resumables, false, 13, 60).id, Uuid::from_u128(13), "a new one");
    }

    #[test]
    fn the_socket_that_was_taken_over_ends_nothing() {
        let mut resumables = Resumables::default();
        let first = open(&mut resumables, false, 10, 0);
        let resumed = open(&mut resumables, true, 11, 1);
        resumables.leave(OF, &first, at(0));
        assert!(Arc::ptr_eq(&resumed, &resumables.get(OF, at(500)).unwrap()), "it has a socket");
        let usurper = open(&mut resumables, false, 12, 2);
        resumables.leave(OF, &resumed, at(0));
        assert!(Arc::ptr_eq(&usurper, &resumables.get(OF, at(500)).unwrap()));
        resumables.leave(OF, &usurper, at(0));
        assert!(resumables.get(OF, at(2)).is_none());
    }

    #[test]
    fn what_nobody_came_back_for_is_forgotten() {
        let mut resumables = Resumables::default();
        let first = open(&mut resumables, false, 10, 0);
        resumables.leave(OF, &first, at(10));
        let other = (AccountId(Uuid::from_u128(2)), Channel::PragmaGame);
        let resumable = resumables.find(other, false, Uuid::from_u128(12), at(100));
        resumables.hold(other, &resumable, at(100));
        assert_eq!(resumables.held.len(), 1);
    }
}
