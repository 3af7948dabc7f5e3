//! What is planned: who comes, when, and to which queue. And the launches the estimator is judged by.

use serde::Serialize;

use super::agenda::PEOPLE_MAX;
use super::crowd::{Crowd, Mix};
use super::curve::Curve;
use super::draw::Spread;
use crate::domain::queue::Settings;

/// Longest plan, in seconds: a week.
pub const LIMIT_MAX_S: u32 = 7 * 86_400;

/// Whose polls are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Polling {
    /// Everybody's, each when told.
    #[default]
    Full,
    /// Those of about 20,000 people, by whom the load is counted and estimates are scored. The others
    /// are asked as seldom as if they watched the frame: places are kept that way too, and nobody's
    /// turn comes earlier or later.
    Front,
    /// Everybody watches the frame and asks only when that says so, as docs/queue-api.md has it, and
    /// finds no stream. Fetches of the frame are not counted.
    Watch,
}

/// A launch, or a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Launch {
    /// Players who want in; a recorded curve brings its own. At most 10,000,000.
    pub players: u32,
    /// When they come.
    pub curve: Curve,
    /// What they are like.
    pub crowd: Crowd,
    /// Players who are online when it begins.
    pub online_at_start: u32,
    /// Goes on for at least so many seconds, whether or not anybody waits.
    pub at_least_s: u32,
    /// Ends after so many seconds, whoever still waits. 1 to [`LIMIT_MAX_S`].
    pub limit_s: u32,
    /// Whose polls are played.
    pub polling: Polling,
    /// The queue's settings.
    #[serde(skip)]
    pub settings: Settings,
}

/// A launch that cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {bounds}")]
pub struct Unplayable {
    /// Which part of it.
    pub what: &'static str,
    /// What it may be.
    pub bounds: &'static str,
}

const PLAYERS_MAX: u64 = 10_000_000;
const _: () = assert!(PLAYERS_MAX < PEOPLE_MAX as u64);

impl Launch {
    /// Whether every part is within its bounds.
    ///
    /// # Errors
    ///
    /// [`Unplayable`] names the first that is not.
    pub fn check(&self) -> Result<(), Unplayable> {
        let crowd = &self.crowd;
        let mix = [crowd.mix.password, crowd.mix.token, crowd.mix.new_account];
        let shares = [crowd.silent, crowd.no_show, crowd.drops, crowd.returns, crowd.low];
        let spreads = [crowd.patience, crowd.login, crowd.session, crowd.away];
        let recorded: u64 = match &self.curve {
            Curve::Recorded { per_minute } => {
                per_minute.iter().map(|&count| u64::from(count)).sum()
            }
            _ => self.players.into(),
        };
        let people = recorded + u64::from(self.online_at_start);
        for (holds, what, bounds) in [
            ((1..=PLAYERS_MAX).contains(&people), "the number of players", "1 to 10000000"),
            (is_curve(&self.curve), "the time arrivals take", "above 0 and at most a week"),
            (shares.iter().all(|share| (0.0..=1.0).contains(share)), "every share", "0 to 1"),
            (
                mix.iter().all(|share| *share >= 0.0) && mix.iter().sum::<f64>().is_normal(),
                "the shares of ways to sign in",
                "not negative, and not all 0",
            ),
            (
                spreads.into_iter().all(is_spread),
                "every mean time",
                "above 0 and at most a year, its sigma 0 to 3",
            ),
            (
                self.settings.rate > 0.0 && self.settings.rate <= 100_000.0,
                "the rate",
                "above 0 and at most 100000, or nobody comes in",
            ),
            (self.settings.cap > 0, "the cap", "above 0, or nobody comes in"),
            ((1..=LIMIT_MAX_S).contains(&self.limit_s), "the limit", "1 s to a week"),
        ] {
            if !holds {
                return Err(Unplayable { what, bounds });
            }
        }
        Ok(())
    }
}

fn is_curve(curve: &Curve) -> bool {
    let span = |seconds: f64| seconds > 0.0 && seconds <= f64::from(LIMIT_MAX_S);
    match *curve {
        Curve::Ramp { mean_s } => span(mean_s),
        Curve::Spike { share, within_s, mean_s } => {
            (0.0..=1.0).contains(&share) && span(within_s) && span(mean_s)
        }
        Curve::Flat { over_s } | Curve::Day { over_s } => span(over_s),
        Curve::Recorded { .. } => true,
    }
}

fn is_spread(spread: Spread) -> bool {
    let mean = |mean_s: f64| mean_s > 0.0 && mean_s <= 365.0 * 86_400.0;
    match spread {
        Spread::Endless => true,
        Spread::Exponential { mean_s } => mean(mean_s),
        Spread::Lognormal { mean_s, sigma } => mean(mean_s) && (0.0..=3.0).contains(&sigma),
    }
}

/// The launches of login-queues §2.6, by which estimators are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// 100 a second, no cap, patience of 30 minutes.
    B,
    /// 200 a second under a cap of 60,000, patience of 40 minutes.
    D,
    /// B with heavy-tailed patience.
    BHeavy,
    /// D with heavy-tailed patience.
    DHeavy,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::B, Self::D, Self::BHeavy, Self::DHeavy];

    /// The launch at `scale`: players, rate and cap are multiplied, times are not, so that waits
    /// stay what they are. 1 is the note's. What the note leaves open is taken from `settings`.
    ///
    /// Those who come are 200,000 in an exponential ramp with a mean of 400 s, half of those who
    /// leave are silent, sessions last 45 minutes.
    pub fn launch(self, scale: f64, settings: &Settings) -> Launch {
        let heavy = matches!(self, Self::BHeavy | Self::DHeavy);
        let (rate, cap, patience_s, no_show) = match self {
            Self::B | Self::BHeavy => (100.0, 10_000_000.0, 1_800.0, 0.10),
            Self::D | Self::DHeavy => (200.0, 60_000.0, 2_400.0, 0.15),
        };
        Launch {
            players: whole(200_000.0 * scale),
            curve: Curve::Ramp { mean_s: 400.0 },
            crowd: Crowd {
                patience: if heavy {
                    Spread::Lognormal { mean_s: patience_s, sigma: 1.0 }
                } else {
                    Spread::Exponential { mean_s: patience_s }
                },
                silent: 0.5,
                no_show,
                login: Spread::Exponential { mean_s: 5.0 },
                session: Spread::Exponential { mean_s: 2_700.0 },
                drops: 0.0,
                returns: 0.0,
                away: Spread::Exponential { mean_s: 20.0 },
                low: 0.0,
                mix: Mix { password: 0.0, token: 1.0, new_account: 0.0 },
            },
            online_at_start: 0,
            at_least_s: 0,
            limit_s: 86_400,
            polling: Polling::Full,
            settings: Settings {
                rate: rate * scale,
                cap: whole(cap * scale).into(),
                line_max: 10_000_000,
                pass_ttl_ms: 60_000,
                ..settings.clone()
            },
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}
