//! When to reserve more numbers, and how many: a number may be given only when its block is
//! reserved on disk, and nobody should have to wait for that.

use crate::domain::queue::Number;
use crate::domain::time::UnixMicros;

/// Smallest block. After a crash its unused numbers are ghosts in line until their lease ends.
pub(super) const BLOCK_MIN: u64 = 1_024;
/// Largest block.
const BLOCK_MAX: u64 = 1_000_000;
/// The window demand is counted over, in microseconds.
const WINDOW_US: u64 = 1_000_000;

/// The reserved numbers and how fast they go.
#[derive(Debug)]
pub(super) struct Block {
    until: Number,
    size: u64,
    asked: bool,
    since: UnixMicros,
    given: u64,
    given_before: u64,
}

impl Block {
    pub(super) const fn new(until: Number, size: u64, now: UnixMicros) -> Self {
        Self { until, size, asked: false, since: now, given: 0, given_before: 0 }
    }

    /// A number was given.
    pub(super) fn count(&mut self, now: UnixMicros) {
        let passed = now.since_us(self.since);
        if passed >= WINDOW_US {
            self.given_before = if passed < 2 * WINDOW_US { self.given } else { 0 };
            self.given = 0;
            self.since = now;
        }
        self.given += 1;
    }

    /// How far to reserve now, if it is time: less than half of the last block is left, and nothing
    /// has been asked for yet.
    pub(super) fn want(&mut self, left: u64) -> Option<Number> {
        if self.asked || left >= self.size / 2 {
            return None;
        }
        let demand = self.given.max(self.given_before);
        self.size = demand.saturating_mul(2).clamp(BLOCK_MIN, BLOCK_MAX);
        self.until = Number(self.until.0.saturating_add(self.size));
        self.asked = true;
        Some(self.until)
    }

    /// How far to reserve so that so many may be given at once; `None`: numbers are asked for
    /// already.
    pub(super) fn demand(&mut self, numbers: u64) -> Option<Number> {
        if self.asked {
            return None;
        }
        self.until = Number(self.until.0.saturating_add(numbers.saturating_add(BLOCK_MIN)));
        self.asked = true;
        Some(self.until)
    }

    /// The disk has it.
    pub(super) fn granted(&mut self) {
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_demand() {
        let mut now = UnixMicros::from_secs(100);
        let mut block = Block::new(Number(1_024), BLOCK_MIN, now);
        assert_eq!(block.want(512), None, "half is left");
        assert_eq!(block.want(511), Some(Number(2_048)), "the smallest block when it is quiet");
        assert_eq!(block.want(1), None, "one request at a time");
        block.granted();
        for _ in 0..10_000 {
            now = now.plus_us(10);
            block.count(now);
        }
        assert_eq!(block.want(0), Some(Number(22_048)), "twice what the last second asked for");
        block.granted();
        now = now.plus_secs(60);
        block.count(now);
        assert_eq!(block.want(1), Some(Number(23_072)), "a flood is forgotten");
    }
}
