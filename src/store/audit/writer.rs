//! The thread that writes. It takes what waits, writes it at once, and then says what is on disk.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::AuditFileError;
use super::disk::Disk;
use super::opening::Files;
use crate::domain::audit::{Entry, Head};

/// Records that may wait for the writer; about 3 MB.
const WAITING_MAX: usize = 8_192;
/// Most records that share one sync.
const GROUP_MAX: usize = 1_024;
/// A file of this length is left and another one begun: 64 MB, some 200,000 records.
const FILE_BYTES: u64 = 64 << 20;

/// What is on disk, or why nothing is any more.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// So many more records, in the order they were given.
    Written {
        /// How many.
        records: u64,
        /// The last of them: what an operator may post.
        head: Head,
    },
    /// Everything that was given. The writer has ended, because nobody can give it more.
    Closed,
    /// A write failed, and the writer has ended. Whatever was not confirmed may or may not be on
    /// disk, so the process has to stop.
    Failed(String),
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Too many wait. Do not do what was to be recorded, or count it as
    /// [`crate::domain::audit::What::Unrecorded`].
    #[error("too many audit records wait to be written")]
    Full,
    /// The writer has ended, and has said why.
    #[error("the audit writer has ended")]
    Ended,
}

/// The way to the writer's thread. When the last of its clones is dropped, the thread finishes what
/// it was given and ends.
#[derive(Clone, Debug)]
pub struct Writer(SyncSender<Box<Entry>>);

/// The writer before it runs: records given meanwhile wait for it.
#[derive(Debug)]
pub struct WriterThread<D> {
    files: Files<D>,
    /// Boxed: a channel of this length touches all its places when it is made.
    inbox: Receiver<Box<Entry>>,
    file_bytes: u64,
}

impl<D: Disk> Files<D> {
    /// A writer for this folder, and its thread, to be started by whoever hears what is done.
    pub fn writer(self) -> (Writer, WriterThread<D>) {
        self.writer_with(FILE_BYTES)
    }

    pub(super) fn writer_with(self, file_bytes: u64) -> (Writer, WriterThread<D>) {
        let (records, inbox) = sync_channel(WAITING_MAX);
        (Writer(records), WriterThread { files: self, inbox, file_bytes })
    }
}

impl Writer {
    /// Gives a record to the writer and does not wait. It is there when [`Done::Written`] has
    /// counted it.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]
    pub fn record(&self, entry: Entry) -> Result<(), NotTaken> {
        self.0.try_send(Box::new(entry)).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Full,
            TrySendError::Disconnected(_) => NotTaken::Ended,
        })
    }
}

impl<D: Disk> WriterThread<D> {
    /// Starts to write. `done` is called on the writer's thread.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(mut self, done: impl Fn(Done) + Send + 'static) -> io::Result<()> {
        let run = move || match self.run(&done) {
            Ok(()) => done(Done::Closed),
            Err(error) => done(Done::Failed(error.to_string())),
        };
        std::thread::Builder::new().name("audit-writer".into()).spawn(run).map(drop)
    }

    fn run(&mut self, done: &dyn Fn(Done)) -> Result<(), AuditFileError> {
        while let Ok(first) = self.inbox.recv() {
            self.make_room()?;
            let (mut lines, mut records) = (self.files.chain.add(&first)?, 1);
            while records < GROUP_MAX
                && let Ok(next) = self.inbox.try_recv()
            {
                lines.extend(self.files.chain.add(&next)?);
                records += 1;
            }
            self.files.disk.append(&lines)?;
            *self.files.length.get_or_insert_default() += lines.len() as u64;
            done(Done::Written { records: records as u64, head: self.files.head() });
        }
        Ok(())
    }

    /// Begins a file when there is none, or the one there is has become long enough.
    fn make_room(&mut self) -> io::Result<()> {
        if self.files.length.is_none_or(|length| length >= self.file_bytes) {
            self.files.disk.begin(self.files.head().seq.saturating_add(1))?;
            self.files.length = Some(0);
        }
        Ok(())
    }
}
