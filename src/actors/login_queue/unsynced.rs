//! Implicit tickets whose place is on its way to the disk, and the callers who wait for that.

use super::ask::Reply;
use crate::domain::queue::{Number, Standing};

/// Numbers rise and the log is written in order, so two numbers say what is on disk.
#[derive(Debug)]
pub(super) struct Unsynced {
    /// Places below this number were handed to the writer.
    logged: u64,
    /// Places below this number are on disk.
    synced: u64,
    waiting: Vec<(Number, Standing, Reply<Standing>)>,
}

impl Unsynced {
    /// A place was handed to the writer.
    pub(super) fn logged(&mut self, number: Number) {
        self.logged = self.logged.max(number.0.saturating_add(1));
    }

    /// Answers the owner of this place: at once if it is on disk, else when it is.
    pub(super) fn answer(&mut self, number: Number, standing: Standing, reply: Reply<Standing>) {
        if (self.synced..self.logged).contains(&number.0) {
            self.waiting.push((number, standing, reply));
        } else {
            // Whoever asked may be gone.
            let _ = reply.send(standing);
        }
    }

    /// Everything up to this number is on disk.
    pub(super) fn synced(&mut self, through: Number) {
        self.synced = self.synced.max(through.0.saturating_add(1));
        for (_, standing, reply) in self.waiting.extract_if(.., |(number, ..)| *number <= through) {
            // Whoever asked may be gone.
            let _ = reply.send(standing);
        }
    }

    /// Starts where every place below this number is on disk.
    pub(super) const fn starting_at(Number(first): Number) -> Self {
        Self { logged: first, synced: first, waiting: Vec::new() }
    }
}
