//! What is counted about sockets: plain atomics, read by the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::session::CloseReason;

/// Counts since the start, and gauges where said.
#[derive(Debug, Default)]
pub struct SessionFigures {
    opened: AtomicU64,
    ended: AtomicU64,
    denied: AtomicU64,
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    closed: [AtomicU64; CloseReason::ALL.len()],
}

impl SessionFigures {
    /// Connections there are now (a gauge), with those that are closing.
    pub fn open(&self) -> u64 {
        // Read in this order, so that an opening in between can't make it less than nothing.
        let ended = get(&self.ended);
        get(&self.opened).saturating_sub(ended)
    }

    /// Sockets opened.
    pub fn opened(&self) -> u64 {
        get(&self.opened)
    }

    /// Handshakes turned away.
    pub fn denied(&self) -> u64 {
        get(&self.denied)
    }

    /// Sockets closed for `reason`. Slow clients: [`CloseReason::SlowConsumer`].
    pub fn closed(&self, reason: CloseReason) -> u64 {
        self.closed.get(reason.index()).map_or(0, get)
    }

    /// Messages and control frames read.
    pub fn frames_in(&self) -> u64 {
        get(&self.frames_in)
    }

    /// Messages queued to clients.
    pub fn frames_out(&self) -> u64 {
        get(&self.frames_out)
    }

    /// Payload bytes read.
    pub fn bytes_in(&self) -> u64 {
        get(&self.bytes_in)
    }

    /// Bytes written, headers included.
    pub fn bytes_out(&self) -> u64 {
        get(&self.bytes_out)
    }

    pub(super) fn count_opened(&self) {
        add(&self.opened, 1);
    }

    pub(super) fn count_ended(&self) {
        add(&self.ended, 1);
    }

    pub(super) fn count_denied(&self) {
        add(&self.denied, 1);
    }

    pub(super) fn count_closed(&self, reason: CloseReason) {
        if let Some(count) = self.closed.get(reason.index()) {
            add(count, 1);
        }
    }

    pub(super) fn count_in(&self, bytes: usize) {
        add(&self.frames_in, 1);
        add(&self.bytes_in, bytes as u64);
    }

    pub(super) fn count_out(&self, frames: usize, bytes: usize) {
        add(&self.frames_out, frames as u64);
        add(&self.bytes_out, bytes as u64);
    }
}

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn add(count: &AtomicU64, by: u64) {
    if by > 0 {
        count.fetch_add(by, Ordering::Relaxed);
    }
}
