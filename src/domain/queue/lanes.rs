//! Which lane is next.
//!
//! Staff first. Grace next, but while others wait it gets at most its share, so that a mass drop
//! cannot freeze the newcomers. Paying, standard and low share the rest by deficit round robin: a
//! lane gets its weight in turns of every round, so nobody starves (I9). A lane nobody waits in
//! gives its turns to the others.

use serde::{Deserialize, Serialize};

use super::Lane;

/// Rounding room for shares that are no binary fraction.
const EPSILON: f64 = 1e-9;

/// The lanes with a weight, in the order of their turns.
pub(super) const WEIGHTED: [Lane; 3] = [Lane::Paying, Lane::Standard, Lane::Low];

/// How many wait, by lane.
type Waiting = [u64; Lane::COUNT];

/// The turn of the lanes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lanes {
    grace_share: f64,
    weights: [u32; WEIGHTED.len()],
    /// What the grace lane may take while others wait, 0 to 1.
    grace_credit: f64,
    /// Whose turn it is, of [`WEIGHTED`], and how many of it are left.
    turn: usize,
    left: u32,
}

impl Lanes {
    pub(super) fn new(grace_share: f64, weights: [u32; WEIGHTED.len()]) -> Self {
        let weights = weights.map(|weight| weight.max(1));
        let share = if grace_share.is_finite() { grace_share.clamp(0.0, 1.0) } else { 0.0 };
        Self { grace_share: share, weights, grace_credit: 1.0 - share, turn: 0, left: weights[0] }
    }

    /// The same turn with other shares: nobody's turn is longer than a new one would be.
    pub(super) fn with(&self, grace_share: f64, weights: [u32; WEIGHTED.len()]) -> Self {
        let new = Self::new(grace_share, weights);
        let left = self.left.min(new.weights[self.turn]);
        Self { grace_credit: self.grace_credit, turn: self.turn, left, ..new }
    }

    /// Share of the rate for grace while others wait, 0 to 1.
    pub(super) const fn grace_share(&self) -> f64 {
        self.grace_share
    }

    /// Turns of one weighted lane for each turn of another; 0 for a lane without a weight.
    pub(super) fn turns_per(&self, of: Lane, other: Lane) -> f64 {
        let weight = |lane| {
            let at = WEIGHTED.iter().position(|&weighted| weighted == lane);
            at.map_or(0.0, |at| f64::from(self.weights[at]))
        };
        if weight(other) > 0.0 { weight(of) / weight(other) } else { 0.0 }
    }

    /// The lane that is next, of those where somebody waits.
    pub(super) fn choose(&self, waiting: Waiting) -> Option<Lane> {
        let waits = |lane: Lane| waiting[lane as usize] > 0;
        if waits(Lane::Staff) {
            return Some(Lane::Staff);
        }
        let weighted = self.weighted(waiting);
        let may = self.grace_share > 0.0 && self.grace_credit + self.grace_share >= 1.0 - EPSILON;
        if waits(Lane::Grace) && (may || weighted.is_none()) {
            return Some(Lane::Grace);
        }
        weighted.map(|at| WEIGHTED[at])
    }

    /// The weighted lane whose turn it is, or the next in turn where somebody waits.
    fn weighted(&self, waiting: Waiting) -> Option<usize> {
        let turns = (0..WEIGHTED.len()).map(|step| (self.turn + step) % WEIGHTED.len());
        turns.into_iter().find(|&at| waiting[WEIGHTED[at] as usize] > 0)
    }

    /// Notes that somebody of `lane` came in; `waiting` as it was before.
    pub(super) fn took(&mut self, lane: Lane, waiting: Waiting) {
        if lane == Lane::Staff {
            return;
        }
        if waiting[Lane::Grace as usize] > 0 && self.weighted(waiting).is_some() {
            let paid = if lane == Lane::Grace { 1.0 } else { 0.0 };
            self.grace_credit = (self.grace_credit + self.grace_share - paid).clamp(0.0, 1.0);
        }
        if let Some(at) = WEIGHTED.iter().position(|&weighted| weighted == lane) {
            self.pay_turn(at);
        }
    }

    fn pay_turn(&mut self, lane: usize) {
        if lane != self.turn {
            self.turn = lane;
            self.left = self.weights[lane];
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.turn = (lane + 1) % WEIGHTED.len();
            self.left = self.weights[self.turn];
        }
    }
}
