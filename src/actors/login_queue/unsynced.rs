//! Implicit tickets whose place is on its way to the disk, and the callers who wait for that.
//!
//! Most places are logged when their number is given. A ticket that was admitted on the spot has
//! none to keep; when its pass lapses unused and its owner comes back to wait, it has, and is
//! logged then, behind younger ones. So what is on disk is told by the order of logging.

use std::collections::{HashMap, HashSet};

use super::ask::Reply;
use crate::domain::queue::{Number, Standing};

/// Returned tickets remembered as logged. Beyond that some are logged again, which does no harm.
const RETURNED_MAX: usize = 65_536;

/// Places on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    /// Places handed to the writer since the start.
    logged: u64,
    /// How many of them are on disk.
    synced: u64,
    /// Which of them a number is, until it is on disk.
    on_the_way: HashMap<Number, u64>,
    /// Numbers of returned tickets that were logged when they returned.
    returned: HashSet<Number>,
    waiting: Vec<(u64, Standing, Reply<Standing>)>,
}

impl Unsynced {
    /// A place was handed to the writer.
    pub(super) fn logged(&mut self, number: Number) {
        self.logged += 1;
        self.on_the_way.insert(number, self.logged);
    }

    /// Whether a ticket that returned to the line has yet to be logged; asked once.
    pub(super) fn returns(&mut self, number: Number) -> bool {
        if self.returned.len() >= RETURNED_MAX {
            self.returned.clear();
        }
        self.returned.insert(number)
    }

    /// Answers the owner of this place: at once if it is on disk, else when it is.
    pub(super) fn answer(&mut self, number: Number, standing: Standing, reply: Reply<Standing>) {
        match self.on_the_way.get(&number) {
            Some(place) => self.waiting.push((*place, standing, reply)),
            // Whoever asked may be gone.
            None => {
                let _ = reply.send(standing);
            }
        }
    }

    /// So many more places are on disk.
    pub(super) fn synced(&mut self, more: u64) {
        self.synced += more;
        let synced = self.synced;
        self.on_the_way.retain(|_, place| *place > synced);
        for (_, standing, reply) in self.waiting.extract_if(.., |(place, ..)| *place <= synced) {
            // Whoever asked may be gone.
            let _ = reply.send(standing);
        }
    }
}
