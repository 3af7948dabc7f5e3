//! What the registry counts, for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Plain counters, read without asking the registry. All but `waiting` and `accounts` only grow.
#[derive(Debug, Default)]
pub struct RegistryFigures {
    /// Commits that became durable.
    pub commits: AtomicU64,
    /// Changes in them.
    pub writes: AtomicU64,
    /// Time spent in commits, in microseconds.
    pub commit_us_sum: AtomicU64,
    /// The longest commit, in microseconds.
    pub commit_us_max: AtomicU64,
    /// The moment of the last commit, in milliseconds since the epoch; 0: none yet.
    pub committed_ms: AtomicU64,
    /// Callers that wait for an answer now.
    pub waiting: AtomicUsize,
    /// Callers turned away because too many waited.
    pub turned_away: AtomicU64,
    /// Accounts stored.
    pub accounts: AtomicU64,
}
