//! `anteroom export`: every account as a line of JSON, from the folder of a server that does not run.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::gauge::Gauge;
use super::{ServeArgs, UNUSABLE, fail, say};
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::domain::portable::{AccountLine, FORMAT, Head, Line};
use crate::store::sled::{Options, SledStore, sync_data};
use crate::store::{Reads, Store as _, StoreError};

/// Accounts read at a time.
const PIECE: usize = 1_024;

/// Where to, and of which server.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The file to write, which must not be there; -: standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    server: ServeArgs,
}

/// Why there is no export, or not a whole one.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    /// The store.
    #[error("accounts: {0}")]
    Store(#[from] StoreError),
    /// The file.
    #[error("the export: {0}")]
    File(#[from] io::Error),
    /// A line.
    #[error("a line of the export: {0}")]
    Line(#[from] serde_json::Error),
}

pub(super) fn run(args: &ExportArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    let accounts = config.server.data.join("accounts");
    if !accounts.exists() {
        let data = config.server.data.display();
        return fail(&format!("{data}: there is no server's data here"), 1);
    }
    match export(&config, &accounts, &args.file) {
        Ok(_) if args.file == Path::new("-") => ExitCode::SUCCESS,
        Ok(count) => {
            say(&format!("{}: {count} accounts", args.file.display()));
            ExitCode::SUCCESS
        }
        Err(ExportError::Store(StoreError::Locked)) => fail(
            &"a server runs on this folder: stop it, or restore a backup into another folder and \
              export from there",
            1,
        ),
        Err(error) => fail(&error, 1),
    }
}

fn export(config: &Config, accounts: &Path, file: &Path) -> Result<u64, ExportError> {
    let options = Options { cache_mib: config.store.cache_mib, salt: [0; 32], sync: sync_data() };
    let store = Box::new(SledStore::open(accounts, &options)?);
    let written = if file == Path::new("-") {
        write(&store, &mut BufWriter::new(io::stdout().lock()))
    } else {
        write_file(&store, file)
    };
    store.close()?;
    written
}

/// Hashes of passwords are in it: only its owner can read it.
fn write_file(store: &SledStore, file: &Path) -> Result<u64, ExportError> {
    let to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let mut to = BufWriter::new(to);
    let written = write(store, &mut to).and_then(|count| {
        to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(count)
    });
    if written.is_err() {
        // What went wrong before is what is told.
        let _ = fs::remove_file(file);
    }
    written
}

fn write(store: &SledStore, to: &mut impl Write) -> Result<u64, ExportError> {
    let mut line = |line: &Line| -> Result<(), ExportError> {
        serde_json::to_writer(&mut *to, line)?;
        Ok(to.write_all(b"\n")?)
    };
    let accounts = store.count();
    let made_ms = Clock::machine().now().as_millis();
    let program = crate::VERSION.to_owned();
    line(&Line::Head(Head { format: FORMAT, program, made_ms, accounts }))?;
    let reads: &dyn Reads = store.reads();
    line(&Line::Realm(Box::new(reads.realm()?)))?;
    let gauge = Gauge::count("accounts", accounts);
    let (mut count, mut last) = (0, None);
    loop {
        let piece = reads.scan_accounts(last, PIECE)?;
        let Some(end) = piece.last() else { break };
        last = Some(end.id);
        for account in &piece {
            let edges = reads.edges(account.id)?;
            line(&Line::Account(Box::new(AccountLine::of(account, &edges))))?;
        }
        count += piece.len() as u64;
        gauge.set(count);
    }
    gauge.finish();
    to.flush()?;
    Ok(count)
}
