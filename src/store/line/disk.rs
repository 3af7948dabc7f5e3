//! The folder itself: append, replace, rewrite. A trait, so that a test can let the disk fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::frame::Kind;
use super::place::{Place, RECORD};
use crate::store::durable::sync_folder;

/// What the writer asks of a disk. When a call returns, what it wrote survives a power loss.
pub trait Disk: Send + 'static {
    /// Adds records to the log.
    fn append(&mut self, records: &[u8]) -> io::Result<()>;
    /// Puts `bytes` in place of a whole file: afterwards it is the old one or the new one.
    fn replace(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()>;
    /// Writes the log anew without the places that `keep` gives up; returns its new length.
    fn rewrite(&mut self, keep: &mut dyn FnMut(Place) -> bool) -> io::Result<u64>;
}

/// A real folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    log: Option<File>,
}

/// Length of the log's head: the common one, the epoch, a checksum.
pub(super) const LOG_HEAD: usize = super::frame::HEAD + 8;

impl Folder {
    /// Opens the folder, making it if need be. What a crash left half-written is removed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        for kind in [Kind::Numbers, Kind::Snapshot, Kind::Log] {
            match fs::remove_file(temporary(path, kind)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Self { path: path.to_owned(), log: None })
    }

    /// A whole file; `None` when there is none.
    pub(super) fn read(&self, kind: Kind) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(kind.file())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a damaged file beside the good ones, for people to look at.
    pub(super) fn set_aside(&self, kind: Kind) -> io::Result<()> {
        let name = self.path.join(kind.file());
        match fs::rename(&name, name.with_file_name(format!("{}.damaged", kind.file()))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.path),
        }
    }

    /// Keeps a copy of a file whose end is about to be cut off.
    pub(super) fn copy_aside(&self, kind: Kind) -> io::Result<()> {
        let name = self.path.join(kind.file());
        fs::copy(&name, name.with_file_name(format!("{}.damaged", kind.file()))).map(drop)
    }

    /// Cuts the log to its good part.
    pub(super) fn cut_log(&mut self, len: u64) -> io::Result<()> {
        let log = self.log()?;
        log.set_len(len)?;
        log.sync_all()
    }

    fn log(&mut self) -> io::Result<&mut File> {
        let file = match self.log.take() {
            Some(file) => file,
            None => OpenOptions::new().append(true).open(self.path.join(Kind::Log.file()))?,
        };
        Ok(self.log.insert(file))
    }

    fn put_in_place(&mut self, kind: Kind) -> io::Result<()> {
        fs::rename(temporary(&self.path, kind), self.path.join(kind.file()))?;
        if kind == Kind::Log {
            self.log = None;
        }
        sync_folder(&self.path)
    }
}

impl Disk for Folder {
    fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let log = self.log()?;
        log.write_all(records)?;
        log.sync_data()
    }

    fn replace(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(temporary(&self.path, kind))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.put_in_place(kind)
    }

    fn rewrite(&mut self, keep: &mut dyn FnMut(Place) -> bool) -> io::Result<u64> {
        let mut old = BufReader::new(File::open(self.path.join(Kind::Log.file()))?);
        let mut new = BufWriter::new(File::create(temporary(&self.path, Kind::Log))?);
        let mut head = [0; LOG_HEAD];
        old.read_exact(&mut head)?;
        new.write_all(&head)?;
        let mut len = LOG_HEAD as u64;
        let mut record = [0; RECORD];
        while read_record(&mut old, &mut record)? {
            let place = Place::decode(&record)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "damaged line.log"))?;
            if keep(place) {
                new.write_all(&record)?;
                len += RECORD as u64;
            }
        }
        new.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        self.put_in_place(Kind::Log)?;
        Ok(len)
    }
}

/// Reads one record; `false` at the end of the file.
fn read_record(from: &mut impl Read, record: &mut [u8; RECORD]) -> io::Result<bool> {
    match from.read_exact(record) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn temporary(folder: &Path, kind: Kind) -> PathBuf {
    folder.join(format!("{}.tmp", kind.file()))
}
