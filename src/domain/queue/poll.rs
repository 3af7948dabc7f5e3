//! When to ask again: intervals that hold the poll load of the whole line to a budget
//! (login-queues §2.7).
//!
//! A ticket with `t` seconds to go is told to come back after `c · t`, within the shortest and the
//! longest interval. With `r` admissions a second and `w` waiting that makes
//! `r/c · (1 + ln(hi/lo)) + max(0, w - hi·r/c)/hi` polls a second; solved for `c`. The longest
//! interval is a promise to the client (Pragma's `maxCheckTicketPollTimeSeconds`), so beyond
//! `budget · hi` waiting it wins over the budget; and nobody is called much later than his turn, lest
//! his pass lapses, so a budget of less than about six polls per admission cannot be held either.

use serde::{Deserialize, Serialize};

use super::index::mix;
use super::{Number, Settings};

/// Share of the budget that is planned for; the rest is for jitter and rounding.
const PLANNED: f64 = 0.9;
/// Nobody is asked to poll more often than ten times in his wait.
const C_MIN: f64 = 0.1;
/// Beyond this only the longest interval is left.
const C_MAX: f64 = 1_000.0;
/// Jitter to either side, in thousandths.
const JITTER: u64 = 150;
/// Shortest interval while the line stands still, in seconds.
const HELD_MIN_S: f64 = 5.0;

/// This long before his turn somebody who watches the frame has to say that he is there, in seconds.
pub const FRONT_CONFIRM_S: f64 = 180.0;
/// And once more this long before it, unless he is told over a stream, in seconds.
pub const NEAR_CONFIRM_S: f64 = 30.0;
/// Then he asks so long after it, in seconds: estimates are not to the second.
const TURN_SLACK_S: f64 = 1.0;
/// Who watches the frame is left alone for this long at most, in seconds; longer in a line so long that
/// [`WATCH_SHARE`] of the budget would not do.
const WATCH_MAX_S: f64 = 1_800.0;
/// Share of the poll budget for those who watch, before their front.
const WATCH_SHARE: f64 = 0.05;
/// Nobody is left alone longer: what a record can say, with a third of it to spare for jitter.
const WATCH_LIMIT_S: f64 = 43_200.0;

/// The pace for a length of the line; worked out anew when that has changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Pace {
    c: f64,
    held_s: f64,
    lo_s: f64,
    hi_s: f64,
    /// How long past its estimate a ticket may be left alone, in seconds: its pass must not lapse.
    late_s: f64,
    /// Longest time somebody who watches the frame is left alone, in seconds.
    watch_s: f64,
    waiting: u64,
    rate: f64,
}

impl Pace {
    /// The pace with `waiting` in line and `rate` admissions a second.
    #[expect(clippy::cast_precision_loss, reason = "settings and counts far below 2^52")]
    pub(super) fn new(settings: &Settings, waiting: u64, rate: f64) -> Self {
        let lo_s = (settings.poll_min_ms.max(1)) as f64 / 1e3;
        let hi_s = (settings.poll_max_ms as f64 / 1e3).max(lo_s);
        let budget = f64::from(settings.poll_budget.max(1)) * PLANNED;
        let w = waiting as f64;
        let spread = (hi_s / lo_s).ln();
        let short = rate * (1.0 + spread) / budget;
        let c = if w <= hi_s * rate / short {
            short
        } else if budget > w / hi_s {
            rate * spread / (budget - w / hi_s)
        } else {
            C_MAX
        };
        let c = if c.is_finite() { c.clamp(C_MIN, C_MAX) } else { C_MIN };
        let held_s = (w / budget).max(HELD_MIN_S).clamp(lo_s, hi_s);
        let late_s = settings.pass_ttl_ms as f64 / 4e3;
        let watch_s = (w / (budget * WATCH_SHARE)).clamp(WATCH_MAX_S, WATCH_LIMIT_S);
        Self { c, held_s, lo_s, hi_s, late_s, watch_s, waiting, rate }
    }

    /// Whether the line has grown or shrunk by a quarter, or the rate changed.
    pub(super) fn is_stale(&self, waiting: u64, rate: f64) -> bool {
        let slack = self.waiting / 4 + 16;
        waiting.abs_diff(self.waiting) > slack || (rate - self.rate).abs() > f64::EPSILON
    }

    /// The interval for a ticket with `seconds` to go, in milliseconds; `None`: the line stands.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped between two settings"
    )]
    pub(super) fn interval_ms(&self, number: Number, seconds: Option<f64>) -> u64 {
        let plain_s = match seconds {
            None => self.held_s,
            Some(seconds) => (self.c * seconds).min(seconds + self.late_s),
        };
        let jittered_s = plain_s.clamp(self.lo_s, self.hi_s) * jitter(number);
        (jittered_s.clamp(self.lo_s, self.hi_s) * 1e3) as u64
    }

    /// The same for somebody who watches the frame and so knows when he is near: he is left alone
    /// until [`FRONT_CONFIRM_S`] before his turn, then until [`NEAR_CONFIRM_S`] before it, then until
    /// it has come. Each is skipped where it would be more than half of the way: so nobody creeps up
    /// on it. Turns come one after the other, so only those who are called by the clock need a jitter.
    /// Never shorter than the interval above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    pub(super) fn watch_ms(&self, number: Number, seconds: Option<f64>) -> u64 {
        let longest_s = self.watch_s * jitter(number).min(1.0);
        let alone_s = match seconds {
            None => longest_s,
            Some(seconds) => {
                let to_next_s = if seconds > 2.0 * FRONT_CONFIRM_S {
                    seconds - FRONT_CONFIRM_S
                } else if seconds > 2.0 * NEAR_CONFIRM_S {
                    seconds - NEAR_CONFIRM_S
                } else {
                    seconds + TURN_SLACK_S
                };
                to_next_s.min(longest_s)
            }
        };
        self.interval_ms(number, seconds).max((alone_s.max(0.0) * 1e3) as u64)
    }
}

/// A factor near 1 that is always the same for a ticket.
#[expect(clippy::cast_precision_loss, reason = "thousandths")]
fn jitter(number: Number) -> f64 {
    (1_000 - JITTER + mix(number.0) % (2 * JITTER + 1)) as f64 / 1e3
}
