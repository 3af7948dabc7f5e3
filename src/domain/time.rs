//! Moments and spans, as plain numbers. Nothing here reads a clock: see [`crate::clock`].

use serde::{Deserialize, Serialize};

/// A moment: microseconds since the Unix epoch.
///
/// Microseconds, because the admission gate schedules faster than once a millisecond.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UnixMicros(pub u64);

impl UnixMicros {
    /// The moment `secs` whole seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The moment `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// Whole seconds since the epoch, rounded down: what tokens and records carry.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The moment `us` microseconds later; stops at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus_us(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        self.plus_us(ms.saturating_mul(1_000))
    }

    /// The moment `secs` seconds later.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        self.plus_us(secs.saturating_mul(1_000_000))
    }

    /// Microseconds from `earlier` to here; zero when `earlier` is later (a clock stepped back).
    pub const fn since_us(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Milliseconds from `earlier` to here, rounded down; zero when `earlier` is later.
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.since_us(earlier) / 1_000
    }
}
