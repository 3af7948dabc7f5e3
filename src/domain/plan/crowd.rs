//! The people of a plan: what they are like, and what is kept of each.

use serde::Serialize;

use super::draw::{Spread, unit};
use crate::domain::queue::{Identity, Lane, Number, Player, TicketRef};
use crate::domain::time::UnixMicros;

/// Shares of the ways to sign in; only their ratios matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mix {
    /// With a password: one hash.
    pub password: f64,
    /// With a refresh token or a provider's: no hash.
    pub token: f64,
    /// A new account with a password: a hash and writes.
    pub new_account: f64,
}

/// What people are like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crowd {
    /// How long they stand in line before they give up.
    pub patience: Spread,
    /// Share of those who give up without a word, 0 to 1.
    pub silent: f64,
    /// Share of those admitted who do not come, 0 to 1.
    pub no_show: f64,
    /// From hearing of the pass to being signed in.
    pub login: Spread,
    /// How long they are online.
    pub session: Spread,
    /// Share of sessions that lose their connection once, 0 to 1.
    pub drops: f64,
    /// Share of those who come back after that, 0 to 1.
    pub returns: f64,
    /// How long they are away.
    pub away: Spread,
    /// Share of people in the low lane, 0 to 1.
    pub low: f64,
    /// How they sign in. Says what a login costs, not how long it takes.
    pub mix: Mix,
}

/// Where a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Will ask to come in.
    Outside,
    /// Has a ticket and polls.
    Waiting,
    /// Has heard of the pass and signs in.
    SigningIn,
    /// Plays until the end of the session.
    Online,
    /// Plays until the connection is lost.
    Shaky,
    /// Lost the connection and will be back.
    Away,
    /// Went home.
    Gone,
}

/// What is kept of a person: small, for there may be millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) number: Number,
    /// When they asked to come in, in milliseconds.
    pub(super) came_ms: u32,
    /// In line: when they give up. Online: when they leave.
    pub(super) until_ms: u32,
    /// When they were last told to wait.
    pub(super) told_ms: u32,
    pub(super) stage: Stage,
    pub(super) lane: Lane,
}

impl Person {
    /// Somebody who asks to come in at `now_ms`.
    pub(super) fn arriving(now_ms: u32, crowd: &Crowd, dice: &mut impl FnMut() -> u64) -> Self {
        let low = crowd.low > 0.0 && unit(dice()) < crowd.low;
        Self {
            number: Number(0),
            came_ms: now_ms,
            until_ms: now_ms.saturating_add(crowd.patience.draw_ms(dice)),
            told_ms: now_ms,
            stage: Stage::Outside,
            lane: if low { Lane::Low } else { Lane::Standard },
        }
    }

    /// The ticket as its token says it.
    pub(super) const fn ticket(&self, epoch: u32) -> TicketRef {
        TicketRef {
            epoch,
            number: self.number,
            lane: self.lane,
            identity: Identity::ANONYMOUS,
            issued_at: UnixMicros(0),
        }
    }
}

/// The account of a person.
pub(super) fn player(who: u32) -> Player {
    Player(u128::from(who) + 1)
}
