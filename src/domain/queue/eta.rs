//! How long it will take: a two-phase fluid estimate that scores itself (login-queues §2.6).
//!
//! While slots are free the line moves at the set rate; once the cap binds it moves as fast as
//! slots come free. Waiters give up at a hazard that depends on how long they have waited: who has
//! stayed for an hour is more patient than who has just come. Some have given up already, and nobody
//! knows yet. All of it is measured, over about five minutes, or over a few dozen events where those
//! are rare.
//!
//! A departure is a player's slot that comes free, per slot of a player and second. Passes nobody uses
//! are a share of their own: counted as departures they made a world that still fills look as if its
//! players left many times as fast. In a full world such a pass keeps its slot from everybody for the
//! whole of its life, which is in the estimate too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::UnixMicros;
use super::patience::{ByAge, Patience};

/// Time constant of the measured rates, in seconds.
const TAU_S: f64 = 300.0;
/// Below this many events the past is not forgotten yet.
const EVENTS_KEPT: f64 = 64.0;
/// Nobody who left is counted later than this, in seconds.
const LEFT_MAX_S: u32 = 300;
/// Departures needed before a slot-bound estimate is given.
const DEPARTURES_MIN: f64 = 3.0;
/// Scored admissions kept.
const SCORES: usize = 1024;
/// Shortest wait that is scored, in seconds: quotes are kept in whole seconds.
const SCORED_FROM_S: u32 = 30;
/// The departure rate counts as fallen below this share of what it was.
const SLOWER: f64 = 0.8;

/// Events over an exposure, both forgotten exponentially.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hazard {
    pub(super) events: f64,
    pub(super) exposure: f64,
}

impl Hazard {
    pub(super) fn fold(&mut self, dt_s: f64, held: f64) {
        let keep = (-dt_s / TAU_S).exp();
        if self.events * keep >= EVENTS_KEPT {
            self.events *= keep;
            self.exposure *= keep;
        }
        self.exposure += held * dt_s;
    }

    pub(super) fn rate(&self) -> f64 {
        if self.exposure > 0.0 { self.events / self.exposure } else { 0.0 }
    }
}

/// What has been measured; part of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    departures: Hazard,
    /// Events: left by word. Exposure: everybody in line.
    abandons: Hazard,
    /// Events: gave up, by word or by silence, at this age. Exposure: the seconds between two answers.
    /// That comes late, so it only says how one age compares with the others.
    patience: ByAge,
    /// Events: found silent at the head. Exposure: the seconds in which that can have happened, of all
    /// who came to the head: who fell silent a lease ago is not in line any more.
    silent: Hazard,
    /// Events: passes nobody used. Exposure: passes used or not.
    no_shows: Hazard,
}

/// What an estimate is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Road {
    /// Admissions per second the gate allows.
    pub(super) rate: f64,
    /// Slots in all.
    pub(super) cap: u64,
    /// Slots held, passes out among them.
    pub(super) used: u64,
    /// Passes out.
    pub(super) passes: u64,
    /// Life of a pass, in seconds.
    pub(super) pass_s: f64,
    /// Lease of a silent ticket, in seconds.
    pub(super) lease_s: f64,
}

/// The estimator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Estimator {
    measured: Measured,
    folded_at: UnixMicros,
    /// Errors of scored estimates in per mille, the oldest overwritten.
    scores: Vec<u32>,
    scored: u64,
    /// How long the last one had waited who came to the head, in seconds.
    head_s: u32,
    /// Departure rate last taken for granted, and when it was found to have fallen.
    granted: f64,
    slower_at: UnixMicros,
    /// What follows from what is measured, as of the last fold.
    patience: Patience,
    /// Passes that came to their end before their time, by that in seconds: all, and those nobody
    /// used. No more than the seconds of a pass's life.
    passes: BTreeMap<u32, (u32, u32)>,
    /// Those who left by word, by when they would have asked again. [`LEFT_MAX_S`] at most.
    left: BTreeMap<u32, ByAge>,
}

impl Estimator {
    pub(super) fn new(now: UnixMicros, measured: &Measured) -> Self {
        let mut new = Self {
            patience: measured.patience.patience(0.0),
            measured: *measured,
            passes: BTreeMap::new(),
            left: BTreeMap::new(),
            folded_at: now,
            scores: Vec::new(),
            scored: 0,
            head_s: 0,
            granted: measured.departures.rate(),
            slower_at: UnixMicros(0),
        };
        new.patience = new.patience_now(f64::INFINITY);
        new
    }

    /// What a snapshot keeps.
    pub(super) const fn measured(&self) -> Measured {
        self.measured
    }

    /// Lets the time since the last call pass with `held` slots of players and `waiting` in line. Does
    /// nothing more often than once a second; whether it did.
    #[expect(clippy::cast_precision_loss, reason = "counts and spans far below 2^52")]
    pub(super) fn fold(&mut self, now: UnixMicros, held: u64, waiting: u64, lease_s: f64) -> bool {
        let since_us = now.since_us(self.folded_at);
        if since_us < 1_000_000 {
            return false;
        }
        self.folded_at = now;
        let dt_s = since_us as f64 / 1e6;
        self.measured.departures.fold(dt_s, held as f64);
        self.measured.abandons.fold(dt_s, waiting as f64);
        self.measured.patience.fold(dt_s);
        self.measured.silent.fold(dt_s, 0.0);
        self.measured.no_shows.fold(dt_s, 0.0);
        self.count_passes(now);
        self.count_left(now);
        let rate = self.measured.departures.rate();
        if rate < self.granted * SLOWER {
            self.slower_at = now;
        }
        if rate < self.granted * SLOWER || rate > self.granted {
            self.granted = rate;
        }
        self.patience = self.patience_now(lease_s);
        true
    }

    /// How patient those are who have not fallen silent: who says that he leaves is one of them.
    fn patience_now(&self, lease_s: f64) -> Patience {
        let silent = self.silent_after(f64::from(self.head_s) / 2.0, lease_s);
        let level = self.measured.abandons.rate() / (1.0 - silent) + self.measured.silent.rate();
        self.measured.patience.patience(level)
    }

    /// A pass came to its end that was good until `until_s`: somebody came with it, or nobody.
    ///
    /// It counts when its time would have been over. Who comes does so early, who does not is known
    /// late: counted at once, hardly anybody seems not to come while a launch begins.
    pub(super) fn pass_ended(&mut self, used: bool, until_s: u32) {
        let (all, unused) = self.passes.entry(until_s).or_default();
        *all += 1;
        *unused += u32::from(!used);
    }

    /// Counts the passes whose time is over.
    fn count_passes(&mut self, now: UnixMicros) {
        while let Some(entry) = self.passes.first_entry()
            && UnixMicros::from_secs((*entry.key()).into()) <= now
        {
            let (all, unused) = entry.remove();
            self.measured.no_shows.exposure += f64::from(all);
            self.measured.no_shows.events += f64::from(unused);
        }
    }

    /// A player's slot came free.
    pub(super) fn departed(&mut self) {
        self.measured.departures.events += 1.0;
    }

    /// The owner of a waiting ticket left by word after this long; he would have asked again at `due_s`.
    ///
    /// By age it counts then: that the others are still there is heard of no sooner either, and those
    /// who leave would be compared with too short a time of those who stay.
    pub(super) fn left(&mut self, now: UnixMicros, waited_s: u32, due_s: u32) {
        self.measured.abandons.events += 1.0;
        let due_s = due_s.min(u32::try_from(now.as_secs()).unwrap_or(u32::MAX) + LEFT_MAX_S);
        self.left.entry(due_s).or_default().gave_up(waited_s.into());
    }

    /// Counts those who left and would have asked by now.
    fn count_left(&mut self, now: UnixMicros) {
        while let Some(entry) = self.left.first_entry()
            && UnixMicros::from_secs((*entry.key()).into()) <= now
        {
            self.measured.patience.add(&entry.remove());
        }
    }

    /// The owner of a waiting ticket gave up without a word within `interval_s` of when he was heard of
    /// last, after `heard_s` of waiting: nobody knows when.
    pub(super) fn fell_silent(&mut self, heard_s: u32, interval_s: u32) {
        let until_s = heard_s.saturating_add(interval_s.max(1));
        self.measured.patience.gave_up_within(heard_s.into(), until_s.into());
    }

    /// The owner of a waiting ticket is still there, `since_s` after he was heard of last.
    pub(super) fn waited_on(&mut self, waited_s: u32, since_s: u32) {
        let from_s = waited_s.saturating_sub(since_s);
        self.measured.patience.was_there(from_s.into(), waited_s.into());
    }

    /// Somebody came to the head after `waited_s` seconds: admitted, or found silent.
    ///
    /// Who gives up without a word is noticed here, or when the lease is over. Counted over the time
    /// in which it can have happened, that says how fast waiters fall silent; counted over heads it
    /// would always be late, because those who come to the head later have waited longer.
    pub(super) fn at_head(&mut self, silent: bool, waited_s: u32, lease_s: f64) {
        self.head_s = waited_s;
        self.measured.silent.exposure += f64::from(waited_s.max(1)).min(lease_s.max(1.0));
        self.measured.silent.events += f64::from(u8::from(silent));
    }

    /// Share of those who come to the head after this long that has fallen silent on the way: they
    /// pass in no time.
    fn silent_after(&self, waited_s: f64, lease_s: f64) -> f64 {
        let share = 1.0 - (-self.measured.silent.rate() * waited_s.min(lease_s.max(1.0))).exp();
        share.clamp(0.0, 0.95)
    }

    /// Players' slots that come free per slot and second.
    pub(super) fn departure_rate(&self) -> f64 {
        self.measured.departures.rate()
    }

    /// Waiters who give up per waiter and second, by word or by silence, whatever their age.
    pub(super) fn hazard(&self) -> f64 {
        self.measured.abandons.rate() + self.measured.silent.rate()
    }

    /// When the departure rate was last found to have fallen.
    pub(super) const fn slower_at(&self) -> UnixMicros {
        self.slower_at
    }

    /// Seconds until the `n`-th in line comes in, who has waited `waited_s` seconds, as those ahead
    /// have at least. `None` when nobody can say: the slots are full and too few have been seen to
    /// come free.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(super) fn seconds(&self, n: f64, waited_s: u32, road: Road) -> Option<f64> {
        // Those ahead have waited longer, up to as long as whoever comes in now.
        let age_s = f64::from(waited_s).midpoint(f64::from(waited_s.max(self.head_s)));
        // Who has fallen silent already passes at the head in no time, or is gone by then.
        let n = n * (1.0 - self.silent_after(age_s, road.lease_s));
        let crowd = self.patience.at(age_s);
        let leaving = self.departure_rate();
        let (cap, used) = (road.cap as f64, road.used as f64);
        let no_show = self.measured.no_shows.rate().clamp(0.0, 0.95);
        let growing = road.rate * (1.0 - no_show) - (used - road.passes as f64) * leaving;
        let binds_s = if growing <= 0.0 {
            f64::INFINITY
        } else if road.used >= road.cap {
            0.0
        } else {
            (cap - used) / growing
        };
        let by_gate = self.patience.until(crowd, crowd, n / road.rate);
        let until_s = by_gate - crowd.seconds();
        if until_s <= binds_s {
            return Some(until_s);
        }
        if self.measured.departures.events < DEPARTURES_MIN {
            return None;
        }
        // Each admission binds a slot: for good with one who comes, for a pass's life with the others.
        let bound = 1.0 - no_show + leaving * no_show * road.pass_s;
        let freed = (cap * leaving / bound).min(road.rate);
        if freed <= 0.0 {
            return None;
        }
        let full = self.patience.at(crowd.seconds() + binds_s);
        let left = (n - road.rate * self.patience.gone(crowd, full)).max(0.0);
        Some(self.patience.until(crowd, full, left / freed) - crowd.seconds())
    }

    /// Scores an estimate against what happened, both in seconds since the ticket was taken.
    pub(super) fn score(&mut self, quoted_s: u16, actual_s: u32) {
        if quoted_s == 0 || actual_s < SCORED_FROM_S {
            return;
        }
        let off = u64::from(actual_s.abs_diff(u32::from(quoted_s)));
        let error = u32::try_from(off * 1_000 / u64::from(actual_s)).unwrap_or(u32::MAX);
        let at = usize::try_from(self.scored).unwrap_or(0) % SCORES;
        if at < self.scores.len() {
            self.scores[at] = error;
        } else {
            self.scores.push(error);
        }
        self.scored += 1;
    }

    /// Median and 90th percentile of the relative error of recent estimates, and how many were
    /// scored ever.
    pub(super) fn error(&self) -> (Option<f64>, Option<f64>, u64) {
        let mut scores = self.scores.clone();
        let mut at = |percent: usize| {
            let index = scores.len() * percent / 100;
            let found = (index < scores.len()).then(|| *scores.select_nth_unstable(index).1);
            found.map(|error| f64::from(error) / 1e3)
        };
        (at(50), at(90), self.scored)
    }
}
