//! How a line comes to life: from disk, into the rules, onto a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};

use actix::{Actor, Addr, WeakAddr};
use aws_lc_rs::hmac;
use tokio::sync::{oneshot, watch};

use super::actor::{LoginQueue, Parts, Written};
use super::block::{BLOCK_MIN, Block};
use super::callers::Callers;
use super::doors::Doors;
use super::holders::{Holders, Publisher};
use super::lottery::{Desk, Stepped};
use super::out_of_turn::Clerk;
use super::posted::Poster;
use super::scribe::Scribe;
use super::sensors::Sensors;
use super::stopped::{self, Stopped};
use super::unsynced::Unsynced;
use super::{Inner, Line};
use crate::actors::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::queue::journal::Recorder;
use crate::domain::queue::{
    Announcement, Number, Opening, Player, Queue, Recovery, Settings, Standing,
};
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::store::journal::{self, Journal};
use crate::store::line::{self, Disk, Done, Files, Found, LineFileError, Place, Start};

use crate::store::lottery::{self, Lotteries, LotteryFileError};

/// The line's folder inside the server's.
const FOLDER: &str = "queue";

/// What a line needs from the dice and the secrets.
#[derive(Clone)]
pub struct LineSeeds {
    /// Random: the epoch of a line that starts anew.
    pub epoch: u32,
    /// Secret and kept: the key of [`Line::identity`]. Another key makes everybody who waits by an
    /// implicit ticket a stranger.
    pub identity_key: [u8; 16],
    /// Whether a line may have been lost with its files: the keys are older than this start.
    pub kept: bool,
    /// For what is secret until a lottery is drawn.
    pub dice: Dice,
}

impl std::fmt::Debug for LineSeeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineSeeds").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// A pass the registry knows to be redeemed, from before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Epoch of the pass.
    pub epoch: u32,
    /// Its number.
    pub number: Number,
    /// Who signed in with it.
    pub player: Player,
}

/// Why a line cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Its files.
    #[error(transparent)]
    Files(#[from] LineFileError),
    /// The folder of lotteries.
    #[error(transparent)]
    Lotteries(#[from] LotteryFileError),
    /// Its thread or its loop.
    #[error("cannot start the login queue's thread: {0}")]
    Thread(io::Error),
}

impl Line {
    /// Opens the line in `data/queue`, as it was left or anew, on a thread of its own. Blocks for a
    /// few writes to disk. The process must end when the second of the pair says
    /// [`super::Ended::Failed`].
    ///
    /// # Errors
    ///
    /// Files of a newer version, a folder that cannot be used, no thread to be had.
    pub fn open(
        config: &Config,
        data: &Path,
        clock: Clock,
        seeds: &LineSeeds,
        redeemed: &[Redeemed],
        audit: &Audit,
    ) -> Result<(Self, Stopped), LineError> {
        let folder = data.join(FOLDER);
        let opened = line::open(&folder)?;
        let lotteries = Lotteries::open(&data.join(lottery::FOLDER))?;
        let settings = config.queue.settings();
        let mut ready = Ready::prepare(&settings, opened, seeds, redeemed, lotteries, clock.now())
            .map_err(LineFileError::Io)?;
        ready.journal = open_journal(config, folder.join(journal::FOLDER));
        ready.run(config, clock, seeds, audit, |files| files)
    }
}

/// A line that is on disk and not yet running.
pub(super) struct Ready {
    pub(super) files: Files,
    queue: Queue,
    block: Block,
    unsynced: Unsynced,
    lotteries: Lotteries,
    journal: Option<Journal>,
}

impl Ready {
    pub(super) fn prepare(
        settings: &Settings,
        (mut files, found): (Files, Found),
        seeds: &LineSeeds,
        redeemed: &[Redeemed],
        lotteries: Lotteries,
        now: UnixMicros,
    ) -> io::Result<Self> {
        let carried = found.carried;
        let (mut queue, reserved) = match found.start {
            Start::Continue { snapshot, reserved_until, clean, places } => {
                let of_this_line = redeemed.iter().filter(|pass| pass.epoch == files.epoch());
                let recovery = Recovery {
                    clean,
                    reserved_until,
                    places: places.into_iter().map(|p| (p.number, p.identity, p.lane)).collect(),
                    redeemed: of_this_line.map(|pass| (pass.number, pass.player)).collect(),
                    order: published_order(&lotteries, snapshot.opening()),
                };
                let queue = Queue::restore(settings.clone(), *snapshot, recovery, now);
                // A crash right after the line began anew: its numbers do not begin at 0.
                let reserved = reserved_until.max(queue.next_number());
                (queue, reserved)
            }
            Start::Empty { used } => {
                let mut epoch = seeds.epoch;
                while used.contains(&epoch) {
                    epoch = epoch.wrapping_add(1);
                }
                let mut queue = Queue::new(settings.clone(), epoch, now);
                if seeds.kept {
                    queue.expect_returners(now);
                }
                let snapshot = queue.snapshot(now);
                files.begin(epoch, &snapshot)?;
                (queue, snapshot.next_number())
            }
        };
        let size = BLOCK_MIN.max(carried.len() as u64 * 2);
        let until = Number(reserved.0.saturating_add(size));
        files.reserve(until)?;
        queue.grant_numbers(until);
        let taken = take_anew(&mut queue, &carried, now);
        files.begin_log(&taken)?;
        let block = Block::new(until, size, now);
        let unsynced = Unsynced::default();
        Ok(Self { files, queue, block, unsynced, lotteries, journal: None })
    }

    pub(super) fn run<D: Disk>(
        self,
        config: &Config,
        clock: Clock,
        seeds: &LineSeeds,
        audit: &Audit,
        disk: impl FnOnce(Files) -> Files<D>,
    ) -> Result<(Line, Stopped), LineError> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let Self { files, queue, block, unsynced, lotteries, journal } = self;
        let scribe = Scribe::new(journal);
        let journal = scribe.figures();
        let (writer, writer_thread) = disk(files).writer();
        let (farewell, stopped) = stopped::pair();
        let (thread, over) = oneshot::channel();
        let holders = Holders::default();
        let (poster, frames) = Poster::new(&queue);
        let sensors = Arc::new(Sensors::default());
        let connect_window_ms = config.queue.settings().connect_window_ms;
        let record = queue.opening().lottery().and_then(|id| lotteries.record(id).ok());
        let (notice, watcher) = watch::channel(Arc::default());
        let (published, relay) = (lotteries.reader(), Relay::default());
        let told = Arc::clone(&relay);
        let lottery_desk =
            Desk::start(lotteries, seeds.dice.clone(), move |stepped| tell_step(&told, stepped))
                .map_err(LineError::Thread)?;
        let parts = Parts {
            doors: Doors::new(lottery_desk, audit.clone(), notice, record),
            scribe,
            clerk: Clerk::new(audit.clone(), queue.epoch()),
            queue: Recorder::new(queue),
            clock: clock.clone(),
            writer,
            block,
            unsynced,
            holders: Publisher(holders.clone()),
            poster,
            sensors: Arc::clone(&sensors),
            snapshot_every_us: u64::from(config.queue.snapshot_s) * 1_000_000,
            server_lease_ms: u64::from(config.queue.server_lease_s) * 1_000,
            mailbox: config.limits.callers_max,
            farewell,
            thread,
        };
        let addr = start_thread(parts, over).map_err(LineError::Thread)?;
        drop(relay.set(addr.downgrade()));
        writer_thread.start(tell(addr.downgrade())).map_err(LineError::Thread)?;
        let line = Line(Arc::new(Inner {
            addr,
            clock,
            holders,
            posted: frames,
            journal,
            sensors,
            notice: watcher,
            lotteries: published,
            connect_window_ms,
            callers: Callers::new(config.limits.callers_max),
            identity_key: hmac::Key::new(hmac::HMAC_SHA256, &seeds.identity_key),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        }));
        Ok((line, stopped))
    }
}

/// The journal, if there is to be one. The line does without one that cannot be written.
fn open_journal(config: &Config, folder: PathBuf) -> Option<Journal> {
    let bounds = config.queue.journal()?;
    let journal = Journal::open(folder, bounds);
    journal.inspect_err(|error| tracing::warn!(%error, "the line goes on without a journal")).ok()
}

/// Takes the places of an earlier epoch anew, in their old order, while nobody is admitted.
fn take_anew(queue: &mut Queue, carried: &[Place], now: UnixMicros) -> Vec<Place> {
    if carried.is_empty() {
        return Vec::new();
    }
    let announced = queue.announcement().clone();
    queue.announce(now, Announcement::pause());
    let taken = carried
        .iter()
        .filter_map(|place| match queue.enter(now, place.identity, place.lane) {
            Standing::Waiting(waiting) => Some(Place { number: waiting.ticket.number, ..*place }),
            _ => None,
        })
        .collect();
    queue.announce(now, announced);
    taken
}

/// Starts the actor on its own thread, which ends with it.
fn start_thread(parts: Parts, over: oneshot::Receiver<()>) -> io::Result<Addr<LoginQueue>> {
    let (sender, started) = mpsc::channel();
    let run = async move {
        let addr = LoginQueue::create(|ctx| {
            // Before anybody can send: the default takes sixteen.
            ctx.set_mailbox_capacity(parts.mailbox);
            LoginQueue::new(parts)
        });
        // Nobody waits for it only if this very function has returned.
        let _ = sender.send(addr);
        // An error is how it ends: the actor has dropped the other end.
        let _ = over.await;
    };
    std::thread::Builder::new()
        .name("login-queue".into())
        .spawn(move || actix::System::new().block_on(run))?;
    started.recv().map_err(|_| io::Error::other("its event loop did not start"))
}

/// The order of the lottery a snapshot speaks of, if it is drawn.
fn published_order(lotteries: &Lotteries, opening: &Opening) -> Option<Vec<Number>> {
    let (Opening::Drawing(range) | Opening::Drawn(range)) = opening else { return None };
    match lotteries.order(&range.lottery) {
        Ok(order) => order.map(|order| order.into_iter().map(Number).collect()),
        Err(error) => {
            tracing::error!(%error, "the order of a lottery cannot be read");
            None
        }
    }
}

/// The actor's address, once it is there.
type Relay = Arc<OnceLock<WeakAddr<LoginQueue>>>;

/// How the lottery's thread tells the actor, which has asked it for a step.
fn tell_step(line: &Relay, stepped: Stepped) {
    // The first step may be done before the actor's address is known here.
    if let Some(line) = line.wait().upgrade() {
        #[expect(clippy::disallowed_methods, reason = "must not be lost; one for each step")]
        line.do_send(stepped);
    }
}

/// How the writer's thread tells the actor. It must not keep an abandoned line alive.
fn tell(line: WeakAddr<LoginQueue>) -> impl Fn(Done) + Send {
    move |done| {
        if let Some(line) = line.upgrade() {
            #[expect(
                clippy::disallowed_methods,
                reason = "must not be lost; there are no more of them than orders"
            )]
            line.do_send(Written(done));
        }
    }
}
