//! The letter box of a session: what others want to tell it, bounded, in order.
//!
//! It stands where the actor's mailbox would, because that one is not bounded by `send` or
//! `do_send` and can't put two letters into one. Whoever writes never waits.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use super::Shared;
use crate::domain::account::{AccountId, Ban};
use crate::domain::friend::ListNews;
use crate::domain::notification::Notification;
use crate::domain::presence::{NoPresence, Presence};
use crate::domain::session::CloseReason;
use crate::domain::session::attributes::Changed;
use crate::domain::time::UnixMicros;

/// Letters a session may have unread before those about one player are put together.
const LETTERS_MAX: usize = 1024;

/// A letter.
pub(crate) enum Letter {
    /// Somebody it follows, or its own player, has changed.
    Event(Arc<Shared>),
    /// What those it asked to follow show. Letters before it are older, those behind it newer.
    Followed(Vec<Presence>),
    /// The board has done what it was asked.
    Done,
    /// What became of a rich presence. Letters behind it are newer.
    Set(Result<(), NoPresence>),
    /// The player's list of friends has changed.
    List(Arc<ListNews>),
    /// The player is told something.
    Told(Arc<Shared<Notification>>),
    /// Attributes of the session have changed.
    Changed(Arc<Changed>),
    /// The player was banned, and the session goes on.
    Banned(Arc<Ban>),
    /// The session was refreshed: it lives until then.
    ExtendUntil(UnixMicros),
}

/// Not taken: the session does not read its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The letter box.
#[derive(Default)]
pub(crate) struct Post {
    letters: Mutex<VecDeque<Letter>>,
    /// Index of the close reason, plus one.
    closing: AtomicU8,
    /// In how many seconds to come back, plus one; 0: nobody said.
    back_in_s: AtomicU32,
    waker: AtomicWaker,
}

impl Post {
    /// Puts a letter in. Replies are always taken: there is one for each request at most.
    pub(crate) fn put(&self, letter: Letter) -> Result<(), Full> {
        let mut letters = self.lock();
        let is_news = matches!(
            letter,
            Letter::Event(_)
                | Letter::Told(_)
                | Letter::Changed(_)
                | Letter::ExtendUntil(_)
                | Letter::List(_)
                | Letter::Banned(_)
        );
        if letters.len() >= LETTERS_MAX && is_news {
            if self.asked_to_close().is_some() {
                return Err(Full);
            }
            let joined = put_together(std::mem::take(&mut *letters));
            *letters = joined;
            // Less than a quarter of room would mean doing it again at once.
            if letters.len() > LETTERS_MAX / 4 * 3 {
                return Err(Full);
            }
        }
        letters.push_back(letter);
        drop(letters);
        self.waker.wake();
        Ok(())
    }

    /// Takes all letters out, oldest first.
    pub(crate) fn take(&self) -> VecDeque<Letter> {
        std::mem::take(&mut *self.lock())
    }

    /// Asks the session to close. The first reason stands.
    pub(crate) fn close(&self, reason: CloseReason) {
        let code = u8::try_from(reason.index() + 1).unwrap_or(u8::MAX);
        let _ = self.closing.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire);
        self.waker.wake();
    }

    /// The same because the server stops: the client may come back in so many seconds.
    pub(crate) fn close_until(&self, back_in_s: u32) {
        self.back_in_s.store(back_in_s.saturating_add(1), Ordering::Release);
        self.close(CloseReason::Shutdown);
    }

    /// In how many seconds the client may come back, if somebody said so.
    pub(crate) fn back_in_s(&self) -> Option<u32> {
        self.back_in_s.load(Ordering::Acquire).checked_sub(1)
    }

    /// The reason the session was asked to close for.
    pub(crate) fn asked_to_close(&self) -> Option<CloseReason> {
        let code = usize::from(self.closing.load(Ordering::Acquire));
        CloseReason::ALL.get(code.checked_sub(1)?).copied()
    }

    /// Whom to wake when something comes.
    pub(crate) fn wake(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Wakes the session so that it looks at the clock.
    pub(crate) fn nudge(&self) {
        self.waker.wake();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the events of each player into one, at the place of the newest; nothing is lost but what
/// came and went in between.
fn put_together(letters: VecDeque<Letter>) -> VecDeque<Letter> {
    let mut merged: HashMap<AccountId, Arc<Shared>> = HashMap::new();
    let mut newest: HashMap<AccountId, usize> = HashMap::new();
    for (place, letter) in letters.iter().enumerate() {
        let Letter::Event(shared) = letter else { continue };
        let account = shared.what.account;
        newest.insert(account, place);
        match merged.get_mut(&account) {
            None => drop(merged.insert(account, Arc::clone(shared))),
            Some(earlier) => {
                let mut event = earlier.what.clone();
                event.absorb(&shared.what);
                *earlier = Arc::new(Shared::new(event));
            }
        }
    }
    let keep = letters.into_iter().enumerate().filter_map(|(place, letter)| match letter {
        Letter::Event(shared) if newest.get(&shared.what.account) == Some(&place) => {
            merged.remove(&shared.what.account).map(Letter::Event)
        }
        Letter::Event(_) => None,
        reply => Some(reply),
    });
    keep.filter(|letter| !matches!(letter, Letter::Event(it) if it.what.is_empty())).collect()
}

#[cfg(test)]
mod tests;
