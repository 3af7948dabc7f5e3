//! Backups of the running server: one thread of low priority makes them, by the clock or when it is
//! asked, one after the other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::domain::backup::{self as rules, Schedule};
use crate::domain::time::UnixMicros;
use crate::store::backup::{self, BackupError, Sources};
use crate::store::{Copies, Copying, Piece, StoreError};

/// Those who may wait for a backup to be made.
const WAITING_MAX: usize = 4;
/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Lowered so that copying yields to answering.
const NICENESS: i32 = 10;

/// The way to the thread that makes backups. Cheap to clone.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    /// `None`: closed.
    jobs: Mutex<Option<SyncSender<Job>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    stop: Arc<AtomicBool>,
    figures: Arc<Figures>,
}

/// What is counted, since the start.
#[derive(Debug, Default)]
pub struct Figures {
    /// Backups made.
    pub made: AtomicU64,
    /// Backups that failed.
    pub failed: AtomicU64,
    /// When the newest in the folder was begun, in seconds since the epoch; 0: there is none.
    pub newest_s: AtomicU64,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Accounts in it.
    pub accounts: u64,
    /// When it was begun.
    pub at: UnixMicros,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Why no backup was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// As many as may wait for one. Nothing was done.
    #[error("a backup is being made, and others wait for theirs")]
    Busy,
    /// The server stops, or the store has no backups of this kind.
    #[error("no backups are made here now")]
    Closed,
    /// It failed; there is no file.
    #[error("the backup was not made: {0}")]
    Failed(String),
}

/// What backups are made of, and where they go.
pub struct BackupSettings {
    /// The server's folder.
    pub data: PathBuf,
    /// Where they go.
    pub folder: PathBuf,
    /// When they are made and how many are kept.
    pub schedule: Schedule,
    /// The program: version and commit.
    pub program: String,
}

enum Job {
    Make { with_secrets: bool, answer: oneshot::Sender<Result<Made, NotMade>> },
    Look,
}

impl Backups {
    /// Starts the thread. Without `accounts` it refuses everything.
    ///
    /// # Errors
    ///
    /// No thread to be had.
    pub fn start(
        settings: BackupSettings,
        accounts: Option<Arc<dyn Copies>>,
        clock: Clock,
    ) -> io::Result<Self> {
        let figures = Arc::new(Figures::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (jobs, inbox) = sync_channel(WAITING_MAX);
        let (ended, has_ended) = oneshot::channel();
        let is_open = accounts.is_some();
        if let Some(accounts) = accounts {
            let accounts = Stoppable { inner: accounts, stop: Arc::clone(&stop) };
            let started = clock.now();
            let desk = Desk { settings, accounts, clock, started, figures: Arc::clone(&figures) };
            let run = move || {
                // Not being allowed to step back costs others time, never correctness.
                let _ = rustix::process::setpriority_process(None, NICENESS);
                desk.run(&inbox);
                let _ = ended.send(());
            };
            std::thread::Builder::new().name("backups".into()).spawn(run)?;
        }
        Ok(Self(Arc::new(Inner {
            jobs: Mutex::new(is_open.then_some(jobs)),
            ended: Mutex::new(Some(has_ended)),
            stop,
            figures,
        })))
    }

    /// Makes a backup now and answers when it is on disk.
    ///
    /// # Errors
    ///
    /// See [`NotMade`].
    pub async fn make(&self, with_secrets: bool) -> Result<Made, NotMade> {
        let (answer, made) = oneshot::channel();
        let sent = match &*lock(&self.0.jobs) {
            Some(jobs) => jobs.try_send(Job::Make { with_secrets, answer }),
            None => return Err(NotMade::Closed),
        };
        match sent {
            Ok(()) => made.await.unwrap_or(Err(NotMade::Closed)),
            Err(TrySendError::Full(_)) => Err(NotMade::Busy),
            Err(TrySendError::Disconnected(_)) => Err(NotMade::Closed),
        }
    }

    /// Says that a clock turned by hand has moved on.
    pub fn time_has_passed(&self) {
        if let Some(jobs) = &*lock(&self.0.jobs) {
            // Full: it looks at the clock anyway when it has done what waits.
            let _ = jobs.try_send(Job::Look);
        }
    }

    /// What is counted.
    pub fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// Ends; what is being made is given up.
    pub async fn close(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
        drop(lock(&self.0.jobs).take());
        let ended = lock(&self.0.ended).take();
        if let Some(ended) = ended {
            // An error means that it has ended already.
            let _ = ended.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Desk {
    settings: BackupSettings,
    accounts: Stoppable,
    clock: Clock,
    started: UnixMicros,
    figures: Arc<Figures>,
}

impl Desk {
    fn run(&self, inbox: &Receiver<Job>) {
        // A failure is tried again at the next due time, not at every look.
        let mut last = self.look_around();
        loop {
            match inbox.recv_timeout(LOOK_EVERY) {
                Ok(Job::Make { with_secrets, answer }) => {
                    // Whoever asked may have gone; the backup is there all the same.
                    let _ = answer.send(self.make(with_secrets));
                    last = self.look_around();
                }
                Ok(Job::Look) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            let due = self.settings.schedule.due(last, self.started);
            if due.is_some_and(|due| due <= now) {
                let _ = self.make(false); // logged and counted
                last = Some(now);
            }
        }
    }

    /// Removes what is not kept; when the newest backup was begun.
    fn look_around(&self) -> Option<UnixMicros> {
        let names = names(&self.settings.folder);
        for name in self.settings.schedule.surplus(&names) {
            if let Err(error) = fs::remove_file(self.settings.folder.join(name)) {
                tracing::warn!(name, %error, "an old backup could not be removed");
            }
        }
        let newest = rules::newest(names.iter().map(String::as_str));
        self.figures.newest_s.store(newest.map_or(0, UnixMicros::as_secs), Ordering::Relaxed);
        newest
    }

    fn make(&self, with_secrets: bool) -> Result<Made, NotMade> {
        let at = self.clock.now();
        let made = self.write(at, with_secrets);
        match &made {
            Ok(made) => {
                let (file, bytes) = (made.path.display(), made.bytes);
                tracing::info!(%file, bytes, accounts = made.accounts, "backup made");
                self.look_around();
                self.figures.made.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                self.figures.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "no backup was made");
            }
        }
        made.map_err(|error| NotMade::Failed(error.to_string()))
    }

    fn write(&self, at: UnixMicros, with_secrets: bool) -> Result<Made, BackupError> {
        let BackupSettings { data, folder, program, .. } = &self.settings;
        let of_folder = |source| BackupError::Io { path: folder.clone(), source };
        fs::create_dir_all(folder).map_err(of_folder)?;
        let path = free_name(folder, at);
        let sources = Sources { data, accounts: &self.accounts, with_secrets, program };
        let written = backup::write(&path, sources, at)?;
        Ok(Made {
            path: fs::canonicalize(&path).unwrap_or(path),
            bytes: written.bytes,
            accounts: written.manifest.accounts,
            at,
            took_ms: self.clock.now().since_ms(at),
        })
    }
}

/// The name for a backup of this moment, or of the first second after it that has none.
fn free_name(folder: &Path, at: UnixMicros) -> PathBuf {
    let names = (0..).map(|after| folder.join(rules::name(at.plus_secs(after))));
    names.into_iter().find(|path| !path.exists()).unwrap_or_default()
}

/// The files of a folder; none when it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Copies until it is told to stop.
struct Stoppable {
    inner: Arc<dyn Copies>,
    stop: Arc<AtomicBool>,
}

struct StoppableCopying {
    inner: Box<dyn Copying>,
    stop: Arc<AtomicBool>,
}

impl Copies for Stoppable {
    fn begin(&self) -> Result<Box<dyn Copying>, StoreError> {
        let (inner, stop) = (self.inner.begin()?, Arc::clone(&self.stop));
        Ok(Box::new(StoppableCopying { inner, stop }))
    }
}

impl Copying for StoppableCopying {
    fn next_piece(&mut self) -> Result<Option<Piece>, StoreError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(StoreError::Abandoned);
        }
        self.inner.next_piece()
    }

    fn accounts(&self) -> u64 {
        self.inner.accounts()
    }
}
