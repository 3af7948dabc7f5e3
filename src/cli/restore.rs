//! `anteroom restore`: a backup into an empty folder, or only checked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::moment::written;
use super::{ServeArgs, UNUSABLE, fail, say};
use crate::config::{Config, load};
use crate::domain::time::UnixMicros;
use crate::store::backup::{self, BackupError, Manifest};

/// Which backup, and where to.
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only restore it into a folder for the moment, count, and remove that again
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    server: ServeArgs,
}

pub(super) fn run(args: &RestoreArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    let done = if args.verify { verify(&config, &args.file) } else { restore(&config, &args.file) };
    match done {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, code(&error)),
    }
}

/// What another try would not change has a code of its own.
fn code(error: &BackupError) -> u8 {
    match error {
        BackupError::Damaged { .. }
        | BackupError::Newer(_)
        | BackupError::NotEmpty(_)
        | BackupError::Mismatch(_) => UNUSABLE,
        BackupError::Io { .. }
        | BackupError::Accounts(_)
        | BackupError::Line(_)
        | BackupError::Audit(_) => 1,
    }
}

fn restore(config: &Config, file: &Path) -> Result<String, BackupError> {
    let data = &config.server.data;
    let manifest = backup::restore(file, data, config.store.cache_mib)?;
    let has_secrets = data.join("secrets.toml").exists();
    let next = if has_secrets {
        "start the server"
    } else {
        "the secrets are not in it: put the old secrets.toml there before the first start, or \
         everybody has to sign in again and those in line lose their places"
    };
    Ok(format!("{}: restored, {}; {next}", data.display(), told(&manifest)))
}

fn verify(config: &Config, file: &Path) -> Result<String, BackupError> {
    let name = format!("anteroom-verify-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let restored = backup::restore(file, &folder, config.store.cache_mib);
    // What went wrong before is what is told.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(format!("{}: good, {}", file.display(), told(&restored?)))
}

fn told(manifest: &Manifest) -> String {
    let made = written(UnixMicros::from_millis(manifest.made_ms));
    format!("{} accounts, made {made} by {}", manifest.accounts, manifest.program)
}
