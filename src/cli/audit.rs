//! `anteroom audit`: what is on record, and whether it is still what was written. Reads files only,
//! beside a running server too.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{ServeArgs, fail};
use crate::clock::Clock;
use crate::config::secrets::{Secrets, key_bytes};
use crate::config::{Config, load};
use crate::domain::account::AccountId;
use crate::domain::audit::{Head, Pseudonyms, Seen};
use crate::domain::time::UnixMicros;
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
    /// Only records since then: 90s, 15m, 2h, 7d ago, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<Since>,
    /// Only records of these kinds, such as rate,cap,admitted
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    what: Vec<String>,
    /// Only records by or about this account; needs the server's secrets
    #[arg(long, value_name = "ID")]
    account: Option<Uuid>,
    #[command(flatten)]
    server: ServeArgs,
}

/// A moment, or so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    At(UnixMicros),
    AgoSecs(u64),
}

fn parse_since(text: &str) -> Result<Since, String> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let unit = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(*unit)?, *secs)));
    let (digits, secs) = unit.unwrap_or((text, 1_u64));
    let number: u64 = digits.parse().map_err(|_| "not like 90s, 15m, 2h, 7d or 1800000000")?;
    Ok(match unit {
        Some(_) => Since::AgoSecs(number.saturating_mul(secs)),
        None => Since::At(UnixMicros::from_secs(number)),
    })
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
    let since = match args.since {
        None => UnixMicros::default(),
        Some(Since::At(at)) => at,
        Some(Since::AgoSecs(secs)) => {
            UnixMicros(Clock::machine().now().0.saturating_sub(UnixMicros::from_secs(secs).0))
        }
    };
    let account = args.account.map(|account| pseudonym(config, account)).transpose()?;
    let wanted = |seen: &Seen| {
        let kind = |name: &String| seen.what["kind"] == **name || seen.what["name"] == **name;
        seen.at >= since
            && (args.what.is_empty() || args.what.iter().any(kind))
            && account.as_ref().is_none_or(|account| {
                seen.who["operator"] == **account
                    || seen.what["account"] == **account
                    || seen.what["player"] == **account
            })
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    read(folder, |item| match item {
        Item::Record(seen, line) if wanted(seen) => {
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
fn pseudonym(config: &Config, account: Uuid) -> io::Result<String> {
    let secrets = Secrets::read(&config.server.data).map_err(io::Error::other)?;
    let key = key_bytes(&secrets.identity_key).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Pseudonyms::new(&key).account(AccountId(account)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_ago_or_since_1970() {
        assert_eq!(parse_since("90s"), Ok(Since::AgoSecs(90)));
        assert_eq!(parse_since("2h"), Ok(Since::AgoSecs(7_200)));
        assert_eq!(parse_since("7d"), Ok(Since::AgoSecs(604_800)));
        let at = UnixMicros::from_secs(1_800_000_000);
        assert_eq!(parse_since("1800000000"), Ok(Since::At(at)));
        for bad in ["", "d", "-1h", "2w", "yesterday"] {
            assert!(parse_since(bad).is_err(), "{bad}");
        }
    }
}
