//! The rate in force: the operators' rate, and less of it for a while after a standstill.
//!
//! A backend that has just come back has cold caches, and everybody in line is awake: the rate begins
//! at a share of itself and grows by half every ten seconds. What is measured may allow less still
//! (`adaptive`).

use serde::{Deserialize, Serialize};

use super::{Queue, UnixMicros};

/// Growth of the rate with each step.
const GROWTH: f64 = 1.5;
/// Time between steps, in milliseconds.
const STEP_MS: u64 = 10_000;
/// A standstill shorter than this is followed by the full rate at once, in milliseconds.
const SHORT_MS: u64 = 10_000;

/// The rate in force. See the head of this file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Throttle {
    /// What the operators allow, in admissions per second.
    ceiling: f64,
    /// Share of it after a standstill, above 0 to 1; 1: no slow start.
    floor: f64,
    /// When the slow start began; `None`: none is going on.
    slow_since: Option<UnixMicros>,
}

impl Throttle {
    pub(super) fn new(ceiling: f64, floor: f64) -> Self {
        let floor = if floor.is_finite() { floor.clamp(0.01, 1.0) } else { 1.0 };
        Self { ceiling, floor, slow_since: None }
    }

    /// What the operators allow.
    pub(super) const fn ceiling(&self) -> f64 {
        self.ceiling
    }

    pub(super) const fn set_ceiling(&mut self, rate: f64) {
        self.ceiling = rate;
    }

    /// Admissions stood still until now.
    pub(super) fn stood_still(&mut self, since: UnixMicros, now: UnixMicros) {
        if self.floor < 1.0 && now.since_ms(since) >= SHORT_MS {
            self.slow_since = Some(now);
        }
    }

    /// Admissions per second at `now`. Ends a slow start that is over.
    pub(super) fn rate(&mut self, now: UnixMicros) -> f64 {
        let Some(since) = self.slow_since else { return self.ceiling };
        let steps = i32::try_from(now.since_ms(since) / STEP_MS).unwrap_or(i32::MAX);
        let share = self.floor * GROWTH.powi(steps);
        if share >= 1.0 {
            self.slow_since = None;
            return self.ceiling;
        }
        self.ceiling * share
    }

    /// When the rate changes next by itself.
    pub(super) fn next_step(&self, now: UnixMicros) -> Option<UnixMicros> {
        let since = self.slow_since?;
        Some(since.plus_ms((now.since_ms(since) / STEP_MS + 1).saturating_mul(STEP_MS)))
    }
}

impl Queue {
    /// Gives the gate the rate that is in force.
    pub(super) fn apply_throttle(&mut self, now: UnixMicros) {
        self.adaptive.check_silence(now, self.throttle.ceiling());
        let rate = self.throttle.rate(now).min(self.adaptive.limit().unwrap_or(f64::INFINITY));
        if rate.total_cmp(&self.gate.rate()).is_ne() {
            self.gate.set_rate(now, rate, self.settings.burst);
        }
        let steps = [self.throttle.next_step(now), self.adaptive.silent_at()];
        self.throttle_at = steps.into_iter().flatten().min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixMicros {
        UnixMicros::from_secs(1_000 + seconds)
    }

    #[test]
    fn after_a_standstill_the_rate_grows_from_its_floor_to_the_ceiling_and_stays() {
        let mut throttle = Throttle::new(100.0, 0.2);
        throttle.stood_still(at(0), at(60));
        let rates: Vec<f64> = (6..12).map(|ten| throttle.rate(at(10 * ten))).collect();
        let expected = [20.0, 30.0, 45.0, 67.5, 100.0, 100.0];
        assert!(rates.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{rates:?}");
        assert_eq!(throttle.next_step(at(200)), None);
        throttle.set_ceiling(50.0);
        assert!((throttle.rate(at(200)) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_moment_s_pause_or_no_floor_means_no_slow_start() {
        let mut throttle = Throttle::new(100.0, 0.2);
        throttle.stood_still(at(0), at(9));
        assert!((throttle.rate(at(9)) - 100.0).abs() < 1e-9);
        let mut throttle = Throttle::new(100.0, 1.0);
        throttle.stood_still(at(0), at(900));
        assert!((throttle.rate(at(900)) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn steps_come_every_ten_seconds() {
        let mut throttle = Throttle::new(100.0, 0.2);
        throttle.stood_still(at(0), at(60));
        assert_eq!(throttle.next_step(at(60)), Some(at(70)));
        assert_eq!(throttle.next_step(at(65)), Some(at(70)));
        assert_eq!(throttle.next_step(at(70)), Some(at(80)));
    }
}
