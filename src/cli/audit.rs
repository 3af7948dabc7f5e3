//! `anteroom audit`: what is on record, and whether it is still what was written. Reads files only,
//! beside a running server too.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::moment::Moment;
use super::{ServeArgs, fail};
use crate::clock::Clock;
use crate::config::secrets::{Secrets, key_bytes};
use crate::config::{Config, load};
use crate::domain::account::AccountId;
use crate::domain::audit::{Head, Pseudonym, Pseudonyms, Search};
use crate::store::audit::{FOLDER, Item, read};

/// What to do with the audit chain.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every record: that none was changed, removed or moved
    Verify(VerifyArgs),
    /// Print records, one a line, as JSON
    Show(ShowArgs),
}

/// What to check the chain against.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// A head that was posted: the chain must still have this record. May be given several times
    #[arg(long = "head", value_name = "NUMBER:HASH")]
    heads: Vec<Head>,
    #[command(flatten)]
    server: ServeArgs,
}

/// Which records.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Only records since then: 90s, 15m, 2h, 7d ago, 2027-01-15T08:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    since: Option<Moment>,
    /// Only records of these kinds, such as rate,cap,admitted
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    what: Vec<String>,
    /// Only records by or about this account; needs the server's secrets
    #[arg(long, value_name = "ID")]
    account: Option<Uuid>,
    #[command(flatten)]
    server: ServeArgs,
}

pub(super) fn run(command: &AuditCommand) -> ExitCode {
    let (AuditCommand::Verify(VerifyArgs { server, .. })
    | AuditCommand::Show(ShowArgs { server, .. })) = command;
    let config = match load(&server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, 78),
    };
    let folder = config.server.data.join(FOLDER);
    let done = match command {
        AuditCommand::Verify(args) => verify(&folder, &args.heads),
        AuditCommand::Show(args) => show(&config, &folder, args).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read the output has had enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{}: {error}", folder.display()), 1),
    }
}

/// Says what was found; whether all of it holds.
fn verify(folder: &Path, posted: &[Head]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let (mut breaks, mut records, mut last) = (0_u64, 0_u64, None);
    let mut met = vec![false; posted.len()];
    read(folder, |item| match item {
        Item::Record(seen, _) => {
            records += 1;
            last = Some(seen.head);
            for (met, head) in met.iter_mut().zip(posted) {
                *met |= *head == seen.head;
            }
            Ok(())
        }
        Item::Broken(file, broken) => {
            breaks += 1;
            writeln!(out, "BROKEN {file}: {broken}")
        }
        Item::Unfinished(bytes) => {
            writeln!(out, "the last {bytes} bytes are a record that is not finished")
        }
    })?;
    for (head, _) in posted.iter().zip(&met).filter(|(_, met)| !**met) {
        breaks += 1;
        writeln!(out, "BROKEN the chain does not have the posted record {head}")?;
    }
    match last {
        Some(head) => writeln!(out, "{records} records, head {head}")?,
        None => writeln!(out, "no records")?,
    }
    Ok(breaks == 0)
}

fn show(config: &Config, folder: &Path, args: &ShowArgs) -> io::Result<()> {
    let now = Clock::machine().now();
    let search = Search {
        since: args.since.map(|since| since.at(now)),
        kinds: args.what.clone(),
        account: args.account.map(|account| pseudonym(config, account)).transpose()?,
        ..Search::default()
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    read(folder, |item| match item {
        Item::Record(seen, line) if search.matches(seen) => {
            out.write_all(line)?;
            out.write_all(b"\n")
        }
        Item::Broken(file, broken) => {
            writeln!(io::stderr(), "anteroom: BROKEN {file}: {broken}")
        }
        Item::Record(..) | Item::Unfinished(_) => Ok(()),
    })?;
    out.flush()
}

/// What an account is called in the records.
fn pseudonym(config: &Config, account: Uuid) -> io::Result<Pseudonym> {
    let secrets = Secrets::read(&config.server.data).map_err(io::Error::other)?;
    let key = key_bytes(&secrets.identity_key).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Pseudonyms::new(&key).account(AccountId(account)))
}
