//! What is measured of sign-ins and told by game servers, and what it says.

use serde::{Deserialize, Serialize};

use super::settings::{Costs, Work};

/// Sign-ins that a latency has to be measured over.
const LATENCY_OVER: u32 = 3;
/// A share of failed sign-ins above one in this many is pressure, from `ERRORS_MIN` on.
const ERRORS_ONE_IN: u32 = 50;
const ERRORS_MIN: u32 = 3;

/// What was measured since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// Sign-ins done that passed the gate, by [`Work`].
    pub done: [u32; Work::COUNT],
    /// Sign-ins done by players who held a slot.
    pub returns: u32,
    /// Sign-ins that failed by our fault: no wrong passwords, no provider's no.
    pub failed: u32,
    /// Tokens refreshed.
    pub refreshes: u32,
    /// Nineteen of twenty sign-ins took no longer, in milliseconds.
    pub p95_ms: Option<u32>,
    /// Passwords that waited to be hashed, at most.
    pub pool_depth: u32,
    /// How many may; 0: nobody knows.
    pub pool_size: u32,
    /// What game servers say of themselves, 0 to 1: 1 well, below 0.8 too much to do.
    pub health: Option<f64>,
}

impl Signals {
    /// Nothing was heard.
    pub(super) const NOTHING: Self = Self {
        done: [0; Work::COUNT],
        returns: 0,
        failed: 0,
        refreshes: 0,
        p95_ms: None,
        pool_depth: 0,
        pool_size: 0,
        health: None,
    };

    /// Sign-ins done.
    pub(super) fn all_done(&self) -> u32 {
        self.done.iter().fold(self.returns, |sum, &count| sum.saturating_add(count))
    }

    pub(super) fn says_anything(&self) -> bool {
        self.all_done() > 0 || self.failed > 0 || self.health.is_some()
    }

    /// Puts a later report to this one.
    pub(super) fn add(&mut self, later: &Self) {
        for (sum, count) in self.done.iter_mut().zip(later.done) {
            *sum = sum.saturating_add(count);
        }
        self.returns = self.returns.saturating_add(later.returns);
        self.failed = self.failed.saturating_add(later.failed);
        self.refreshes = self.refreshes.saturating_add(later.refreshes);
        self.p95_ms = self.p95_ms.max(later.p95_ms);
        self.pool_depth = self.pool_depth.max(later.pool_depth);
        self.pool_size = self.pool_size.max(later.pool_size);
        self.health = later.health.or(self.health);
    }

    /// The latency, if it was measured over enough.
    pub(super) fn latency_ms(&self) -> f64 {
        let enough = self.all_done() >= LATENCY_OVER;
        self.p95_ms.filter(|_| enough).map_or(0.0, f64::from)
    }

    /// How much is too much: 1 and more.
    pub(super) fn pressure(&self, target_ms: f64) -> f64 {
        let done = self.all_done();
        let slow = self.latency_ms() / target_ms.max(1.0);
        let half = f64::from(self.pool_size) / 2.0;
        let deep = if half > 0.0 { f64::from(self.pool_depth) / half } else { 0.0 };
        let share = self.failed.saturating_mul(ERRORS_ONE_IN);
        let errors = self.failed >= ERRORS_MIN && share > done.saturating_add(self.failed);
        slow.max(deep).max(f64::from(u8::from(errors)))
    }

    /// What got done a second, in admissions.
    pub(super) fn delivered(&self, costs: &Costs, dt_s: f64) -> Delivered {
        let by_kind = self.done.iter().zip(costs.sign_in);
        let gated: f64 = by_kind.map(|(&count, cost)| f64::from(count) * cost).sum();
        let returns = f64::from(self.returns) * costs.sign_in[Work::Known as usize];
        Delivered {
            all: (gated + returns) / dt_s,
            returns: returns / dt_s,
            count: f64::from(self.all_done()),
        }
    }
}

/// What got done in a second: all of it, and the part that did not pass the gate, in admissions; and
/// how many sign-ins that was counted over.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Delivered {
    pub(super) all: f64,
    pub(super) returns: f64,
    pub(super) count: f64,
}
