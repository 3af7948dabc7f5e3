//! Opening the database after whatever happened, and letting go of it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::sled::{Config, Db};

use crate::store::{Piece, Store, StoreError};

use super::copying::Notes;
use super::elsewhere::Elsewhere;
use super::home::{Home, SALT_BYTES};
use super::passes::Passes;
use super::staged::Staged;
use super::view::{Ownership, Shelf, View};
use super::{SledStore, keys, records};

/// The format this program writes. Raise it with any change of keys or values, and read the one
/// before it in [`migrate`].
const FORMAT: u32 = 6;

/// sled gives its lock back some milliseconds after its last handle is gone.
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// How to open the database.
#[derive(Clone)]
pub struct Options {
    /// Memory for cached pages, in MiB.
    pub cache_mib: u64,
    /// Random bytes for a folder that is new: they decide which ids accounts get, so that nobody
    /// can tell a device from an id.
    pub salt: [u8; SALT_BYTES],
    /// How sled's file gets to the disk: [`sync_data`], or what a test that cuts the power puts in
    /// its place.
    pub sync: SyncFile,
}

/// Returns when everything written to a file would survive a power cut.
pub type SyncFile = Arc<dyn Fn(&File) -> std::io::Result<()> + Send + Sync>;

/// `fdatasync`.
pub fn sync_data() -> SyncFile {
    Arc::new(File::sync_data)
}

/// The salt is a secret.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("cache_mib", &self.cache_mib).finish_non_exhaustive()
    }
}

pub fn open(data: &Path, options: &Options) -> Result<SledStore, StoreError> {
    let folder = data.join("accounts");
    let making = |error| StoreError::failed("make the folder of the account store", error);
    fs::create_dir_all(&folder).map_err(making)?;
    remove_leftovers(&folder)?;

    let config = config(&folder, options);
    let db = open_locked(&config)?;
    let file = File::options()
        .read(true)
        .write(true)
        .open(folder.join("db"))
        .map_err(|error| StoreError::failed("open the account store's file", error))?;
    let salt = prepare(&db, options)?;
    sync_folders(&folder, data, &file)?;

    let shelf = Shelf::new(db.clone());
    let mut store = SledStore {
        config,
        ownership: Ownership(shelf.clone()),
        view: View {
            shelf,
            home: Home::new(&salt),
            elsewhere: Elsewhere::default(),
            staged: Staged::default(),
        },
        db,
        file: Arc::new(file),
        passes: Passes::default(),
        revoked_until: BTreeSet::new(),
        count: 0,
        has_written: false,
        sync: options.sync.clone(),
        notes: Notes::default(),
    };
    load(&mut store)?;
    Ok(store)
}

fn config(folder: &Path, options: &Options) -> Config {
    Config::new()
        .path(folder)
        .cache_capacity(options.cache_mib.saturating_mul(1024 * 1024))
        .flush_every_ms(None)
}

pub fn rebuild(
    data: &Path,
    options: &Options,
    mut pieces: impl FnMut() -> Result<Option<Piece>, StoreError>,
) -> Result<(), StoreError> {
    let folder = data.join("accounts");
    let writing = |error| StoreError::failed("write the copy of an account store", error);
    let making = |error| StoreError::failed("make the folder of the account store", error);
    fs::create_dir_all(data).map_err(making)?;
    fs::create_dir(&folder).map_err(making)?;
    let config = config(&folder, options);
    let db = open_locked(&config)?;
    while let Some(piece) = pieces()? {
        let mut batch = ::sled::Batch::default();
        for record in piece.records() {
            match record? {
                (key, Some(value)) => batch.insert(key, value),
                (key, None) => batch.remove(key),
            }
        }
        db.apply_batch(batch).map_err(writing)?;
    }
    db.flush().map_err(writing)?;
    let file = File::options().read(true).write(true).open(folder.join("db")).map_err(making)?;
    sync_folders(&folder, data, &file)?;
    drop(db);
    wait_until_unlocked(&file)?;
    write_snapshot(&config);
    wait_until_unlocked(&file)
}

/// A kill while sled writes a snapshot leaves an unfinished file on which the next open panics.
/// The log holds everything the snapshot does.
fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::failed("clean the folder of the account store", error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::warn!(file = name, "removing a snapshot that was not finished");
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

/// Opens the database, waiting a while for whoever had it open a moment ago.
fn open_locked(config: &Config) -> Result<Db, StoreError> {
    for _ in 0..LOCK_TRIES {
        // sled panics on some damage where it could return an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened.map_err(|_| StoreError::Corrupt("the database does not open"))? {
            Ok(db) => return Ok(db),
            Err(error) if is_lock(&error) => pause(),
            Err(error) => return Err(StoreError::failed("open the account store", error)),
        }
    }
    Err(StoreError::Locked)
}

/// Makes the next start quick: sled writes a snapshot only when it opens, and opening without one
/// reads the whole log since the last (with a million new accounts ten times as long). A failure
/// costs nothing but that.
pub fn write_snapshot(config: &Config) {
    let opened = catch_unwind(AssertUnwindSafe(|| config.open().map(drop)));
    if !matches!(opened, Ok(Ok(()))) {
        tracing::warn!("the account store is closed without a snapshot; the next start is slower");
    }
}

/// sled has no error of its own for this one.
fn is_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

#[expect(clippy::disallowed_methods, reason = "opening and closing block and nobody can wake us")]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

/// Checks the format, or writes it into a new database; gives back the salt.
fn prepare(db: &Db, options: &Options) -> Result<[u8; SALT_BYTES], StoreError> {
    let reading = |error| StoreError::failed("read from the account store", error);
    let Some(format) = db.get(keys::FORMAT).map_err(reading)? else {
        if !db.is_empty() {
            return Err(StoreError::Corrupt("data without a format"));
        }
        let mut batch = ::sled::Batch::default();
        batch.insert(keys::FORMAT, FORMAT.to_be_bytes().as_slice());
        batch.insert(keys::SALT, options.salt.as_slice());
        let writing = |error| StoreError::failed("write a new account store", error);
        db.apply_batch(batch).map_err(writing)?;
        db.flush().map_err(writing)?;
        return Ok(options.salt);
    };
    let format = format.as_ref().try_into().map(u32::from_be_bytes);
    let format = format.map_err(|_| StoreError::Corrupt("a format that is no number"))?;
    migrate(db, format)?;
    if format != FORMAT {
        // From here on an older program would misread it.
        let writing = |error| StoreError::failed("write the format of the account store", error);
        db.insert(keys::FORMAT, FORMAT.to_be_bytes().as_slice()).map_err(writing)?;
        db.flush().map_err(writing)?;
    }
    let salt = db.get(keys::SALT).map_err(reading)?;
    let salt = salt.and_then(|salt| salt.as_ref().try_into().ok());
    salt.ok_or(StoreError::Corrupt("no salt"))
}

/// Brings older data to this format. What differs in older records is read from them as they come up
/// ([`super::records`]); the indexes of player ids, new with format 3, and of staff, new with format 6,
/// are made here.
fn migrate(db: &Db, found: u32) -> Result<(), StoreError> {
    match found {
        FORMAT => Ok(()),
        1..FORMAT => index(db),
        0 => Err(StoreError::Corrupt("a format that never was")),
        found => Err(StoreError::Newer { found, known: FORMAT }),
    }
}

/// Interrupted, it is done again from the start: the format is written last.
fn index(db: &Db) -> Result<(), StoreError> {
    let failed = |error| StoreError::failed("index the account store", error);
    for entry in db.scan_prefix(keys::ACCOUNTS) {
        let (key, value) = entry.map_err(failed)?;
        let account = records::decode_account(keys::account_id(&key)?, &value)?;
        for key in keys::of_parts(&account) {
            db.insert(key, account.id.0.as_bytes().as_slice()).map_err(failed)?;
        }
    }
    Ok(())
}

/// New files survive a power cut once their folders are synced.
fn sync_folders(folder: &Path, data: &Path, file: &File) -> Result<(), StoreError> {
    let sync = || -> std::io::Result<()> {
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        File::open(data)?.sync_all()
    };
    sync().map_err(|error| StoreError::failed("sync the folder of the account store", error))
}

/// Takes in what is kept in memory: the count, redeemed passes, when revocations lapse.
fn load(store: &mut SledStore) -> Result<(), StoreError> {
    if let Some(count) = store.view.get(keys::COUNT)? {
        let count = count.as_ref().try_into().map(u64::from_be_bytes);
        store.count = count.map_err(|_| StoreError::Corrupt("a count that is no number"))?;
    }
    for (key, record) in store.view.scan(&[keys::PASSES])? {
        store.passes.load(keys::passes_group(&key)?, &record)?;
    }
    for (account, revoked) in store.revocations()? {
        store.revoked_until.insert((revoked.until(), account));
    }
    Ok(())
}

/// Looks what is stored in the folder `accounts` under `data` without changing its format: how many
/// accounts there are.
pub fn peek(data: &Path, options: &Options) -> Result<u64, StoreError> {
    let reading = |error| StoreError::failed("read from the account store", error);
    let folder = data.join("accounts");
    remove_leftovers(&folder)?;
    let db = open_locked(&config(&folder, options))?;
    let file = File::open(folder.join("db"));
    let number = |key: &[u8]| db.get(key).map_err(reading);
    let (format, count) = (number(keys::FORMAT)?, number(keys::COUNT)?);
    drop(db);
    let file = file.map_err(|error| StoreError::failed("open the account store's file", error))?;
    wait_until_unlocked(&file)?;
    let found = format.and_then(|it| it.as_ref().try_into().map(u32::from_be_bytes).ok());
    match found {
        Some(found) if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
        Some(_) => {
            let count = count.and_then(|it| it.as_ref().try_into().map(u64::from_be_bytes).ok());
            Ok(count.unwrap_or_default())
        }
        None => Err(StoreError::Corrupt("data without a format")),
    }
}

/// Whether another process has the database in the folder `accounts` under `data` open. One that is not
/// there is not.
pub fn is_in_use(data: &Path) -> std::io::Result<bool> {
    let file = match File::open(data.join("accounts").join("db")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => file.unlock().map(|()| false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Returns when the lock of `file` is free, so that the folder can be opened again.
pub fn wait_until_unlocked(file: &File) -> Result<(), StoreError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => {
                return file
                    .unlock()
                    .map_err(|error| StoreError::failed("unlock the account store", error));
            }
            Err(fs::TryLockError::WouldBlock) => pause(),
            Err(fs::TryLockError::Error(error)) => {
                return Err(StoreError::failed("lock the account store", error));
            }
        }
    }
    Err(StoreError::Locked)
}
