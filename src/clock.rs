//! The only door to the machine's clock. Everything else is handed the time, so that a test can
//! turn it: `clippy.toml` bans the clock elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::UnixMicros;

/// Tells the time: the machine's, or one a test turns by hand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Machine,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock.
    pub const fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands still until it is turned with [`Clock::advance_ms`].
    pub fn manual(start: UnixMicros) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(start.0))))
    }

    /// Now. A machine clock set before 1970 reads as the epoch.
    pub fn now(&self) -> UnixMicros {
        match &self.0 {
            Source::Machine => machine_now(),
            Source::Manual(micros) => UnixMicros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Turns a manual clock forward; the machine's is left alone.
    pub fn advance_ms(&self, ms: u64) {
        if let Source::Manual(micros) = &self.0 {
            micros.fetch_add(ms.saturating_mul(1_000), Ordering::SeqCst);
        }
    }

    /// Whether a test turns this clock. Actors then keep no timers of their own for rules and
    /// wait to be told that time has passed.
    pub const fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the machine's clock")]
fn machine_now() -> UnixMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMicros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// Measures spans on the machine's steady clock, which no one sets: silence, stalls, rates. Follows
/// tokio's clock, so that a test which pauses that one moves this one.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(tokio::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the door to the machine's clock")]
    pub fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Microseconds since the start.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The moment `us` microseconds after the start, to sleep until; far off ones are a day off.
    pub fn at_us(&self, us: u64) -> tokio::time::Instant {
        const DAY_US: u64 = 86_400_000_000;
        self.0 + std::time::Duration::from_micros(us.min(self.elapsed_us().saturating_add(DAY_US)))
    }
}
