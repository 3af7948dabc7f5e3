//! The folder itself: begin a file, add to it. A trait, so that a test can let the disk fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::store::durable::{make_folder, sync_folder};

/// What the writer asks of a disk. When a call returns, what it did survives a power loss.
pub trait Disk: Send + 'static {
    /// Begins a file whose first record will have this number.
    fn begin(&mut self, first: u64) -> io::Result<()>;
    /// Adds lines to the file that was begun last.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// A real folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    file: Option<File>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make_folder(path)?;
        Ok(Self { path: path.to_owned(), file: None })
    }

    /// Goes on with a file that is there, from `length`: what is behind it is cut off.
    pub(super) fn go_on(&mut self, file: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().append(true).open(file)?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        self.file = Some(file);
        Ok(())
    }
}

impl Disk for Folder {
    fn begin(&mut self, first: u64) -> io::Result<()> {
        let path = self.path.join(format!("audit-{first:020}.jsonl"));
        self.file = Some(OpenOptions::new().append(true).create_new(true).open(path)?);
        sync_folder(&self.path)
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("no file was begun"));
        };
        file.write_all(lines)?;
        file.sync_data()
    }
}

/// The chain's files in their order: the number of the first record, and where.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let first = name.to_str().and_then(|name| {
            let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
            (digits.len() == 20).then(|| digits.parse().ok())?
        });
        found.extend(first.map(|first| (first, entry.path())));
    }
    found.sort_unstable();
    Ok(found)
}
