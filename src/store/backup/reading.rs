//! Checks a backup, and puts it into an empty folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tar::Archive;

use super::BackupError;
use super::form::{
    ACCOUNTS, Digesting, FORMAT, MANIFEST, MANIFEST_MAX, Manifest, PIECE_MAX, Part, SEAL_BYTES,
    place, seal,
};
use crate::store::durable::{make_folder, sync_folder};
use crate::store::sled::{Options, SledStore};
use crate::store::{Piece, Store as _, StoreError, audit, line};

/// Where a backup is put together inside the server's folder. As long as it is there, the folder is
/// not to be used.
pub const RESTORING: &str = "restoring";

/// Reads a backup to its end and checks every byte of it.
///
/// # Errors
///
/// [`BackupError::Damaged`], [`BackupError::Newer`], or the disk.
pub fn verify(path: &Path) -> Result<Manifest, BackupError> {
    check_seal(path)?;
    let damaged = |problem: String| BackupError::Damaged { path: path.to_owned(), problem };
    let mut found = Vec::new();
    let mut manifest: Option<Manifest> = None;
    each_part(path, |name, from| {
        if manifest.is_some() {
            return Err(damaged("something is behind the manifest".to_owned()));
        }
        if name == MANIFEST {
            manifest = Some(read_manifest(path, from)?);
            return Ok(());
        }
        let mut digesting = Digesting::new(from);
        io::copy(&mut digesting, &mut io::sink()).map_err(BackupError::io(path))?;
        let (_, bytes, sha256) = digesting.finish();
        found.push(Part { name: name.to_owned(), bytes, sha256 });
        Ok(())
    })?;
    let manifest = manifest.ok_or_else(|| damaged("it has no manifest".to_owned()))?;
    if let Some((part, _)) = manifest.parts.iter().zip(&found).find(|(said, is)| said != is) {
        return Err(damaged(format!("{} is not what the manifest says", part.name)));
    }
    if manifest.parts.len() != found.len() {
        return Err(damaged("parts are missing".to_owned()));
    }
    Ok(manifest)
}

/// Whether the file is as it was written, to the last bit.
fn check_seal(path: &Path) -> Result<(), BackupError> {
    let of_file = |source| BackupError::Io { path: path.to_owned(), source };
    let damaged = |problem: &str| {
        Err(BackupError::Damaged { path: path.to_owned(), problem: problem.to_owned() })
    };
    let mut file = File::open(path).map_err(of_file)?;
    let length = file.metadata().map_err(of_file)?.len();
    let Some(archive) = length.checked_sub(SEAL_BYTES as u64) else {
        return damaged("it is no backup, or was cut short");
    };
    file.rewind().map_err(of_file)?;
    let mut before = Digesting::new((&file).take(archive));
    io::copy(&mut before, &mut io::sink()).map_err(of_file)?;
    let (_, _, digest) = before.finish();
    let mut found = [0; SEAL_BYTES];
    file.read_exact(&mut found).map_err(of_file)?;
    if found == seal(&digest) {
        return Ok(());
    }
    damaged("it is no backup, or was cut short or changed since it was made")
}

/// What every manifest says, of whatever format.
#[derive(serde::Deserialize)]
struct Head {
    format: u32,
}

pub(super) fn read_manifest(path: &Path, from: &mut dyn Read) -> Result<Manifest, BackupError> {
    let damaged = |problem: String| BackupError::Damaged { path: path.to_owned(), problem };
    let mut text = Vec::new();
    from.take(MANIFEST_MAX).read_to_end(&mut text).map_err(BackupError::io(path))?;
    let wrong = |error: serde_json::Error| damaged(format!("its manifest: {error}"));
    let Head { format } = serde_json::from_slice(&text).map_err(wrong)?;
    if format > FORMAT {
        return Err(BackupError::Newer(format));
    }
    serde_json::from_slice(&text).map_err(wrong)
}

/// Goes through the entries of the archive in their order.
fn each_part(
    path: &Path,
    mut each: impl FnMut(&str, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let damaged = |error: io::Error| BackupError::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let file = File::open(path).map_err(BackupError::io(path))?;
    let mut archive = Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.to_string_lossy().into_owned();
        each(&name, &mut entry)?;
    }
    Ok(())
}

/// Puts a backup into `data`, which must be empty but for a `secrets.toml` that is not in the backup,
/// and checks what came of it. Blocks for as long as it takes. `cache_mib` is for the account store.
///
/// # Errors
///
/// See [`BackupError`]; the folder is as it was, but for a disk that fails in the middle.
pub fn restore(path: &Path, data: &Path, cache_mib: u64) -> Result<Manifest, BackupError> {
    let manifest = verify(path)?;
    check_empty(data, !manifest.secrets)?;
    let folder = data.join(RESTORING);
    make_folder(data).map_err(BackupError::io(data))?;
    fs::create_dir(&folder).map_err(BackupError::io(&folder))?;
    let done = put_together(path, &folder, &manifest, cache_mib)
        .and_then(|()| move_up(&folder, data).map_err(BackupError::io(data)));
    if done.is_err() {
        // What went wrong before is what is told.
        let _ = fs::remove_dir_all(&folder);
    }
    done.map(|()| manifest)
}

fn put_together(
    path: &Path,
    folder: &Path,
    manifest: &Manifest,
    cache_mib: u64,
) -> Result<(), BackupError> {
    unpack(path, folder)?;
    let accounts = rebuild(path, &folder.join(ACCOUNTS), cache_mib)?;
    if accounts != manifest.accounts {
        let (is, said) = (accounts, manifest.accounts);
        return Err(BackupError::Mismatch(format!("{is} accounts, not {said}")));
    }
    check_rest(folder)
}

/// A file system's own `lost+found` does not count.
fn check_empty(data: &Path, may_have_secrets: bool) -> Result<(), BackupError> {
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(BackupError::io(data))?,
    };
    for entry in entries {
        let name = entry.map_err(BackupError::io(data))?.file_name();
        if name != "lost+found" && !(may_have_secrets && name == "secrets.toml") {
            return Err(BackupError::NotEmpty(data.to_owned()));
        }
    }
    Ok(())
}

/// Everything but the accounts.
fn unpack(path: &Path, folder: &Path) -> Result<(), BackupError> {
    each_part(path, |name, from| {
        if name == MANIFEST || is_accounts(name) {
            return Ok(());
        }
        let place = place(name).ok_or_else(|| BackupError::Damaged {
            path: path.to_owned(),
            problem: format!("it has a part that no backup has, {name:?}"),
        })?;
        let file = folder.join(place);
        write(&file, is_secret(name), from).map_err(BackupError::io(&file))
    })
}

fn is_accounts(name: &str) -> bool {
    name.strip_prefix(ACCOUNTS).is_some_and(|rest| rest.starts_with('/'))
}

fn is_secret(name: &str) -> bool {
    name == "secrets.toml" || name.starts_with("lottery/seeds/")
}

fn write(path: &Path, is_secret: bool, from: &mut dyn Read) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    make_folder(folder)?;
    let mode = if is_secret { 0o600 } else { 0o666 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    sync_folder(folder)
}

/// Builds the account store; how many accounts it has, counted.
fn rebuild(path: &Path, folder: &Path, cache_mib: u64) -> Result<u64, BackupError> {
    // A salt is in the copy.
    let options = Options { cache_mib, salt: [0; 32], sync: crate::store::sled::sync_data() };
    let (pieces, taken) = std::sync::mpsc::sync_channel::<Vec<u8>>(4);
    std::thread::scope(|scope| {
        let (target, options_of) = (folder.to_owned(), options.clone());
        let building = scope.spawn(move || {
            SledStore::rebuild(&target, &options_of, || {
                Ok(taken.recv().ok().map(Piece::from_bytes))
            })
        });
        let read = each_part(path, |name, from| {
            if !is_accounts(name) {
                return Ok(());
            }
            let mut bytes = Vec::new();
            from.take(PIECE_MAX).read_to_end(&mut bytes).map_err(BackupError::io(path))?;
            // Whoever builds says why it ended.
            let _ = pieces.send(bytes);
            Ok(())
        });
        drop(pieces);
        let built = building.join().map_err(|_| StoreError::Corrupt("the copy does not build"))?;
        built?;
        read
    })?;
    Ok(count(folder, &options)?)
}

/// Counts the accounts one by one, and compares with what the store says.
fn count(folder: &Path, options: &Options) -> Result<u64, StoreError> {
    let store = Box::new(SledStore::open(folder, options)?);
    let (mut counted, mut last) = (0, None);
    loop {
        let accounts = store.reads().scan_accounts(last, 1_024)?;
        let Some(account) = accounts.last() else { break };
        last = Some(account.id);
        counted += accounts.len() as u64;
    }
    let said = store.count();
    store.close()?;
    if counted == said {
        Ok(counted)
    } else {
        Err(StoreError::Corrupt("the number of accounts is not what the store says"))
    }
}

/// Whether the line and the audit chain can be read.
fn check_rest(folder: &Path) -> Result<(), BackupError> {
    let queue = folder.join("queue");
    if queue.exists() {
        line::open(&queue)?;
        if let Some(damaged) = damaged_file(&queue)? {
            return Err(BackupError::Mismatch(format!("{damaged} was damaged")));
        }
    }
    let chain = folder.join(audit::FOLDER);
    if chain.exists() {
        let mut broken = None;
        audit::read(&chain, |item| {
            if let audit::Item::Broken(file, why) = item {
                broken.get_or_insert_with(|| format!("{file}: {why}"));
            }
            Ok(())
        })
        .map_err(BackupError::io(&chain))?;
        if let Some(broken) = broken {
            // As it was when it was backed up, for people to look at.
            tracing::warn!(%broken, "the audit chain of the backup does not hold");
        }
    }
    Ok(())
}

fn damaged_file(queue: &Path) -> Result<Option<String>, BackupError> {
    for entry in fs::read_dir(queue).map_err(BackupError::io(queue))? {
        let name = entry.map_err(BackupError::io(queue))?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".damaged") {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// The folder's entries go up, the accounts last.
fn move_up(folder: &Path, data: &Path) -> io::Result<()> {
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().into());
    }
    names.sort_by_key(|name| name == Path::new(ACCOUNTS));
    for name in names {
        fs::rename(folder.join(&name), data.join(&name))?;
    }
    sync_folder(data)?;
    fs::remove_dir(folder)?;
    sync_folder(data)
}
