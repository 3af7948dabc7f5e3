//! The thread that writes. It takes what waits, writes it at once, and then says what is on disk.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::disk::{Disk, LOG_HEAD};
use super::frame::Kind;
use super::opening::{Files, encode_numbers, encode_snapshot};
use super::place::{Place, RECORD};
use crate::domain::queue::{Number, Snapshot};

/// Most places that share one sync.
pub(super) const GROUP_MAX: usize = 4_096;

/// The log may be this much longer than twice what was alive in it when it was last rewritten.
const LOG_SLACK: u64 = 1 << 20;

/// What the writer is told to do.
#[derive(Debug)]
pub enum Order {
    /// Keep this place. The last one kept for a number counts.
    Place(Place),
    /// Reserve the numbers below this one.
    Reserve(Number),
    /// Keep this state of the line.
    Snapshot(Box<Snapshot>),
    /// Keep this state, note that the stop is an orderly one, and end.
    Close(Box<Snapshot>),
}

/// What is on disk, or why nothing is any more.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// So many more places, in the order they were given.
    Places(u64),
    /// The numbers below this one are reserved.
    Reserved(Number),
    /// The oldest snapshot not yet answered.
    Snapshot,
    /// Everything. The writer has ended.
    Closed,
    /// A write failed, and the writer has ended. Whatever was not confirmed may or may not be on
    /// disk, so the process has to stop.
    Failed(String),
}

/// The way to the writer's thread. Dropping it lets the thread finish what it was told and end.
#[derive(Debug)]
pub struct Writer(Sender<Order>);

/// The writer before it runs: orders given meanwhile wait for it.
#[derive(Debug)]
pub struct WriterThread<D> {
    desk: Desk<D>,
    inbox: Receiver<Order>,
}

impl<D: Disk> Files<D> {
    /// A writer for this folder, and its thread, to be started by whoever hears what is done.
    pub fn writer(self) -> (Writer, WriterThread<D>) {
        let (orders, inbox) = channel();
        let log_floor = self.log_bytes;
        let desk = Desk { files: self, log_floor, group: Vec::new() };
        (Writer(orders), WriterThread { desk, inbox })
    }
}

impl<D: Disk> WriterThread<D> {
    /// Starts to write. `done` is called on the writer's thread.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(self, done: impl Fn(Done) + Send + 'static) -> io::Result<()> {
        let Self { mut desk, inbox } = self;
        let run = move || {
            if let Err(error) = desk.run(&inbox, &done) {
                done(Done::Failed(error.to_string()));
            }
        };
        std::thread::Builder::new().name("line-writer".into()).spawn(run).map(drop)
    }
}

impl Writer {
    /// Tells the writer. After a failure orders go nowhere, and are never confirmed.
    ///
    /// What waits here is bounded by what its senders may have in flight: one record for each
    /// waiting ticket, one reservation, one snapshot and the operators' own.
    pub fn order(&self, order: Order) {
        // A writer that is gone has said why through `done`.
        let _ = self.0.send(order);
    }
}

#[derive(Debug)]
struct Desk<D> {
    files: Files<D>,
    log_floor: u64,
    group: Vec<Place>,
}

impl<D: Disk> Desk<D> {
    fn run(&mut self, inbox: &Receiver<Order>, done: &dyn Fn(Done)) -> io::Result<()> {
        while let Ok(first) = inbox.recv() {
            let mut next = Some(first);
            while let Some(order) = next.take() {
                if let Order::Place(place) = order {
                    self.group.push(place);
                } else {
                    self.write_group(done)?;
                    if self.obey(order, done)? {
                        return Ok(());
                    }
                }
                if self.group.len() < GROUP_MAX {
                    next = inbox.try_recv().ok();
                }
            }
            self.write_group(done)?;
        }
        Ok(())
    }

    /// One write and one sync for all places that came together.
    fn write_group(&mut self, done: &dyn Fn(Done)) -> io::Result<()> {
        let places = self.group.len() as u64;
        if places == 0 {
            return Ok(());
        }
        let bytes: Vec<u8> = self.group.drain(..).flat_map(Place::encode).collect();
        self.files.disk.append(&bytes)?;
        self.files.log_bytes += bytes.len() as u64;
        done(Done::Places(places));
        Ok(())
    }

    /// Returns whether this was the last order.
    fn obey(&mut self, order: Order, done: &dyn Fn(Done)) -> io::Result<bool> {
        match order {
            Order::Place(place) => self.group.push(place),
            Order::Reserve(until) => {
                self.write_numbers(false, until)?;
                done(Done::Reserved(until));
            }
            Order::Snapshot(snapshot) => {
                self.write_snapshot(&snapshot)?;
                done(Done::Snapshot);
                self.compact(&snapshot)?;
            }
            Order::Close(snapshot) => {
                self.write_snapshot(&snapshot)?;
                self.write_numbers(true, self.files.until)?;
                done(Done::Closed);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write_numbers(&mut self, clean: bool, until: Number) -> io::Result<()> {
        self.files.until = until;
        self.files.disk.replace(Kind::Numbers, &encode_numbers(self.files.epoch, clean, until))
    }

    fn write_snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let bytes = encode_snapshot(self.files.epoch, snapshot)?;
        self.files.disk.replace(Kind::Snapshot, &bytes)
    }

    /// Rewrites the log when most of it is about players who have left the line. Amortised: each
    /// byte is copied at most about once for each byte that was added.
    fn compact(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        if self.files.log_bytes <= self.log_floor.saturating_mul(2) + LOG_SLACK {
            return Ok(());
        }
        let before = self.files.log_bytes;
        let may_be_good = snapshot.may_be_good();
        let after = self.files.disk.rewrite(&mut |place| may_be_good(place.number))?;
        tracing::debug!(before, after, "line.log rewritten");
        self.files.log_bytes = after;
        self.log_floor = after.max((LOG_HEAD + RECORD) as u64);
        Ok(())
    }
}
