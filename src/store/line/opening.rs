//! What is found on disk at the start, and how a line begins from it.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::LineFileError;
use super::disk::{Disk, Folder, LOG_HEAD};
use super::frame::{self, Kind};
use super::place::{self, Place, RECORD};
use super::writer::GROUP_MAX;
use crate::domain::queue::{Number, Snapshot};

/// What the line starts from.
#[derive(Debug)]
pub enum Start {
    /// Nothing usable is on disk: an empty line in a new epoch.
    Empty {
        /// Epochs that were in use: the new one must be none of them.
        used: Vec<u32>,
    },
    /// The line as it was.
    Continue {
        /// Its coarse state.
        snapshot: Box<Snapshot>,
        /// Numbers below this one may have been given.
        reserved_until: Number,
        /// Whether the snapshot was taken at an orderly stop and is exact.
        clean: bool,
        /// The log: places whose owners hold no ticket. Some may be over, and the latest of an
        /// identity counts.
        places: Vec<Place>,
    },
}

/// What was found, beside the folder itself.
#[derive(Debug)]
pub struct Found {
    /// What the line starts from.
    pub start: Start,
    /// Places of an earlier epoch, in order: their owners hold no ticket, so they are to be taken
    /// anew for them. Still there after a crash until [`Files::begin_log`].
    pub carried: Vec<Place>,
}

/// The line's folder, opened and not yet in use.
#[derive(Debug)]
pub struct Files<D = Folder> {
    pub(super) disk: D,
    pub(super) epoch: u32,
    pub(super) until: Number,
    pub(super) log_bytes: u64,
}

/// `line.numbers`: epoch, clean or not, and how far numbers are reserved.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    epoch: u32,
    clean: bool,
    until: Number,
}

/// Opens the line's folder and reads what is there. Torn ends are cut off; damage is kept aside and
/// logged.
///
/// # Errors
///
/// A file of a newer format, or a folder that cannot be read or written.
pub fn open(path: &Path) -> Result<(Files, Found), LineFileError> {
    let mut disk = Folder::open(path)?;
    let numbers = read(&disk, Kind::Numbers, decode_numbers)?;
    let snapshot = read(&disk, Kind::Snapshot, decode_snapshot)?;
    let log = read_log(&mut disk)?;
    let mut used: Vec<u32> = log.iter().map(|log| log.epoch).collect();
    match (numbers, snapshot) {
        (Read::Good(numbers), Read::Good((epoch, snapshot))) if numbers.epoch == epoch => {
            Ok(continued(disk, numbers, snapshot, log))
        }
        (Read::Missing, Read::Missing) => Ok(empty(disk, used, log)),
        // Killed at its very first start, before any number was given.
        (Read::Good(numbers), Read::Missing) if numbers.until == Number(0) => {
            used.push(numbers.epoch);
            Ok(empty(disk, used, log))
        }
        (numbers, snapshot) => {
            used.extend(numbers.good().map(|numbers| numbers.epoch));
            used.extend(snapshot.good().map(|(epoch, _)| epoch));
            tracing::error!(
                folder = %path.display(),
                "the files of the line are damaged or do not belong together; they are kept as \
                 *.damaged, and the line starts anew: players who wait are told a new place"
            );
            disk.set_aside(Kind::Numbers)?;
            disk.set_aside(Kind::Snapshot)?;
            Ok(empty(disk, used, log))
        }
    }
}

fn empty(disk: Folder, used: Vec<u32>, log: Option<Log>) -> (Files, Found) {
    let carried = log.map(|log| latest_of_each(log.places)).unwrap_or_default();
    let files = Files { disk, epoch: 0, until: Number(0), log_bytes: 0 };
    (files, Found { start: Start::Empty { used }, carried })
}

fn continued(
    disk: Folder,
    numbers: Numbers,
    snapshot: Snapshot,
    log: Option<Log>,
) -> (Files, Found) {
    let Numbers { epoch, until, clean } = numbers;
    let (mut log_bytes, mut places, mut carried) = (0, Vec::new(), Vec::new());
    match log {
        Some(log) if log.epoch == epoch => {
            (log_bytes, places) = (log.bytes, latest_of_each(log.places));
        }
        // Killed while a new epoch began: the old places have not been taken anew for certain.
        Some(log) => carried = latest_of_each(log.places),
        None => {}
    }
    let snapshot = Box::new(snapshot);
    let start = Start::Continue { snapshot, reserved_until: until, clean, places };
    (Files { disk, epoch, until, log_bytes }, Found { start, carried })
}

/// An identity has one place, and a place one owner: what was logged last counts. In the order of
/// numbers.
fn latest_of_each(mut places: Vec<Place>) -> Vec<Place> {
    let (mut owners, mut numbers) =
        (HashSet::with_capacity(places.len()), HashSet::with_capacity(places.len()));
    places.reverse();
    // Both are noted either way: an owner who handed a place on has none of the older ones.
    places.retain(|place| owners.insert(place.identity) & numbers.insert(place.number));
    places.sort_unstable_by_key(|place| place.number);
    places
}

impl Files {
    /// Begins a new line of `epoch` from the first snapshot of its empty state.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn begin(&mut self, epoch: u32, snapshot: &Snapshot) -> io::Result<()> {
        self.epoch = epoch;
        self.disk.replace(Kind::Numbers, &encode_numbers(epoch, false, Number(0)))?;
        self.disk.replace(Kind::Snapshot, &encode_snapshot(epoch, snapshot)?)?;
        Ok(())
    }

    /// Reserves the numbers below `until`, and notes that the line is in use.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn reserve(&mut self, until: Number) -> io::Result<()> {
        self.until = until;
        self.disk.replace(Kind::Numbers, &encode_numbers(self.epoch, false, until))
    }

    /// Writes a log of this epoch with these places, unless a good one is there already and there
    /// is nothing to add.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn begin_log(&mut self, places: &[Place]) -> io::Result<()> {
        if self.log_bytes > 0 && places.is_empty() {
            return Ok(());
        }
        let mut bytes = encode_log_head(self.epoch);
        bytes.extend(places.iter().flat_map(|place| place.encode()));
        self.disk.replace(Kind::Log, &bytes)?;
        self.log_bytes = bytes.len() as u64;
        Ok(())
    }
}

impl<D> Files<D> {
    /// The epoch of the line; meaningless until it has begun.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    #[cfg(test)]
    pub(crate) fn on<E>(self, wrap: impl FnOnce(D) -> E) -> Files<E> {
        let Self { disk, epoch, until, log_bytes } = self;
        Files { disk: wrap(disk), epoch, until, log_bytes }
    }
}

enum Read<T> {
    Missing,
    Damaged,
    Good(T),
}

impl<T> Read<T> {
    fn good(self) -> Option<T> {
        match self {
            Self::Good(found) => Some(found),
            Self::Missing | Self::Damaged => None,
        }
    }
}

fn read<T>(
    disk: &Folder,
    kind: Kind,
    decode: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Read<T>, LineFileError> {
    let Some(bytes) = disk.read(kind)? else { return Ok(Read::Missing) };
    let body = frame::open(kind, &bytes)?;
    Ok(body.and_then(decode).map_or(Read::Damaged, Read::Good))
}

struct Log {
    epoch: u32,
    places: Vec<Place>,
    bytes: u64,
}

/// Reads the log and cuts off its torn end.
fn read_log(disk: &mut Folder) -> Result<Option<Log>, LineFileError> {
    let Some(bytes) = disk.read(Kind::Log)? else { return Ok(None) };
    let known = frame::check_head(Kind::Log, &bytes)?;
    let Some((head, records)) = bytes.split_first_chunk::<LOG_HEAD>() else {
        return Ok(damaged_log(disk).map(|()| None)?);
    };
    let [.., e0, e1, e2, e3, _, _, _, _] = *head;
    let epoch = u32::from_le_bytes([e0, e1, e2, e3]);
    if !known || encode_log_head(epoch) != head {
        return Ok(damaged_log(disk).map(|()| None)?);
    }
    let (places, good) = place::read_all(records);
    let torn = records.len() - good;
    if torn > GROUP_MAX * RECORD {
        // More than one write can leave behind: this is damage, not a crash.
        tracing::error!(bytes = torn, "line.log is damaged; a copy is kept as line.log.damaged");
        disk.copy_aside(Kind::Log)?;
    } else if torn > 0 {
        tracing::warn!(bytes = torn, "line.log ended in a torn write that nobody was told about");
    }
    let len = (LOG_HEAD + good) as u64;
    if torn > 0 {
        disk.cut_log(len)?;
    }
    Ok(Some(Log { epoch, places, bytes: len }))
}

fn damaged_log(disk: &Folder) -> io::Result<()> {
    tracing::error!(
        "line.log is damaged and kept as line.log.damaged: players without a ticket of their own \
         get a new place"
    );
    disk.set_aside(Kind::Log)
}

fn encode_log_head(epoch: u32) -> Vec<u8> {
    frame::seal(Kind::Log, &epoch.to_le_bytes())
}

pub(super) fn encode_numbers(epoch: u32, clean: bool, until: Number) -> Vec<u8> {
    let mut body = [0; 13];
    body[..4].copy_from_slice(&epoch.to_le_bytes());
    body[4] = u8::from(clean);
    body[5..].copy_from_slice(&until.0.to_le_bytes());
    frame::seal(Kind::Numbers, &body)
}

fn decode_numbers(body: &[u8]) -> Option<Numbers> {
    let (epoch, rest) = body.split_first_chunk::<4>()?;
    let (clean, until) = rest.split_first()?;
    Some(Numbers {
        epoch: u32::from_le_bytes(*epoch),
        clean: *clean != 0,
        until: Number(u64::from_le_bytes(until.try_into().ok()?)),
    })
}

pub(super) fn encode_snapshot(epoch: u32, snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    let body = postcard::to_extend(snapshot, epoch.to_le_bytes().to_vec());
    Ok(frame::seal(Kind::Snapshot, &body.map_err(io::Error::other)?))
}

fn decode_snapshot(body: &[u8]) -> Option<(u32, Snapshot)> {
    let (epoch, state) = body.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*epoch), postcard::from_bytes(state).ok()?))
}
