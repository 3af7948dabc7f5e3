//! The rate that measured signals allow: fast down, slow up, never above the operators' (login-queues
//! §2.11).
//!
//! A backend that has too much to do shows it twice: sign-ins take long, and no more of them get done
//! than it can do. The first says *that* the rate is too high; the second says what rate would be
//! right, whatever is already on its way from the line to the door. So the rate is not felt for by
//! steps, which a late signal turns into swings: it is set to a little less than what gets done, and
//! what has piled up drains. Then it grows again, slowest where it was too much last time.
//!
//! If sign-ins still take long when all that is let in gets done, slowness is how the backend is and no
//! sign of too much: less would not help, so that latency is what later ones are compared with.
//!
//! Health told by game servers is a share of the rate, not a step, for it comes seldom and late.
//!
//! Silence is not health: without anything heard nothing grows, and when people are let in and
//! nothing is heard of them for a minute the rate falls to its floor. A queue that has never heard
//! anything (a simulation, a test) is not touched by any of this.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::settings::{AdaptiveSettings, Costs};
use super::signals::Delivered;
use super::{Announcement, Mode, Queue, Signals, UnixMicros};

/// Share of what gets done that is let in while too much has piled up.
const HEADROOM: f64 = 0.95;
/// Pressure from which nothing grows; from 1 on the rate falls.
const UNEASY: f64 = 0.3;
/// Reports looked at for what gets done.
const SAMPLES: usize = 8;
/// What is no noise but a change: this share, or so many deviations of a count.
const CHANGE: f64 = 0.2;
const CHANGE_NOISE: f64 = 2.0;
/// Reports after which the rate of a congestion is settled: it falls further only if things get worse.
const SETTLED: u32 = 5;
/// What worse is: so much less gets done, or takes so much longer.
const WORSE_DONE: f64 = 0.9;
const WORSE_LATENCY: f64 = 1.5;
/// All that is let in gets done: this share of it at most, for so many reports.
const KEEPS_UP: f64 = 1.03;
const KEEPS_UP_FOR: u32 = 10;
/// How many times its usual latency a slow backend may take.
const SLOWER: f64 = 3.0;
/// The rate falls to no less than this share of itself in a second.
const FALL: f64 = 0.5;
/// Health from which game servers take everybody.
const HEALTHY: f64 = 0.8;
/// How long game servers' word counts, in milliseconds.
const HEALTH_MS: u64 = 60_000;
/// Reports that come faster are put together, in milliseconds.
const STEP_MS: u64 = 500;
/// Silence after which the rate falls to its floor, in milliseconds.
const SILENCE_MS: u64 = 60_000;
/// How far back failures are counted, in milliseconds.
const FAILURES_MS: u64 = 10_000;
/// Entries of that window at most.
const FAILURES_MAX: usize = 64;
/// First and longest time the line holds itself, in milliseconds.
const HOLD_MS: u64 = 30_000;
const HOLD_MAX_MS: u64 = 300_000;
/// A hold this soon after the last one is twice as long, in milliseconds.
const AGAIN_MS: u64 = 120_000;

/// What got done in the last reports, as far as it is of one piece.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Throughput {
    samples: VecDeque<Delivered>,
    /// The first sample is partly from before a change.
    mixed: bool,
}

impl Throughput {
    fn note(&mut self, delivered: Delivered) {
        let mean = self.mean();
        let noise = CHANGE_NOISE / delivered.count.max(mean.count / 8.0).max(1.0).sqrt();
        let changed = (delivered.all - mean.all).abs() > mean.all * CHANGE.max(noise);
        if changed {
            self.samples.clear();
            self.mixed = true;
        } else if self.mixed || self.samples.len() >= SAMPLES {
            self.samples.pop_front();
            self.mixed = false;
        }
        self.samples.push_back(delivered);
    }

    /// The mean; its count is that of all samples together.
    #[expect(clippy::cast_precision_loss, reason = "a few samples")]
    fn mean(&self) -> Delivered {
        let count = self.samples.len().max(1) as f64;
        let sum = |of: fn(&Delivered) -> f64| self.samples.iter().map(of).sum::<f64>();
        Delivered {
            all: sum(|sample| sample.all) / count,
            returns: sum(|sample| sample.returns) / count,
            count: sum(|sample| sample.count),
        }
    }
}

/// A time of too much.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Congestion {
    /// The rate it began at.
    from: f64,
    /// Reports so far.
    noted: u32,
    /// The latency, smoothed, and what it was when the rate was settled; in milliseconds.
    latency_ms: f64,
    settled_ms: f64,
    /// For how many reports all that was let in has got done.
    kept_up: u32,
}

impl Congestion {
    /// Whether the rate is to be set by what gets done. Once it is settled, only if it got worse.
    fn decides(&mut self, latency_ms: f64, mean: Delivered, limit: f64) -> bool {
        self.noted = self.noted.saturating_add(1);
        let first = self.noted == 1;
        self.latency_ms = if first { latency_ms } else { 0.7 * self.latency_ms + 0.3 * latency_ms };
        let noise = 1.0 / mean.count.max(1.0).sqrt();
        let gated = mean.all - mean.returns;
        let less = gated < limit * (WORSE_DONE - 2.0 * noise);
        let slower = self.latency_ms > self.settled_ms * WORSE_LATENCY;
        let decides = self.noted <= SETTLED || less || slower;
        if decides {
            self.settled_ms = self.latency_ms;
            self.kept_up = 0;
        } else {
            let keeps_up = gated <= limit * (KEEPS_UP + noise);
            self.kept_up = if keeps_up { self.kept_up + 1 } else { 0 };
        }
        decides
    }
}

/// The controller. See the head of this file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Adaptive {
    settings: AdaptiveSettings,
    /// What has come since the last step.
    pending: Signals,
    stepped_at: Option<UnixMicros>,
    /// Admissions per second; `None`: as many as the operators allow.
    limit: Option<f64>,
    /// What game servers' health allows of it.
    health_limit: Option<f64>,
    health: Option<(f64, UnixMicros)>,
    throughput: Throughput,
    congestion: Option<Congestion>,
    /// What got done when it was too much last; 0: not known.
    knee: f64,
    /// The latency of a backend that is slow and keeps up, in milliseconds; 0: none is.
    usual_ms: f64,
    /// Whether anything was ever heard.
    heard: bool,
    /// When somebody was let in first since anything was heard.
    quiet_since: Option<UnixMicros>,
    /// Sign-ins done and failed lately.
    outcomes: VecDeque<(UnixMicros, u32, u32)>,
    holding: bool,
    hold_ms: u64,
    opened_at: Option<UnixMicros>,
}

impl Adaptive {
    pub(super) const fn new(settings: AdaptiveSettings) -> Self {
        Self {
            settings,
            pending: Signals::NOTHING,
            stepped_at: None,
            limit: None,
            health_limit: None,
            health: None,
            throughput: Throughput { samples: VecDeque::new(), mixed: false },
            congestion: None,
            knee: 0.0,
            usual_ms: 0.0,
            heard: false,
            quiet_since: None,
            outcomes: VecDeque::new(),
            holding: false,
            hold_ms: 0,
            opened_at: None,
        }
    }

    /// Admissions per second at most; `None`: as many as the operators allow.
    pub(super) fn limit(&self) -> Option<f64> {
        match (self.limit, self.health_limit) {
            (Some(limit), Some(health)) => Some(limit.min(health)),
            (limit, health) => limit.or(health),
        }
    }

    /// What game servers said last, if that still counts.
    pub(super) fn health(&self, now: UnixMicros) -> Option<f64> {
        let (health, at) = self.health?;
        (now.since_ms(at) < HEALTH_MS).then_some(health)
    }

    fn floor(&self, ceiling: f64) -> f64 {
        ceiling * self.settings.floor_share
    }

    /// Takes a report. The seconds since the last step, if this made another one.
    fn hear(
        &mut self,
        now: UnixMicros,
        signals: &Signals,
        costs: &Costs,
        ceiling: f64,
    ) -> Option<f64> {
        self.pending.add(signals);
        let since_ms = self.stepped_at.map_or(1_000, |at| now.since_ms(at));
        if since_ms < STEP_MS {
            return None;
        }
        self.stepped_at = Some(now);
        let signals = std::mem::take(&mut self.pending);
        #[expect(clippy::cast_precision_loss, reason = "a span of seconds")]
        let dt_s = since_ms as f64 / 1e3;
        if self.settings.enabled {
            self.step(now, &signals, costs, (ceiling, dt_s));
        }
        Some(dt_s)
    }

    fn step(
        &mut self,
        now: UnixMicros,
        signals: &Signals,
        costs: &Costs,
        (ceiling, dt_s): (f64, f64),
    ) {
        if signals.says_anything() {
            self.heard = true;
            self.quiet_since = None;
        }
        if let Some(health) = signals.health.filter(|health| health.is_finite()) {
            self.health = Some((health.clamp(0.0, 1.0), now));
        }
        self.health_limit = self
            .health(now)
            .filter(|&health| health < HEALTHY)
            .map(|health| (ceiling * health / HEALTHY).max(self.floor(ceiling)));
        self.count_outcomes(now, signals);
        let target_ms = f64::from(self.settings.target_ms).max(self.usual_ms * SLOWER);
        let pressure = signals.pressure(target_ms);
        self.throughput.note(signals.delivered(costs, dt_s));
        if pressure >= 1.0 {
            self.fall(signals.latency_ms(), ceiling, dt_s);
        } else if pressure < UNEASY && signals.says_anything() {
            self.congestion = None;
            if signals.latency_ms() < self.usual_ms / SLOWER {
                self.usual_ms = 0.0;
            }
            self.grow(ceiling, dt_s);
        }
    }

    /// Down to a little less than what gets done.
    fn fall(&mut self, latency_ms: f64, ceiling: f64, dt_s: f64) {
        let before = self.limit.unwrap_or(ceiling).min(ceiling);
        let floor = self.floor(ceiling);
        let mean = self.throughput.mean();
        let congestion = self.congestion.get_or_insert(Congestion {
            from: before,
            noted: 0,
            latency_ms: 0.0,
            settled_ms: 0.0,
            kept_up: 0,
        });
        if congestion.decides(latency_ms, mean, before) {
            let allowed = mean.all * HEADROOM - mean.returns;
            let next = allowed.max(before * FALL.powf(dt_s)).min(congestion.from).max(floor);
            self.knee = (mean.all - mean.returns).max(0.0);
            self.limit = Some(next);
        } else if congestion.kept_up >= KEEPS_UP_FOR {
            self.usual_ms = congestion.latency_ms;
            self.congestion = None;
        }
    }

    /// Up: slowly up to where it was too much, slowest about there, then faster.
    fn grow(&mut self, ceiling: f64, dt_s: f64) {
        let Some(limit) = self.limit else { return };
        let each_s: f64 = if self.knee <= 0.0 {
            1.05
        } else if limit < 0.9 * self.knee {
            1.03
        } else if limit < 1.2 * self.knee {
            1.005
        } else {
            1.02
        };
        let next = limit.max(self.floor(ceiling)) * each_s.powf(dt_s.min(2.0));
        if next >= ceiling {
            self.limit = None;
            self.knee = 0.0;
        } else {
            self.limit = Some(next);
        }
    }

    /// Somebody was let in. Whether silence counts from now on.
    fn admitted(&mut self, now: UnixMicros) -> bool {
        let begins = self.settings.enabled && self.heard && self.quiet_since.is_none();
        if begins {
            self.quiet_since = Some(now);
        }
        begins
    }

    /// When silence will have lasted too long.
    pub(super) fn silent_at(&self) -> Option<UnixMicros> {
        Some(self.quiet_since?.plus_ms(SILENCE_MS))
    }

    /// Falls to the floor if it has.
    pub(super) fn check_silence(&mut self, now: UnixMicros, ceiling: f64) {
        if self.silent_at().is_some_and(|at| at <= now) {
            let floor = self.floor(ceiling);
            self.limit = Some(self.limit.map_or(floor, |limit| limit.min(floor)));
            self.knee = 0.0;
            // Said once: it counts anew when something has been heard.
            self.quiet_since = None;
            self.heard = false;
        }
    }

    fn count_outcomes(&mut self, now: UnixMicros, signals: &Signals) {
        let from = UnixMicros(now.0.saturating_sub(FAILURES_MS * 1_000));
        while self.outcomes.front().is_some_and(|&(at, ..)| at <= from)
            || self.outcomes.len() >= FAILURES_MAX
        {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((now, signals.all_done(), signals.failed));
    }

    /// Whether so many sign-ins fail that letting people in is of no use.
    fn fails(&self) -> bool {
        let (mut done, mut failed) = (0_u64, 0_u64);
        for &(_, one_done, one_failed) in &self.outcomes {
            done += u64::from(one_done);
            failed += u64::from(one_failed);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of ten seconds")]
        let share = failed as f64 / (done + failed).max(1) as f64;
        failed >= u64::from(self.settings.hold_failures) && share > self.settings.hold_share
    }

    /// Until when the line holds itself, if it has to.
    fn hold(&mut self, now: UnixMicros) -> Option<UnixMicros> {
        if !self.settings.enabled || self.holding || !self.fails() {
            return None;
        }
        let again = self.opened_at.is_some_and(|at| now.since_ms(at) < AGAIN_MS);
        self.hold_ms = if again { (self.hold_ms * 2).min(HOLD_MAX_MS) } else { HOLD_MS };
        self.holding = true;
        Some(now.plus_ms(self.hold_ms))
    }

    /// The line is not held any more. If it held itself it tries again, at the floor.
    pub(super) fn let_go(&mut self, now: UnixMicros, ceiling: f64) {
        if std::mem::take(&mut self.holding) {
            self.opened_at = Some(now);
            self.outcomes.clear();
            self.limit = Some(self.floor(ceiling));
            self.congestion = None;
            self.knee = 0.0;
        }
    }
}

impl Queue {
    /// Hears what was measured since the last report: once a second, or when there is something.
    ///
    /// The rate in force follows, refreshes are paid for, and when too many sign-ins fail the line
    /// holds itself for a while ([`Mode::Held`]), unless operators have said something of it.
    pub fn report(&mut self, now: UnixMicros, signals: Signals) {
        let now = self.begin(now);
        let ceiling = self.throttle.ceiling();
        self.pay_refreshes(now, signals.refreshes);
        let stepped = self.adaptive.hear(now, &signals, &self.settings.costs, ceiling);
        if stepped.is_some() {
            if self.announced.mode == Mode::Open
                && let Some(until) = self.adaptive.hold(now)
            {
                self.tally.held += 1;
                self.obey(now, Announcement::new(Mode::Held, Some(until), ""));
            }
            let before = self.gate.rate();
            self.apply_throttle(now);
            if self.gate.rate() < before * 0.95 {
                // Whoever is told to wait longer hears why.
                self.settings_changed_at = now;
            }
        }
        self.done(now);
    }

    /// Refreshes never wait; what they cost comes off the admissions, half of those at most.
    fn pay_refreshes(&mut self, now: UnixMicros, refreshes: u32) {
        let cost = f64::from(refreshes) * self.settings.costs.refresh;
        if cost > 0.0 {
            let since_ms = self.adaptive.stepped_at.map_or(1_000, |at| now.since_ms(at));
            #[expect(clippy::cast_precision_loss, reason = "a span of seconds")]
            let most = self.gate.rate() * since_ms.min(10_000) as f64 / 2e3;
            self.gate.settle(now, cost.min(most));
        }
    }

    /// Notes an admission for those who listen for what becomes of it.
    pub(super) fn note_admission(&mut self, now: UnixMicros) {
        if self.adaptive.admitted(now) {
            let steps = [self.throttle_at, self.adaptive.silent_at()];
            self.throttle_at = steps.into_iter().flatten().min();
        }
    }
}
