//! `/v1/rpc` as a WebSocket: who gets in, and what is said (protocol-pragma §10).

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

use actix_http::RequestHead;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{self, Answer, Step, Then, Via};
use super::envelope::{self, Request, Unreadable};
use crate::actors::session::{
    Channel, Denied, Dialect, Effect, Inbound, Others, Outbound, Shared, SocketLimits, SocketRoute,
    Welcome,
};
use crate::config::pragma::BackendMode;
use crate::domain::account::AccountId;
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;
use crate::domain::token::PlayerClaims;
use crate::domain::token::player::{Backend, SKEW_S};
use crate::ids::Dice;
use crate::pragma::{App, Fault, accepts_json, bearer};

/// Messages waiting for a client that does not read; then it is closed.
const OUTBOX_MESSAGES: usize = 256;
/// Bytes waiting for a client that does not read.
const OUTBOX_BYTES: usize = 64 * 1024;
/// Requests a second one socket may make; a real client makes a few.
const MESSAGES_PER_SECOND: u32 = 50;
/// Players one socket may follow: more than any friend list holds.
const FOLLOWS_MAX: usize = 1_000;

/// The path at which Pragma's sockets open, for both backends: the token says which.
pub struct Route {
    app: App,
}

impl Route {
    /// The route over what the front end stands on.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

impl SocketRoute for Route {
    fn path(&self) -> &'static str {
        "/v1/rpc"
    }

    fn admit(
        &self,
        head: &RequestHead,
        _peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Welcome, Denied>>>> {
        let admitted =
            admit(&self.app, head).map_err(|fault| fault.denied(self.app.door.dice.uuid()));
        Box::pin(std::future::ready(admitted))
    }
}

fn admit(app: &App, head: &RequestHead) -> Result<Welcome, Fault> {
    if !accepts_json(head.headers()) {
        return Err(Fault::NotAcceptable);
    }
    let claims = bearer::check(app, head.headers())?;
    let (channel, holds_slot) = match claims.session.backend {
        Backend::Social => (Channel::PragmaSocial, false),
        Backend::Game { .. } => (Channel::PragmaGame, true),
    };
    // A client that reconnects takes over its own, lost socket; anybody else usurps (§10.7).
    let reconnects = head.headers().contains_key("pragma-reconnect");
    let reason = if reconnects { CloseReason::Dropped } else { CloseReason::Usurped };
    let config = &app.config.pragma;
    let session = app.door.dice.uuid();
    Ok(Welcome {
        account: AccountId(claims.session.social_id),
        session,
        username: claims.session.display_name.as_str().into(),
        online: false,
        token: claims.jti,
        issued_at_us: claims.issued_at_us,
        expires_at: Some(claims.expires_at.plus_secs(SKEW_S)),
        holds_slot,
        when_full: |retry_after_s| Fault::Full { retry_after_s }.denied(Uuid::nil()),
        others: Others::Close(reason),
        channel,
        limits: SocketLimits {
            message_max_bytes: config.message_max_bytes,
            outbox_messages: OUTBOX_MESSAGES,
            outbox_bytes: OUTBOX_BYTES,
            ping_period_ms: None,
            idle_ms: config.idle_timeout_s.saturating_mul(1_000),
            messages_per_second: MESSAGES_PER_SECOND,
            follows_max: FOLLOWS_MAX,
        },
        dialect: Box::new(Spoken {
            voice: Voice::new(app, session, &claims),
            claims,
            app: app.clone(),
        }),
    })
}

/// Pragma's dialect over one socket.
struct Spoken {
    app: App,
    claims: PlayerClaims,
    voice: Voice,
}

impl Dialect for Spoken {
    fn opened(&mut self, _now: UnixMicros) -> Vec<Effect> {
        Vec::new()
    }

    fn message(&mut self, message: Inbound, _now: UnixMicros) -> Vec<Effect> {
        let Inbound::Text(text) = message else {
            return vec![Effect::Close(CloseReason::WrongFrame)];
        };
        let request = match Request::read(&text) {
            Ok(request) => request,
            Err(Unreadable::NotJson) => return vec![Effect::Close(CloseReason::Malformed)],
            Err(Unreadable::Shape(id)) => {
                return vec![self.voice.refuse(id, Fault::BadParam)];
            }
        };
        match calls::call(&self.app, &self.claims, Via::Socket, &request) {
            Step::Now(answer) => self.voice.answer(&request, answer),
            Step::Later(answer) => {
                let voice = self.voice.clone();
                vec![Effect::Call(Box::pin(async move { voice.answer(&request, answer.await) }))]
            }
        }
    }

    /// Friends and their presence are told by messages of their own, none of which exists yet.
    fn event(&mut self, _event: &Shared) -> Option<Outbound> {
        None
    }

    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        self.voice.farewell(reason)
    }
}

/// Writes what a socket says, numbering it from 0 without gaps (§2.2).
#[derive(Clone)]
struct Voice {
    next: Rc<Cell<u64>>,
    /// The `playerSession` of a farewell.
    session: Rc<Value>,
    /// Whether errors carry details.
    explains: bool,
    dice: Dice,
}

impl Voice {
    fn new(app: &App, session: Uuid, claims: &PlayerClaims) -> Self {
        let explains = app.config.pragma.backend_mode == BackendMode::Development;
        Self::of(session, claims, explains, app.door.dice.clone())
    }

    fn of(session: Uuid, claims: &PlayerClaims, explains: bool, dice: Dice) -> Self {
        let who = &claims.session;
        let pragma_id = match who.backend {
            Backend::Social => who.social_id,
            Backend::Game { player, .. } => player,
        };
        let session = json!({
            "pragmaId": pragma_id,
            "sessionId": session,
            "displayName":
                {"displayName": who.display_name, "discriminator": who.discriminator_text()},
            "attributes": {},
            "version": 1,
            "socialId": who.social_id,
        });
        Self { next: Rc::default(), session: Rc::new(session), explains, dice }
    }

    fn say(&self, body: (&'static str, Value)) -> Outbound {
        let sequence = self.next.get();
        self.next.set(sequence + 1);
        Outbound::Text(Bytes::from(envelope::sealed(sequence, body)))
    }

    fn answer(&self, request: &Request, answer: Answer) -> Vec<Effect> {
        let (payload, then) = match answer {
            Ok(answer) => answer,
            Err(fault) => return vec![self.refuse(request.id, fault)],
        };
        let said = Effect::Send(self.say(envelope::response(request, &payload)));
        match then {
            Then::Nothing => vec![said],
            Then::ExtendUntil(until) => vec![Effect::ExtendUntil(until), said],
            Then::Logout => vec![said, Effect::Close(CloseReason::AsRequested)],
        }
    }

    fn refuse(&self, id: i64, fault: Fault) -> Effect {
        let details = if self.explains { vec![format!("{fault:?}")] } else { Vec::new() };
        Effect::Send(self.say(envelope::refusal(id, fault, self.dice.uuid(), &details)))
    }

    /// §10.4: the notification that names the reason, where there is one, and the close code that
    /// makes a client do the right thing. Clean even when another took over: a client that loses
    /// its connection would come back and start a war.
    fn farewell(&self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        let (named, code) = match reason {
            CloseReason::AsRequested => (Some("AS_REQUESTED"), 1000),
            CloseReason::Dropped => (None, 1000),
            CloseReason::WrongFrame => (None, 1003),
            CloseReason::Malformed => (None, 1007),
            CloseReason::TooBig => (None, 1009),
            CloseReason::SlowConsumer => (None, 1008),
            CloseReason::Idle | CloseReason::Expired => (Some("EXPIRED"), 1000),
            CloseReason::Usurped => (Some("USURPED"), 1000),
            CloseReason::Kicked => (Some("KICKED"), 1000),
            CloseReason::Shutdown => (Some("CLUSTER_SHUTDOWN"), 1001),
            CloseReason::Internal => (None, 1011),
        };
        let said = named.map(|named| {
            let payload = json!({"playerSession": *self.session, "reason": named});
            let kind = "PlayerSessionRpc.SessionTerminatedV1Notification";
            self.say(envelope::notification(kind, &payload))
        });
        (said.into_iter().collect(), code, "")
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
