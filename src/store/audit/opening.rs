//! What is found on disk at the start, and where the chain goes on.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

use super::AuditFileError;
use super::disk::{self, Disk, Folder};
use super::reading::Lines;
use crate::domain::audit::{Broken, Chain, Entry, Head, LINE_MAX, Verifier, What, Who, Why};
use crate::domain::time::UnixMicros;

/// The chain's folder, opened and not yet in use.
#[derive(Debug)]
pub struct Files<D = Folder> {
    pub(super) disk: D,
    pub(super) chain: Chain,
    /// Length of the file that is written, in bytes; `None`: none is begun.
    pub(super) length: Option<u64>,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes of an unfinished write that were cut off.
    pub torn: u64,
    /// Where the last file does not hold. It is left as it is, and the chain went on in a new one.
    pub broken: Option<Broken>,
}

/// Opens the folder, making it if need be, checks the last file, and says where the chain goes on.
/// `now` is the time of the record that tells of damage.
///
/// # Errors
///
/// A folder that cannot be read or written. Damage is none: see [`Found`].
pub fn open(path: &Path, now: UnixMicros) -> Result<(Files, Found), AuditFileError> {
    let mut disk = Folder::open(path)?;
    let mut files = disk::files(path)?;
    let Some((first, last)) = files.pop() else {
        let chain = Chain::after(Head::START);
        return Ok((Files { disk, chain, length: None }, Found { torn: 0, broken: None }));
    };
    let before = match files.pop() {
        Some((_, path)) => last_record(&path)?,
        None if first <= 1 => Some(Head::START),
        None => None,
    };
    let seen = check(&last, first, before)?;
    match (seen.broken, seen.head) {
        (None, Some(head)) => {
            if seen.torn > 0 {
                tracing::warn!(bytes = seen.torn, "the audit chain ended in an unfinished write");
            }
            disk.go_on(&last, seen.length)?;
            let chain = Chain::after(head);
            let found = Found { torn: seen.torn, broken: None };
            Ok((Files { disk, chain, length: Some(seen.length) }, found))
        }
        (broken, head) => {
            // No record is whole, here or before: nothing is known of where it should go on.
            let broken = broken.unwrap_or(Broken { seq: first, why: Why::Unreadable });
            let files = begin_anew(
                disk,
                &last,
                (broken, head, seen.next.max(first.saturating_add(1))),
                now,
            )?;
            Ok((files, Found { torn: 0, broken: Some(broken) }))
        }
    }
}

impl<D> Files<D> {
    /// The last record.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    #[cfg(test)]
    pub(super) fn on<E>(self, wrap: impl FnOnce(D) -> E) -> Files<E> {
        let Self { disk, chain, length } = self;
        Files { disk: wrap(disk), chain, length }
    }
}

/// Leaves a damaged file as it is and goes on in a new one, whose first record says so. It hangs on
/// the last record that is whole in itself, and its number leaves room for the lines that are not.
fn begin_anew(
    mut disk: Folder,
    last: &Path,
    (broken, head, next): (Broken, Option<Head>, u64),
    now: UnixMicros,
) -> Result<Files, AuditFileError> {
    let name = last.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tracing::error!(
        file = name,
        seq = broken.seq,
        why = %broken.why,
        "the audit chain is damaged; the file is left as it is and the chain goes on in a new one"
    );
    let why = broken.why.to_string().into();
    let what = What::ChainBroken { file: name.into(), seq: broken.seq, why };
    let hash = head.unwrap_or(Head::START).hash;
    let mut chain = Chain::after(Head { seq: next.saturating_sub(1), hash });
    disk.begin(next)?;
    let line = chain.add(&Entry::of(now, Who::Server, what))?;
    disk.append(&line)?;
    Ok(Files { disk, chain, length: Some(line.len() as u64) })
}

/// What a check of the last file found.
struct Checked {
    /// The last record that is whole in itself, or the one before the file.
    head: Option<Head>,
    /// The number for the record after all lines.
    next: u64,
    /// Length of the part that is lines.
    length: u64,
    torn: u64,
    broken: Option<Broken>,
}

fn check(file: &Path, first: u64, before: Option<Head>) -> io::Result<Checked> {
    let mut verifier = before.map_or_else(Verifier::anywhere, Verifier::after);
    let (mut head, mut broken) = (before, None);
    let (mut length, mut torn, mut next) = (0, 0, first);
    let mut lines = Lines::open(file)?;
    while let Some(line) = lines.next()? {
        if line.is_torn() {
            torn = line.text.len() as u64;
            break;
        }
        length += line.text.len() as u64 + 1;
        match verifier.take(line.text) {
            Ok(seen) => (head, next) = (Some(seen.head), seen.head.seq.saturating_add(1)),
            Err(found) => {
                broken = broken.or(Some(found));
                // A record in the wrong place is whole in itself; another line only counts.
                let whole = Verifier::anywhere().take(line.text).ok();
                next = whole.as_ref().map_or(next, |seen| seen.head.seq).saturating_add(1);
                head = whole.map(|seen| seen.head).or(head);
            }
        }
    }
    Ok(Checked { head, next, length, torn, broken })
}

/// The last record of a file, if its last line is one; reads the end of the file alone.
fn last_record(path: &Path) -> io::Result<Option<Head>> {
    let mut file = File::open(path)?;
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(2 * LINE_MAX as u64)))?;
    let mut lines = Lines::of(file);
    let mut last = None;
    while let Some(line) = lines.next()? {
        last = Verifier::anywhere().take(line.text).ok().map(|seen| seen.head);
    }
    Ok(last)
}
