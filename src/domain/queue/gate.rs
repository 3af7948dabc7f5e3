//! The gate: how many come in per second.
//!
//! GCRA, scheduled instead of tested: the gate says when the next admission may happen and the
//! owner sleeps until then. Counted in nanoseconds, because a step of whole microseconds would be
//! up to one per cent off at tens of thousands per second; steps are rounded up, so the rate is
//! never exceeded. (`governor` keeps its state private and cannot carry it over a restart or a
//! change of rate, so the gate is ours.)

use serde::{Deserialize, Serialize};

use crate::domain::time::UnixMicros;

/// Longest step, in nanoseconds: about 31 years. A rate below that is as good as zero.
const STEP_MAX_NS: f64 = 1e18;

/// Admissions per second with a small burst.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Gate {
    rate: f64,
    /// Nanoseconds between admissions; 0 while the rate is zero.
    step_ns: u64,
    burst: u64,
    /// Theoretical arrival time: when everything taken so far is paid for.
    tat_ns: u64,
    /// What was owed, in admissions, when the rate became zero: nothing is paid back meanwhile.
    owed: f64,
}

impl Gate {
    /// A gate with nothing taken. `burst` 0 means 2 % of the rate, at least 1.
    pub(super) fn new(rate: f64, burst: u32) -> Self {
        let mut gate = Self { rate: 0.0, step_ns: 0, burst: 1, tat_ns: 0, owed: 0.0 };
        gate.set_rate(UnixMicros(0), rate, burst);
        gate
    }

    /// Admissions per second.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// Most admissions at one moment.
    pub(super) const fn burst(&self) -> u64 {
        self.burst
    }

    /// Changes the rate. What is owed stays owed, counted in admissions, so that a change never
    /// grants a second burst, and a raise from next to nothing works at once.
    pub(super) fn set_rate(&mut self, now: UnixMicros, rate: f64, burst: u32) {
        let owed = self.owed(now);
        self.rate = if rate.is_finite() && rate > 0.0 { rate } else { 0.0 };
        self.burst = if burst > 0 { u64::from(burst) } else { whole(self.rate * 0.02).max(1) };
        self.step_ns =
            if self.rate > 0.0 { whole((1e9 / self.rate).ceil().min(STEP_MAX_NS)) } else { 0 };
        self.owe(now, owed);
    }

    /// Admissions taken and not yet paid for by time: 0 to `burst`, more just after the burst
    /// became smaller.
    #[expect(clippy::cast_precision_loss, reason = "a ratio; nanoseconds of a debt fit an f64")]
    pub(super) fn owed(&self, now: UnixMicros) -> f64 {
        if self.step_ns == 0 {
            return self.owed;
        }
        self.tat_ns.saturating_sub(ns(now)) as f64 / self.step_ns as f64
    }

    /// Sets what is owed: after a restart, and to keep it over a change.
    #[expect(clippy::cast_precision_loss, reason = "a step is at most 1e18 and a debt is coarse")]
    pub(super) fn owe(&mut self, now: UnixMicros, owed: f64) {
        self.owed = owed.max(0.0);
        self.tat_ns = ns(now).saturating_add(whole((self.owed * self.step_ns as f64).ceil()));
    }

    /// The moment everything is paid for at this rate: what a snapshot keeps. The rate in force may
    /// be another for a while, which no restart outlives.
    pub(super) fn tat_at(&self, now: UnixMicros, rate: f64) -> u64 {
        if rate.total_cmp(&self.rate).is_eq() {
            return self.tat_ns;
        }
        let mut gate = self.clone();
        gate.set_rate(now, rate, 1);
        gate.tat_ns
    }

    /// Takes over the moment of an earlier run.
    pub(super) fn restore_tat(&mut self, tat_ns: u64, owed: f64) {
        self.tat_ns = tat_ns;
        self.owed = owed.max(0.0);
    }

    /// When the next admission may happen; in the past: at once. `None` while the rate is zero.
    pub(super) fn opens_at(&self) -> Option<UnixMicros> {
        if self.step_ns == 0 {
            return None;
        }
        let credit = (self.burst - 1).saturating_mul(self.step_ns);
        Some(UnixMicros(self.tat_ns.saturating_sub(credit).div_ceil(1_000)))
    }

    /// When so many may come in at one moment; more than the burst only when everything before is
    /// paid for. `None` while the rate is zero.
    pub(super) fn opens_for(&self, count: u64) -> Option<UnixMicros> {
        if self.step_ns == 0 {
            return None;
        }
        let credit = self.burst.saturating_sub(count).saturating_mul(self.step_ns);
        Some(UnixMicros(self.tat_ns.saturating_sub(credit).div_ceil(1_000)))
    }

    /// Whether an admission may happen now.
    pub(super) fn is_open(&self, now: UnixMicros) -> bool {
        self.opens_at().is_some_and(|at| at <= now)
    }

    /// Notes an admission of this cost, in admissions.
    ///
    /// Over any time that ends with an admission, costs taken and settled add up to no more than the
    /// rate allows and a burst (I1).
    pub(super) fn take(&mut self, now: UnixMicros, cost: f64) {
        self.tat_ns = self.tat_ns.max(ns(now)).saturating_add(self.steps_ns(cost));
    }

    /// Settles the difference when something taken turns out to have cost more, or less if negative.
    /// What comes back shortens a debt and never makes a credit.
    pub(super) fn settle(&mut self, now: UnixMicros, difference: f64) {
        if self.step_ns == 0 {
            self.owed = (self.owed + difference).max(0.0);
        } else if difference > 0.0 {
            self.take(now, difference);
        } else {
            let back_ns = self.steps_ns(-difference);
            self.tat_ns = self.tat_ns.saturating_sub(back_ns).max(self.tat_ns.min(ns(now)));
        }
    }

    /// The time `cost` admissions take.
    #[expect(clippy::cast_precision_loss, reason = "a step is at most 1e18 and costs are coarse")]
    fn steps_ns(&self, cost: f64) -> u64 {
        if cost.total_cmp(&1.0).is_eq() {
            return self.step_ns; // the common case, exact
        }
        whole((cost * self.step_ns as f64).ceil())
    }
}

const fn ns(at: UnixMicros) -> u64 {
    at.0.saturating_mul(1_000)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate, which is what is wanted"
)]
const fn whole(value: f64) -> u64 {
    value as u64
}
