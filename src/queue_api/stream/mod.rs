//! `GET /v1/queue/stream`: told instead of asking, for those near the front. A WebSocket ([`socket`])
//! when upgraded, else server-sent events ([`sse`]); [`teller`] is what both tell.
//!
//! A stream is a convenience: its number is bounded, a second one of a ticket takes the first one's
//! place, and losing it costs nothing but the next poll.

pub(super) mod invitation;
mod socket;
pub(super) mod sse;
mod teller;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

pub use socket::route;

use crate::domain::queue::{Number, TicketRef};

/// Its path.
pub const PATH: &str = "/v1/queue/stream";

/// Every open stream. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Streams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    open: Mutex<HashMap<(u32, Number), Entry>>,
    count: AtomicUsize,
    opened: AtomicU64,
    leaving: watch::Sender<bool>,
}

#[derive(Debug)]
struct Entry {
    /// Which stream of its ticket it is.
    stream: u64,
    /// Dropped when another takes its place.
    _replaced: oneshot::Sender<()>,
}

/// Why a stream ends though its ticket waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Another stream of the same ticket was opened.
    Replaced,
    /// The server stops.
    Leaving,
}

impl Streams {
    /// Room for so many.
    pub fn new(most: u32) -> Self {
        Self(Arc::new(Inner {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            open: Mutex::default(),
            count: AtomicUsize::new(0),
            opened: AtomicU64::new(0),
            leaving: watch::Sender::new(false),
        }))
    }

    /// Open streams.
    pub fn count(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Streams opened since the start.
    pub fn opened(&self) -> u64 {
        self.0.opened.load(Ordering::Relaxed)
    }

    /// Whether another finds room.
    pub fn has_room(&self) -> bool {
        self.count() < self.0.most && !*self.0.leaving.borrow()
    }

    /// Tells all of them to end, and lets nobody in any more. Does not wait.
    pub fn leave(&self) {
        self.0.leaving.send_replace(true);
    }

    /// A place for a stream of this ticket. `None`: there is no room.
    fn enter(&self, ticket: TicketRef) -> Option<Seat> {
        let key = (ticket.epoch, ticket.number);
        let mut open = self.lock();
        if !open.contains_key(&key) && !self.has_room() {
            return None;
        }
        let stream = self.0.opened.fetch_add(1, Ordering::Relaxed);
        let (sender, replaced) = oneshot::channel();
        open.insert(key, Entry { stream, _replaced: sender });
        self.0.count.store(open.len(), Ordering::Relaxed);
        drop(open);
        let leaving = self.0.leaving.subscribe();
        Some(Seat { streams: self.clone(), key, stream, replaced, leaving })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u32, Number), Entry>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's place among the others, given up when dropped.
#[derive(Debug)]
struct Seat {
    streams: Streams,
    key: (u32, Number),
    stream: u64,
    replaced: oneshot::Receiver<()>,
    leaving: watch::Receiver<bool>,
}

impl Seat {
    /// Answers when the stream has to end. Not to be asked again after that.
    async fn ended(&mut self) -> Ended {
        tokio::select! {
            _ = &mut self.replaced => Ended::Replaced,
            _ = self.leaving.wait_for(|leaving| *leaving) => Ended::Leaving,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if open.get(&self.key).is_some_and(|entry| entry.stream == self.stream) {
            open.remove(&self.key);
            self.streams.0.count.store(open.len(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::{Identity, Lane};
    use crate::domain::time::UnixMicros;

    fn ticket(number: u64) -> TicketRef {
        TicketRef {
            epoch: 1,
            number: Number(number),
            lane: Lane::Standard,
            identity: Identity::ANONYMOUS,
            issued_at: UnixMicros(0),
        }
    }

    #[actix_rt::test]
    async fn a_second_stream_of_a_ticket_takes_the_first_ones_place() {
        let streams = Streams::new(1);
        let mut first = streams.enter(ticket(1)).unwrap();
        assert!(streams.enter(ticket(2)).is_none(), "no room");
        let mut second = streams.enter(ticket(1)).unwrap();
        assert_eq!(first.ended().await, Ended::Replaced);
        drop(first);
        assert_eq!(streams.count(), 1, "the second one's place is not the first one's to give up");
        streams.leave();
        assert_eq!(second.ended().await, Ended::Leaving);
        drop(second);
        assert_eq!((streams.count(), streams.has_room()), (0, false));
    }
}
