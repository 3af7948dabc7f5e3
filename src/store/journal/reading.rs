//! Reads the journal, of a running server too: nothing is touched.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::form::{Kind, take_head, take_record};
use super::{Head, JournalError};

/// Longest prefix and head.
const HEAD_MAX: u64 = 512;

/// What a name ends with.
pub(super) const EXTENSION: &str = "journal";

/// A segment that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its file.
    pub path: PathBuf,
    /// Counts up from segment to segment.
    pub serial: u64,
    /// Its length, in bytes.
    pub bytes: u64,
    /// What it is.
    pub head: Head,
}

/// A segment, read.
#[derive(Clone, Debug)]
pub struct Segment {
    /// What it is.
    pub head: Head,
    /// The whole state of the line at its beginning.
    pub state: Vec<u8>,
    /// What went in since, in order.
    pub blocks: Vec<Vec<u8>>,
    /// Bytes at its end that are no whole record: it is being written, or was when the process ended.
    pub torn: usize,
}

/// Every segment, oldest first. What is being removed at this moment, or cannot be read, is left out.
///
/// # Errors
///
/// A folder that cannot be read. One that is not there is empty.
pub fn list(folder: &Path) -> io::Result<Vec<Summary>> {
    let mut found = Vec::new();
    for (path, serial) in files(folder)? {
        let (Ok(head), Ok(meta)) = (head_of(&path), fs::metadata(&path)) else { continue };
        found.push(Summary { path, serial, bytes: meta.len(), head });
    }
    Ok(found)
}

/// Every file that is called as a segment is, by number.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        let serial = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(serial) = serial.filter(|_| is_segment) {
            found.push((path, serial));
        }
    }
    found.sort_unstable_by_key(|(_, serial)| *serial);
    Ok(found)
}

/// What a segment is.
pub(super) fn head_of(path: &Path) -> Result<Head, JournalError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD_MAX).read_to_end(&mut bytes)?;
    take_head(&mut bytes.as_slice())
}

/// Reads a segment into memory: at most some tens of megabytes more than the line takes.
///
/// # Errors
///
/// [`JournalError`]: it was removed meanwhile, is of a later version, or its beginning is damaged.
pub fn read(path: &Path) -> Result<Segment, JournalError> {
    let bytes = fs::read(path)?;
    let mut rest = bytes.as_slice();
    let head = take_head(&mut rest)?;
    let state = take_record(&mut rest).filter(|(kind, _)| *kind == Kind::State as u8);
    let Some((_, state)) = state else { return Err(JournalError::Damaged("its state")) };
    let mut blocks = Vec::new();
    while let Some((kind, block)) = take_record(&mut rest) {
        if kind == Kind::Block as u8 {
            blocks.push(block.to_vec());
        }
    }
    Ok(Segment { head, state: state.to_vec(), blocks, torn: rest.len() })
}
