//! Makes a backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::BackupError;
use super::form::{ACCOUNTS, Digesting, FORMAT, MANIFEST, Manifest, Part, seal};
use crate::domain::time::UnixMicros;
use crate::store::durable::sync_folder;
use crate::store::line::Kind;
use crate::store::{Copies, audit, lottery};

/// What a backup is made of.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The server's folder.
    pub data: &'a Path,
    /// The accounts.
    pub accounts: &'a dyn Copies,
    /// Whether the server's secrets go in, too.
    pub with_secrets: bool,
    /// The program that makes it: version and commit.
    pub program: &'a str,
}

/// A backup that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its length.
    pub bytes: u64,
}

type Archive = Builder<GzEncoder<Digesting<BufWriter<File>>>>;

/// Writes a backup to `file`, which must not be there; readable by its owner alone. The server may
/// run; calls block for as long as it takes.
///
/// # Errors
///
/// See [`BackupError`]: then there is no `file`.
pub fn write(file: &Path, sources: Sources<'_>, now: UnixMicros) -> Result<Written, BackupError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    if file.exists() {
        let source = io::ErrorKind::AlreadyExists.into();
        return Err(BackupError::Io { path: file.to_owned(), source });
    }
    let written = write_to(&temporary, sources, now).and_then(|written| {
        fs::rename(&temporary, file).map_err(BackupError::io(file))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or_else(|| Path::new("."))).map_err(BackupError::io(file))?;
        Ok(written)
    });
    if written.is_err() {
        // What went wrong before is what is told.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_to(path: &Path, sources: Sources<'_>, now: UnixMicros) -> Result<Written, BackupError> {
    let of_file = |source| BackupError::Io { path: path.to_owned(), source };
    let _ = fs::remove_file(path); // one that a crash left
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = Digesting::new(BufWriter::new(file.map_err(of_file)?));
    let archive = Builder::new(GzEncoder::new(file, Compression::fast()));
    let mut packing = Packing { path, archive, parts: Vec::new(), now_s: now.as_secs() };
    let accounts = packing.accounts(sources.accounts)?;
    packing.line(&sources.data.join("queue"))?;
    packing.lotteries(&sources.data.join(lottery::FOLDER))?;
    packing.chain(&sources.data.join(audit::FOLDER))?;
    if sources.with_secrets {
        packing.file("secrets.toml", &sources.data.join("secrets.toml"))?;
    }
    let manifest = Manifest {
        format: FORMAT,
        program: sources.program.to_owned(),
        made_ms: now.as_millis(),
        accounts,
        secrets: sources.with_secrets,
        parts: std::mem::take(&mut packing.parts),
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other).map_err(of_file)?;
    packing.part(MANIFEST, text.len() as u64, &text[..])?;
    let bytes = finish(packing.archive).map_err(of_file)?;
    Ok(Written { manifest, bytes })
}

/// Closes the archive and puts the seal behind it.
fn finish(archive: Archive) -> io::Result<u64> {
    let (mut file, bytes, digest) = archive.into_inner()?.finish()?.finish();
    let seal = seal(&digest);
    file.write_all(&seal)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(bytes + seal.len() as u64)
}

/// A backup that is being written.
struct Packing<'a> {
    path: &'a Path,
    archive: Archive,
    parts: Vec<Part>,
    now_s: u64,
}

impl Packing<'_> {
    fn part(&mut self, name: &str, bytes: u64, from: impl Read) -> Result<(), BackupError> {
        let mut header = Header::new_ustar();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(self.now_s);
        let mut from = Digesting::new(from);
        self.archive
            .append_data(&mut header, name, &mut from)
            .map_err(BackupError::io(self.path))?;
        let (_, bytes, sha256) = from.finish();
        self.parts.push(Part { name: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// The accounts, and how many there are.
    fn accounts(&mut self, accounts: &dyn Copies) -> Result<u64, BackupError> {
        let mut copying = accounts.begin()?;
        let mut number = 0_u32;
        while let Some(piece) = copying.next_piece()? {
            let name = format!("{ACCOUNTS}/{number:08}");
            self.part(&name, piece.bytes().len() as u64, piece.bytes())?;
            number = number.saturating_add(1);
            // Whoever answers players goes first.
            std::thread::yield_now();
        }
        Ok(copying.accounts())
    }

    /// The snapshot, then the log, then the numbers: see the head of this module's parent.
    fn line(&mut self, folder: &Path) -> Result<(), BackupError> {
        for kind in [Kind::Snapshot, Kind::Log, Kind::Numbers] {
            self.file(&format!("queue/{}", kind.file()), &folder.join(kind.file()))?;
        }
        Ok(())
    }

    /// What is published is listed first and seeds are copied before records, so a lottery that is
    /// not drawn in here has its seed in here.
    fn lotteries(&mut self, folder: &Path) -> Result<(), BackupError> {
        let published = folder.join("published");
        let ids = names(&published)?;
        let seeds = folder.join("seeds");
        for name in names(&seeds)? {
            self.file(&format!("lottery/seeds/{name}"), &seeds.join(&name))?;
        }
        for id in ids {
            let lottery = published.join(&id);
            let mut files = names(&lottery)?;
            // The record says which lists count: it must not be newer than they are.
            files.sort_by_key(|name| name != lottery::RECORD);
            for name in files {
                self.file(&format!("lottery/published/{id}/{name}"), &lottery.join(&name))?;
            }
        }
        Ok(())
    }

    fn chain(&mut self, folder: &Path) -> Result<(), BackupError> {
        for name in names(folder)?.into_iter().filter(|name| name.starts_with("audit-")) {
            self.file(&format!("audit/{name}"), &folder.join(&name))?;
        }
        Ok(())
    }

    /// A file as long as it is now: it may grow meanwhile. One that is gone by now is left out.
    fn file(&mut self, name: &str, path: &Path) -> Result<(), BackupError> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((bytes, file)) => self.part(name, bytes, file.take(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(BackupError::Io { path: path.to_owned(), source }),
        }
    }
}

/// What is in a folder, in order, but files that are being put in place. No folder: nothing.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(BackupError::io(folder))?,
    };
    for entry in entries {
        let name = entry.map_err(BackupError::io(folder))?.file_name();
        let name = name.to_str().map(str::to_owned);
        let is_in_place = |name: &String| {
            let extension = Path::new(name).extension();
            extension.is_none_or(|extension| extension != "new" && extension != "tmp")
        };
        found.extend(name.filter(is_in_place));
    }
    found.sort_unstable();
    Ok(found)
}
