//! Which lane is next.
//!
//! Staff first. Grace next, but while others wait it gets at most its share, so that a mass drop
//! cannot freeze the newcomers. Standard and low share the rest by deficit round robin: with both
//! waiting, low gets `weight` turns in every `sum of weights`, so nobody starves (I9).

use super::Lane;

/// Rounding room for shares that are no binary fraction.
const EPSILON: f64 = 1e-9;

/// The turn of the lanes.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    grace_share: f64,
    weights: [u32; 2],
    /// What the grace lane may take while others wait, 0 to 1.
    grace_credit: f64,
    /// Whose turn it is: 0 standard, 1 low.
    turn: usize,
    left: u32,
}

impl Lanes {
    pub(super) fn new(grace_share: f64, weights: [u32; 2]) -> Self {
        let weights = weights.map(|weight| weight.max(1));
        let share = if grace_share.is_finite() { grace_share.clamp(0.0, 1.0) } else { 0.0 };
        Self { grace_share: share, weights, grace_credit: 1.0 - share, turn: 0, left: weights[0] }
    }

    /// Share of the rate for grace while others wait, 0 to 1.
    pub(super) const fn grace_share(&self) -> f64 {
        self.grace_share
    }

    /// Turns of low for each turn of standard.
    pub(super) fn low_per_standard(&self) -> f64 {
        f64::from(self.weights[1]) / f64::from(self.weights[0])
    }

    /// The lane that is next, of those where somebody waits.
    pub(super) fn choose(&self, waiting: [u64; 4]) -> Option<Lane> {
        let [staff, grace, standard, low] = waiting.map(|count| count > 0);
        if staff {
            return Some(Lane::Staff);
        }
        let may = self.grace_share > 0.0 && self.grace_credit + self.grace_share >= 1.0 - EPSILON;
        if grace && (may || !(standard || low)) {
            return Some(Lane::Grace);
        }
        match (standard, low) {
            (false, false) => None,
            (true, false) => Some(Lane::Standard),
            (false, true) => Some(Lane::Low),
            (true, true) => Some([Lane::Standard, Lane::Low][self.turn]),
        }
    }

    /// Notes that somebody of `lane` came in; `waiting` as it was before.
    pub(super) fn took(&mut self, lane: Lane, waiting: [u64; 4]) {
        let [_, grace, standard, low] = waiting.map(|count| count > 0);
        if lane == Lane::Staff {
            return;
        }
        if grace && (standard || low) {
            let paid = if lane == Lane::Grace { 1.0 } else { 0.0 };
            self.grace_credit = (self.grace_credit + self.grace_share - paid).clamp(0.0, 1.0);
        }
        if lane != Lane::Grace {
            self.pay_turn(usize::from(lane == Lane::Low));
        }
    }

    fn pay_turn(&mut self, lane: usize) {
        if lane != self.turn {
            self.turn = lane;
            self.left = self.weights[lane];
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.turn = 1 - lane;
            self.left = self.weights[self.turn];
        }
    }
}
