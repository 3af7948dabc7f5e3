//! `/ws`: who may open a socket (protocol-nakama §7.1), and what is said over it: [`dialect`] knows
//! the rules, [`codec`] the two formats, of which [`read`] and [`write`] are JSON.

pub mod codec;
pub mod dialect;
pub mod protobuf;
pub mod read;
pub mod write;

use std::future::{Future, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_http::RequestHead;
use actix_http::header::{self, HeaderMap};
use actix_http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::errors::Failure;
use super::{App, auth, query, reply};
use crate::actors::session::{Channel, Denied, Others, SocketLimits, SocketRoute, Welcome};
use crate::config::NakamaConfig;
use crate::domain::account::AccountId;
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;
use crate::domain::token::nakama::Claims;
use codec::Codec;
use dialect::Realtime;

/// The path of the socket.
pub const PATH: &str = "/ws";

/// Nakama's sockets, for the upgrade service.
pub fn socket_route(app: App) -> Arc<dyn SocketRoute> {
    Arc::new(Route(Arc::new(app)))
}

struct Route(Arc<App>);

impl SocketRoute for Route {
    fn path(&self) -> &'static str {
        PATH
    }

    fn admit(
        &self,
        head: &RequestHead,
        _peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Welcome, Denied>>>> {
        let query = head.uri.query().unwrap_or_default();
        let admitted = admit(&self.0, query, &head.headers)
            .map(|(codec, claims)| welcome(&self.0, codec, claims, query))
            .map_err(|denied| denied.visible_to(&head.headers));
        Box::pin(ready(admitted))
    }
}

/// What `/ws` answers to somebody who asks for no socket: the token is checked all the same, and
/// what is missing then is the upgrade. Other methods than GET find nothing here.
pub fn without_upgrade(app: &App, request: &HttpRequest) -> HttpResponse {
    if request.method() != Method::GET {
        return reply::render(Err(Failure::unknown_path()));
    }
    let (status, body) = match admit(app, request.query_string(), request.headers()) {
        Ok(_) => (400, "Bad Request\n".to_owned()),
        Err(denied) => (denied.status, denied.body),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).insert_header((header::CONTENT_TYPE, TEXT)).body(body)
}

const TEXT: &str = "text/plain; charset=utf-8";

/// Format first, then the token and its revocation (§7.1).
fn admit(app: &App, query: &str, headers: &HeaderMap) -> Result<(Codec, Claims), Denied> {
    let format = query::first(query, "format").unwrap_or_default();
    let codec = Codec::named(&format).ok_or_else(|| denied(400, "Invalid format parameter\n"))?;
    let claims = token(query, headers).and_then(|token| auth::access(app, &token));
    claims.map(|claims| (codec, claims)).ok_or_else(|| denied(401, "Missing or invalid token\n"))
}

/// The bearer, else `?token=`: proxies put other `Authorization` schemes before a good query.
fn token(query: &str, headers: &HeaderMap) -> Option<String> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match bearer {
        Some(token) => Some(token.to_owned()),
        None => String::from_utf8(query::first(query, "token")?.into_owned()).ok(),
    }
}

fn denied(status: u16, body: &str) -> Denied {
    Denied { status, content_type: TEXT, body: body.to_owned(), headers: Vec::new() }
}

impl Denied {
    /// Lets a page read the answer, as everywhere else on this port (§0.6).
    fn visible_to(mut self, headers: &HeaderMap) -> Self {
        if headers.contains_key(header::ORIGIN) {
            self.headers.push(("Access-Control-Allow-Origin", "*".to_owned()));
        }
        self
    }
}

/// The world is full and this player holds no slot.
fn when_full(retry_after_s: u64) -> Denied {
    let mut denied = denied(429, "The world is full. Sign in again to stand in line.\n");
    denied.headers.push(("Retry-After", retry_after_s.max(1).to_string()));
    denied
}

/// Who comes in and how: sockets outlive tokens (§7.1) as long as is set, a status is shown from the
/// start when asked for (§7.2).
fn welcome(app: &Arc<App>, codec: Codec, claims: Claims, query: &str) -> Welcome {
    let settings = &app.config.nakama;
    let account = AccountId(claims.account);
    let username: Arc<str> = claims.username.into();
    let status = query::first(query, "status").unwrap_or_default();
    Welcome {
        account,
        session: app.door.dice.uuid(),
        username: username.clone(),
        online: query::boolean(&status).unwrap_or(false),
        token: claims.token,
        issued_at_us: claims.issued_at_us,
        expires_at: ends_at(claims.expires_at, settings.socket_outlives_token_s),
        holds_slot: true,
        when_full,
        others: if settings.single_socket {
            Others::Close(CloseReason::Usurped)
        } else {
            Others::Keep(settings.sockets_per_account)
        },
        channel: Channel::Nakama,
        resumable: None,
        resume_s: 0,
        limits: limits(settings),
        dialect: Box::new(Realtime::new(app.clone(), codec, account, username)),
    }
}

/// When a socket ends whose token expires at `token`, both in seconds; 0: not with its token.
fn ends_at(token: u64, outlives_s: u64) -> Option<UnixMicros> {
    (outlives_s > 0).then(|| UnixMicros::from_secs(token).plus_secs(outlives_s))
}

const fn limits(settings: &NakamaConfig) -> SocketLimits {
    SocketLimits {
        message_max_bytes: settings.message_max_bytes,
        outbox_messages: settings.outbox_messages,
        outbox_bytes: settings.outbox_bytes,
        ping_period_ms: Some(settings.ping_period_ms),
        idle_ms: settings.pong_wait_ms,
        messages_per_second: settings.messages_per_second,
        follows_max: settings.follows_max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::HeaderValue;

    fn with(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_bearer_goes_before_the_query_and_other_schemes_do_not_count() {
        let found = |query, values: &[&'static str]| token(query, &with(values));
        assert_eq!(found("token=q", &[]).as_deref(), Some("q"));
        assert_eq!(found("lang=en&token=a%2Eb&status=True", &[]).as_deref(), Some("a.b"));
        assert_eq!(found("token=q", &["Bearer b"]).as_deref(), Some("b"));
        assert_eq!(found("", &["Bearer b"]).as_deref(), Some("b"));
        assert_eq!(found("token=q", &["Basic ZGVmYXVsdGtleTo="]).as_deref(), Some("q"));
        assert_eq!(found("token=q", &["bearer b"]).as_deref(), Some("q"));
        assert_eq!(found("", &["Basic ZGVmYXVsdGtleTo="]), None);
        assert_eq!(found("status=true", &[]), None);
    }

    #[test]
    fn a_page_may_read_why_it_was_turned_away() {
        let mut headers = HeaderMap::new();
        assert!(denied(401, "x").visible_to(&headers).headers.is_empty());
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://game.example"));
        let marked = denied(401, "x").visible_to(&headers);
        assert_eq!(marked.headers, [("Access-Control-Allow-Origin", "*".to_owned())]);
    }

    #[test]
    fn a_socket_ends_some_time_after_its_token_if_that_is_set() {
        assert_eq!(ends_at(1_000, 0), None);
        assert_eq!(ends_at(1_000, 60), Some(UnixMicros::from_secs(1_060)));
    }

    #[test]
    fn a_full_world_says_when_to_come_back() {
        assert_eq!(when_full(0).headers, [("Retry-After", "1".to_owned())]);
        assert_eq!(when_full(30).status, 429);
    }
}
