//! `anteroom init`: the settings and secrets of a new server, asked for or given.
//!
//! Nobody needs it: `anteroom serve` on an empty folder makes its secrets and takes the defaults. It is
//! for servers that others reach.

mod answers;
mod asking;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use self::answers::{Answers, Public};
use super::{UNUSABLE, fail, say};
use crate::config::secrets::{Secrets, SecretsError};
use crate::config::{Config, Overrides, load};
use crate::domain::token::signing;
use crate::ids::Dice;

/// What is known without asking.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Ask nothing: what is not given is as the defaults have it
    #[arg(long)]
    yes: bool,
    /// The settings file to write
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// The server's folder [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where players connect [default: 0.0.0.0:7350]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// How players reach it from outside, such as `https://play.example.com`
    #[arg(long, value_name = "URL", value_parser = Public::parse)]
    public: Option<Public>,
    /// A proxy in front of it, whose X-Forwarded-For is believed. May be given several times
    #[arg(long = "proxy", value_name = "IP")]
    proxies: Vec<IpAddr>,
}

/// Why nothing was made, or not all of it.
#[derive(Debug, thiserror::Error)]
enum InitError {
    /// A file is there.
    #[error("{} is there: nothing is overwritten. Move it away, or choose another place", .0.display())]
    Exists(PathBuf),
    /// Nobody answers.
    #[error("nobody to ask: give --yes and what differs from the defaults (anteroom init --help)")]
    NobodyThere,
    /// A file or the terminal.
    #[error("{what}: {source}")]
    Io {
        /// What failed.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Settings that would not be taken.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// No randomness.
    #[error("no randomness from the system")]
    Dice,
}

pub(super) fn run(args: &InitArgs) -> ExitCode {
    match init(args) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error @ (InitError::Exists(_) | InitError::Config(_) | InitError::Secrets(_))) => {
            fail(&error, UNUSABLE)
        }
        Err(error @ InitError::NobodyThere) => fail(&error, 2),
        Err(error) => fail(&error, 1),
    }
}

fn init(args: &InitArgs) -> Result<String, InitError> {
    refuse_if_there(&args.config)?;
    let given = Answers {
        data: args.data.clone(),
        listen: args.listen,
        public: args.public.clone(),
        proxies: args.proxies.clone(),
    };
    let answers = if args.yes {
        given
    } else if io::stdin().is_terminal() {
        let terminal = |source| InitError::Io { what: "the terminal".to_owned(), source };
        asking::ask(&mut io::stdin().lock(), &mut io::stderr(), given).map_err(terminal)?
    } else {
        return Err(InitError::NobodyThere);
    };
    let data = answers.data.clone().unwrap_or_else(|| Config::default().server.data);
    refuse_if_there(&data.join("secrets.toml"))?;
    write(&args.config, &answers.settings())?;
    let made = make(&args.config, &data);
    if made.is_err() {
        // What went wrong before is what is told.
        let _ = std::fs::remove_file(&args.config);
    }
    let server_key = made?;
    Ok(format!(
        "settings: {}\nsecrets: {}, readable by you alone; keep a copy apart\nserver key for your \
         clients, shown this once: {server_key}\nnext: anteroom doctor --config {config}, then \
         anteroom serve --config {config}",
        args.config.display(),
        data.join("secrets.toml").display(),
        config = args.config.display(),
    ))
}

/// Checks the settings as the server will, and makes the secrets; the server key.
fn make(config: &Path, data: &Path) -> Result<String, InitError> {
    let read = load(&Overrides { file: Some(config.to_owned()), ..Overrides::default() })?;
    let dice = Dice::machine().map_err(|_| InitError::Dice)?;
    let (secrets, _) = Secrets::open(data, &dice, |_| {
        let pem = signing::generate(read.pragma.signing).map(|pem| pem.to_string());
        pem.map_err(|error| SecretsError::KeyGeneration(error.to_string()))
    })?;
    Ok(secrets.server_key.clone())
}

fn refuse_if_there(path: &Path) -> Result<(), InitError> {
    if path.exists() { Err(InitError::Exists(path.to_owned())) } else { Ok(()) }
}

fn write(path: &Path, text: &str) -> Result<(), InitError> {
    let of_file = |source| InitError::Io { what: path.display().to_string(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(of_file)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(of_file)
}
