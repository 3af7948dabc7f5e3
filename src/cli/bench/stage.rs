//! What all players of a run share, and what those of one thread share.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use awc::Client;
use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::tally::{Micros, Tally};
use crate::clock::Clock;

/// How many players are where, for the progress bars, and whether the curtain has fallen.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) arrived: AtomicU64,
    pub(super) waiting: AtomicU64,
    pub(super) admitted: AtomicU64,
    pub(super) online: AtomicU64,
    pub(super) done: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) over: AtomicBool,
}

/// One player in one of the places; leaves it when dropped.
pub(super) struct In<'a>(&'a AtomicU64);

impl<'a> In<'a> {
    pub(super) fn new(place: &'a AtomicU64) -> Self {
        place.fetch_add(1, Ordering::Relaxed);
        Self(place)
    }
}

impl Drop for In<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What every thread needs to open its stage.
#[derive(Clone)]
pub(super) struct Usher {
    /// `HOST:PORT` of the server.
    pub(super) authority: String,
    /// `Basic …` with the server key.
    pub(super) server_key: String,
    /// Game shard of Pragma's players.
    pub(super) shard: String,
    /// Life of a pass, in seconds.
    pub(super) pass_ttl: u64,
    /// What the server adds to its estimates, in milliseconds.
    pub(super) login_ms: u64,
    pub(super) clock: Clock,
    pub(super) scene: Arc<Scene>,
}

impl Usher {
    /// A stage for this thread.
    pub(super) fn open(&self) -> Stage {
        Stage {
            usher: self.clone(),
            client: super::http::client(),
            curtain: Notify::new(),
            tally: RefCell::default(),
        }
    }
}

/// What the players of one thread share.
pub(super) struct Stage {
    usher: Usher,
    pub(super) client: Client,
    /// Wakes everybody on this thread when the curtain falls.
    pub(super) curtain: Notify,
    pub(super) tally: RefCell<Tally>,
}

impl std::ops::Deref for Stage {
    type Target = Usher;

    fn deref(&self) -> &Usher {
        &self.usher
    }
}

impl Stage {
    /// Waits this long; `true`: the run is over.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        let fallen = std::pin::pin!(self.curtain.notified());
        if self.is_over() {
            return true;
        }
        let slept = std::pin::pin!(tokio::time::sleep(time));
        matches!(select(slept, fallen).await, Either::Right(_))
    }

    pub(super) fn now(&self) -> Micros {
        self.clock.now().0
    }

    /// Whether the run has ended and everybody should go home.
    pub(super) fn is_over(&self) -> bool {
        self.scene.over.load(Ordering::Relaxed)
    }

    /// Notes a fault.
    pub(super) fn went_wrong(&self, words: String) {
        self.scene.errors.fetch_add(1, Ordering::Relaxed);
        self.tally.borrow_mut().went_wrong(words);
    }
}
