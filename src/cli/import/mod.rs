//! `anteroom import`: accounts into the folder of a server that does not run, from an export of ours or
//! from Nakama's tables.
//!
//! Accounts go in by their ids, some hundreds to a commit: an import that was interrupted is started
//! again and goes on where it stopped. What cannot be taken is told with its line, and the rest goes on.

mod intake;
mod lines;
mod nakama;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::intake::{Intake, Taken};
use self::report::Report;
use super::{ServeArgs, UNUSABLE, fail, say};
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::domain::portable::AccountLine;
use crate::ids::Dice;

/// What to import, and into which server.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// A file of `anteroom export`; with --from nakama a folder with users.csv, `user_device.csv` and
    /// `user_edge.csv`
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Whose tables
    #[arg(long, value_enum)]
    from: Option<Origin>,
    /// Only say what would be taken and what not
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: ServeArgs,
}

/// Servers whose tables are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Origin {
    /// `PostgreSQL`'s COPY … TO … CSV HEADER of users, `user_device` and `user_edge`
    Nakama,
}

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {problem}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The account store.
    #[error("accounts: {0}")]
    Store(#[from] crate::store::StoreError),
    /// No randomness.
    #[error("no randomness from the system")]
    Dice,
}

pub(super) fn run(args: &ImportArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    match import(&config, args) {
        Ok(report) => {
            say(&report.told(args.dry_run));
            ExitCode::SUCCESS
        }
        Err(error @ ImportError::Form { .. }) => fail(&error, UNUSABLE),
        Err(error) => fail(&error, 1),
    }
}

fn import(config: &Config, args: &ImportArgs) -> Result<Report, ImportError> {
    let dice = Dice::machine().map_err(|_| ImportError::Dice)?;
    let now = Clock::machine().now();
    let mut intake = Intake::open(config, &dice, now, args.dry_run)?;
    let mut report = Report::default();
    let done = match args.from {
        None => lines::import(&args.path, &mut intake, &mut report),
        Some(Origin::Nakama) => nakama::import(&args.path, &mut intake, &mut report, &dice),
    };
    // What was taken before it stopped is kept.
    let closed = intake.close();
    done?;
    closed?;
    Ok(report)
}

/// Takes one account and tells what of it was not taken. What came of it; `None`: nothing.
fn take(
    path: &std::path::Path,
    number: u64,
    line: &AccountLine,
    intake: &mut Intake,
    report: &mut Report,
) -> Result<Option<Taken>, ImportError> {
    let (account, problems) = match line.read() {
        Ok(read) => read,
        Err(problem) => {
            report.refused += 1;
            report.problem(path, number, &problem);
            return Ok(None);
        }
    };
    for problem in &problems {
        report.problem(path, number, problem);
    }
    let taken = intake.account(account)?;
    match taken {
        Taken::New => report.taken += 1,
        Taken::There => report.there += 1,
        Taken::Deleted => {
            report.refused += 1;
            let words = "an account of this id was deleted here, and no id is given twice";
            report.problem_in_words(path, number, words);
        }
        Taken::Conflict => {
            report.refused += 1;
            report.problem_in_words(path, number, "a link or a name of it is another account's");
        }
    }
    Ok(Some(taken))
}
