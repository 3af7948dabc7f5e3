//! From Nakama's tables as CSV. Devices and relationships are held in memory, some hundred bytes each.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use uuid::Uuid;

use super::ImportError;
use super::intake::Intake;
use super::report::Report;
use crate::cli::gauge::Gauge;
use crate::domain::account::AccountId;
use crate::domain::friend::Edge;
use crate::domain::portable::Problem;
use crate::domain::portable::nakama::{self, EdgeRow, LINKS, NOT_KEPT, Row};
use crate::ids::Dice;

/// Columns of `users` that are read, beside those that become links.
const READ: [&str; 11] = [
    "id",
    "username",
    "display_name",
    "avatar_url",
    "lang_tag",
    "location",
    "timezone",
    "password",
    "create_time",
    "update_time",
    "disable_time",
];
/// Columns of `users` that are Nakama's own book-keeping.
const OWN: [&str; 1] = ["edge_count"];

pub(super) fn import(
    folder: &Path,
    intake: &mut Intake,
    report: &mut Report,
    dice: &Dice,
) -> Result<(), ImportError> {
    let devices = devices(folder, report)?;
    users(&folder.join("users.csv"), devices, intake, report, dice)?;
    intake.commit()?;
    let rows = edges(folder, report)?;
    friends(&folder.join("user_edge.csv"), rows, intake, report)
}

/// The devices of each user.
fn devices(folder: &Path, report: &mut Report) -> Result<HashMap<Uuid, Vec<String>>, ImportError> {
    let path = folder.join("user_device.csv");
    let mut devices: HashMap<Uuid, Vec<String>> = HashMap::new();
    if is_missing(&path, "devices", report) {
        return Ok(devices);
    }
    each_row(&path, "devices", &["id", "user_id"], |number, row| {
        let row = row.map_err(|problem| (number, problem));
        match row.map(|row| (Uuid::try_parse(row.get("user_id")), row.get("id").to_owned())) {
            Ok((Ok(user), device)) => devices.entry(user).or_default().push(device),
            Ok((Err(_), _)) => report.problem(&path, number, &Problem::Value { column: "user_id" }),
            Err((number, problem)) => report.problem(&path, number, &problem),
        }
        Ok(())
    })?;
    Ok(devices)
}

fn users(
    path: &Path,
    mut devices: HashMap<Uuid, Vec<String>>,
    intake: &mut Intake,
    report: &mut Report,
    dice: &Dice,
) -> Result<(), ImportError> {
    let header = each_row(path, "accounts", &["id", "username", "create_time"], |number, row| {
        let read = row.and_then(|row| {
            let id = Uuid::try_parse(row.get("id")).unwrap_or_default();
            let devices = devices.remove(&id).unwrap_or_default();
            let line = nakama::user(&row, &devices, dice.uuid())?;
            let missing = NOT_KEPT.iter().filter(|(column, nothing)| {
                let value = row.get(column);
                !value.is_empty() && !value.starts_with(nothing)
            });
            Ok((line, missing.map(|(column, _)| *column).collect::<Vec<_>>()))
        });
        match read {
            Ok((Some(line), not_kept)) => {
                super::take(path, number, &line, intake, report)?;
                for column in not_kept {
                    report.not_kept(column);
                }
            }
            Ok((None, _)) => {}
            Err(problem) => {
                report.refused += 1;
                report.problem(path, number, &problem);
            }
        }
        Ok(())
    })?;
    let is_known = |column: &str| {
        READ.contains(&column)
            || OWN.contains(&column)
            || LINKS.iter().chain(&NOT_KEPT).any(|(known, _)| *known == column)
    };
    for column in header.iter().filter(|column| !is_known(column)) {
        report.notes.push(format!("users.{column} is not read"));
    }
    if !devices.is_empty() {
        report.notes.push(format!("devices of {} users who are not in users.csv", devices.len()));
    }
    Ok(())
}

type Edges = HashMap<(Uuid, Uuid), (u64, EdgeRow)>;

/// The relationships with the lines they are in.
fn edges(folder: &Path, report: &mut Report) -> Result<Edges, ImportError> {
    let path = folder.join("user_edge.csv");
    let mut edges = Edges::new();
    if is_missing(&path, "friends", report) {
        return Ok(edges);
    }
    let columns = ["source_id", "destination_id", "state", "position", "update_time"];
    each_row(&path, "friends", &columns, |number, row| {
        match row.and_then(|row| nakama::edge(&row)) {
            Ok(Some(edge)) => drop(edges.insert((edge.owner, edge.other), (number, edge))),
            Ok(None) => {}
            Err(problem) => report.problem(&path, number, &problem),
        }
        Ok(())
    })?;
    Ok(edges)
}

fn friends(
    path: &Path,
    rows: Edges,
    intake: &mut Intake,
    report: &mut Report,
) -> Result<(), ImportError> {
    let mut by_owner: HashMap<AccountId, Vec<(AccountId, Edge)>> = HashMap::new();
    for ((owner, other), (number, row)) in &rows {
        let back = rows.get(&(*other, *owner)).map(|(_, back)| back);
        let records = match nakama::records(row, back) {
            Ok(records) => records,
            Err(problem) => {
                report.problem(path, *number, &problem);
                continue;
            }
        };
        if owner == other || !intake.has(AccountId(*owner))? || !intake.has(AccountId(*other))? {
            report.problem(path, *number, &Problem::Nobody);
            continue;
        }
        let hidden = records.hidden.as_ref().map(|hidden| (*other, hidden));
        for (of, record) in [(*owner, &records.own)].into_iter().chain(hidden) {
            by_owner.entry(AccountId(of)).or_default().extend(record.read());
        }
    }
    drop(rows);
    let gauge = Gauge::count("friends", by_owner.len() as u64);
    for (done, (owner, edges)) in by_owner.into_iter().enumerate() {
        gauge.set(done as u64);
        report.friends += intake.friends(owner, edges)?;
    }
    gauge.finish();
    Ok(())
}

fn is_missing(path: &Path, what: &str, report: &mut Report) -> bool {
    let is_missing = !path.exists();
    if is_missing {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        report.notes.push(format!("there is no {name}: {what} are not imported"));
    }
    is_missing
}

/// A row with the names of its columns.
struct CsvRow<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Row for CsvRow<'_> {
    fn get(&self, column: &str) -> &str {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }
}

/// Every row with the line it begins in. Gives the header.
fn each_row(
    path: &Path,
    what: &'static str,
    needed: &[&str],
    mut each: impl FnMut(u64, Result<CsvRow<'_>, Problem>) -> Result<(), ImportError>,
) -> Result<StringRecord, ImportError> {
    let of_file = |source| ImportError::File { path: path.to_owned(), source };
    let of_form = |problem: String| ImportError::Form { path: PathBuf::from(path), problem };
    let file = File::open(path).map_err(of_file)?;
    let gauge = Gauge::bytes(what, file.metadata().map_err(of_file)?.len());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = reader.headers().map_err(|error| of_form(error.to_string()))?.clone();
    for column in needed {
        if !header.iter().any(|name| name == *column) {
            return Err(of_form(format!("it has no column {column}: was it made with HEADER?")));
        }
    }
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if record.len() == header.len() => {
                gauge.set(reader.position().byte());
                each(line, Ok(CsvRow { header: &header, record: &record }))?;
            }
            Ok(true) => {
                let (found, wanted) = (record.len(), header.len());
                each(line, Err(Problem::Form(format!("{found} columns, not {wanted}"))))?;
            }
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(source) => return Err(of_file(source)),
                _ => each(line, Err(Problem::Form("not UTF-8".to_owned())))?,
            },
        }
    }
    gauge.finish();
    Ok(header)
}
