//! `/v1/operator/status`: what runs, since when, where, and how much of it; and one player's presence.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use uuid::Uuid;

use super::accounts::known;
use super::{App, Refusal, json, operator};
use crate::actors::CallError;
use crate::actors::session::Channel;
use crate::domain::account::AccountId;
use crate::observe::live::Seat;
use crate::observe::process::{Process, folder_bytes};
use crate::sse;

/// To see the server's state.
const SEE: &str = "server.status.get";
/// To see what players show.
const SEE_PRESENCE: &str = "friend.presence.get";
/// How often a watched player is looked at. One message to the board each time.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks without a change after which the stream says that it is there.
const BEAT_AFTER: u32 = 15;

#[derive(Serialize)]
struct Status {
    version: &'static str,
    /// The commit it was built from; `null`: not known.
    commit: Option<&'static str>,
    now_ms: u64,
    started_ms: u64,
    state: &'static str,
    dev: bool,
    listeners: Vec<Listener>,
    connections: Vec<Count>,
    sockets: Vec<Count>,
    /// Streams of the queue API, and of this one.
    streams: Streams,
    memory_bytes: Option<u64>,
    threads: Option<u64>,
    files_open: Option<u64>,
    files_max: Option<u64>,
    workers: usize,
    accounts: u64,
    store: Store,
    line: LineState,
    audit: AuditState,
}

#[derive(Serialize)]
struct Listener {
    name: String,
    address: String,
}

#[derive(Serialize)]
struct Count {
    kind: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Streams {
    queue: usize,
    operators: usize,
}

#[derive(Serialize)]
struct Store {
    accounts_bytes: u64,
    queue_bytes: u64,
    audit_bytes: u64,
    commits: u64,
    writes: u64,
    /// The moment of the last flush; `null`: none since the start.
    flushed_ms: Option<u64>,
    flush_max_us: u64,
}

#[derive(Serialize)]
struct LineState {
    epoch: u32,
    mode: &'static str,
    waiting: u64,
    journal_bytes: Option<u64>,
}

#[derive(Serialize)]
struct AuditState {
    written: u64,
    unrecorded: u64,
}

/// The server's state.
pub(super) async fn see(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let figures = app.steering.figures().await?;
    let (store, audit) = (app.door.store_figures(), app.audited.audit().figures());
    let data = app.door.config.server.data.clone();
    let bytes = tokio::task::spawn_blocking(move || {
        ["accounts", "queue", "audit"].map(|name| folder_bytes(&data.join(name)))
    });
    let [accounts_bytes, queue_bytes, audit_bytes] = bytes.await.unwrap_or_default();
    let process = Process::read();
    let flushed_ms = store.committed_ms.load(Ordering::Relaxed);
    let (_, state) = app.about.health.ready();
    let sockets = Channel::ALL.iter().zip(app.door.by_channel());
    let connections = crate::observe::PortKind::ALL.iter().zip(app.about.traffic.connections());
    let listeners = app.about.listeners.iter();
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("ANTEROOM_COMMIT"),
        now_ms: app.door.clock.now().as_millis(),
        started_ms: app.about.started_at.as_millis(),
        state,
        dev: app.door.config.dev,
        listeners: listeners
            .map(|(name, at)| Listener { name: name.clone(), address: at.to_string() })
            .collect(),
        connections: connections.map(|(of, count)| Count { kind: of.name(), count }).collect(),
        sockets: sockets.map(|(of, count)| Count { kind: of.name(), count }).collect(),
        streams: Streams { queue: (app.about.queue_streams)(), operators: app.live.open() },
        memory_bytes: process.memory_bytes,
        threads: process.threads,
        files_open: process.files_open,
        files_max: process.files_max,
        workers: app.about.workers,
        accounts: store.accounts.load(Ordering::Relaxed),
        store: Store {
            accounts_bytes,
            queue_bytes,
            audit_bytes,
            commits: store.commits.load(Ordering::Relaxed),
            writes: store.writes.load(Ordering::Relaxed),
            flushed_ms: (flushed_ms > 0).then_some(flushed_ms),
            flush_max_us: store.commit_us_max.load(Ordering::Relaxed),
        },
        line: LineState {
            epoch: app.door.frame().epoch,
            mode: figures.mode.name(),
            waiting: figures.waiting.iter().sum(),
            journal_bytes: app.steering.journal_bytes(),
        },
        audit: AuditState {
            written: audit.written.load(Ordering::Relaxed),
            unrecorded: audit.unrecorded.load(Ordering::Relaxed),
        },
    };
    Ok(json(StatusCode::OK, &status))
}

#[derive(PartialEq, Serialize)]
struct PresenceTold {
    id: Uuid,
    username: String,
    online: bool,
    /// The kinds of open sockets, one for each.
    sockets: Vec<&'static str>,
    /// Connections that show a status, the oldest first.
    shown: Vec<Shown>,
    /// Sessions of others that follow this player.
    followers: usize,
}

#[derive(PartialEq, Serialize)]
struct Shown {
    session: Uuid,
    status: String,
    rich: bool,
}

async fn look(app: &App, id: Uuid, username: &str) -> Result<PresenceTold, CallError> {
    let account = AccountId(id);
    let (shown, followers) = app.door.board.watched(account).await?;
    let shown = shown.into_iter().map(|it| Shown {
        session: it.session,
        status: it.status.to_string(),
        rich: it.rich.is_some(),
    });
    Ok(PresenceTold {
        id,
        username: username.to_owned(),
        online: app.door.is_online(account),
        sockets: app.door.channels(account).into_iter().map(Channel::name).collect(),
        shown: shown.collect(),
        followers,
    })
}

/// What one player shows now.
pub(super) async fn presence(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_PRESENCE).await?;
    let account = known(&app, *id).await?;
    Ok(json(StatusCode::OK, &look(&app, *id, &account.username).await?))
}

/// Somebody who watches one player.
struct Watch {
    app: App,
    seat: Seat,
    id: Uuid,
    username: String,
    told: Option<PresenceTold>,
    quiet: u32,
}

/// The same, and again when it changes.
pub(super) async fn watch_presence(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_PRESENCE).await?;
    let account = known(&app, *id).await?;
    let seat = app.live.seat().ok_or(Refusal::NoRoom)?;
    let (app, username) = ((**app).clone(), account.username);
    let watch = Watch { app, seat, id: *id, username, told: None, quiet: 0 };
    let events =
        stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) });
    Ok(sse::response(events))
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.told.is_some() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    () = self.seat.ended() => return None,
                }
            }
            let now = look(&self.app, self.id, &self.username).await.ok()?;
            self.quiet += 1;
            if self.told.as_ref() != Some(&now) {
                let data = serde_json::to_vec(&now).ok()?;
                (self.told, self.quiet) = (Some(now), 0);
                return Some(sse::event("presence", &data.into()));
            }
            if self.quiet >= BEAT_AFTER {
                self.quiet = 0;
                return Some(sse::BEAT);
            }
        }
    }
}
