//! Implicit tickets whose place is on its way to the disk, and the callers who wait for that.

use super::ask::Reply;
use crate::domain::queue::{Number, Standing};

/// Numbers rise and the log is written in order, so two numbers say what is on disk.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    logged: Number,
    synced: Number,
    waiting: Vec<(Number, Standing, Reply<Standing>)>,
}

impl Unsynced {
    /// A place was handed to the writer.
    pub(super) fn logged(&mut self, number: Number) {
        self.logged = self.logged.max(number);
    }

    /// Answers the owner of this place: at once if it is on disk, else when it is.
    pub(super) fn answer(&mut self, number: Number, standing: Standing, reply: Reply<Standing>) {
        if number > self.synced && number <= self.logged {
            self.waiting.push((number, standing, reply));
        } else {
            // Whoever asked may be gone.
            let _ = reply.send(standing);
        }
    }

    /// Everything up to this number is on disk.
    pub(super) fn synced(&mut self, through: Number) {
        self.synced = self.synced.max(through);
        for (_, standing, reply) in self.waiting.extract_if(.., |(number, ..)| *number <= through) {
            // Whoever asked may be gone.
            let _ = reply.send(standing);
        }
    }

    /// Starts after a restart: everything up to this number is on disk.
    pub(super) fn starting_at(number: Number) -> Self {
        Self { logged: number, synced: number, waiting: Vec::new() }
    }
}
