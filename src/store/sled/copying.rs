//! Copying the database while it is written.
//!
//! sled's own way through its keys sees changes that come meanwhile. So all keys are read once, piece
//! by piece, and every commit since the beginning is noted and put behind what was read: whatever was
//! read too early or too late is put right by them. What comes out is the state after the last commit
//! that is noted.

use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Copies, Copying, Piece, StoreError};

use super::keys;
use super::staged::Writes;
use super::view::{Shelf, reading};

/// Records read at a time.
const RECORDS: usize = 512;
/// Bytes of a piece, about.
const PIECE_BYTES: usize = 512 * 1_024;
/// Most bytes of commits noted for a copy that has not taken them yet.
const NOTED_BYTES_MAX: usize = 64 << 20;

/// Where commits are noted while a copy is made. Cheap to clone.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Option<Noted>>>);

#[derive(Default)]
struct Noted {
    commits: Vec<Arc<Writes>>,
    bytes: usize,
}

impl Notes {
    /// Runs a commit and notes it. A copy begins before a commit or after it, never in the middle.
    pub fn around(
        &self,
        writes: &Arc<Writes>,
        commit: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut noted = self.lock();
        commit()?;
        if let Some(noted) = noted.as_mut() {
            let length = |(key, value): (&::sled::IVec, &Option<::sled::IVec>)| {
                key.len() + value.as_ref().map_or(0, |value| value.len())
            };
            noted.bytes = noted.bytes.saturating_add(writes.iter().map(length).sum());
            if noted.bytes > NOTED_BYTES_MAX {
                noted.commits = Vec::new(); // given up; the copy hears of it
            } else {
                noted.commits.push(Arc::clone(writes));
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies a database.
pub struct SledCopies {
    pub shelf: Shelf,
    pub notes: Notes,
}

impl Copies for SledCopies {
    fn begin(&self) -> Result<Box<dyn Copying>, StoreError> {
        let mut noted = self.notes.lock();
        if noted.is_some() {
            return Err(StoreError::Locked);
        }
        *noted = Some(Noted::default());
        Ok(Box::new(SledCopying {
            shelf: self.shelf.clone(),
            notes: self.notes.clone(),
            stage: Stage::Reading(None),
            accounts: 0,
        }))
    }
}

struct SledCopying {
    shelf: Shelf,
    notes: Notes,
    stage: Stage,
    /// As the record that was given last says.
    accounts: u64,
}

enum Stage {
    /// Reads behind this key.
    Reading(Option<::sled::IVec>),
    /// Everything is read; these commits are still to be given.
    Noted(std::vec::IntoIter<Arc<Writes>>),
}

impl Copying for SledCopying {
    fn next_piece(&mut self) -> Result<Option<Piece>, StoreError> {
        loop {
            let Some(piece) = self.step()? else { return Ok(None) };
            for record in piece.records() {
                if let (keys::COUNT, Some(value)) = record? {
                    let count = value.try_into().map(u64::from_be_bytes);
                    let wrong = |_| StoreError::Corrupt("a count that is no number");
                    self.accounts = count.map_err(wrong)?;
                }
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    fn accounts(&self) -> u64 {
        self.accounts
    }
}

impl SledCopying {
    /// The next piece, which may be empty; `None`: that was all.
    fn step(&mut self) -> Result<Option<Piece>, StoreError> {
        match &mut self.stage {
            Stage::Reading(last) => {
                let mut piece = Piece::default();
                let read = read(&self.shelf, last, &mut piece)?;
                // Behind what was read: it may be older.
                let noted = if read { self.take()? } else { self.end()? };
                if read {
                    for writes in &noted {
                        put(&mut piece, writes);
                    }
                } else {
                    self.stage = Stage::Noted(noted.into_iter());
                }
                Ok(Some(piece))
            }
            Stage::Noted(commits) => {
                let mut piece = Piece::default();
                for writes in commits {
                    put(&mut piece, &writes);
                    if piece.bytes().len() >= PIECE_BYTES {
                        break;
                    }
                }
                Ok((!piece.is_empty()).then_some(piece))
            }
        }
    }

    /// The commits noted since the last call.
    fn take(&self) -> Result<Vec<Arc<Writes>>, StoreError> {
        let mut noted = self.notes.lock();
        checked(std::mem::take(noted.as_mut().ok_or(StoreError::Abandoned)?))
    }

    /// The same, and none from now on: this is the moment of the copy.
    fn end(&self) -> Result<Vec<Arc<Writes>>, StoreError> {
        checked(self.notes.lock().take().ok_or(StoreError::Abandoned)?)
    }
}

fn checked(noted: Noted) -> Result<Vec<Arc<Writes>>, StoreError> {
    if noted.bytes > NOTED_BYTES_MAX {
        let why = "too much was written meanwhile: the copy is too slow";
        return Err(StoreError::failed("copy the account store", why));
    }
    Ok(noted.commits)
}

impl Drop for SledCopying {
    fn drop(&mut self) {
        if matches!(self.stage, Stage::Reading(_)) {
            *self.notes.lock() = None;
        }
    }
}

/// Reads some records behind `last`; whether there may be more.
fn read(
    shelf: &Shelf,
    last: &mut Option<::sled::IVec>,
    piece: &mut Piece,
) -> Result<bool, StoreError> {
    let start = last.as_ref().map_or(Bound::Unbounded, |last| Bound::Excluded(last.clone()));
    shelf.with(|db| {
        for entry in db.range((start, Bound::Unbounded)).take(RECORDS) {
            let (key, value) = entry.map_err(reading)?;
            piece.put(&key, Some(&value));
            *last = Some(key);
            if piece.bytes().len() >= PIECE_BYTES {
                break;
            }
        }
        Ok(!piece.is_empty())
    })
}

fn put(piece: &mut Piece, writes: &Writes) {
    for (key, value) in writes {
        piece.put(key, value.as_ref().map(AsRef::as_ref));
    }
}

#[cfg(test)]
#[path = "copying_tests.rs"]
mod tests;
