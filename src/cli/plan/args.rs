//! What can be asked of a plan.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::day;
use crate::config::Overrides;
use crate::domain::plan::{Crowd, Curve, Launch, Machine, Minute, Mix, Polling, Scenario, Spread};
use crate::domain::queue::Settings;

/// How players arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Most at once, then fewer and fewer: a launch. `--over` is the mean
    Ramp,
    /// `--at-the-door` of them within the first minute, the others as in a ramp
    Spike,
    /// Evenly over `--over` seconds
    Flat,
    /// An ordinary day from midnight, busiest at eight in the evening, over `--over` seconds
    Day,
}

/// How patience or sessions are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tail {
    /// Memoryless
    Exponential,
    /// Heavy tail
    Lognormal,
}

/// The launches by which estimates are judged (docs/plan-your-launch.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reference {
    /// 200,000 players, 100 a second, no cap, patience of 30 minutes
    B,
    /// 200,000 players, 200 a second under a cap of 60,000, patience of 40 minutes
    D,
    /// B with heavy-tailed patience
    BHeavy,
    /// D with heavy-tailed patience
    DHeavy,
}

/// Whose polls are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Polls {
    /// Everybody's, each when told
    Full,
    /// Everybody's near the front, all of some people's further back: faster, the same order
    Front,
    /// Everybody's, each when told, by players who watch the queue API's frame
    Watch,
}

/// A launch, the queue it comes to, and the machine.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// A ready-made launch instead of the flags below
    #[arg(long, value_enum, conflicts_with_all = ["players", "curve", "day", "rate", "cap", "patience", "session"])]
    pub scenario: Option<Reference>,
    /// Players, rate and cap of the ready-made launch are multiplied by this
    #[arg(long, default_value_t = 1.0, requires = "scenario")]
    pub scale: f64,
    /// A recorded day to play again: CSV or JSON with minute, arrivals, online, waiting
    #[arg(long, value_name = "FILE", conflicts_with_all = ["players", "curve", "over"])]
    pub day: Option<PathBuf>,
    /// Players who want in
    #[arg(long, default_value_t = 100_000)]
    pub players: u32,
    /// How players arrive
    #[arg(long, value_enum, default_value_t = Shape::Ramp)]
    pub curve: Shape,
    /// Time the arrivals take, in seconds
    #[arg(long, default_value_t = 1_200.0, value_name = "SECONDS")]
    pub over: f64,
    /// Share of players who wait for the doors to open (`--curve spike`)
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub at_the_door: f64,
    /// Admissions per second [default: queue.rate]
    #[arg(long)]
    pub rate: Option<f64>,
    /// Slots [default: queue.cap]
    #[arg(long)]
    pub cap: Option<u64>,
    /// Mean patience of a player in line, in seconds; 0: endless
    #[arg(long, default_value_t = 1_800.0, value_name = "SECONDS")]
    pub patience: f64,
    /// How patience is spread
    #[arg(long, value_enum, default_value_t = Tail::Exponential)]
    pub patience_tail: Tail,
    /// Share of those who give up that close the game without a word
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub silent: f64,
    /// Share of those admitted who do not come
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    pub no_show: f64,
    /// Mean time a player stays online, in seconds; 0: endless
    #[arg(long, default_value_t = 2_700.0, value_name = "SECONDS")]
    pub session: f64,
    /// How sessions are spread
    #[arg(long, value_enum, default_value_t = Tail::Exponential)]
    pub session_tail: Tail,
    /// Mean time from hearing of the pass to being signed in, in seconds
    #[arg(long, default_value_t = 8.0, value_name = "SECONDS")]
    pub login: f64,
    /// Share of sessions that lose their connection once
    #[arg(long, default_value_t = 0.05, value_name = "SHARE")]
    pub drops: f64,
    /// Share of those who come back, after 20 seconds on average
    #[arg(long, default_value_t = 0.8, value_name = "SHARE")]
    pub returns: f64,
    /// Share of players in the low lane
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub low: f64,
    /// Shares of sign-ins with a password, with a token, and of new accounts with a password
    #[arg(long, default_value = "20,60,20", value_name = "P,T,N", value_parser = mix)]
    pub mix: Mix,
    /// Cores of the server [default: those of this machine]
    #[arg(long)]
    pub cores: Option<f64>,
    /// Passwords a core hashes a second
    #[arg(long, default_value_t = 58.0)]
    pub logins_per_core: f64,
    /// Whose polls are played
    #[arg(long, value_enum, default_value_t = Polls::Full)]
    pub polls: Polls,
    /// The plan ends after this many seconds, however many still wait
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    pub limit: u32,
    /// The same number, the same launch
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Settings file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to write every figure
    #[arg(long, default_value = "plan.json", value_name = "FILE")]
    pub json: PathBuf,
    /// Where to write the page with plots
    #[arg(long, default_value = "plan.html", value_name = "FILE")]
    pub html: PathBuf,
}

fn mix(text: &str) -> Result<Mix, String> {
    let parts: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.as_deref() {
        Ok(&[password, token, new_account]) => Ok(Mix { password, token, new_account }),
        _ => Err("three shares: password, token, new account, like 20,60,20".into()),
    }
}

/// Spread of the logarithm of heavy tails: nine in ten within a factor of five of the median.
const SIGMA: f64 = 1.0;
/// Spread of the logarithm of logins: the slowest of a hundred take three times the mean.
const LOGIN_SIGMA: f64 = 0.6;
/// Those at the door come within this many seconds.
const DOOR_S: f64 = 60.0;
/// Mean time a dropped player is away, in seconds.
const AWAY_S: f64 = 20.0;

fn spread(mean_s: f64, tail: Tail) -> Spread {
    match tail {
        _ if mean_s == 0.0 => Spread::Endless,
        Tail::Exponential => Spread::Exponential { mean_s },
        Tail::Lognormal => Spread::Lognormal { mean_s, sigma: SIGMA },
    }
}

impl PlanArgs {
    /// Where settings come from.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { file: self.config.clone(), ..Overrides::default() }
    }

    /// The machine that is planned for.
    pub(super) fn machine(&self) -> Machine {
        let here = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
        let cores = self.cores.unwrap_or_else(|| here() as f64);
        Machine { cores, logins_per_core: self.logins_per_core }
    }

    /// The launch these arguments mean, with the queue's other settings as given.
    pub(super) fn launch(&self, settings: &Settings, day: Option<&[Minute]>) -> Launch {
        let polling = match self.polls {
            Polls::Full => Polling::Full,
            Polls::Front => Polling::Front,
            Polls::Watch => Polling::Watch,
        };
        if let Some(reference) = self.scenario {
            let scenario = match reference {
                Reference::B => Scenario::B,
                Reference::D => Scenario::D,
                Reference::BHeavy => Scenario::BHeavy,
                Reference::DHeavy => Scenario::DHeavy,
            };
            let launch = scenario.launch(self.scale, settings);
            return Launch { polling, limit_s: self.limit, ..launch };
        }
        let launch = Launch {
            players: self.players,
            curve: self.curve(),
            crowd: self.crowd(),
            online_at_start: 0,
            at_least_s: 0,
            limit_s: self.limit,
            polling,
            settings: Settings {
                rate: self.rate.unwrap_or(settings.rate),
                cap: self.cap.unwrap_or(settings.cap),
                ..settings.clone()
            },
        };
        day.map_or(launch.clone(), |day| day::again(day, launch))
    }

    fn curve(&self) -> Curve {
        match self.curve {
            Shape::Ramp => Curve::Ramp { mean_s: self.over },
            Shape::Spike => {
                Curve::Spike { share: self.at_the_door, within_s: DOOR_S, mean_s: self.over }
            }
            Shape::Flat => Curve::Flat { over_s: self.over },
            Shape::Day => Curve::Day { over_s: self.over },
        }
    }

    fn crowd(&self) -> Crowd {
        Crowd {
            patience: spread(self.patience, self.patience_tail),
            silent: self.silent,
            no_show: self.no_show,
            login: Spread::Lognormal { mean_s: self.login, sigma: LOGIN_SIGMA },
            session: spread(self.session, self.session_tail),
            drops: self.drops,
            returns: self.returns,
            away: Spread::Exponential { mean_s: AWAY_S },
            low: self.low,
            mix: self.mix,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::QueueConfig;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: PlanArgs,
    }

    /// Arguments as from a command line.
    pub(in crate::cli::plan) fn args(words: &str) -> Result<PlanArgs, clap::Error> {
        Words::try_parse_from(std::iter::once("plan").chain(words.split_whitespace()))
            .map(|words| words.args)
    }

    fn launch(words: &str) -> Launch {
        args(words).unwrap().launch(&QueueConfig::default().settings(), None)
    }

    #[test]
    fn the_queue_is_that_of_the_settings_unless_said_otherwise() {
        let plain = launch("");
        assert_eq!(plain.settings, QueueConfig::default().settings());
        let other = launch("--rate 7 --cap 9");
        assert_eq!((other.settings.rate, other.settings.cap), (7.0, 9));
        assert_eq!(other.check(), Ok(()));
    }

    #[test]
    fn zero_is_endless_and_nonsense_is_refused_in_words() {
        assert_eq!(launch("--patience 0").crowd.patience, Spread::Endless);
        for (words, what) in [
            ("--silent 1.5", "every share must be 0 to 1"),
            ("--over 0", "the time arrivals take must be"),
            ("--mix 0,0,0", "the shares of ways to sign in must be"),
            ("--rate 0", "the rate must be above 0"),
            ("--players 0", "the number of players must be"),
            ("--patience -1", "every mean time must be"),
        ] {
            let refused = launch(&words.replace(' ', "=")).check().unwrap_err().to_string();
            assert!(refused.contains(what), "{words}: {refused}");
        }
        assert!(args("--scenario b --players 5").is_err(), "a ready-made launch has its own");
        assert!(args("--mix 1,2").is_err());
    }

    #[test]
    fn a_ready_made_launch_is_scaled_in_numbers_not_in_time() {
        let small = launch("--scenario d-heavy --scale 0.05");
        assert_eq!((small.players, small.settings.rate, small.settings.cap), (10_000, 10.0, 3_000));
        assert_eq!(small.crowd, launch("--scenario d-heavy").crowd);
    }
}
