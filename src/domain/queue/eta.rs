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

use serde::{Deserialize, Serialize};

use super::UnixMicros;

/// Time constant of the measured rates, in seconds.
const TAU_S: f64 = 300.0;
/// Below this many events the past is not forgotten yet.
const EVENTS_KEPT: f64 = 64.0;
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
struct Hazard {
    events: f64,
    exposure: f64,
}

impl Hazard {
    fn fold(&mut self, dt_s: f64, held: f64) {
        let keep = (-dt_s / TAU_S).exp();
        if self.events * keep >= EVENTS_KEPT {
            self.events *= keep;
            self.exposure *= keep;
        }
        self.exposure += held * dt_s;
    }

    fn rate(&self) -> f64 {
        if self.exposure > 0.0 { self.events / self.exposure } else { 0.0 }
    }
}

/// Ages, in seconds, at which the hazard of those who wait is measured apart.
const AGES_S: [f64; AGES - 1] = [60.0, 120.0, 240.0, 480.0, 960.0, 1_920.0, 3_840.0];
const AGES: usize = 8;
/// A hazard is drawn to that of everybody with as much as so many seconds of one who waits.
const DRAWN_S: f64 = 3_600.0;

/// What has been measured; part of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    departures: Hazard,
    /// Events: left by word. Exposure: everybody in line.
    abandons: Hazard,
    /// Events: gave up, by word or by silence, at this age. Exposure: the seconds between two answers.
    /// That comes late, so it only says how one age compares with the others.
    patience: [Hazard; AGES],
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
}

impl Estimator {
    pub(super) fn new(now: UnixMicros, measured: Measured) -> Self {
        Self {
            measured,
            folded_at: now,
            scores: Vec::new(),
            scored: 0,
            head_s: 0,
            granted: measured.departures.rate(),
            slower_at: UnixMicros(0),
        }
    }

    /// What a snapshot keeps.
    pub(super) const fn measured(&self) -> Measured {
        self.measured
    }

    /// Lets the time since the last call pass with `held` slots of players and `waiting` in line. Does
    /// nothing more often than once a second; whether it did.
    #[expect(clippy::cast_precision_loss, reason = "counts and spans far below 2^52")]
    pub(super) fn fold(&mut self, now: UnixMicros, held: u64, waiting: u64) -> bool {
        let since_us = now.since_us(self.folded_at);
        if since_us < 1_000_000 {
            return false;
        }
        self.folded_at = now;
        let dt_s = since_us as f64 / 1e6;
        self.measured.departures.fold(dt_s, held as f64);
        self.measured.abandons.fold(dt_s, waiting as f64);
        self.measured.patience.iter_mut().for_each(|hazard| hazard.fold(dt_s, 0.0));
        self.measured.silent.fold(dt_s, 0.0);
        self.measured.no_shows.fold(dt_s, 0.0);
        let rate = self.measured.departures.rate();
        if rate < self.granted * SLOWER {
            self.slower_at = now;
        }
        if rate < self.granted * SLOWER || rate > self.granted {
            self.granted = rate;
        }
        true
    }

    /// A pass came to its end: somebody came with it, or nobody.
    pub(super) fn pass_ended(&mut self, used: bool) {
        self.measured.no_shows.exposure += 1.0;
        self.measured.no_shows.events += f64::from(u8::from(!used));
    }

    /// A player's slot came free.
    pub(super) fn departed(&mut self) {
        self.measured.departures.events += 1.0;
    }

    /// A waiting ticket left.
    pub(super) fn abandoned(&mut self) {
        self.measured.abandons.events += 1.0;
    }

    /// The owner of a waiting ticket gave up after this long.
    pub(super) fn gave_up(&mut self, waited_s: u32) {
        self.measured.patience[age(waited_s.into())].events += 1.0;
    }

    /// The owner of a waiting ticket gave up without a word within `interval_s` of when he was heard of
    /// last, after `heard_s` of waiting: in the middle, for all anybody knows.
    pub(super) fn fell_silent(&mut self, heard_s: u32, interval_s: u32) {
        let given_up_s = heard_s.saturating_add(interval_s / 2);
        self.waited_on(given_up_s, interval_s / 2);
        self.gave_up(given_up_s);
    }

    /// The owner of a waiting ticket is still there, `since_s` after he was heard of last.
    pub(super) fn waited_on(&mut self, waited_s: u32, since_s: u32) {
        let until_s = f64::from(waited_s);
        let mut from_s = f64::from(waited_s.saturating_sub(since_s));
        for class in age(from_s)..AGES {
            let end_s = AGES_S.get(class).map_or(until_s, |end| end.min(until_s));
            self.measured.patience[class].exposure += (end_s - from_s).max(0.0);
            from_s = end_s;
            if from_s >= until_s {
                break;
            }
        }
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

    /// The same by age, of those who are there where this share has fallen silent.
    fn hazards(&self, silent: f64) -> [f64; AGES] {
        let all = self.measured.patience.iter();
        let (events, exposure) = all.fold((0.0, 0.0), |(events, exposure), hazard| {
            (events + hazard.events, exposure + hazard.exposure)
        });
        let level = self.measured.abandons.rate() / (1.0 - silent) + self.measured.silent.rate();
        let mean = Hazard { events, exposure }.rate();
        if mean <= 0.0 {
            return [level; AGES];
        }
        self.measured.patience.map(|Hazard { events, exposure }| {
            level * (events / mean + DRAWN_S) / (exposure + DRAWN_S)
        })
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
        let silent = self.silent_after(age_s, road.lease_s);
        let n = n * (1.0 - silent);
        let crowd = Crowd { hazards: self.hazards(silent), age_s };
        let leaving = self.departure_rate();
        let (cap, used) = (road.cap as f64, road.used as f64);
        let no_show = self.measured.no_shows.rate().clamp(0.0, 0.95);
        let growing = road.rate * (1.0 - no_show) - (used - road.passes as f64) * leaving;
        let binds_at = if road.used >= road.cap {
            if growing > 0.0 { 0.0 } else { f64::INFINITY }
        } else if growing > 0.0 {
            (cap - used) / growing
        } else {
            f64::INFINITY
        };
        let left = match crowd.moves(n, road.rate, 0.0, binds_at) {
            Moved::In(seconds) => return Some(seconds),
            Moved::Left(left) => left,
        };
        if self.measured.departures.events < DEPARTURES_MIN {
            return None;
        }
        // Each admission binds a slot: for good with one who comes, for a pass's life with the others.
        let bound = 1.0 - no_show + leaving * no_show * road.pass_s;
        let freed = (cap * leaving / bound).min(road.rate);
        if freed <= 0.0 {
            return None;
        }
        match crowd.moves(left, freed, binds_at, f64::INFINITY) {
            Moved::In(seconds) => Some(seconds),
            Moved::Left(_) => None,
        }
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

/// The class of an age.
fn age(seconds: f64) -> usize {
    AGES_S.iter().take_while(|&&end| end <= seconds).count()
}

/// Those ahead, who grow older as they wait.
struct Crowd {
    hazards: [f64; AGES],
    /// How long they have waited.
    age_s: f64,
}

enum Moved {
    /// All of them are gone after so many seconds from now.
    In(f64),
    /// So many are left.
    Left(f64),
}

impl Crowd {
    /// What becomes of `n` of them at `mu` admissions a second, between two moments in seconds from
    /// now.
    fn moves(&self, mut n: f64, mu: f64, from: f64, until: f64) -> Moved {
        let mut at = from;
        for class in age(self.age_s + from)..AGES {
            let older_at = AGES_S.get(class).map_or(f64::INFINITY, |end| end - self.age_s);
            let (hazard, end) = (self.hazards[class], older_at.min(until));
            let needs = one_phase(n, mu, hazard);
            if at + needs <= end {
                return Moved::In(at + needs);
            }
            n = remaining(n, mu, hazard, end - at).max(0.0);
            at = end;
            if at >= until {
                break;
            }
        }
        Moved::Left(n)
    }
}

/// Seconds until `n` are gone at `mu` admissions a second when each gives up at `hazard`.
fn one_phase(n: f64, mu: f64, hazard: f64) -> f64 {
    if mu <= 0.0 {
        return f64::INFINITY;
    }
    let ratio = hazard * n / mu;
    if ratio < 1e-6 { n / mu } else { ratio.ln_1p() / hazard }
}

/// How many of `n` are left after `seconds`.
fn remaining(n: f64, mu: f64, hazard: f64, seconds: f64) -> f64 {
    if hazard * seconds < 1e-9 {
        return n - mu * seconds;
    }
    let pull = mu / hazard;
    (n + pull) * (-hazard * seconds).exp() - pull
}
