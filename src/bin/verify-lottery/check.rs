//! Checks a published lottery by the rules of `docs/lottery.md`, and by nothing else: this file is
//! written from that page, shares no code with the server, and reads only published files. It is the
//! whole of the program `verify-lottery`, and of `anteroom verify-lottery`.
//!
//! Exit codes: 0 everything holds, 1 something is wrong, 2 wrong arguments, 3 it cannot be checked
//! (yet).

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::{digest, hmac};
use serde_json::Value;

/// Longest list read, in bytes: a hundred million numbers.
const LIST_BYTES_MAX: u64 = 2_100_000_000;
/// Longest record read, in bytes.
const RECORD_BYTES_MAX: u64 = 65_536;

type Hash = [u8; 32];

/// What to check.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder with lottery.json, entrants.txt and order.txt
    folder: PathBuf,
    /// Also say where this ticket stands, and prove that it took part
    #[arg(long, value_name = "NUMBER")]
    ticket: Option<u64>,
    /// A lottery.json that you kept from before: nothing it says may have changed
    #[arg(long, value_name = "FILE")]
    earlier: Option<PathBuf>,
}

/// Why the checks ended early.
enum Stop {
    /// What is published is wrong.
    Wrong(String),
    /// It cannot be checked, or not yet.
    Unknown(String),
}

/// What holds, line by line.
type Report = Vec<String>;

/// Checks, says what was found up to the first thing that is wrong, and gives the exit code.
pub fn run(args: &Args) -> ExitCode {
    let mut report = Report::new();
    let (code, end) = match verify(args, &mut report) {
        Ok(()) => (0, "everything holds".to_owned()),
        Err(Stop::Wrong(what)) => (1, format!("WRONG: {what}")),
        Err(Stop::Unknown(why)) => (3, format!("not checked to the end: {why}")),
    };
    report.push(end + "\n");
    let _ = std::io::stdout().write_all(report.join("\n").as_bytes());
    ExitCode::from(code)
}

fn verify(args: &Args, report: &mut Report) -> Result<(), Stop> {
    let record = read_record(&args.folder.join("lottery.json"))?;
    if let Some(earlier) = &args.earlier {
        let earlier = read_record(earlier)?;
        for (field, value) in earlier.as_object().into_iter().flatten() {
            let was = || format!("{field} was {value} in the earlier copy and was changed since");
            check(record[field] == *value, was)?;
        }
        report.push("holds: nothing has changed since the earlier copy".to_owned());
    } else {
        report
            .push("note: without --earlier nobody knows whether the commitment is old".to_owned());
    }
    check_is_there(&record, "closed_at", "the pre-queue has not closed")?;
    let entrants = read_list(&args.folder.join("entrants.txt"))?;
    let root = check_entrants(&record, &entrants, report)?;
    if let Some(ticket) = args.ticket {
        let index = entrants.binary_search(&ticket);
        let index = index.map_err(|_| Stop::Wrong(format!("ticket {ticket} did not take part")))?;
        let proof = proof(&entrants, index);
        check(follow(leaf(ticket), &proof) == root, || format!("ticket {ticket}: no proof"))?;
        report.push(format!("holds: ticket {ticket} took part, by {} hashes", proof.len()));
    }
    check_is_there(&record, "drawn_at", "it has not been drawn")?;
    let order = order(check_seed(&record, root, report)?, &entrants);
    check_order(&order, &read_list(&args.folder.join("order.txt"))?)?;
    report.push("holds: order.txt is the order that follows from the seed".to_owned());
    if let Some(at) = order.iter().position(|ticket| Some(*ticket) == args.ticket) {
        report.push(format!("place: {} of {}", at + 1, order.len()));
    }
    Ok(())
}

fn check(holds: bool, else_wrong: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Wrong(else_wrong())) }
}

fn check_is_there(record: &Value, field: &str, otherwise: &str) -> Result<(), Stop> {
    match record.get(field) {
        Some(_) => Ok(()),
        None => Err(Stop::Unknown(otherwise.to_owned())),
    }
}

/// Returns the root that was published.
fn check_entrants(record: &Value, tickets: &[u64], report: &mut Report) -> Result<Hash, Stop> {
    let ascend = tickets.windows(2).all(|pair| pair[0] < pair[1]);
    check(ascend, || "entrants.txt does not ascend, each number once".to_owned())?;
    let (said, found) = (&record["entrants"], tickets.len());
    check(*said == found, || format!("entrants.txt has {found} tickets, the record says {said}"))?;
    let root = hash_field(record, "entrants_root")?;
    let words = "entrants.txt does not give entrants_root: somebody was added, removed or changed";
    check(root == merkle_root(tickets), || words.to_owned())?;
    report.push(format!("holds: the root is that of {found} tickets"));
    Ok(root)
}

/// Returns the seed of the order.
fn check_seed(record: &Value, root: Hash, report: &mut Report) -> Result<Hash, Stop> {
    let server_seed = hash_field(record, "server_seed")?;
    let committed = sha256(&[b"anteroom lottery v1 commitment\n", &server_seed]);
    let words = "the server seed is not the one committed to: the order may have been chosen";
    check(hash_field(record, "commitment")? == committed, || words.to_owned())?;
    report.push("holds: the server seed is the one that was committed to".to_owned());
    let (beacon, public) = (text(record, "beacon")?, text(record, "public_seed")?);
    let words = "a beacon was named and no public seed used, or the other way round";
    check(beacon.is_empty() == public.is_empty(), || words.to_owned())?;
    report.push(if beacon.is_empty() {
        "note: no beacon, so the operator could know the seed while tickets were taken".to_owned()
    } else {
        format!("note: compare public_seed {public} with its source: {beacon:?}")
    });
    let public =
        unhex(public).ok_or_else(|| Stop::Wrong("public_seed is not lower-case hex".to_owned()))?;
    Ok(sha256(&[b"anteroom lottery v1 seed\n", &server_seed, &root, &public]))
}

fn order(seed: Hash, entrants: &[u64]) -> Vec<u64> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &seed);
    let mut tagged: Vec<([u8; 16], u64)> = entrants
        .iter()
        .map(|ticket| {
            let mut first = [0; 16];
            first.copy_from_slice(&hmac::sign(&key, &ticket.to_be_bytes()).as_ref()[..16]);
            (first, *ticket)
        })
        .collect();
    tagged.sort_unstable();
    tagged.into_iter().map(|(_, ticket)| ticket).collect()
}

fn check_order(ours: &[u64], published: &[u64]) -> Result<(), Stop> {
    for (at, (ours, theirs)) in ours.iter().zip(published).enumerate() {
        let line = at + 1;
        check(ours == theirs, || format!("order.txt, line {line}: {theirs} in place of {ours}"))?;
    }
    let (many, right) = (published.len(), ours.len());
    check(many == right, || format!("order.txt has {many} tickets, not {right}"))
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let bytes = digest::digest(&digest::SHA256, &parts.concat());
    bytes.as_ref().try_into().unwrap_or_default()
}

fn leaf(ticket: u64) -> Hash {
    sha256(&[&[0], &ticket.to_be_bytes()])
}

fn halves(tickets: &[u64]) -> (&[u64], &[u64]) {
    tickets.split_at(tickets.len().next_power_of_two() / 2)
}

fn merkle_root(tickets: &[u64]) -> Hash {
    match tickets {
        [] => sha256(&[]),
        [one] => leaf(*one),
        more => {
            let (left, right) = halves(more);
            sha256(&[&[1], &merkle_root(left), &merkle_root(right)])
        }
    }
}

/// The neighbours of a leaf from below upwards, and whether each is the left one.
fn proof(tickets: &[u64], index: usize) -> Vec<(bool, Hash)> {
    if tickets.len() < 2 {
        return Vec::new();
    }
    let (left, right) = halves(tickets);
    let is_right = index >= left.len();
    let (here, beside) = if is_right { (right, left) } else { (left, right) };
    let mut found = proof(here, if is_right { index - left.len() } else { index });
    found.push((is_right, merkle_root(beside)));
    found
}

fn follow(leaf: Hash, proof: &[(bool, Hash)]) -> Hash {
    proof.iter().fold(leaf, |hash, (beside_is_left, beside)| {
        let (left, right) = if *beside_is_left { (beside, &hash) } else { (&hash, beside) };
        sha256(&[&[1], left, right])
    })
}

fn read(path: &Path, bytes_max: u64) -> Result<String, Stop> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max).read_to_string(&mut text));
    read.map(|_| text).map_err(|error| Stop::Unknown(format!("{}: {error}", path.display())))
}

fn read_record(path: &Path) -> Result<Value, Stop> {
    let record: Result<Value, _> = serde_json::from_str(&read(path, RECORD_BYTES_MAX)?);
    let record = record.map_err(|error| Stop::Wrong(format!("{}: {error}", path.display())))?;
    check_is_there(&record, "version", "lottery.json has no version")?;
    if record["version"] == 1 { Ok(record) } else { Err(Stop::Unknown("version is not 1".into())) }
}

fn read_list(path: &Path) -> Result<Vec<u64>, Stop> {
    let text = read(path, LIST_BYTES_MAX)?;
    let lines = text.split_inclusive('\n').enumerate().map(|(at, line)| {
        let number = line.strip_suffix('\n').and_then(|digits| digits.parse::<u64>().ok());
        // One way to write a number: no sign, no zero before it.
        let number = number.filter(|number| line.len() == number.to_string().len() + 1);
        let words = || format!("{}, line {}: not a number and a line feed", path.display(), at + 1);
        number.ok_or_else(|| Stop::Wrong(words()))
    });
    lines.collect()
}

fn text<'a>(record: &'a Value, field: &str) -> Result<&'a str, Stop> {
    record[field].as_str().ok_or_else(|| Stop::Wrong(format!("lottery.json has no {field}")))
}

fn hash_field(record: &Value, field: &str) -> Result<Hash, Stop> {
    let bytes = unhex(text(record, field)?).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Stop::Wrong(format!("{field} is not 64 lower-case hex digits")))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).ok());
    let is_good = text.len().is_multiple_of(2) && text.bytes().all(is_hex);
    is_good.then(|| pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect())?
}
