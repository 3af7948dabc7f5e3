//! A commit: one batch, sled's flush, our own sync of its file.

use std::fs::File;
use std::sync::Arc;

use ::sled::{Batch, Db};

use crate::store::{Commit, StoreError};

use super::copying::Notes;
use super::opening::SyncFile;
use super::staged::Writes;

pub struct SledCommit {
    pub db: Db,
    pub file: Arc<File>,
    pub writes: Arc<Writes>,
    pub sync: SyncFile,
    pub notes: Notes,
}

impl Commit for SledCommit {
    fn run(self: Box<Self>) -> Result<(), StoreError> {
        self.notes.around(&self.writes, || self.write())
    }
}

impl SledCommit {
    fn write(&self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (key, value) in self.writes.iter() {
            match value {
                Some(value) => batch.insert(key.clone(), value.clone()),
                None => batch.remove(key.clone()),
            }
        }
        let writing = |error| StoreError::failed("write a commit to the account store", error);
        self.db.apply_batch(batch).map_err(writing)?;
        self.db.flush().map_err(writing)?;
        (self.sync)(&self.file)
            .map_err(|error| StoreError::failed("sync the account store to the disk", error))
    }
}
