//! The login queue (protocol-pragma §3.2, §3.3): a place in line, and how it stands.
//!
//! `checkticketv1` is asked more often than everything else together: its body is borrowed, the
//! ticket that came in goes out again unsigned, the answer is written into one buffer.
//! A real client gives up on any status but 200, so "wait", "full" and "forgotten" are all answers.

use std::io::Write as _;
use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{App, Fault, accepts_json, client, json};
use crate::config::Config;
use crate::config::queue::Gate;
use crate::domain::queue::{
    Checked, Closed, Identity, Lane, Number, Phase, Reason, Standing, TicketRef,
};
use crate::domain::time::UnixMicros;
use crate::domain::token::ticket::{Claims, TICKET_LIFE_S};
use crate::domain::token::{TicketError, TicketKeys};
use crate::signin::SignInError;

/// The poll interval in an answer that lets somebody in; nobody waits for it.
const ALLOWED_POLL_MS: u64 = 1_000;

/// Whether there is a line at all: not with the development bypass, nor with the gate off.
pub(super) fn is_open(config: &Config) -> bool {
    config.pragma.login_queue_bypass || config.queue.gate == Gate::Off
}

/// Number of a ticket that holds no place. The line counts up from 0 and never gets there; the
/// largest that clients with signed integers can read.
pub(super) const NO_PLACE: Number = Number(i64::MAX.unsigned_abs());

/// A ticket that holds no place: handed out when the line is full or there is none.
const fn no_place(now: UnixMicros) -> TicketRef {
    TicketRef {
        epoch: 0,
        number: NO_PLACE,
        lane: Lane::Standard,
        identity: Identity::ANONYMOUS,
        issued_at: now,
    }
}

/// `GET` and `POST /v1/loginqueue/getinqueuev1`: a new place in line, or straight in.
pub(super) async fn get_in_queue(app: &App, request: &HttpRequest) -> Result<HttpResponse, Fault> {
    enter(app, client(app, request)).await
}

async fn enter(app: &App, from: Option<IpAddr>) -> Result<HttpResponse, Fault> {
    let view = View::new(app);
    if is_open(&app.config) {
        return Ok(json(view.open()));
    }
    let standing = app.door.enter_line(from).await?;
    Ok(json(view.answer(&standing, None)))
}

/// Body of `checkticketv1`. Members nobody knows are skipped.
#[derive(Deserialize)]
struct Ask<'a> {
    token: &'a str,
}

/// `POST /v1/loginqueue/checkticketv1`: how a ticket stands.
pub(super) async fn check_ticket(app: &App, request: &HttpRequest, body: &[u8]) -> HttpResponse {
    match check(app, request, body).await {
        Ok(response) => response,
        Err(fault) => app.refuse(fault),
    }
}

async fn check(app: &App, request: &HttpRequest, body: &[u8]) -> Result<HttpResponse, Fault> {
    if !accepts_json(request.headers()) {
        return Err(Fault::NotAcceptable);
    }
    let Ask { token } = serde_json::from_slice(body).map_err(|_| Fault::BadRequest)?;
    let view = View::new(app);
    let claims = match view.tickets.verify(token, view.now) {
        Ok(claims) => claims,
        Err(TicketError::Expired) => return again(app, request, None).await,
        Err(error) => return Err(error.into()),
    };
    if is_open(&app.config) {
        return Ok(json(view.open()));
    }
    if claims.ticket.number == NO_PLACE {
        return again(app, request, Some(token)).await;
    }
    match app.door.check_ticket(claims.ticket).await? {
        Checked::Standing(standing) => Ok(json(view.answer(&standing, Some((&claims, token))))),
        Checked::Forgotten => again(app, request, None).await,
    }
}

/// A fresh place at the end for somebody whose ticket is no longer known, unless tickets are
/// strict. `waiting`: the token of somebody who never had a place; they may always try again, and
/// are told to come back later rather than thrown out when they try too often.
async fn again(
    app: &App,
    request: &HttpRequest,
    waiting: Option<&str>,
) -> Result<HttpResponse, Fault> {
    if waiting.is_none() && app.config.pragma.strict_tickets {
        return Err(Fault::TokenExpired);
    }
    if is_open(&app.config) {
        return Ok(json(View::new(app).open()));
    }
    let view = View::new(app);
    match app.door.enter_line(client(app, request)).await {
        Ok(standing) => Ok(json(view.answer(&standing, None))),
        Err(SignInError::Busy { retry_after_s }) if waiting.is_some() => {
            let retry_after_ms = u64::from(retry_after_s).saturating_mul(1_000);
            let refused = Standing::Refused { why: Closed::Full, retry_after_ms };
            Ok(json(view.answer(&refused, None)))
        }
        Err(error) => Err(error.into()),
    }
}

/// How answers are written.
struct View<'a> {
    config: &'a Config,
    tickets: &'a TicketKeys,
    now: UnixMicros,
}

impl<'a> View<'a> {
    fn new(app: &'a App) -> Self {
        Self { config: &app.config, tickets: &app.door.tickets, now: app.door.clock.now() }
    }

    /// The answer when nobody has to wait. Its pass is not asked for at sign-in.
    fn open(&self) -> Vec<u8> {
        let until = self.now.plus_secs(self.config.queue.pass_ttl_s.into());
        written(&self.tickets.sign_pass(&no_place(self.now), until, self.now), None)
    }

    /// The answer for a standing. `shown`: the ticket that came in, and its token.
    fn answer(&self, standing: &Standing, shown: Option<(&Claims, &str)>) -> Vec<u8> {
        match standing {
            Standing::Passed { ticket, pass_until, .. } => {
                written(&self.tickets.sign_pass(ticket, *pass_until, self.now), None)
            }
            Standing::HoldsSlot => {
                let ticket = shown.map_or_else(|| no_place(self.now), |(claims, _)| claims.ticket);
                let until = self.now.plus_secs(self.config.queue.pass_ttl_s.into());
                written(&self.tickets.sign_pass(&ticket, until, self.now), None)
            }
            Standing::Waiting(waiting) => {
                let unknown_ms = match waiting.phase {
                    // The protocol has no word for it: the time until the doors open.
                    Phase::Prequeue { opens_in_ms } | Phase::Lottery { opens_in_ms } => opens_in_ms,
                    _ => u64::from(self.config.queue.poll_max_ms),
                };
                let wait = Wait {
                    // Before a draw it is how many take part: the last place there may be.
                    position: waiting.position,
                    eta_ms: waiting.eta.map_or(unknown_ms, |eta| eta.mid_ms),
                    poll_ms: waiting.poll_after_ms,
                    phase: waiting.phase.name(),
                    reason: waiting.reason.map(Reason::name),
                };
                match shown {
                    Some((claims, token)) if !claims.allowed && claims.ticket == waiting.ticket => {
                        written(token, Some(&wait))
                    }
                    _ => {
                        let ticket =
                            self.tickets.sign_ticket(&waiting.ticket, self.now, TICKET_LIFE_S);
                        written(&ticket, Some(&wait))
                    }
                }
            }
            Standing::Refused { why, retry_after_ms } => {
                let ticket = self.tickets.sign_ticket(&no_place(self.now), self.now, TICKET_LIFE_S);
                written(&ticket, Some(&self.refused(*why, *retry_after_ms)))
            }
        }
    }

    /// What somebody is told who gets no place in line: behind everybody, and at least as
    /// long as all of them take.
    fn refused(&self, why: Closed, retry_after_ms: u64) -> Wait {
        let queue = &self.config.queue;
        let position = queue.line_max.saturating_add(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate; the cast saturates"
        )]
        let eta_ms = if queue.rate > 0.0 {
            (position as f64 / queue.rate * 1_000.0) as u64
        } else {
            queue.poll_max_ms.into()
        };
        Wait {
            position,
            eta_ms: eta_ms.max(retry_after_ms),
            poll_ms: retry_after_ms,
            phase: why.name(),
            reason: None,
        }
    }
}

/// What a waiting player is told beside the token.
struct Wait {
    position: u64,
    eta_ms: u64,
    poll_ms: u64,
    phase: &'static str,
    reason: Option<&'static str>,
}

/// Writes the five members of §3.2 and the two aliases, and for who waits two words of ours that
/// real clients skip: what the line is doing, and why things got worse; `None`: come in. A token is base64url and
/// dots, so it needs no escaping.
fn written(token: &str, wait: Option<&Wait>) -> Vec<u8> {
    let mut out = Vec::with_capacity(token.len() * 2 + 192);
    // Both are int32 on the wire.
    let int32 = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    let done = match wait {
        None => write!(
            out,
            r#"{{"token":"{token}","positionInQueue":0,"eta":"0","pollNextDuration":{ALLOWED_POLL_MS},"isAllowedIn":true,"loginQueuePassToken":"{token}","isAllowed":true}}"#,
        ),
        Some(Wait { position, eta_ms, poll_ms, phase, reason }) => write!(
            out,
            r#"{{"token":"{token}","positionInQueue":{},"eta":"{eta_ms}","pollNextDuration":{},"isAllowedIn":false,"isAllowed":false,"phase":"{phase}""#,
            int32(*position),
            int32(*poll_ms),
        )
        .and_then(|()| match reason {
            Some(reason) => write!(out, r#","reason":"{reason}"}}"#),
            None => out.write_all(b"}"),
        }),
    };
    debug_assert!(done.is_ok(), "writing to memory does not fail");
    out
}

#[cfg(test)]
#[path = "login_queue_tests.rs"]
mod tests;
