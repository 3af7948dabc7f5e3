//! What is counted while a plan is played.

use serde::Serialize;

use super::launch::Polling;
use crate::domain::queue::{Figures, Lane};

/// Most samples kept; beyond, every second one goes and the next are half as frequent.
const SAMPLES_MAX: usize = 2_048;
/// Answers of one in so many people are scored, so that about this many people are followed.
const FOLLOWED: u32 = 20_000;
/// Most scored answers.
const SCORES_MAX: usize = 4_000_000;
/// Estimates are scored when the true wait was at least this long, in milliseconds.
pub(super) const SCORED_FROM_MS: u32 = 120_000;
/// From this share of the cap on the slots count as taken.
const FULL: f64 = 0.98;

/// The state at one moment; totals count from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds from the start.
    pub at_s: u32,
    /// People who asked to come in.
    pub arrived: u64,
    /// Passes given.
    pub admitted: u64,
    /// People who gave up.
    pub gave_up: u64,
    /// Questions to the queue: entries and polls.
    pub polls: u64,
    /// Tickets that wait, silent ones among them.
    pub waiting: u64,
    /// Players online.
    pub online: u64,
    /// Slots in use: online, with a pass, signing in, in grace.
    pub used: u64,
}

/// What became of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct People {
    /// Asked to come in.
    pub arrived: u64,
    /// Signed in and were online, those who came back to the line counted again.
    pub signed_in: u64,
    /// Gave up in line.
    pub gave_up: u64,
    /// Of those, without a word.
    pub silent: u64,
    /// Were admitted and did not come.
    pub no_show: u64,
    /// Were told that the line is full, and gave up on that.
    pub turned_away: u64,
    /// Came with a pass that had lapsed, and waited again.
    pub lapsed: u64,
    /// Asked with a ticket that was forgotten, and started anew.
    pub forgotten: u64,
    /// Lost their connection.
    pub dropped: u64,
    /// Came back from that to their slot.
    pub came_back: u64,
    /// Came back from that and found none: they stood in line again.
    pub queued_again: u64,
}

/// One admission as its owner felt it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) came_ms: u32,
    pub(super) waited_ms: u32,
    pub(super) lane: Lane,
}

/// Mean use while somebody waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Use {
    pub(super) taken: f64,
    pub(super) offered: f64,
}

impl Use {
    pub(super) fn share(self) -> Option<f64> {
        (self.offered > 0.0).then(|| self.taken / self.offered)
    }
}

/// Everything counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) people: People,
    pub(super) waits: Vec<Wait>,
    pub(super) samples: Vec<Sample>,
    /// Time between two samples, in seconds.
    pub(super) step_s: u32,
    pub(super) polls: u64,
    /// Which span it is, and the polls in it.
    polls_in_span: (u32, u64),
    polls_most: u64,
    /// One in so many is followed.
    every: u32,
    /// What one poll of the followed, and of the others, counts for.
    weights: [u64; 2],
    /// Length of a span polls are counted in, in seconds.
    span_s: u32,
    /// What each of the followed was told and has not been scored: when, and how long it would be.
    told: Vec<Vec<(u32, u32)>>,
    /// Relative errors with their sign: positive when the estimate was too long.
    pub(super) scores: Vec<f32>,
    pub(super) rate_use: Use,
    pub(super) cap_use: Use,
    pub(super) parked_most: u64,
    pub(super) waiting_most: u64,
    pub(super) waiting_most_at_s: u32,
    pub(super) online_most: u64,
    pub(super) used_most: u64,
    pub(super) busy_s: u32,
    pub(super) reversals: u64,
}

impl Tally {
    pub(super) fn new(people: u32, step_s: u32, polling: Polling) -> Self {
        let every = people.div_ceil(FOLLOWED).max(1);
        // Some people's polls are few: a second of them would be mostly chance.
        let (weights, span_s) = match polling {
            Polling::Full | Polling::Watch => ([1, 1], 1),
            Polling::Front => ([every.into(), 0], 10),
        };
        Self {
            people: People::default(),
            waits: Vec::new(),
            samples: vec![Sample::default()],
            step_s: step_s.max(1),
            polls: 0,
            polls_in_span: (0, 0),
            polls_most: 0,
            every,
            weights,
            span_s,
            told: vec![Vec::new(); people.div_ceil(every) as usize + 1],
            scores: Vec::new(),
            rate_use: Use::default(),
            cap_use: Use::default(),
            parked_most: 0,
            waiting_most: 0,
            waiting_most_at_s: 0,
            online_most: 0,
            used_most: 0,
            busy_s: 0,
            reversals: 0,
        }
    }

    /// Somebody asks the queue.
    pub(super) fn asked(&mut self, who: u32, now_ms: u32) {
        let weight = self.weights[usize::from(!self.is_followed(who))];
        self.polls += weight;
        let span = now_ms / 1_000 / self.span_s;
        if self.polls_in_span.0 != span {
            self.polls_in_span = (span, 0);
        }
        self.polls_in_span.1 += weight;
        self.polls_most = self.polls_most.max(self.polls_in_span.1);
    }

    /// Most questions in a second, by the busiest span they are counted in.
    pub(super) fn polls_peak(&self) -> u64 {
        self.polls_most.div_ceil(self.span_s.into())
    }

    /// Whether somebody polls as told and has their estimates scored, whatever the others do.
    pub(super) fn is_followed(&self, who: u32) -> bool {
        who.is_multiple_of(self.every)
    }

    fn followed(&mut self, who: u32) -> Option<&mut Vec<(u32, u32)>> {
        if !self.is_followed(who) {
            return None;
        }
        self.told.get_mut((who / self.every) as usize)
    }

    /// Somebody is told how long it will be.
    pub(super) fn told(&mut self, who: u32, now_ms: u32, mid_ms: u64) {
        if let Some(told) = self.followed(who) {
            told.push((now_ms, u32::try_from(mid_ms).unwrap_or(u32::MAX)));
        }
    }

    /// Somebody's turn came at `given_ms`: what they were told is scored.
    #[expect(clippy::cast_possible_truncation, reason = "a ratio, to a per cent")]
    pub(super) fn turn_came(&mut self, who: u32, given_ms: u32) {
        let Some(told) = self.followed(who) else { return };
        let told = std::mem::take(told);
        let scored = told.iter().filter_map(|&(when, mid_ms)| {
            let true_ms = given_ms.saturating_sub(when);
            (true_ms >= SCORED_FROM_MS)
                .then(|| (f64::from(mid_ms) / f64::from(true_ms) - 1.0) as f32)
        });
        let room = SCORES_MAX.saturating_sub(self.scores.len());
        self.scores.extend(scored.take(room));
    }

    /// Somebody is not waiting for a turn any more: nothing to compare with.
    pub(super) fn forget_told(&mut self, who: u32) {
        if let Some(told) = self.followed(who) {
            *told = Vec::new();
        }
    }

    /// Somebody hears that they are in.
    pub(super) fn waited(&mut self, wait: Wait) {
        self.waits.push(wait);
    }

    /// Looks at the queue at `at_s`.
    #[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
    pub(super) fn sample(&mut self, at_s: u32, figures: &Figures) {
        let sample = Sample {
            at_s,
            arrived: self.people.arrived,
            admitted: figures.admitted_total.iter().sum(),
            gave_up: self.people.gave_up,
            polls: self.polls,
            waiting: figures.waiting.iter().sum(),
            online: figures.live,
            used: figures.live + figures.reserved + figures.passes_out + figures.grace,
        };
        let before = self.samples.last().copied().unwrap_or_default();
        let span_s = at_s.saturating_sub(before.at_s);
        let full = |sample: &Sample| sample.used as f64 >= figures.cap as f64 * FULL;
        if before.waiting > 0 && sample.waiting > 0 {
            self.busy_s += span_s;
            let seconds = f64::from(span_s);
            if full(&before) && full(&sample) {
                let used = (before.used + sample.used) as f64 / 2.0;
                self.cap_use.taken += used * seconds;
                self.cap_use.offered += figures.cap as f64 * seconds;
            } else if !full(&before) && !full(&sample) {
                self.rate_use.taken += (sample.admitted - before.admitted) as f64;
                self.rate_use.offered += figures.rate * seconds;
            }
        }
        if sample.waiting > self.waiting_most {
            (self.waiting_most, self.waiting_most_at_s) = (sample.waiting, at_s);
        }
        self.parked_most = self.parked_most.max(figures.parked);
        self.online_most = self.online_most.max(sample.online);
        self.used_most = self.used_most.max(sample.used);
        self.reversals = figures.position_reversals;
        self.samples.push(sample);
        if self.samples.len() > SAMPLES_MAX {
            self.step_s *= 2;
            let step_s = self.step_s;
            self.samples.retain(|sample| sample.at_s.is_multiple_of(step_s));
        }
    }
}
