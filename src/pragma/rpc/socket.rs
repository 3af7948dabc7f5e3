//! `/v1/rpc` as a WebSocket: who gets in, and what is said (protocol-pragma §10).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::RequestHead;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::calls::{self, Answer, Ask, Step, Then, Via, Wish, Wishing};
use super::envelope::{self, Request, Unreadable};
use super::friend_news::Register;
use super::office_shapes;
use crate::actors::session::{
    Channel, Denied, Dialect, Effect, Inbound, Others, Outbound, Resumable, Shared, SocketLimits,
    SocketRoute, Welcome,
};
use crate::config::pragma::BackendMode;
use crate::domain::account::{AccountId, Ban};
use crate::domain::friend::ListNews;
use crate::domain::session::CloseReason;
use crate::domain::session::attributes::Changed;
use crate::domain::time::UnixMicros;
use crate::domain::token::player::{Backend, SKEW_S, Session};
use crate::domain::token::{BackendType, Claims, SessionType};
use crate::ids::Dice;
use crate::pragma::{App, Fault, accepts_json, bearer};

/// Messages waiting for a client that does not read; then it is closed.
const OUTBOX_MESSAGES: usize = 256;
/// Bytes waiting for a client that does not read: a long list of friends and what follows it.
const OUTBOX_BYTES: usize = 1 << 20;
/// Requests a second one socket may make; a real client makes a few.
const MESSAGES_PER_SECOND: u32 = 50;
/// Connections that may share one partner token.
const FLEET_MAX: usize = 10_000;

/// The path at which Pragma's sockets open, for both backends: the token says which.
pub struct Route {
    app: Arc<App>,
}

impl Route {
    /// The route over what the front end stands on.
    pub fn new(app: App) -> Self {
        Self { app: Arc::new(app) }
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

fn admit(app: &Arc<App>, head: &RequestHead) -> Result<Welcome, Fault> {
    if !accepts_json(head.headers()) {
        return Err(Fault::NotAcceptable);
    }
    let claims = bearer::check(app, head.headers())?;
    let who = Who::of(&claims);
    // A client that reconnects takes over its own, lost socket; anybody else usurps (§10.7).
    let reconnects = head.headers().contains_key("pragma-reconnect");
    let others = match claims {
        Claims::Person(_) if reconnects => Others::Close(CloseReason::Dropped),
        Claims::Person(_) => Others::Close(CloseReason::Usurped),
        // A fleet shares one token.
        Claims::Partner(_) => Others::Keep(FLEET_MAX),
    };
    let config = &app.config.pragma;
    let account = AccountId(who.social_id);
    let resumable = app.door.resumable(account, who.channel, reconnects);
    let friends = who.channel == Channel::PragmaSocial;
    Ok(Welcome {
        account,
        session: resumable.id,
        // Clients of Nakama's who see this player online know them by the user name.
        username: friends
            .then(|| app.door.seen(account))
            .flatten()
            .map_or_else(|| who.display_name.into(), |account| account.username.into()),
        online: false,
        token: who.jti,
        issued_at_us: who.issued_at_us,
        expires_at: Some(who.expires_at.plus_secs(SKEW_S)),
        holds_slot: who.channel == Channel::PragmaGame,
        when_full: |retry_after_s| Fault::Full { retry_after_s }.denied(Uuid::nil()),
        others,
        channel: who.channel,
        // A fleet's connections have nothing in common but their token.
        resumable: matches!(claims, Claims::Person(_)).then(|| Arc::clone(&resumable)),
        resume_s: config.reconnect_grace_s,
        limits: SocketLimits {
            message_max_bytes: config.message_max_bytes,
            outbox_messages: OUTBOX_MESSAGES,
            outbox_bytes: OUTBOX_BYTES,
            ping_period_ms: None,
            idle_ms: config.idle_timeout_s.saturating_mul(1_000),
            messages_per_second: MESSAGES_PER_SECOND,
            // No list of friends holds more.
            follows_max: app.config.nakama.friends_max as usize,
        },
        dialect: Box::new(Spoken {
            voice: Voice::new(app, resumable, &claims),
            claims: Arc::new(claims),
            friends: friends.then(|| Register::new(Arc::clone(app), account)),
            app: Arc::clone(app),
        }),
    })
}

/// What a socket is registered under.
struct Who<'a> {
    social_id: Uuid,
    display_name: &'a str,
    jti: Uuid,
    issued_at_us: u64,
    expires_at: UnixMicros,
    channel: Channel,
}

impl<'a> Who<'a> {
    fn of(claims: &'a Claims) -> Self {
        let channel = match (claims.session_type(), claims.backend()) {
            (SessionType::Player, BackendType::Social) => Channel::PragmaSocial,
            (SessionType::Player, BackendType::Game) => Channel::PragmaGame,
            (SessionType::Operator, BackendType::Social) => Channel::OperatorSocial,
            (SessionType::Operator, BackendType::Game) => Channel::OperatorGame,
            (SessionType::Partner, _) => Channel::Partner,
        };
        match claims {
            Claims::Person(person) => Self {
                social_id: person.session.social_id,
                display_name: &person.session.display_name,
                jti: person.jti,
                issued_at_us: person.issued_at_us,
                expires_at: person.expires_at,
                channel,
            },
            Claims::Partner(partner) => Self {
                social_id: partner.partner,
                display_name: "",
                jti: partner.jti,
                issued_at_us: 0,
                expires_at: partner.expires_at,
                channel,
            },
        }
    }
}

/// Pragma's dialect over one socket.
struct Spoken {
    app: Arc<App>,
    claims: Arc<Claims>,
    /// Only a player's social socket speaks of friends.
    friends: Option<Register>,
    voice: Voice,
}

impl Spoken {
    /// Asks the board before it answers.
    async fn ask(
        wishing: Wishing,
        (id, kind): (i64, std::borrow::Cow<'static, str>),
        voice: Voice,
        friends: Option<Register>,
    ) -> Vec<Effect> {
        let wish = match wishing.await {
            Ok(wish) => wish,
            Err(fault) => return vec![voice.refuse(id, fault)],
        };
        let answered = move |payload: Value| voice.answer(id, &kind, Ok((payload, Then::Nothing)));
        match wish {
            Wish::Say(payload) => answered(payload),
            Wish::SetRich(rich, became) => {
                vec![Effect::SetRich(rich, Box::new(move |set| answered(became(set))))]
            }
            Wish::Befriend { friends: follow, version, answer } => {
                if let Some(friends) = friends {
                    friends.knows(version);
                }
                vec![Effect::Follow(follow, Box::new(move |shown| answered(answer(shown))))]
            }
        }
    }
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
        let (id, kind) = (request.id, request.kind.clone());
        let (app, claims) = (Arc::clone(&self.app), Arc::clone(&self.claims));
        match calls::call(Ask { app, claims, via: Via::Socket, request }) {
            Step::Now(answer) => self.voice.answer(id, &kind, answer),
            Step::Later(answer) => {
                let voice = self.voice.clone();
                vec![Effect::Call(Box::pin(async move { voice.answer(id, &kind, answer.await) }))]
            }
            Step::Asking(wishing) => {
                let (voice, friends) = (self.voice.clone(), self.friends.clone());
                vec![Effect::Call(Box::pin(Self::ask(wishing, (id, kind), voice, friends)))]
            }
        }
    }

    fn event(&mut self, event: &Shared) -> Option<Outbound> {
        self.friends.as_ref()?.event(event, &self.voice)
    }

    fn also(&mut self, event: &Shared) -> Option<Outbound> {
        self.friends.as_ref()?.also(event, &self.voice)
    }

    fn list(&mut self, news: &Arc<ListNews>) -> Vec<Effect> {
        self.friends.as_ref().map_or_else(Vec::new, |friends| friends.list(news, &self.voice))
    }

    fn changed(&mut self, changed: &Changed) -> Option<Outbound> {
        let payload = json!({
            "newVersion": changed.version,
            "attributesSet": attributes(&changed.set),
            "attributesRemoved": changed.removed,
        });
        let kind = "PlayerSessionRpc.SessionChangedV1Notification";
        Some(self.voice.say(envelope::notification(kind, &payload)))
    }

    /// Only the social socket of a player says so (§6.6).
    fn banned(&mut self, ban: &Ban) -> Option<Outbound> {
        let person = self.claims.person()?;
        let hears = person.session.session_type == SessionType::Player
            && person.session.backend == Backend::Social;
        let account = AccountId(person.session.social_id);
        let payload = || json!({"ban": office_shapes::ban(account, ban)});
        hears.then(|| {
            self.voice.say(envelope::notification("AccountRpc.BanV1Notification", &payload()))
        })
    }

    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        self.voice.farewell(reason)
    }
}

/// Numbers are keys of text on the wire (§2.3).
fn attributes(values: &BTreeMap<i32, Uuid>) -> Value {
    values.iter().map(|(number, id)| (number.to_string(), json!(id))).collect::<Map<_, _>>().into()
}

/// Writes what a socket says, numbering it from 0 without gaps (§2.2).
#[derive(Clone)]
pub(super) struct Voice {
    next: Rc<Cell<u64>>,
    /// The notification of a farewell, without what may change until then.
    farewell: Rc<(&'static str, Value)>,
    resumable: Arc<Resumable>,
    /// Whether errors carry details.
    explains: bool,
    dice: Dice,
}

impl Voice {
    fn new(app: &App, resumable: Arc<Resumable>, claims: &Claims) -> Self {
        let explains = app.config.pragma.backend_mode == BackendMode::Development;
        Self::of(resumable, claims, explains, app.door.dice.clone())
    }

    fn of(resumable: Arc<Resumable>, claims: &Claims, explains: bool, dice: Dice) -> Self {
        let farewell = match claims {
            Claims::Person(person) => (
                "PlayerSessionRpc.SessionTerminatedV1Notification",
                json!({"playerSession": Self::session(resumable.id, &person.session)}),
            ),
            Claims::Partner(partner) => (
                "PartnerSessionRpc.PartnerSessionTerminatedV1Notification",
                json!({"partnerSession": {"pragmaId": partner.partner}}),
            ),
        };
        Self { next: Rc::default(), farewell: Rc::new(farewell), resumable, explains, dice }
    }

    /// The `playerSession` of a farewell.
    fn session(session: Uuid, who: &Session) -> Value {
        let pragma_id = match who.backend {
            Backend::Social => who.social_id,
            Backend::Game { player, .. } => player,
        };
        json!({
            "pragmaId": pragma_id,
            "sessionId": session,
            "displayName":
                {"displayName": who.display_name, "discriminator": who.discriminator_text()},
            "socialId": who.social_id,
        })
    }

    pub fn say(&self, body: (&'static str, Value)) -> Outbound {
        Outbound::Text(Bytes::from(envelope::sealed(self.number(), body)))
    }

    /// A notification that is encoded already, its type included.
    pub fn say_notification(&self, body: &[u8]) -> Option<Outbound> {
        let body = std::str::from_utf8(body).ok()?;
        Some(Outbound::Text(Bytes::from(envelope::around(self.number(), body))))
    }

    fn number(&self) -> u64 {
        let sequence = self.next.get();
        self.next.set(sequence + 1);
        sequence
    }

    fn answer(&self, id: i64, kind: &str, answer: Answer) -> Vec<Effect> {
        let (payload, then) = match answer {
            Ok(answer) => answer,
            Err(fault) => return vec![self.refuse(id, fault)],
        };
        let said = Effect::Send(self.say(envelope::response(id, kind, &payload)));
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
            let (kind, session) = &*self.farewell;
            let mut payload = session.clone();
            payload["reason"] = named.into();
            if let Some(session) = payload.get_mut("playerSession") {
                let now = self.resumable.attributes();
                session["attributes"] = attributes(&now.values);
                session["version"] = now.version.into();
            }
            self.say(envelope::notification(kind, &payload))
        });
        (said.into_iter().collect(), code, "")
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
