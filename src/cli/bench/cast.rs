//! Who comes, when, how they sign in, how long they wait and how long they stay. Decided before the
//! curtain rises, from a seed.

use std::time::Duration;

use super::args::{Curve, LaunchArgs};
use crate::domain::plan::{exponential, unit};
use crate::ids::Dice;

/// How a player signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Pragma: queue, pass, UNSAFE provider, two sockets.
    Pragma,
    /// Nakama by device, in the line by an implicit ticket.
    Device,
    /// Nakama by e-mail and password.
    Email,
}

/// One player's part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// When they come, from the start.
    pub(super) comes: Duration,
    /// How long they stand in line; `None`: as long as it takes.
    pub(super) patience: Option<Duration>,
    /// How long they are online.
    pub(super) stays: Duration,
    /// How they sign in.
    pub(super) door: Door,
    /// Who they are: unknown to a server that has not met this seed.
    pub(super) name: String,
}

/// The whole cast, in order of arrival.
pub(super) fn cast(args: &LaunchArgs) -> Vec<Part> {
    let dice = Dice::seeded(args.seed);
    let mut parts: Vec<Part> = (0..args.players).map(|_| part(args, &dice)).collect();
    parts.sort_by_key(|part| part.comes);
    parts
}

fn part(args: &LaunchArgs, dice: &Dice) -> Part {
    let comes = match args.curve {
        Curve::Ramp => exponential(dice.number(), args.over),
        Curve::Steady => unit(dice.number()) * args.over,
        Curve::Burst => unit(dice.number()),
    };
    let patience = (args.patience > 0.0).then(|| span(exponential(dice.number(), args.patience)));
    let mix = args.mix();
    let drawn = unit(dice.number()) * (mix.pragma + mix.device + mix.email);
    let door = if drawn < mix.pragma {
        Door::Pragma
    } else if drawn < mix.pragma + mix.device {
        Door::Device
    } else {
        Door::Email
    };
    Part {
        comes: span(comes),
        patience,
        stays: span(exponential(dice.number(), args.session)),
        door,
        name: dice.uuid().to_string(),
    }
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: LaunchArgs,
    }

    /// Arguments as from a command line.
    pub(in crate::cli::bench) fn args(words: &str) -> LaunchArgs {
        Line::parse_from(std::iter::once("launch").chain(words.split_whitespace())).args
    }

    #[test]
    fn the_same_seed_gives_the_same_players() {
        let one = cast(&args("--players 500 --seed 7"));
        assert_eq!(one, cast(&args("--players 500 --seed 7")));
        assert_ne!(one, cast(&args("--players 500 --seed 8")));
        assert_eq!(one.len(), 500);
        assert!(one.is_sorted_by_key(|part| part.comes));
    }

    #[test]
    fn arrivals_patience_and_mix_are_as_asked() {
        let parts = cast(&args("--players 20000 --over 40 --patience 100 --mix 1,2,1"));
        let mean = |of: &dyn Fn(&Part) -> f64| parts.iter().map(of).sum::<f64>() / 20_000.0;
        assert!((mean(&|part| part.comes.as_secs_f64()) - 40.0).abs() < 2.0);
        assert!((mean(&|part| part.patience.unwrap().as_secs_f64()) - 100.0).abs() < 4.0);
        assert!((mean(&|part| f64::from(part.door == Door::Device)) - 0.5).abs() < 0.02);
        let burst = cast(&args("--players 100 --curve burst --patience 0"));
        assert!(burst.iter().all(|part| part.comes.as_secs() == 0 && part.patience.is_none()));
        let steady = cast(&args("--players 20000 --curve steady --over 10"));
        let half = steady.iter().filter(|part| part.comes.as_secs_f64() < 5.0).count();
        assert!(half.abs_diff(10_000) < 500);
    }
}
