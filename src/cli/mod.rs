//! The command line: arguments to what they do. Exit codes: 0 done, 1 failed, 2 wrong arguments,
//! 3 a lottery that cannot be checked yet, 78 settings or data that cannot be used (a restart would
//! not help).

mod audit;
mod backup;
pub mod bench;
mod completions;
mod ctl;
mod doctor;
pub mod errors;
mod export;
mod gauge;
mod healthcheck;
mod import;
mod init;
mod keys;
mod moment;
mod operator;
mod operators;
pub mod plan;
mod restore;
mod serve;
/// The same file as the program `verify-lottery`; it knows nothing of this crate.
#[path = "../bin/verify-lottery/check.rs"]
mod verify_lottery;
pub mod why;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Overrides, example, reference};
use crate::observe::catalogue;

/// The room before the game: login queue, accounts and presence in one binary.
#[derive(Debug, Parser)]
#[command(name = "anteroom", version = crate::VERSION, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (also without this word)
    Serve(ServeArgs),
    /// Measure a server with simulated players
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Play a launch before it happens: line, waits, load, and what to set
    Plan(Box<plan::PlanArgs>),
    /// See and turn the dials of a running server
    Ctl(ctl::CtlArgs),
    /// Make settings and secrets for a new server, asking or not
    Init(init::InitArgs),
    /// Look at machine, settings and data, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Ask the server of these settings on this machine whether it serves players: exit code 0 or 1
    Healthcheck(ServeArgs),
    /// Copy everything the server holds into one file, while it runs or not
    Backup(backup::BackupArgs),
    /// Put a backup into an empty folder, or only check it
    Restore(restore::RestoreArgs),
    /// Write every account as a line of JSON (docs/export-format.md); the server must not run
    Export(export::ExportArgs),
    /// Take accounts from an export or from Nakama's tables; the server must not run
    Import(import::ImportArgs),
    /// New keys for tokens, and old ones taken away
    Keys {
        #[command(subcommand)]
        what: keys::KeysCommand,
    },
    /// A way back in when nobody can sign in to the console any more
    Operators {
        #[command(subcommand)]
        what: operators::OperatorsCommand,
    },
    /// What operators did, and who came in out of turn
    Audit {
        #[command(subcommand)]
        what: audit::AuditCommand,
    },
    /// Why a player waited, from the journal of the line
    Why(Box<why::WhyArgs>),
    /// Check a lottery from the files that were published, by the rules of docs/lottery.md
    VerifyLottery(verify_lottery::Args),
    /// What a shell completes words with; bash: source <(anteroom completions bash)
    Completions(completions::CompletionsArgs),
    /// Write reference files from the program itself
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum ConfigCommand {
    /// config.toml with every setting, its meaning and its default
    Example,
    /// docs/reference/config.md
    Reference,
    /// docs/reference/metrics.md
    Metrics,
    /// docs/reference/errors.md
    Errors,
}

/// Flags of `anteroom serve`.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Known server key `defaultkey`, UNSAFE sign-in and test01 to test20; loopback only
    #[arg(long)]
    dev: bool,
    /// The server's folder [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where players connect [default: 0.0.0.0:7350; with --dev 127.0.0.1:7350]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Settings file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl From<ServeArgs> for Overrides {
    fn from(args: ServeArgs) -> Self {
        Self { file: args.config, data: args.data, listen: args.listen, dev: args.dev }
    }
}

/// Runs the command the arguments name.
pub fn run() -> ExitCode {
    small_pages();
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::run(&args.into()),
        Command::Bench { what } => bench::run(what),
        Command::Plan(args) => plan::run(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Keys { what } => keys::run(&what),
        Command::Operators { what } => operators::run(&what),
        Command::Audit { what } => audit::run(&what),
        Command::Why(args) => why::run(&args),
        Command::VerifyLottery(args) => verify_lottery::run(&args),
        Command::Completions(args) => completions::run(args),
        Command::Config { what } => print(what),
    }
}

/// Keeps the kernel from backing each touched corner of the allocator's arena with 2 MB: an idle server
/// would hold nine times as much, and a million in line are served as fast without (docs/figures.md).
fn small_pages() {
    #[cfg(target_os = "linux")]
    // A kernel that refuses costs memory, nothing else.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn print(what: ConfigCommand) -> ExitCode {
    let text = match what {
        ConfigCommand::Example => example::config_toml().map_err(|error| error.to_string()),
        ConfigCommand::Reference => reference::markdown().map_err(|error| error.to_string()),
        ConfigCommand::Metrics => Ok(catalogue::markdown()),
        ConfigCommand::Errors => Ok(errors::markdown()),
    };
    match text {
        Ok(text) => {
            use std::io::Write as _;
            match std::io::stdout().write_all(text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => fail(&error, 1),
    }
}

/// Exit code for settings or data that cannot be used: a restart would not help (sysexits
/// `EX_CONFIG`; service managers are told not to try again).
const UNUSABLE: u8 = 78;

/// Says something on standard output. Whoever read it may have had enough.
fn say(text: &dyn std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Says what went wrong, once, and gives the exit code.
pub(crate) fn fail(problem: &dyn std::fmt::Display, code: u8) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "anteroom: {problem}");
    ExitCode::from(code)
}
