//! The frame, posted for everybody to read: once a second, and at once when something is announced.
//!
//! The line is the only one to write to it; a reader may be a second behind.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::queue::{Announcement, Frame, Queue};
use crate::domain::time::UnixMicros;

/// Time between two frames, in microseconds.
const EVERY_US: u64 = 1_000_000;

/// Where the latest frame hangs.
#[derive(Clone, Debug)]
pub(super) struct Posted(Arc<RwLock<Arc<Frame>>>);

impl Posted {
    pub(super) fn new(queue: &Queue) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(queue.frame()))))
    }

    /// The latest frame.
    pub(super) fn read(&self) -> Arc<Frame> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The line's end.
#[derive(Debug)]
pub(super) struct Poster {
    posted: Posted,
    /// What the last frame says: compared after every message, so without the lock.
    announced: Announcement,
    due: UnixMicros,
}

impl Poster {
    pub(super) fn new(posted: Posted) -> Self {
        let announced = posted.read().announced.clone();
        Self { posted, announced, due: UnixMicros(0) }
    }

    /// Posts a frame if it is time, or if something else was announced than the last one says.
    pub(super) fn post(&mut self, queue: &Queue, now: UnixMicros) {
        if now < self.due && self.announced == *queue.announcement() {
            return;
        }
        self.due = now.plus_us(EVERY_US);
        self.announced.clone_from(queue.announcement());
        let frame = Arc::new(queue.frame());
        *self.posted.0.write().unwrap_or_else(PoisonError::into_inner) = frame;
    }
}
