//! Lotteries on disk: what is published, and the server seeds until they are.
//!
//! - `published/<id>/lottery.json`, `entrants.txt`, `order.txt`: for everybody. The two lists count
//!   only when the record says so: read them through [`Lotteries`], which does.
//! - `seeds/<id>`: the server seed before the draw, readable by the owner alone, in a folder of its
//!   own so that nobody who serves `published` serves it too. Removed when the draw is published.
//!
//! Each step writes what the record will speak of first and the record last, and every file is put
//! in place whole. So a crash at any moment leaves the stage before or the stage after, and the step
//! can be done again. A step that fails may have been done: read the record again to know.

mod disk;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use disk::{Disk, Folder};

use super::durable::Readers;
use crate::domain::lottery::{
    BadNumbers, LotteryError, LotteryId, NumberLines, PublicSeed, Record, Schedule, ServerSeed,
    Stage,
};
use crate::domain::time::UnixMicros;

/// The lotteries' folder inside the server's.
pub const FOLDER: &str = "lottery";
/// The record's file.
pub(super) const RECORD: &str = "lottery.json";
/// The entrants' file.
const ENTRANTS: &str = "entrants.txt";
/// The order's file.
const ORDER: &str = "order.txt";
/// Longest record read, in bytes; ours have less than 2000.
const RECORD_BYTES_MAX: u64 = 64 * 1_024;
/// Bytes read at a time from a list.
const PIECE: usize = 64 * 1_024;

/// The folder of lotteries. One owner; calls block for as long as the disk takes.
#[derive(Debug)]
pub struct Lotteries<D = Folder> {
    published: PathBuf,
    seeds: PathBuf,
    disk: D,
}

/// Why a step was not done, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum LotteryFileError {
    /// There is no lottery of this id.
    #[error("there is no lottery {0}")]
    Unknown(LotteryId),
    /// There is one already: ids are used once.
    #[error("there is a lottery {0} already")]
    Exists(LotteryId),
    /// The rules refuse it; nothing was done.
    #[error(transparent)]
    Refused(#[from] LotteryError),
    /// A file is not what it should be.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk; the step may have been done or not.
    #[error("the folder of lotteries: {0}")]
    Io(#[from] io::Error),
}

impl Lotteries {
    /// Opens the folder, making it if need be, and finishes what a crash interrupted: seeds that are
    /// published by now are removed.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read or written. Damaged records are an error only where they are
    /// read.
    pub fn open(path: &Path) -> Result<Self, LotteryFileError> {
        let mut disk = Folder::open(path)?;
        let (published, seeds) = (disk.published(), disk.seeds());
        for (id, seed) in named(&seeds)? {
            let record = read_record(&published, &id);
            if matches!(record, Ok(record) if matches!(record.stage(), Stage::Drawn(..))) {
                disk.remove(&seed)?;
            }
        }
        Ok(Self { published, seeds, disk })
    }

    #[cfg(test)]
    fn on<E>(self, wrap: impl FnOnce(Folder) -> E) -> Lotteries<E> {
        let Self { published, seeds, disk } = self;
        Lotteries { published, seeds, disk: wrap(disk) }
    }
}

impl<D> Lotteries<D> {
    /// Every lottery's id, in order.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<LotteryId>, LotteryFileError> {
        let mut ids: Vec<LotteryId> =
            named(&self.published)?.into_iter().map(|(id, _)| id).collect();
        ids.retain(|id| self.file(id, RECORD).exists());
        ids.sort_unstable();
        Ok(ids)
    }

    /// The record as it is published now.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Unknown`], damage, or the disk.
    pub fn record(&self, id: &LotteryId) -> Result<Record, LotteryFileError> {
        read_record(&self.published, id)
    }

    /// The entrants, ascending; `None` before the pre-queue has closed.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Unknown`], damage, or the disk.
    pub fn entrants(&self, id: &LotteryId) -> Result<Option<Vec<u64>>, LotteryFileError> {
        let record = self.record(id)?;
        record.closed().map(|closed| self.numbers(id, ENTRANTS, closed.entrants)).transpose()
    }

    /// The entrants in the order that was drawn; `None` before the draw.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Unknown`], damage, or the disk.
    pub fn order(&self, id: &LotteryId) -> Result<Option<Vec<u64>>, LotteryFileError> {
        let record = self.record(id)?;
        let Stage::Drawn(closed, _) = record.stage() else { return Ok(None) };
        self.numbers(id, ORDER, closed.entrants).map(Some)
    }

    /// The published files of a lottery that may be shown to everybody at its stage.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Unknown`], damage, or the disk.
    pub fn public_files(&self, id: &LotteryId) -> Result<Vec<PathBuf>, LotteryFileError> {
        let names: &[&str] = match self.record(id)?.stage() {
            Stage::Scheduled => &[RECORD],
            Stage::Closed(_) => &[RECORD, ENTRANTS],
            Stage::Drawn(..) => &[RECORD, ENTRANTS, ORDER],
        };
        Ok(names.iter().map(|name| self.file(id, name)).collect())
    }

    /// The path of a published file, if it may be shown to everybody; `None`: it may not, or it is
    /// none.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Unknown`], damage, or the disk.
    pub fn public_file(
        &self,
        id: &LotteryId,
        name: &str,
    ) -> Result<Option<PathBuf>, LotteryFileError> {
        let files = self.public_files(id)?;
        Ok(files.into_iter().find(|file| file.file_name().is_some_and(|found| found == name)))
    }

    /// Whether the server seed is there.
    pub fn can_be_drawn(&self, id: &LotteryId) -> bool {
        self.server_seed(id).is_ok()
    }

    /// Somebody else who reads what is published.
    pub fn reader(&self) -> Lotteries<()> {
        Lotteries { published: self.published.clone(), seeds: PathBuf::new(), disk: () }
    }

    fn file(&self, id: &LotteryId, name: &str) -> PathBuf {
        self.published.join(id.as_str()).join(name)
    }

    fn numbers(
        &self,
        id: &LotteryId,
        name: &str,
        count: u64,
    ) -> Result<Vec<u64>, LotteryFileError> {
        let path = self.file(id, name);
        let damaged = |problem: String| LotteryFileError::Damaged { path: path.clone(), problem };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let numbers = match read_numbers(&path, count)? {
            Ok(numbers) => numbers,
            Err(problem) => return Err(damaged(problem.to_string())),
        };
        if numbers.len() == count {
            Ok(numbers)
        } else {
            Err(damaged(format!("{} numbers, not {count}", numbers.len())))
        }
    }

    fn server_seed(&self, id: &LotteryId) -> Result<ServerSeed, LotteryFileError> {
        let path = self.seeds.join(id.as_str());
        let seed = match read_bounded(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            read => read.ok().and_then(|text| ServerSeed::from_hex(text.trim_end())),
        };
        let problem = "the server seed is gone or damaged: this lottery cannot be drawn".to_owned();
        seed.ok_or(LotteryFileError::Damaged { path, problem })
    }
}

impl<D: Disk> Lotteries<D> {
    /// Publishes a schedule. The seed is on disk before the commitment to it is.
    ///
    /// # Errors
    ///
    /// [`LotteryFileError::Exists`]; a seed that is not the schedule's; the disk.
    pub fn schedule(
        &mut self,
        schedule: Schedule,
        seed: &ServerSeed,
    ) -> Result<Record, LotteryFileError> {
        let id = schedule.id().clone();
        if seed.commitment() != schedule.commitment() {
            return Err(LotteryError::OtherServerSeed.into());
        }
        if self.file(&id, RECORD).try_exists()? {
            return Err(LotteryFileError::Exists(id));
        }
        let path = self.seeds.join(id.as_str());
        let text = seed.reveal() + "\n";
        self.disk.replace(&path, Readers::Owner, &mut |to| to.write_all(text.as_bytes()))?;
        self.disk.make_folder(&self.published.join(id.as_str()))?;
        let record = Record::scheduled(schedule);
        self.publish(&record)?;
        Ok(record)
    }

    /// Publishes who took part: the tickets' numbers, ascending.
    ///
    /// # Errors
    ///
    /// What [`Record::close`] refuses; the disk.
    pub fn close(
        &mut self,
        id: &LotteryId,
        at: UnixMicros,
        entrants: &[u64],
    ) -> Result<Record, LotteryFileError> {
        let record = self.record(id)?.close(at, entrants)?;
        let mut numbers = |to: &mut dyn io::Write| {
            entrants.iter().try_for_each(|number| writeln!(to, "{number}"))
        };
        self.disk.replace(&self.file(id, ENTRANTS), Readers::Anybody, &mut numbers)?;
        self.publish(&record)?;
        Ok(record)
    }

    /// Draws and publishes everything. Returns the record, and the tickets' numbers in order.
    ///
    /// # Errors
    ///
    /// What [`Record::draw`] refuses; damage; the disk.
    pub fn draw(
        &mut self,
        id: &LotteryId,
        at: UnixMicros,
        public_seed: PublicSeed,
    ) -> Result<(Record, Vec<u64>), LotteryFileError> {
        let closed = self.record(id)?;
        let count = closed.to_draw()?.entrants;
        let entrants = self.numbers(id, ENTRANTS, count)?;
        let (record, order) = closed.draw(at, self.server_seed(id)?, public_seed, &entrants)?;
        let order: Vec<u64> =
            order.iter().filter_map(|index| entrants.get(*index as usize).copied()).collect();
        let mut numbers =
            |to: &mut dyn io::Write| order.iter().try_for_each(|number| writeln!(to, "{number}"));
        self.disk.replace(&self.file(id, ORDER), Readers::Anybody, &mut numbers)?;
        self.publish(&record)?;
        self.disk.remove(&self.seeds.join(id.as_str()))?;
        Ok((record, order))
    }

    fn publish(&mut self, record: &Record) -> Result<(), LotteryFileError> {
        let text = serde_json::to_string_pretty(record).map_err(io::Error::other)? + "\n";
        let path = self.file(record.schedule().id(), RECORD);
        self.disk.replace(&path, Readers::Anybody, &mut |to| to.write_all(text.as_bytes()))?;
        Ok(())
    }
}

/// What in a folder has the name of a lottery.
fn named(folder: &Path) -> io::Result<Vec<(LotteryId, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let id = entry.file_name().into_string().ok().and_then(|name| name.try_into().ok());
        found.extend(id.map(|id| (id, entry.path())));
    }
    Ok(found)
}

fn read_record(published: &Path, id: &LotteryId) -> Result<Record, LotteryFileError> {
    let path = published.join(id.as_str()).join(RECORD);
    let text = match read_bounded(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LotteryFileError::Unknown(id.clone()));
        }
        read => read?,
    };
    let damaged = |problem: String| LotteryFileError::Damaged { path: path.clone(), problem };
    let record: Record = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if record.schedule().id() == id {
        Ok(record)
    } else {
        Err(damaged(format!("the record is of {}", record.schedule().id())))
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(RECORD_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn read_numbers(path: &Path, numbers_max: usize) -> io::Result<Result<Vec<u64>, BadNumbers>> {
    let (mut file, mut lines) = (File::open(path)?, NumberLines::new(numbers_max));
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(lines.finish()),
            read => {
                if let Err(problem) = lines.take(&piece[..read]) {
                    return Ok(Err(problem));
                }
            }
        }
    }
}
