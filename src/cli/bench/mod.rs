//! `anteroom bench`: measures a server with simulated players, over real HTTP and sockets.
//!
//! A launch, in the order it happens: [`cast`] decides who comes when and how patient they are,
//! [`stage`] holds what all players share, [`player`] plays one of them with [`pragma`] or
//! [`nakama`], [`watch`] looks at the server meanwhile, [`report`] says what was measured and
//! [`verdict`] what was promised and not kept.

mod args;
mod cast;
mod child;
mod http;
mod launch;
mod nakama;
mod player;
mod pragma;
mod probe;
mod process;
mod progress;
mod report;
mod score;
mod socket;
mod stage;
mod tally;
mod verdict;
mod watch;

use std::process::ExitCode;

pub use args::{Bench, LaunchArgs};

/// Runs a measurement. Exit code 0: measured, and every promise kept; 1: measured, and one broken;
/// 2: not measured.
pub fn run(what: Bench) -> ExitCode {
    let Bench::Launch(args) = what;
    match launch::run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("anteroom bench: {error:#}");
            ExitCode::from(2)
        }
    }
}
