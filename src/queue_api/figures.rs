//! What the queue API counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Figures {
    frames: AtomicU64,
    transfers: AtomicU64,
}

impl Figures {
    /// A frame was served.
    pub fn count_frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// A place went to another owner.
    pub fn count_transfer(&self) {
        self.transfers.fetch_add(1, Ordering::Relaxed);
    }

    /// Frames served.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Places that went to another owner.
    pub fn transfers(&self) -> u64 {
        self.transfers.load(Ordering::Relaxed)
    }
}
