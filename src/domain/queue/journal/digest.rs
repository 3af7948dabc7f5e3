//! Hashes that tell whether a replay is what happened: of answers as they are given, and of the state.
//! They find mistakes, not forgers.

use crate::domain::queue::line::Mark;
use crate::domain::queue::{
    Checked, Closed, NoParty, NoSlot, NotTransferred, Number, Output, PassRefused, Queue, Standing,
    UnixMicros, Waiting,
};

/// A running hash: some nanoseconds for each number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn add(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn add_all(&mut self, numbers: &[u64]) {
        for &number in numbers {
            self.add(number);
        }
    }

    /// This hash with that of the state: who waits, by lane, parked, passes, slots; the next number, the
    /// gate, the mode, what is due, and all totals. Costs some hundred nanoseconds whatever the length of
    /// the line.
    pub(super) fn with_state(mut self, queue: &Queue) -> u64 {
        self.add_all(&queue.line.waiting());
        for mark in [Mark::Parked, Mark::Pass, Mark::Unheard] {
            self.add(queue.line.count(mark));
        }
        self.add_all(&queue.ledger.counts());
        self.add_all(&[queue.line.next().0, queue.granted.0, queue.time.now.0, queue.settings.cap]);
        self.add_all(&[queue.gate.rate().to_bits(), due(queue.gate.opens_at()), due(queue.alarm)]);
        self.add(queue.announced.mode as u64);
        let tally = &queue.tally;
        self.add_all(&tally.admitted);
        let expired = tally.expired;
        self.add_all(&[
            expired.pass,
            expired.lease,
            expired.parked,
            expired.grace,
            expired.reserved,
        ]);
        self.add_all(&[tally.left, tally.returned, tally.refused_full, tally.refused_closed]);
        self.0
    }
}

fn due(at: Option<UnixMicros>) -> u64 {
    at.map_or(u64::MAX, |at| at.0)
}

/// An answer, as far as it goes into the hash.
pub(super) trait Answer {
    fn add_to(&self, digest: &mut Digest);
}

impl Answer for () {
    fn add_to(&self, _: &mut Digest) {}
}

impl Answer for bool {
    fn add_to(&self, digest: &mut Digest) {
        digest.add(u64::from(*self));
    }
}

impl Answer for Waiting {
    fn add_to(&self, digest: &mut Digest) {
        let eta_ms = self.eta.map_or(u64::MAX, |eta| eta.mid_ms);
        digest.add_all(&[self.ticket.number.0, self.position, self.poll_after_ms, eta_ms]);
        digest.add(self.lease_until.0 ^ self.reason.map_or(0, |reason| 1 + reason as u64));
    }
}

impl Answer for Standing {
    fn add_to(&self, digest: &mut Digest) {
        match self {
            Self::Waiting(waiting) => waiting.add_to(digest),
            Self::Passed { ticket, pass_until, on_the_spot } => {
                digest.add_all(&[ticket.number.0, pass_until.0, u64::from(*on_the_spot)]);
            }
            Self::HoldsSlot => digest.add(1),
            Self::Refused { why, retry_after_ms } => digest.add(why.kind() ^ retry_after_ms << 8),
        }
    }
}

impl Answer for Checked {
    fn add_to(&self, digest: &mut Digest) {
        match self {
            Self::Standing(standing) => standing.add_to(digest),
            Self::Forgotten => digest.add(2),
        }
    }
}

impl<T: Answer, E: Refusal> Answer for Result<T, E> {
    fn add_to(&self, digest: &mut Digest) {
        match self {
            Ok(answer) => answer.add_to(digest),
            Err(refusal) => digest.add(256 + refusal.kind()),
        }
    }
}

impl Answer for Option<UnixMicros> {
    fn add_to(&self, digest: &mut Digest) {
        digest.add(due(*self));
    }
}

impl Answer for Option<Vec<Number>> {
    fn add_to(&self, digest: &mut Digest) {
        for number in self.iter().flatten() {
            digest.add(number.0);
        }
    }
}

impl Answer for Output {
    fn add_to(&self, digest: &mut Digest) {
        match self {
            Self::Done => {}
            Self::Entered(standing) => standing.add_to(digest),
            Self::Joined(joined) => joined.add_to(digest),
            Self::Checked(checked) => checked.add_to(digest),
            Self::Left(answer)
            | Self::Redeemed(answer)
            | Self::Kept(answer)
            | Self::Drawn(answer) => answer.add_to(digest),
            Self::Transferred(transferred) => transferred.add_to(digest),
            Self::Redeem(answer) => answer.add_to(digest),
            Self::Connect(answer) => answer.add_to(digest),
            Self::Entrants(entrants) => entrants.add_to(digest),
            Self::Wake(at) => at.add_to(digest),
        }
    }
}

/// Why something was refused, as a number.
pub(super) trait Refusal {
    fn kind(&self) -> u64;
}

impl Refusal for Closed {
    fn kind(&self) -> u64 {
        *self as u64
    }
}

impl Refusal for NoParty {
    fn kind(&self) -> u64 {
        *self as u64
    }
}

impl Refusal for PassRefused {
    fn kind(&self) -> u64 {
        *self as u64
    }
}

impl Refusal for NotTransferred {
    fn kind(&self) -> u64 {
        *self as u64
    }
}

impl Refusal for NoSlot {
    fn kind(&self) -> u64 {
        self.retry_after_ms
    }
}
