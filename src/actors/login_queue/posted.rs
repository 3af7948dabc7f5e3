//! The frame, posted for everybody to read: once a second, and at once when something is announced.
//!
//! The line is the only one to write to it; a reader may be a second behind.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::queue::{Announcement, Frame, Queue};
use crate::domain::time::UnixMicros;

/// Time between two frames, in microseconds.
const EVERY_US: u64 = 1_000_000;

/// Where the latest frame hangs, and where one can wait for the next.
pub(super) type Posted = watch::Receiver<Arc<Frame>>;

/// The line's end.
#[derive(Debug)]
pub(super) struct Poster {
    posted: watch::Sender<Arc<Frame>>,
    /// What the last frame says: compared after every message, so without the lock.
    announced: Announcement,
    due: UnixMicros,
}

impl Poster {
    /// Both ends. The first frame is that of a line nothing has happened in yet.
    pub(super) fn new(queue: &Queue) -> (Self, Posted) {
        let (posted, hangs) = watch::channel(Arc::new(queue.frame()));
        (Self { posted, announced: queue.announcement().clone(), due: UnixMicros(0) }, hangs)
    }

    /// Posts a frame if it is time, or if something else was announced than the last one says.
    pub(super) fn post(&mut self, queue: &Queue, now: UnixMicros) {
        if now < self.due && self.announced == *queue.announcement() {
            return;
        }
        self.due = now.plus_us(EVERY_US);
        self.announced.clone_from(queue.announcement());
        self.posted.send_replace(Arc::new(queue.frame()));
    }
}
