//! `anteroom backup`: through the running server, or from its folder when none runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::operator::{Operator, OperatorArgs};
use super::{ServeArgs, UNUSABLE, fail, say};
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::domain::backup as rules;
use crate::store::Store as _;
use crate::store::backup::{self, Sources, Written};
use crate::store::sled::{Options, SledStore, is_in_use, sync_data};

/// A server of many millions takes its time.
const PATIENCE: Duration = Duration::from_hours(1);

/// Where to, and of which server.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The file to write, which must not be there [default: a name with the time in the backups' folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Put the server's secrets in as well: keep such a file as safe as they are
    #[arg(long)]
    with_secrets: bool,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    server: ServeArgs,
}

pub(super) fn run(args: &BackupArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    let accounts = config.server.data.join("accounts");
    let is_running = match is_in_use(&accounts) {
        Ok(is_running) => is_running,
        Err(error) => return fail(&format!("{}: {error}", accounts.display()), UNUSABLE),
    };
    let done = if is_running { online(&config, args) } else { offline(&config, args) };
    match done {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, 1),
    }
}

type Said = Result<String, Box<dyn std::error::Error>>;

/// The running server writes it; then it is copied to where it is wanted.
fn online(config: &Config, args: &BackupArgs) -> Said {
    let operators = config.operators_url();
    let operator = Operator::new(&args.operator, operators, PATIENCE).map_err(|error| {
        format!("a server runs on this folder, so it makes the backup: {error}")
    })?;
    let ask = json!({"secrets": args.with_secrets});
    let made = operator.ask(reqwest::Method::POST, "/backup", Some(&ask))?;
    let made_at = PathBuf::from(made["file"].as_str().unwrap_or_default());
    let Some(file) = &args.file else {
        return Ok(told(&made_at, made["bytes"].as_u64(), made["accounts"].as_u64()));
    };
    let problem = |error: &dyn std::fmt::Display| {
        format!("the backup is {} and was not copied: {error}", made_at.display())
    };
    copy(&made_at, file).map_err(|error| problem(&error))?;
    backup::verify(file).map_err(|error| problem(&error))?;
    Ok(told(file, made["bytes"].as_u64(), made["accounts"].as_u64()))
}

/// A copy that only its owner can read.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut from = std::fs::File::open(from)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    std::io::copy(&mut from, &mut file)?;
    file.sync_all()
}

fn offline(config: &Config, args: &BackupArgs) -> Said {
    let data = &config.server.data;
    let accounts = data.join("accounts");
    if !accounts.join("accounts").exists() {
        return Err(format!("{}: there is no server's data here", data.display()).into());
    }
    let now = Clock::machine().now();
    let file = if let Some(file) = &args.file {
        file.clone()
    } else {
        let folder = config.backup.folder(data);
        std::fs::create_dir_all(&folder)?;
        folder.join(rules::name(now))
    };
    // A folder that is there has its salt.
    let options = Options { cache_mib: config.store.cache_mib, salt: [0; 32], sync: sync_data() };
    let store = Box::new(SledStore::open(&accounts, &options)?);
    let copies = store.copies().ok_or("this store has backups of its own")?;
    let sources = Sources {
        data,
        accounts: &*copies,
        with_secrets: args.with_secrets,
        program: crate::VERSION,
    };
    let written = backup::write(&file, sources, now);
    store.close()?;
    let Written { manifest, bytes } = written?;
    Ok(told(&file, Some(bytes), Some(manifest.accounts)))
}

fn told(file: &Path, bytes: Option<u64>, accounts: Option<u64>) -> String {
    let (bytes, accounts) = (bytes.unwrap_or_default(), accounts.unwrap_or_default());
    format!("{}: {accounts} accounts, {bytes} bytes", file.display())
}
