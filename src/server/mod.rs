//! Puts the parts together; start and stop order. The one place that knows everybody.
//!
//! Start: folder → secrets → accounts (the store cleans up after a crash) → audit chain → line (as it was, with
//! the redemptions the registry knows) → sockets → listeners → ready. Stop: not ready → sockets,
//! spread over time → listeners and requests → backups → line (a clean snapshot) → accounts → audit chain
//! → spans of the last requests. When
//! the store, the line or the chain fails, the process ends: what it said last may not be true.

mod accepting;
mod beacon;
mod listeners;
mod metrics;
mod observed;
mod opening;
mod parts;
mod pragma_ports;
mod sampler;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;

use crate::actors::{Accounts, Audit, Backups, CallError, Line, SessionDoor};
use crate::clock::{Clock, Stopwatch};
use crate::config::origin::Changed;
use crate::config::pragma::PortOf;
use crate::config::{Config, QueueConfig};
use crate::domain::audit::Who;
use crate::domain::queue::{Announcement, Figures};
use crate::domain::session::Returning;
use crate::identity::OwnProvider;
use crate::ids::Dice;
use crate::nakama;
use crate::observe::Live;
use crate::observe::health::Stage;
use crate::queue_api::stream::Streams;
use crate::signin::{AccountHooks, SharedGuard};
use parts::Running;
use sampler::Sampler;

use crate::signin::reloading::Reloader;
pub use crate::signin::reloading::{ReloadError, Reloaded};
pub use crate::signin::steering::SteerError;
use crate::signin::steering::Steering;
pub use parts::StartError;

/// What connections get at the end of a drain, however long sockets took.
const REST_MIN: Duration = Duration::from_millis(250);

/// A server that is bound to its ports and opened its data, not yet answering.
pub struct Bound {
    running: Running,
    sampler: Sampler,
    listeners: listeners::Listeners,
}

/// A server that had to stop. The log says more.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed: what was asked last may or may not be done.
    #[error("the account store failed: {0}")]
    Accounts(crate::store::StoreError),
    /// The line failed.
    #[error("the login queue failed: {0}")]
    Line(String),
    /// The audit chain failed.
    #[error("the audit chain failed: {0}")]
    Audit(String),
    /// The listeners failed.
    #[error("the HTTP server failed: {0}")]
    Http(std::io::Error),
}

/// What an operator turns while the server runs. Cheap to clone.
#[derive(Clone)]
pub struct Dials {
    line: Line,
    steering: Steering,
    reloader: Reloader,
    sockets: SessionDoor,
    backups: Backups,
    guard: Arc<SharedGuard>,
    sampler: Sampler,
}

/// Opens data and ports.
///
/// # Errors
///
/// See [`StartError`]; nothing is left half open.
pub async fn bind(config: Config, clock: Clock, dice: Dice) -> Result<Bound, StartError> {
    bind_with(config, clock, dice, Own::default()).await
}

/// What a studio compiles in.
#[derive(Default)]
pub struct Own {
    /// Identity providers (`docs/own-identity-provider.md`).
    pub providers: Vec<Arc<dyn OwnProvider>>,
    /// Who is asked and told about accounts (`docs/hooks.md`), instead of `hooks.url`.
    pub hooks: Option<Arc<dyn AccountHooks>>,
}

/// The same with parts of the studio's own.
///
/// # Errors
///
/// As [`bind`].
pub async fn bind_with(
    config: Config,
    clock: Clock,
    dice: Dice,
    own: Own,
) -> Result<Bound, StartError> {
    let sockets = listeners::bind(&config)?;
    // Boxed: the settings are in it more than once.
    let running = Box::pin(Running::open(config, clock, dice, own)).await?;
    let listeners = sockets.serve(&running)?;
    let sampler = Sampler::new(&running);
    Ok(Bound { running, sampler, listeners })
}

impl Bound {
    /// Where players connect.
    pub const fn player_address(&self) -> SocketAddr {
        self.listeners.players
    }

    /// Where operators connect.
    pub const fn operators_address(&self) -> SocketAddr {
        self.listeners.operators
    }

    /// Where game servers connect.
    pub const fn partners_address(&self) -> SocketAddr {
        self.listeners.partners
    }

    /// Pragma's own ports, where they are open.
    pub fn pragma_ports(&self) -> &[(PortOf, SocketAddr)] {
        &self.listeners.pragma
    }

    /// Where players who speak gRPC connect.
    pub const fn grpc_address(&self) -> SocketAddr {
        self.listeners.grpc
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.running.config
    }

    /// The server key that was made just now, on the first run.
    pub fn new_server_key(&self) -> Option<&str> {
        self.running.first_run.then_some(self.running.server_key.as_str())
    }

    /// The server key in force.
    pub fn server_key(&self) -> &str {
        &self.running.server_key
    }

    /// A code by which the first operator is made, in place of an earlier one; `None`: there is an
    /// operator already.
    pub fn new_setup_code(&self) -> Option<String> {
        self.running.operators.new_setup_code()
    }

    /// What an operator turns.
    pub fn dials(&self) -> Dials {
        Dials {
            line: self.running.line.clone(),
            steering: self.running.steering.clone(),
            reloader: self.running.reloader.clone(),
            sockets: self.running.sockets.clone(),
            backups: self.running.backups.clone(),
            guard: Arc::clone(&self.running.door.guard),
            sampler: self.sampler.clone(),
        }
    }

    /// Serves until `stop` resolves or a part fails; on return the data folder is closed.
    ///
    /// # Errors
    ///
    /// A part failed: the process should end with an error and start again from what is on disk.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { running, sampler, listeners } = self;
        // A clock that is turned by hand says itself when a second has passed.
        if !running.door.clock.is_manual() {
            actix_rt::spawn(sampler.run());
            actix_rt::spawn(watching::certificate(running.reloader.clone()));
        }
        let handle = listeners.server.handle();
        actix_rt::spawn(watching::run(running.reloader.clone()));
        let mut serving = actix_rt::spawn(listeners.server);
        running.health.set(Stage::Ready);
        let sending =
            (running.sockets.clone(), running.queue_api.streams.clone(), running.live.clone());
        let (mut accounts_stopped, mut line_stopped) =
            (running.accounts_stopped, running.line_stopped);
        let mut audit_failed = running.audit_failed;
        let outcome = tokio::select! {
            () = stop => Ok(()),
            ended = &mut accounts_stopped => ended.map_err(RunError::Accounts),
            ended = &mut line_stopped => match ended {
                crate::actors::login_queue::Ended::Closed => Ok(()),
                crate::actors::login_queue::Ended::Failed(why) => Err(RunError::Line(why)),
            },
            Ok(why) = &mut audit_failed => Err(RunError::Audit(why)),
            served = &mut serving => match served {
                Ok(Err(error)) => Err(RunError::Http(error)),
                _ => Ok(()),
            },
        };
        running.health.set(Stage::Draining);
        if outcome.is_err() {
            // Nobody may be told anything more: what is in memory may not be on the disk.
            handle.stop(false).await;
            return outcome;
        }
        leave(&running.config, &sending, &listeners.leave, &handle).await;
        running.backups.close().await;
        close(&running.line, &running.accounts, &running.audit).await;
        running.door.hooks().finish().await;
        running.access.tracer().close().await;
        Ok(())
    }
}

/// Sends everybody away, each with a time to come back, within `server.drain_s`.
async fn leave(
    config: &Config,
    (sockets, streams, live): &(SessionDoor, Streams, Live),
    grpc: &nakama::grpc::Leave,
    http: &ServerHandle,
) {
    let (server, queue) = (&config.server, &config.queue);
    let bound = Duration::from_secs(server.drain_s);
    let ms = |seconds: u64| seconds.saturating_mul(1_000);
    // Who holds no slot for long after a drop keeps none by coming sooner.
    let holds = [queue.grace_s, queue.lease_s].into_iter().filter(|seconds| *seconds > 0).min();
    let returning = Returning::new(
        ms(server.drain_s) / 2,
        ms(server.return_after_s),
        ms(server.return_spread_s),
        holds.map(|seconds| ms(seconds.into())),
    );
    let watch = Stopwatch::start();
    // Sockets live on the HTTP workers, which do not wait for them: they go first, while those who ask
    // are answered and told when to come back.
    let left = sockets.drain(bound / 2, bound / 4 * 3, returning);
    // Streams would keep the workers waiting; they are told the same.
    let streams = async {
        streams.leave();
        live.leave();
    };
    let (left, ()) = tokio::join!(left, streams);
    if left > 0 {
        tracing::warn!(sockets = left, "sockets were cut off at the end of the drain");
    }
    // Calls that run are finished; clients open no more of them on connections they have.
    grpc.now();
    let rest = bound.saturating_sub(Duration::from_micros(watch.elapsed_us()));
    if tokio::time::timeout(rest.max(REST_MIN), http.stop(true)).await.is_err() {
        tracing::warn!("connections were cut off at the end of the drain");
    }
}

/// The line first: what it does last may still ask the registry nothing, and its clean snapshot
/// makes the next start exact. The chain last: the line puts on record who came in.
async fn close(line: &Line, accounts: &Accounts, audit: &Audit) {
    line.close().await;
    accounts.close().await;
    audit.close().await;
}

impl Dials {
    /// Reads the settings again and applies what changes while the server runs. Settings that cannot be
    /// used change nothing.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let done = self.reloader.reload(Who::Settings).await?;
        let keys = |list: &[Changed]| list.iter().map(|it| it.key.clone()).collect::<Vec<_>>();
        let (changed, needs_restart) = (keys(&done.changed), keys(&done.needs_restart));
        tracing::info!(?changed, ?needs_restart, "settings reloaded");
        Ok(done)
    }

    /// Applies rate, cap, pause and opening to the line that stands, and what is done about abuse.
    /// Places are kept.
    pub async fn apply(&self, queue: &QueueConfig) {
        self.guard.set(queue);
        match self.steering.apply(queue).await {
            Ok(()) => tracing::info!(queue.rate, queue.cap, queue.paused, "queue settings applied"),
            Err(error) => tracing::error!(%error, "queue settings were not applied"),
        }
    }

    /// Opens, pauses, drains or closes the line, with an end and words. Places are kept.
    ///
    /// # Errors
    ///
    /// It cannot be put on record, or no answer in time; saying it again is safe.
    pub async fn announce(&self, announced: Announcement) -> Result<(), SteerError> {
        self.steering.announce(announced).await
    }

    /// Says that a clock turned by hand has moved on. Not needed with the machine's clock.
    pub async fn turn(&self) {
        self.line.turn().await;
        self.sockets.time_has_passed();
        self.backups.time_has_passed();
        self.reloader.look_at_certificate().await;
        self.sampler.take().await;
    }

    /// The line's figures.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn figures(&self) -> Result<Figures, CallError> {
        self.line.figures().await
    }
}
