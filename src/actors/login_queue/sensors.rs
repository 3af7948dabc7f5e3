//! What is measured where sign-ins happen, for the line to hear once a second: counted without a lock
//! by whoever signs somebody in, taken by the line.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::domain::queue::{Signals, Work};

/// Four to an octave of milliseconds: a latency is off by a quarter at most.
const BUCKETS: usize = 72;
/// Where two counts share a word, the upper one begins.
const UPPER: u32 = 32;

/// The sensors. Everything is counted since the line last took it; nothing grows.
#[derive(Debug)]
pub struct Sensors {
    done: [AtomicU32; Work::COUNT],
    returns: AtomicU32,
    failed: AtomicU32,
    refreshes: AtomicU32,
    took: [AtomicU32; BUCKETS],
    pool_depth: AtomicU32,
    pool_size: AtomicU32,
    /// How many said how they are, and the sum of it in thousandths.
    health: AtomicU64,
}

impl Default for Sensors {
    fn default() -> Self {
        Self {
            done: Default::default(),
            returns: AtomicU32::default(),
            failed: AtomicU32::default(),
            refreshes: AtomicU32::default(),
            took: [const { AtomicU32::new(0) }; BUCKETS],
            pool_depth: AtomicU32::default(),
            pool_size: AtomicU32::default(),
            health: AtomicU64::default(),
        }
    }
}

impl Sensors {
    /// Somebody signed in who came through the line, in so many milliseconds.
    pub fn signed_in(&self, work: Work, took_ms: u64) {
        self.done[work as usize].fetch_add(1, Relaxed);
        self.took[bucket(took_ms)].fetch_add(1, Relaxed);
    }

    /// Somebody signed in who held a slot or does not queue.
    pub fn returned(&self, took_ms: u64) {
        self.returns.fetch_add(1, Relaxed);
        self.took[bucket(took_ms)].fetch_add(1, Relaxed);
    }

    /// A sign-in failed by our fault: somebody who had to answer did not.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// A session was refreshed.
    pub fn refreshed(&self) {
        self.refreshes.fetch_add(1, Relaxed);
    }

    /// Passwords wait to be hashed: so many of as many as may.
    pub fn pool(&self, depth: usize, size: usize) {
        self.pool_depth.fetch_max(narrow(depth), Relaxed);
        self.pool_size.store(narrow(size), Relaxed);
    }

    /// A game server says how it is, 0 to 1.
    pub fn health(&self, health: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let thousandths = (health.clamp(0.0, 1.0) * 1e3).round() as u64;
        self.health.fetch_add((1 << UPPER) | thousandths, Relaxed);
    }

    /// What was measured since the last time.
    pub(super) fn take(&self) -> Signals {
        let take = |count: &AtomicU32| count.swap(0, Relaxed);
        let took: Vec<u32> = self.took.iter().map(take).collect();
        let health = self.health.swap(0, Relaxed);
        let (count, sum) = (health >> UPPER, health & u64::from(u32::MAX));
        #[expect(clippy::cast_precision_loss, reason = "a second's count")]
        let health = (count > 0).then(|| sum as f64 / (count * 1_000) as f64);
        Signals {
            done: [take(&self.done[0]), take(&self.done[1]), take(&self.done[2])],
            returns: take(&self.returns),
            failed: take(&self.failed),
            refreshes: take(&self.refreshes),
            p95_ms: p95(&took),
            pool_depth: take(&self.pool_depth),
            pool_size: self.pool_size.load(Relaxed),
            health,
        }
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The bucket of a latency: each up to 3 ms has its own.
fn bucket(ms: u64) -> usize {
    let ms = ms.min(1 << 18);
    if ms < 4 {
        return usize::try_from(ms).unwrap_or(0);
    }
    let octave = ms.ilog2();
    let quarter = ms >> (octave - 2) & 3;
    usize::try_from(u64::from(octave) * 4 + quarter - 4).unwrap_or(0)
}

/// The longest latency of a bucket, in milliseconds.
fn longest_ms(bucket: usize) -> u32 {
    let bucket = narrow(bucket);
    if bucket < 4 {
        return bucket;
    }
    ((bucket % 4 + 5) << (bucket / 4 - 1)) - 1
}

/// Nineteen of twenty took no longer; `None`: nobody took any time.
fn p95(took: &[u32]) -> Option<u32> {
    let all: u64 = took.iter().map(|&count| u64::from(count)).sum();
    let mut left = all / 20;
    let slow = took.iter().enumerate().rev().find(|&(_, &count)| {
        let reached = u64::from(count) > left;
        left = left.saturating_sub(count.into());
        reached
    });
    slow.map(|(bucket, _)| longest_ms(bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_has_a_bucket_and_is_told_to_a_quarter() {
        for ms in (0..5_000).chain([60_000, 262_144]) {
            let told = u64::from(longest_ms(bucket(ms)));
            assert!(ms <= told && told <= ms + ms / 4, "{ms} ms told as {told}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn what_was_measured_is_told_once() {
        let sensors = Sensors::default();
        (0..94).for_each(|_| sensors.signed_in(Work::Password, 10));
        (0..6).for_each(|_| sensors.returned(900));
        sensors.failed();
        sensors.refreshed();
        sensors.pool(40, 128);
        sensors.pool(3, 128);
        sensors.health(0.25);
        sensors.health(0.75);
        let told = sensors.take();
        let expected = Signals {
            done: [0, 94, 0],
            returns: 6,
            failed: 1,
            refreshes: 1,
            p95_ms: Some(1_023),
            pool_depth: 40,
            pool_size: 128,
            health: Some(0.5),
        };
        assert_eq!(told, expected);
        assert_eq!(sensors.take(), Signals { pool_size: 128, ..Signals::default() });
    }
}
