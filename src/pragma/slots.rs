//! The slots API for game servers, on the partner gateway (login-queues §6). Ours: the engine it
//! stands in for has its own servers tell it.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{App, Fault, account, bearer, json as answer};
use crate::domain::queue::Departure;
use crate::domain::token::{BackendType, Claims};
use crate::signin::slots::InWorld;

/// What a partner token has to permit.
const PERMISSION: &str = "queue.slots.update";
/// Most players of one heartbeat.
const PLAYERS_MAX: usize = 10_000;

fn check(app: &App, request: &HttpRequest) -> Result<(), Fault> {
    match bearer::check(app, request.headers())? {
        claims if claims.backend() != BackendType::Game => Err(Fault::WrongSessionType),
        Claims::Partner(partner) if partner.permits(PERMISSION) => Ok(()),
        Claims::Partner(_) | Claims::Person(_) => Err(Fault::Forbidden),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| Fault::BadRequest)
}

/// `POST /v1/slots/redeem`: a pass for a session of the game server's own.
pub(super) async fn redeem(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    #[derive(Deserialize)]
    struct Ask<'a> {
        pass: &'a str,
        session: Uuid,
    }
    check(app, request)?;
    let ask: Ask<'_> = read(body)?;
    let pass = account::entrance(&app.door.tickets, &app.keys, ask.pass, app.door.clock.now())?;
    app.door.redeem_slot(&pass, ask.session).await?;
    let lease_s = app.config.queue.server_lease_s;
    Ok(answer(json!({"session": ask.session, "leaseSeconds": lease_s}).to_string()))
}

/// `POST /v1/slots/heartbeat`: everybody who is in the world now, within each lease; and, if it says
/// so, how the server is: 1 well, below 0.8 too much to do.
pub(super) async fn heartbeat(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    #[derive(Deserialize)]
    struct Ask {
        #[serde(default)]
        players: Vec<Uuid>,
        #[serde(default)]
        sessions: Vec<Uuid>,
        health: Option<f64>,
    }
    check(app, request)?;
    let ask: Ask = read(body)?;
    let players = ask.players.into_iter().map(InWorld::Player);
    let present: Vec<_> = players.chain(ask.sessions.into_iter().map(InWorld::Session)).collect();
    if present.len() > PLAYERS_MAX {
        return Err(Fault::TooLarge);
    }
    if let Some(health) = ask.health {
        if !(0.0..=1.0).contains(&health) {
            return Err(Fault::BadRequest);
        }
        app.door.hear_health(health);
    }
    let unknown = app.door.keep_slots(&present).await?;
    let lease_s = app.config.queue.server_lease_s;
    let counted = present.len() - unknown.len();
    Ok(answer(json!({"leaseSeconds": lease_s, "counted": counted, "unknown": unknown}).to_string()))
}

/// `POST /v1/slots/leave`: somebody has left the world. `quit` and `kick` free the slot at once,
/// `crash` holds it for grace, `transfer` for another lease.
pub(super) async fn leave(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    #[derive(Deserialize)]
    struct Ask {
        player: Option<Uuid>,
        session: Option<Uuid>,
        reason: Reason,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Reason {
        Quit,
        Kick,
        Crash,
        Transfer,
    }
    check(app, request)?;
    let ask: Ask = read(body)?;
    let who = match (ask.player, ask.session) {
        (Some(player), None) => InWorld::Player(player),
        (None, Some(session)) => InWorld::Session(session),
        _ => return Err(Fault::BadRequest),
    };
    let known = match ask.reason {
        Reason::Quit | Reason::Kick => app.door.leave_slot(who, Departure::Ended).await?,
        Reason::Crash => app.door.leave_slot(who, Departure::Dropped).await?,
        Reason::Transfer => app.door.keep_slots(&[who]).await?.is_empty(),
    };
    if known { Ok(answer("{}")) } else { Err(Fault::AccountNotFound) }
}
