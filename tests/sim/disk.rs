//! What is durable, in the order the line's owner writes it, and what becomes of it: crashes, clean
//! stops, a disk that fails.

use std::collections::BTreeSet;

use anteroom::domain::queue::{
    Identity, Input, Lane, Number, Opening, Output, Player, Queue, Recovery, Snapshot, Standing,
};

use crate::doors::Files;
use crate::world::{Event, World};

const NUMBERS: u64 = 64;

/// A place for the line's log.
pub type Place = (Number, Identity, Lane);

/// What survives a crash.
pub struct Disk {
    snapshot: Vec<u8>,
    used_then: u64,
    owed_then: f64,
    pub reserved_until: Number,
    pub places: Vec<Place>,
    pub redeemed: Vec<(Number, Player)>,
    pub lottery: Files,
    /// Places on their way to the log, and who waits to hear of theirs.
    pub unsynced: Vec<Place>,
    pub replies: Vec<Reply>,
    /// Places whose owner came back, as the line's owner remembers them while it runs.
    returned: BTreeSet<Number>,
    /// Writes take their time.
    pub is_slow: bool,
    /// The next write fails.
    pub fails: bool,
    /// The process must stop: a write failed, or it is killed right here. Nobody is answered any more.
    pub stops: bool,
}

/// An answer that waits for the disk: for whom, as of which plan of theirs, and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub who: usize,
    pub plan: u64,
    pub standing: Standing,
}

impl Disk {
    pub fn new(snapshot: &Snapshot) -> Self {
        Self {
            snapshot: postcard::to_stdvec(snapshot).unwrap(),
            used_then: 0,
            owed_then: 0.0,
            reserved_until: Number(0),
            places: Vec::new(),
            redeemed: Vec::new(),
            lottery: Files::default(),
            unsynced: Vec::new(),
            replies: Vec::new(),
            returned: BTreeSet::new(),
            is_slow: false,
            fails: false,
            stops: false,
        }
    }

    /// Writes what waits, and something more. `false`: it is not on disk, and never will be.
    fn sync(&mut self) -> bool {
        if self.fails || self.stops {
            self.stops = true;
            return false;
        }
        self.places.append(&mut self.unsynced);
        true
    }
}

impl World {
    /// Reserves numbers before they are given.
    pub fn reserve(&mut self, at_least: u64) {
        if self.queue.numbers_left() >= at_least.max(8) {
            return;
        }
        let until = Number(self.disk.reserved_until.0 + at_least + NUMBERS);
        if self.disk.sync() {
            self.disk.reserved_until = until;
            self.queue.handle(self.machine(), Input::GrantNumbers(until));
        }
        self.answer_synced();
    }

    /// The picture of the line goes to the disk, behind everything that waits.
    pub fn save(&mut self) {
        let figures = self.queue.figures();
        let snapshot = postcard::to_stdvec(&self.queue.snapshot(self.machine())).unwrap();
        if self.disk.sync() {
            self.disk.used_then =
                figures.live + figures.reserved + figures.passes_out + figures.grace;
            self.disk.owed_then = self.checks.owed();
            self.checks.saved();
            self.disk.snapshot = snapshot;
        }
        self.answer_synced();
    }

    /// Puts a place into the log before its owner hears of it, as the line's owner does: a new one,
    /// one that came back, one that was handed on.
    pub fn log_place(&mut self, input: &Input, output: &Output, is_new: bool) {
        let (standing, logs) = match (input, output) {
            (Input::Enter(..), Output::Entered(standing))
            | (Input::Join(..), Output::Joined(Ok(standing))) => {
                let Standing::Waiting(waiting) = standing else { return };
                let (number, lane) = (waiting.ticket.number, waiting.ticket.lane);
                let returns = lane == Lane::Grace && self.disk.returned.insert(number);
                (standing, is_new || returns)
            }
            (Input::Transfer(ticket, to), Output::Transferred(Ok(standing))) => {
                let moved = match standing {
                    Standing::Waiting(waiting) => waiting.ticket,
                    Standing::Passed { ticket, .. } => *ticket,
                    _ => return,
                };
                let same = moved.number == self.queue.current(*ticket).number;
                (standing, same && *to != ticket.identity)
            }
            _ => return,
        };
        let ticket = match standing {
            Standing::Waiting(waiting) => waiting.ticket,
            Standing::Passed { ticket, .. } => *ticket,
            _ => return,
        };
        if !logs || ticket.identity == Identity::ANONYMOUS {
            return;
        }
        self.disk.unsynced.push((ticket.number, ticket.identity, ticket.lane));
        if self.disk.is_slow && !self.disk.fails {
            let ms = self.dice.ms(5, 2_000);
            self.push(self.now.plus_ms(ms), Event::Sync);
        } else {
            self.sync_places();
        }
    }

    /// The log is synced.
    pub fn sync_places(&mut self) {
        if self.disk.unsynced.is_empty() {
            return;
        }
        self.disk.sync();
        self.answer_synced();
    }

    fn answer_synced(&mut self) {
        if self.disk.stops {
            return;
        }
        for reply in std::mem::take(&mut self.disk.replies) {
            // Whoever asked may have tried again meanwhile.
            if self.people[reply.who].plan == reply.plan {
                self.summary.count("answers that waited for the disk");
                self.hear(reply.who, reply.standing);
            }
        }
    }

    /// The server stops: in order, or killed at this very moment.
    pub fn stop(&mut self) {
        let clean = self.dice.chance(0.3);
        if clean {
            self.save();
        }
        // A disk that failed at the end makes it a crash.
        self.restart(clean && !self.disk.stops);
    }

    /// From the disk, after a while.
    pub fn restart(&mut self, clean: bool) {
        self.summary.count(if clean { "clean stops" } else { "crashes" });
        let disk = &mut self.disk;
        disk.unsynced.clear();
        disk.replies.clear();
        disk.returned.clear();
        (disk.fails, disk.stops) = (false, false);
        let snapshot: Snapshot = postcard::from_bytes(&disk.snapshot).unwrap();
        let down_ms = self.dice.ms(100, 60_000);
        self.now = self.now.plus_ms(down_ms);
        let recovery = Recovery {
            clean,
            reserved_until: self.disk.reserved_until,
            places: self.disk.places.clone(),
            redeemed: self.disk.redeemed.clone(),
            order: self.disk.lottery.order_for(snapshot.opening()),
        };
        self.queue = Queue::restore(self.settings.clone(), snapshot, recovery, self.machine());
        self.trace(|| format!("restart, clean: {clean}, {:?}", self.queue.figures()));
        self.incarnation += 1;
        self.restarted_at = self.now;
        let then = (self.disk.used_then, self.disk.owed_then);
        self.checks.restarted(self.now, self.queue.figures(), then);
        self.books.restarted(self.now, &mut self.queue);
        // The dials are those of the snapshot: they may say that the line is held.
        let at = self.now.plus_ms(self.dice.ms(1_000, 40_000));
        self.push(at, Event::Release);
        self.reopen_doors();
        for who in 0..self.people.len() {
            self.survive(who, down_ms);
        }
    }

    pub fn is_gathering(&self) -> bool {
        !matches!(self.queue.opening(), Opening::None | Opening::Drawn(_))
    }
}
