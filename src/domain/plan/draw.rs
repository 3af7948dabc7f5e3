//! From random bits to spans of time: how long people wait, play and take to sign in.

use serde::Serialize;

/// The longest span, in milliseconds: as good as for ever in a plan (49 days).
pub const FOR_EVER_MS: u32 = u32::MAX;

/// Evenly from 0 up to 1, without 1, from 64 random bits.
pub fn unit(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    let number = (bits >> 11) as f64;
    number / 9_007_199_254_740_992.0
}

/// Memoryless, with this mean: what patience and sessions are like to a first approximation.
pub fn exponential(bits: u64, mean: f64) -> f64 {
    -mean * (1.0 - unit(bits)).ln()
}

/// Standard normal, from two rolls (Box and Muller).
fn normal(bits: [u64; 2]) -> f64 {
    (-2.0 * (1.0 - unit(bits[0])).ln()).sqrt() * (std::f64::consts::TAU * unit(bits[1])).cos()
}

/// Logarithm of the median of a lognormal span with this mean.
fn lognormal_mu(mean: f64, sigma: f64) -> f64 {
    mean.ln() - sigma * sigma / 2.0
}

/// How spans are spread over people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "shape", rename_all = "lowercase")]
pub enum Spread {
    /// For ever.
    Endless,
    /// Memoryless.
    Exponential {
        /// Mean, in seconds, above 0.
        mean_s: f64,
    },
    /// Heavy tail: many short, a few very long.
    Lognormal {
        /// Mean, in seconds, above 0.
        mean_s: f64,
        /// Standard deviation of the logarithm, 0 to 3; 1 is a heavy tail.
        sigma: f64,
    },
}

impl Spread {
    /// One span, in milliseconds; [`FOR_EVER_MS`] at most.
    pub fn draw_ms(self, dice: &mut impl FnMut() -> u64) -> u32 {
        match self {
            Self::Endless => FOR_EVER_MS,
            Self::Exponential { mean_s } => ms(exponential(dice(), mean_s)),
            Self::Lognormal { mean_s, sigma } => {
                let bits = [dice(), dice()];
                ms((lognormal_mu(mean_s, sigma) + sigma * normal(bits)).exp())
            }
        }
    }

    /// Mean, in seconds; `None`: endless.
    pub const fn mean_s(self) -> Option<f64> {
        match self {
            Self::Endless => None,
            Self::Exponential { mean_s } | Self::Lognormal { mean_s, .. } => Some(mean_s),
        }
    }

    /// What 99 of 100 do not exceed, in seconds; endless: infinity.
    pub fn p99_s(self) -> f64 {
        /// Standard deviations above the mean that 1 % of a normal spread lies beyond.
        const P99: f64 = 2.326_348;
        match self {
            Self::Endless => f64::INFINITY,
            Self::Exponential { mean_s } => mean_s * 100_f64.ln(),
            Self::Lognormal { mean_s, sigma } => (lognormal_mu(mean_s, sigma) + P99 * sigma).exp(),
        }
    }
}

/// Seconds as milliseconds; what does not fit is for ever.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
pub(super) const fn ms(seconds: f64) -> u32 {
    (seconds * 1e3) as u32
}

/// Nearest rank in a sorted list; `None` when it is empty. `share` is 0 to 1.
pub fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the list"
    )]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}
