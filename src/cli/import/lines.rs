//! From an export of ours. The file is read twice: accounts, then who knows whom.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::ImportError;
use super::intake::Intake;
use super::report::Report;
use crate::cli::gauge::Gauge;
use crate::domain::portable::{AccountLine, FORMAT, Head, Line, Problem};

/// Longest line read, in bytes: an account with a hundred thousand friends.
const LINE_MAX: u64 = 32 << 20;

pub(super) fn import(
    path: &Path,
    intake: &mut Intake,
    report: &mut Report,
) -> Result<(), ImportError> {
    let mut keeps_roles = false;
    each_line(path, "accounts", |number, line| {
        match line {
            Ok(Line::Head(_)) => {}
            Ok(Line::Realm(realm)) => {
                keeps_roles = intake.realm(&realm)?;
                if !keeps_roles {
                    let note = "tags, groups and roles: this server has its own, which stay; accounts \
                                come without their roles";
                    report.notes.push(note.to_owned());
                }
            }
            Ok(Line::Account(line)) => account(path, number, *line, keeps_roles, intake, report)?,
            Err(problem) => report.problem(path, number, &problem),
        }
        Ok(())
    })?;
    intake.commit()?;
    each_line(path, "friends", |number, line| match line {
        Ok(Line::Account(line)) => friends(path, number, &line, intake, report),
        _ => Ok(()), // told above
    })?;
    Ok(())
}

fn account(
    path: &Path,
    number: u64,
    mut line: AccountLine,
    keeps_roles: bool,
    intake: &mut Intake,
    report: &mut Report,
) -> Result<(), ImportError> {
    if let Some(dossier) = line.dossier.as_mut().filter(|_| !keeps_roles) {
        dossier.roles.clear();
        // The realm that stays does not know them.
        if let Some(has) = dossier.operator.as_deref_mut() {
            has.bindings.clear();
        }
    }
    super::take(path, number, &line, intake, report).map(drop)
}

fn friends(
    path: &Path,
    number: u64,
    line: &AccountLine,
    intake: &mut Intake,
    report: &mut Report,
) -> Result<(), ImportError> {
    let owner = crate::domain::account::AccountId(line.id);
    if line.friends.is_empty() || !intake.has(owner)? {
        return Ok(());
    }
    let mut edges = Vec::with_capacity(line.friends.len());
    for friend in &line.friends {
        match friend.read() {
            None => report.problem(path, number, &Problem::Value { column: "state" }),
            Some((other, _)) if !intake.has(other)? => {
                report.problem(path, number, &Problem::Nobody);
            }
            Some(edge) => edges.push(edge),
        }
    }
    report.friends += intake.friends(owner, edges)?;
    Ok(())
}

/// Every line with its number. The first must be a head that is known.
fn each_line(
    path: &Path,
    what: &'static str,
    mut each: impl FnMut(u64, Result<Line, Problem>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let of_file = |source| ImportError::File { path: path.to_owned(), source };
    let of_form = |problem: String| ImportError::Form { path: path.to_owned(), problem };
    let file = File::open(path).map_err(of_file)?;
    let gauge = Gauge::bytes(what, file.metadata().map_err(of_file)?.len());
    let mut reader = BufReader::new(file);
    let (mut number, mut read, mut text) = (0_u64, 0_u64, Vec::new());
    loop {
        text.clear();
        let length =
            reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut text).map_err(of_file)?;
        if length == 0 {
            break;
        }
        number += 1;
        read += length as u64;
        gauge.set(read);
        let line: Result<Line, _> = serde_json::from_slice(&text);
        match (&line, number) {
            (Ok(Line::Head(Head { format: FORMAT, .. })), 1) => continue,
            (Ok(Line::Head(head)), 1) => {
                let format = head.format;
                let problem =
                    format!("format {format}, of a newer version; this one reads {FORMAT}");
                return Err(of_form(problem));
            }
            (_, 1) => return Err(of_form("this is no export: it has no head".to_owned())),
            _ => {}
        }
        each(number, line.map_err(|error| Problem::Form(error.to_string())))?;
    }
    gauge.finish();
    if number == 0 { Err(of_form("it is empty".to_owned())) } else { Ok(()) }
}
