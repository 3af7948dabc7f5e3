//! Checks a published lottery: `verify-lottery FOLDER`. Nothing of the server is in it.

mod check;

use std::process::ExitCode;

use clap::Parser;

/// Check a lottery from the files that were published, by the rules of docs/lottery.md
#[derive(Debug, Parser)]
#[command(name = "verify-lottery", version)]
struct Cli {
    #[command(flatten)]
    args: check::Args,
}

fn main() -> ExitCode {
    check::run(&Cli::parse().args)
}
