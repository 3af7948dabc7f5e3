//! When people arrive.

use serde::Serialize;

use super::draw::{exponential, ms, unit};

const MINUTE_MS: u32 = 60_000;
const DAY_S: f64 = 86_400.0;
/// How much busier than the mean the busiest hour of a day is, and quieter the quietest.
const SWING: f64 = 0.8;
/// The busiest hour: eight in the evening.
const BUSIEST_S: f64 = 20.0 * 3_600.0;

/// The shape of the arrivals.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "shape", rename_all = "lowercase")]
pub enum Curve {
    /// Most at once, then fewer and fewer: a launch.
    Ramp {
        /// Mean time of arrival, in seconds.
        mean_s: f64,
    },
    /// Many stand at the door when it opens; the others come as in [`Curve::Ramp`].
    Spike {
        /// Share of those at the door, 0 to 1.
        share: f64,
        /// They come within this many seconds.
        within_s: f64,
        /// Mean time of arrival of the others, in seconds.
        mean_s: f64,
    },
    /// Evenly.
    Flat {
        /// Over this many seconds.
        over_s: f64,
    },
    /// An ordinary day from midnight, busiest at eight in the evening, again and again.
    Day {
        /// Over this many seconds.
        over_s: f64,
    },
    /// As recorded: arrivals of each minute, spread evenly over it.
    Recorded {
        /// From the first minute on.
        per_minute: Vec<u32>,
    },
}

impl Curve {
    /// When each of `players` arrives, in milliseconds from the start, in order. A recorded curve
    /// brings its own number of players.
    pub(super) fn arrivals_ms(&self, players: u32, dice: &mut impl FnMut() -> u64) -> Vec<u32> {
        let mut all: Vec<u32> = match self {
            Self::Recorded { per_minute } => per_minute
                .iter()
                .zip(0_u32..)
                .flat_map(|(&count, minute)| (0..count).map(move |_| minute))
                .map(|minute| {
                    minute.saturating_mul(MINUTE_MS).saturating_add(ms(unit(dice()) * 60.0))
                })
                .collect(),
            _ => (0..players).map(|_| ms(self.draw_s(dice))).collect(),
        };
        all.sort_unstable();
        all
    }

    fn draw_s(&self, dice: &mut impl FnMut() -> u64) -> f64 {
        match *self {
            Self::Ramp { mean_s } => exponential(dice(), mean_s),
            Self::Spike { share, within_s, mean_s } => {
                if unit(dice()) < share {
                    unit(dice()) * within_s
                } else {
                    exponential(dice(), mean_s)
                }
            }
            Self::Flat { over_s } => unit(dice()) * over_s,
            Self::Day { over_s } => loop {
                let at = unit(dice()) * over_s;
                let busy = 1.0 + SWING * (std::f64::consts::TAU * (at - BUSIEST_S) / DAY_S).cos();
                if unit(dice()) * (1.0 + SWING) < busy {
                    break at;
                }
            },
            // Drawn by the minute, not one by one.
            Self::Recorded { .. } => 0.0,
        }
    }

    /// How many arrive in each minute, of arrivals in order.
    pub(super) fn per_minute(arrivals_ms: &[u32]) -> Vec<u32> {
        let last = arrivals_ms.last().map_or(0, |&last| last / MINUTE_MS + 1);
        let mut minutes = vec![0; last as usize];
        for &at in arrivals_ms {
            minutes[(at / MINUTE_MS) as usize] += 1;
        }
        minutes
    }
}
