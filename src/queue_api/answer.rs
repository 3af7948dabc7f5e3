//! What somebody in line is told, and whether that differs from what they were told last.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use serde::Serialize;

use super::stream::invitation::{self, Invitation};
use super::{App, Refusal, Shown, frame, json};
use crate::domain::queue::{Frame, Reason, Standing, TicketRef, Waiting};
use crate::domain::time::UnixMicros;
use crate::domain::token::ticket::TICKET_LIFE_S;

/// An answer to somebody who waits or comes in.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Passed(Passed),
    Waits(Box<Waits>),
}

/// Come in.
#[derive(Serialize)]
pub(super) struct Passed {
    state: &'static str,
    now_ms: u64,
    /// The token to sign in with; absent when none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass_until_ms: Option<u64>,
}

/// Wait.
#[derive(Serialize)]
pub(super) struct Waits {
    state: &'static str,
    now_ms: u64,
    pub ticket: String,
    epoch: u32,
    number: u64,
    lane: &'static str,
    /// Absent until places are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// `null`: nobody can say.
    eta: Option<Eta>,
    poll_after_ms: u64,
    frame_after_ms: u64,
    lease_until_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    /// Where to be told instead of asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Invitation>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "names of the wire, with their unit")]
struct Eta {
    low_ms: u64,
    mid_ms: u64,
    high_ms: u64,
}

/// The ticket that came in, to go out again unsigned: its token, what it says, when that ends.
#[derive(Clone, Copy)]
pub(super) struct Brought<'a> {
    token: &'a str,
    ticket: TicketRef,
    expires_at: UnixMicros,
}

impl Shown {
    /// The same, if it may go out again: a pass that lapsed may not.
    pub(super) fn brought(&self) -> Option<Brought<'_>> {
        let claims = &self.claims;
        let brought =
            Brought { token: &self.token, ticket: claims.ticket, expires_at: claims.expires_at };
        (!claims.allowed).then_some(brought)
    }
}

impl Answer {
    /// What a standing is told as.
    ///
    /// # Errors
    ///
    /// [`Refusal::Closed`]
    pub(super) fn of(
        app: &App,
        standing: &Standing,
        brought: Option<Brought<'_>>,
    ) -> Result<Self, Refusal> {
        let now = app.door.clock.now();
        match standing {
            Standing::Waiting(waiting) => {
                let waits = Waits::of(app, &app.posted(), waiting, brought, now);
                Ok(Self::Waits(Box::new(waits)))
            }
            Standing::Passed { ticket, pass_until, .. } => {
                let pass = app.door.tickets.sign_pass(ticket, *pass_until, now);
                Ok(Self::Passed(Passed::with(now, Some((pass, *pass_until)))))
            }
            Standing::HoldsSlot => Ok(Self::come_in(now)),
            Standing::Refused { why, retry_after_ms } => {
                Err(Refusal::Closed { why: *why, retry_after_ms: *retry_after_ms })
            }
        }
    }

    /// Nobody asks for a pass: sign in, or use the session there is.
    pub(super) fn come_in(now: UnixMicros) -> Self {
        Self::Passed(Passed::with(now, None))
    }

    /// The same over HTTP: 200 for who comes in, 202 for who waits.
    pub(super) fn response(&self) -> HttpResponse {
        match self {
            Self::Passed(passed) => json(StatusCode::OK, passed),
            Self::Waits(waits) => {
                let mut response = json(StatusCode::ACCEPTED, waits);
                response.headers_mut().insert(ETAG, waits.etag());
                response
            }
        }
    }

    /// The same to somebody who may know it already: then 304.
    pub(super) fn response_to(&self, request: &actix_web::HttpRequest) -> HttpResponse {
        if let Self::Waits(waits) = self {
            let known = request.headers().get_all(IF_NONE_MATCH);
            let etag = waits.etag();
            if frame::lists(known, &etag) {
                let mut response = HttpResponse::NotModified();
                return response.insert_header((ETAG, etag)).finish();
            }
        }
        self.response()
    }
}

impl Passed {
    fn with(now: UnixMicros, pass: Option<(String, UnixMicros)>) -> Self {
        let (pass, until) = pass.unzip();
        Self {
            state: "passed",
            now_ms: now.as_millis(),
            pass,
            pass_until_ms: until.map(UnixMicros::as_millis),
        }
    }
}

impl Waits {
    fn of(
        app: &App,
        line: &Frame,
        waiting: &Waiting,
        brought: Option<Brought<'_>>,
        now: UnixMicros,
    ) -> Self {
        let announced = &line.announced;
        Self {
            state: waiting.phase.name(),
            now_ms: now.as_millis(),
            ticket: token(app, &waiting.ticket, brought, now),
            epoch: waiting.ticket.epoch,
            number: waiting.ticket.number.0,
            lane: waiting.ticket.lane.name(),
            position: waiting.place(),
            eta: waiting.eta.map(|eta| Eta {
                low_ms: eta.low_ms,
                mid_ms: eta.mid_ms,
                high_ms: eta.high_ms,
            }),
            poll_after_ms: waiting.poll_after_ms,
            frame_after_ms: frame::after_ms(&app.config.queue, line),
            lease_until_ms: waiting.lease_until.as_millis(),
            reason: waiting.reason.map(Reason::name),
            message: (!announced.message.is_empty()).then(|| announced.message.clone()),
            until_ms: announced.until.map(UnixMicros::as_millis),
            stream: invitation::of(app, line, waiting),
        }
    }

    /// A digest of everything a client shows or acts on, times to the second: the same as long as
    /// there is nothing new to say.
    pub(super) fn digest(&self) -> u64 {
        let seconds = |ms: u64| ms.div_ceil(1_000);
        let eta = self.eta.as_ref();
        let eta = eta.map(|eta| [eta.low_ms, eta.mid_ms, eta.high_ms].map(seconds));
        let shown = (self.state, self.lane, self.position, eta, self.reason);
        let said = (&self.message, self.until_ms.map(seconds), seconds(self.poll_after_ms));
        let said = (said, self.stream.map(|stream| seconds(stream.after_ms)));
        let mut hasher = DefaultHasher::new();
        (&self.ticket, shown, said).hash(&mut hasher);
        hasher.finish()
    }

    fn etag(&self) -> HeaderValue {
        let tag = format!("W/\"{:016x}\"", self.digest());
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("W/\"0\""))
    }
}

/// The ticket's token: the one that came in, unless it says something else or half its life is over.
fn token(app: &App, ticket: &TicketRef, brought: Option<Brought<'_>>, now: UnixMicros) -> String {
    let young = now.plus_secs(TICKET_LIFE_S / 2);
    match brought {
        Some(brought) if brought.ticket == *ticket && brought.expires_at > young => {
            brought.token.to_owned()
        }
        _ => app.door.tickets.sign_ticket(ticket, now, TICKET_LIFE_S),
    }
}
