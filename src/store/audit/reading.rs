//! Reads the chain's files, one line at a time.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::disk;
use crate::domain::audit::{Broken, Head, LINE_MAX, Seen, Verifier};

/// What [`read`] comes across.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record that follows the one before; the line is without its line feed.
    Record(&'a Seen, &'a [u8]),
    /// The chain does not hold here, in this file.
    Broken(&'a str, Broken),
    /// The last file ends in so many bytes of a record that is being written, or was at a crash.
    Unfinished(u64),
}

/// Reads all files of a folder in order and follows the chain through them. Records before the
/// first file that is there are taken on trust.
///
/// # Errors
///
/// A folder or file that cannot be read; the first error of `each`.
pub fn read(folder: &Path, each: impl FnMut(Item<'_>) -> io::Result<()>) -> io::Result<()> {
    read_files(&disk::files(folder)?, each)
}

/// The same with these files, which follow one another; the last of them may be written to.
pub(super) fn read_files(
    files: &[(u64, PathBuf)],
    mut each: impl FnMut(Item<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut verifier = match files.first() {
        Some((first, _)) if *first > 1 => Verifier::anywhere(),
        _ => Verifier::after(Head::START),
    };
    for (at, (_, path)) in files.iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_last = at + 1 == files.len();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next()? {
            if !line.is_closed && is_last && line.is_torn() {
                each(Item::Unfinished(line.text.len() as u64))?;
                continue;
            }
            match verifier.take(line.text) {
                Ok(seen) => each(Item::Record(&seen, line.text))?,
                Err(broken) => each(Item::Broken(&name, broken))?,
            }
        }
    }
    Ok(())
}

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without its line feed. Of a line that is too long, the beginning.
    pub(super) text: &'a [u8],
    /// Whether it has a line feed.
    pub(super) is_closed: bool,
}

impl Line<'_> {
    /// Whether a crash may have left it: the end of a write, not longer than a record.
    pub(super) const fn is_torn(self) -> bool {
        !self.is_closed && self.text.len() <= LINE_MAX
    }
}

/// The lines of a file; never more than one in memory.
pub(super) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::of(File::open(path)?))
    }

    /// From where the file stands.
    pub(super) fn of(file: File) -> Self {
        Self { file: BufReader::new(file), line: Vec::new() }
    }

    /// The next line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let bound = LINE_MAX as u64 + 1;
        self.line.clear();
        (&mut self.file).take(bound).read_until(b'\n', &mut self.line)?;
        let is_closed = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if self.line.is_empty() && !is_closed {
            return Ok(None);
        }
        if !is_closed && self.line.len() as u64 == bound {
            self.file.skip_until(b'\n')?;
        }
        Ok(Some(Line { text: &self.line, is_closed }))
    }
}
