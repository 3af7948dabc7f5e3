//! The way to the audit chain ([`crate::store::audit`]): for whoever steers, and for the line.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::CallError;
use crate::clock::Clock;
use crate::domain::audit::{Entry, Pseudonyms, Search, Text, What, Who};
use crate::observe::request::current_id;
use crate::store::audit::{self, AuditFileError, Done, FOLDER, Stream, Told, Writer};
pub use crate::store::audit::{Checked, Looked, NotTaken, Target};

/// Records one search looks at, about.
const LOOKED_AT_MAX: u64 = 200_000;
/// Records one check reads, about.
const CHECKED_MAX: u64 = 1_000_000;
/// A look through the files waits no longer for its turn than this.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// How long the last records may take to be streamed when the server stops.
const STREAMED_WITHIN: Duration = Duration::from_secs(2);

/// The chain's handle. Cheap to clone; bounded: it refuses when too many records wait.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    pseudonyms: Pseudonyms,
    /// `None`: closed.
    writer: Mutex<Option<Writer>>,
    folder: PathBuf,
    /// One look through the files at a time.
    looking: Arc<Semaphore>,
    closed: Mutex<Option<oneshot::Receiver<()>>>,
    /// Records of the server's own doings that were not taken and are not yet told of.
    untold: AtomicU64,
    figures: Arc<Figures>,
    stream: Mutex<Option<oneshot::Receiver<()>>>,
}

/// What is counted, since the start.
#[derive(Debug, Default)]
pub struct Figures {
    /// Records on disk.
    pub written: AtomicU64,
    /// Records that were not taken.
    pub unrecorded: AtomicU64,
    /// What the stream has told; `None`: there is none.
    pub stream: Option<Told>,
}

/// Says why the chain cannot be written any more, when that happens: the process must stop then.
pub type Failed = oneshot::Receiver<String>;

impl Audit {
    /// Opens the chain in `data/audit`, as it was left. `identity_key` is the key of pseudonyms;
    /// `target` is told every record once it is on disk.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read or written, no thread to be had. Damage is none.
    pub fn open(
        data: &Path,
        clock: Clock,
        identity_key: &[u8],
        target: Option<Target>,
    ) -> Result<(Self, Failed), AuditFileError> {
        let (files, _) = audit::open(&data.join(FOLDER), clock.now())?;
        let head = files.head().seq;
        let (writer, thread) = files.writer();
        let (streamed, is_streamed) = oneshot::channel();
        let stream = target.map(|target| {
            // Dropped when the thread ends.
            Stream::start(&data.join(FOLDER), target, head, move || drop(streamed))
        });
        let (stream, told) = stream.transpose()?.unzip();
        let figures = Arc::new(Figures { stream: told, ..Figures::default() });
        let (failed, has_failed) = oneshot::channel();
        let (closed, is_closed) = oneshot::channel();
        let (failed, closed) = (Mutex::new(Some(failed)), Mutex::new(Some(closed)));
        let counted = Arc::clone(&figures);
        thread.start(move |done| match done {
            Done::Written { records, head } => {
                counted.written.fetch_add(records, Ordering::Relaxed);
                if let Some(stream) = &stream {
                    stream.reaches(head.seq);
                }
            }
            Done::Closed => say(&closed, ()),
            Done::Failed(why) => say(&failed, why),
        })?;
        let inner = Inner {
            clock,
            pseudonyms: Pseudonyms::new(identity_key),
            writer: Mutex::new(Some(writer)),
            folder: data.join(FOLDER),
            looking: Arc::new(Semaphore::new(1)),
            closed: Mutex::new(Some(is_closed)),
            untold: AtomicU64::new(0),
            figures,
            stream: Mutex::new(Some(is_streamed)),
        };
        Ok((Self(Arc::new(inner)), has_failed))
    }

    /// Puts an operator's action on record, before it is done.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]: then it must not be done.
    pub fn record(&self, who: Who, what: What) -> Result<(), NotTaken> {
        let at = self.0.clock.now();
        let taken = lock(&self.0.writer).as_ref().map_or(Err(NotTaken::Ended), |writer| {
            let untold = self.0.untold.swap(0, Ordering::Relaxed);
            if untold > 0 {
                let what = What::Unrecorded { records: untold };
                if let Err(error) = writer.record(Entry::of(at, Who::Server, what)) {
                    self.0.untold.fetch_add(untold, Ordering::Relaxed);
                    return Err(error);
                }
            }
            let request = current_id().map(|id| Text::from(id.as_str()));
            writer.record(Entry { at, who, what, request })
        });
        if taken.is_err() {
            self.0.figures.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Puts something the server did by its rules on record. What finds no room is counted, and the
    /// count goes on record later.
    pub fn note(&self, what: What) {
        if self.record(Who::Server, what).is_err() {
            self.0.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Makes pseudonyms of people.
    pub fn pseudonyms(&self) -> &Pseudonyms {
        &self.0.pseudonyms
    }

    /// The newest records on disk before number `before` that match, at most `limit`. Looks at some
    /// hundred thousand; [`Looked::next`] says where to go on.
    ///
    /// # Errors
    ///
    /// [`CallError::Overloaded`] while somebody else looks; [`CallError::NoAnswer`] when the files
    /// cannot be read.
    pub async fn search(
        &self,
        search: Search,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Looked, CallError> {
        self.look(move |folder| audit::latest(folder, &search, before, (limit, LOOKED_AT_MAX)))
            .await
    }

    /// Checks the chain on disk: all of it, or the newest million records and more.
    ///
    /// # Errors
    ///
    /// As for [`Audit::search`].
    pub async fn verify(&self) -> Result<Checked, CallError> {
        self.look(|folder| audit::check(folder, CHECKED_MAX)).await
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        let turn = Arc::clone(&self.0.looking).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_WITHIN, turn).await else {
            return Err(CallError::Overloaded);
        };
        let folder = self.0.folder.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look(&folder)
        });
        match looked.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(%error, "the audit chain cannot be read");
                Err(CallError::NoAnswer)
            }
            Err(_) => Err(CallError::NoAnswer),
        }
    }

    /// What is counted.
    pub fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// Writes what waits and ends. Records from now on are refused.
    pub async fn close(&self) {
        drop(lock(&self.0.writer).take());
        let closed = lock(&self.0.closed).take();
        if let Some(closed) = closed {
            // An error means that it failed, and somebody else was told why.
            let _ = closed.await;
        }
        let streamed = lock(&self.0.stream).take();
        if let Some(streamed) = streamed
            && tokio::time::timeout(STREAMED_WITHIN, streamed).await.is_err()
        {
            tracing::warn!("the audit stream did not take the last records in time");
        }
    }
}

fn say<T>(to: &Mutex<Option<oneshot::Sender<T>>>, what: T) {
    if let Some(to) = lock(to).take() {
        // Nobody may be listening.
        let _ = to.send(what);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
