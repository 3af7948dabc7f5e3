//! The thread that writes the journal, and the way to it, which never waits.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::form::{Kind, PREFIX, record_head};
use super::reading::{EXTENSION, files, head_of};
use super::{Head, JournalError};
use crate::domain::queue::journal::Bounds;
use crate::domain::time::UnixMicros;

/// Orders that may wait for the disk. Blocks are written once a second, or when they have some ten
/// kilobytes: a minute of a quiet line, some seconds of a busy one.
const WAITING_MAX: usize = 64;

/// What is counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Bytes of all segments on disk.
    pub bytes: AtomicU64,
    /// Gaps since the start.
    pub gaps: AtomicU64,
    /// The thread could not write a segment and waits for the next one.
    failed: AtomicBool,
}

impl Figures {
    /// Whether the segment that was begun last could not be written.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }
}

#[derive(Debug)]
enum Order {
    Begin(Head, Vec<u8>),
    Block(Vec<u8>),
}

/// The way to the journal. Dropping it lets the thread finish what it was told and end.
#[derive(Debug)]
pub struct Journal {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
    figures: Arc<Figures>,
    bounds: Bounds,
}

impl Journal {
    /// Opens the folder, making it if need be, and starts the thread.
    ///
    /// # Errors
    ///
    /// A folder that cannot be used, no thread to be had.
    pub fn open(folder: PathBuf, bounds: Bounds) -> Result<Self, JournalError> {
        fs::create_dir_all(&folder)?;
        let found = files(&folder)?;
        let serial = found.last().map_or(0, |(_, serial)| serial + 1);
        let mut kept = VecDeque::new();
        for (path, _) in found {
            let bytes = fs::metadata(&path)?.len();
            // What cannot be read is as old as can be.
            let began_at = head_of(&path).map_or(UnixMicros(0), |head| head.began_at);
            kept.push_back(Kept { path, bytes, began_at });
        }
        let figures = Arc::new(Figures::default());
        let desk = Desk { folder, serial, kept, file: None, bounds, figures: Arc::clone(&figures) };
        desk.count();
        let (orders, inbox) = sync_channel(WAITING_MAX);
        let builder = std::thread::Builder::new().name("line-journal".into());
        let thread = builder.spawn(move || desk.run(&inbox))?;
        Ok(Self { orders: Some(orders), thread: Some(thread), figures, bounds })
    }

    /// What the journal may take.
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What is counted.
    pub const fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Begins a segment with the whole state of the line. `false`: too much waits for the disk.
    pub fn begin(&self, head: Head, state: Vec<u8>) -> bool {
        self.figures.failed.store(false, Relaxed);
        self.order(Order::Begin(head, state))
    }

    /// Adds a block to the segment. `false`: it is lost, because too much waits for the disk or the
    /// disk has failed; nothing more must be added before the next segment.
    pub fn add(&self, block: Vec<u8>) -> bool {
        !self.figures.has_failed() && self.order(Order::Block(block))
    }

    /// Waits until everything is with the system.
    pub fn close(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It said why if it failed.
            let _ = thread.join();
        }
    }

    fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    began_at: UnixMicros,
}

#[derive(Debug)]
struct Desk {
    folder: PathBuf,
    /// Of the next segment.
    serial: u64,
    /// Oldest first; the last one is being written.
    kept: VecDeque<Kept>,
    file: Option<File>,
    bounds: Bounds,
    figures: Arc<Figures>,
}

impl Desk {
    fn run(mut self, inbox: &Receiver<Order>) {
        while let Ok(order) = inbox.recv() {
            let done = match order {
                Order::Begin(head, state) => self.begin(&head, &state),
                Order::Block(block) => self.write(Kind::Block, &block),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "the journal of the line cannot be written: it has a gap");
                self.file = None;
                self.figures.failed.store(true, Relaxed);
            }
            self.count();
        }
    }

    fn begin(&mut self, head: &Head, state: &[u8]) -> io::Result<()> {
        self.file = None;
        let inputs = self.bounds.segment_bytes().max(state.len() as u64);
        self.make_room(head.began_at, inputs + state.len() as u64)?;
        let path = self.folder.join(format!("{:010}.{EXTENSION}", self.serial));
        self.serial += 1;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        self.kept.push_back(Kept { path, bytes: PREFIX.len() as u64, began_at: head.began_at });
        file.write_all(&PREFIX)?;
        self.file = Some(file);
        self.write(Kind::Head, &postcard::to_stdvec(head).map_err(io::Error::other)?)?;
        self.write(Kind::State, state)
    }

    fn write(&mut self, kind: Kind, body: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let head = record_head(kind, body);
        file.write_all(&head)?;
        file.write_all(body)?;
        if let Some(current) = self.kept.back_mut() {
            current.bytes += (head.len() + body.len()) as u64;
        }
        Ok(())
    }

    /// Removes what is too old, and the oldest until so many bytes fit.
    fn make_room(&mut self, now: UnixMicros, bytes: u64) -> io::Result<()> {
        if bytes > self.bounds.bytes_max {
            return Err(io::Error::other("one segment would be longer than queue.journal_mb"));
        }
        loop {
            let fits = self.bytes() + bytes <= self.bounds.bytes_max;
            // A segment ends where the next one begins.
            let ended_at = self.kept.get(1).map_or(now, |next| next.began_at);
            let Some(oldest) = self.kept.front() else { return Ok(()) };
            if fits && now.since_us(ended_at) <= self.bounds.keep_us {
                return Ok(());
            }
            match fs::remove_file(&oldest.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => drop(self.kept.pop_front()),
            }
        }
    }

    fn bytes(&self) -> u64 {
        self.kept.iter().map(|kept| kept.bytes).sum()
    }

    fn count(&self) {
        self.figures.bytes.store(self.bytes(), Relaxed);
    }
}
