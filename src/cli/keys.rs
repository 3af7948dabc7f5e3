//! `anteroom keys`: new keys, old keys taken away.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{ServeArgs, fail};
use crate::config::rotation::{self, Keys};
use crate::config::{Config, load};
use crate::ids::Dice;

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Make new keys; tokens of the old ones stay good until those are forgotten
    Rotate(KeysArgs),
    /// Take the old keys away: tokens they signed are not good any more
    Forget(KeysArgs),
}

/// Which keys, of which server.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// Which keys
    #[arg(value_enum, default_value_t = Keys::All)]
    which: Keys,
    #[command(flatten)]
    server: ServeArgs,
}

pub(super) fn run(command: &KeysCommand) -> ExitCode {
    let (KeysCommand::Rotate(args) | KeysCommand::Forget(args)) = command;
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, 78),
    };
    let done = match command {
        KeysCommand::Rotate(args) => rotate(&config, args.which),
        KeysCommand::Forget(args) => {
            rotation::forget(&config.server.data, args.which).map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => {
            use std::io::Write as _;
            let text = "done; it counts once the server is started again\n";
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::SUCCESS
        }
        Err(problem) => fail(&problem, 1),
    }
}

fn rotate(config: &Config, which: Keys) -> Result<(), String> {
    let dice = Dice::machine().map_err(|error| format!("no randomness: {error}"))?;
    rotation::rotate_signed(&config.server.data, &dice, which, config.pragma.signing)
        .map_err(|error| error.to_string())
}
