//! The queue API, ours: enter, ticket, ready, leave, transfer, the shared frame and a stream. Translation
//! only; `docs/queue-api.md` is the page for those who call it.
//!
//! Read [`enter`] and [`ticket`] for a place and how it stands, [`frame`] for the one answer that serves
//! everybody, [`answer`] for what is told and [`refusal`] for every refusal.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::actors::Line;
use crate::config::Config;
use crate::domain::queue::Frame;
use crate::domain::token::nakama::NakamaKeys;
use crate::domain::token::ticket::Claims;
use crate::domain::token::{PlayerKeys, TicketError, bearer};
use crate::signin::Door;

pub mod answer;
pub mod catalogue;
pub mod enter;
pub mod figures;
pub mod frame;
pub mod opening;
pub mod proof;
pub mod refusal;
pub mod stream;
pub mod ticket;
pub mod transfer;

pub use figures::Figures;
pub use refusal::Refusal;
pub use stream::Streams;

/// Where everything of this front end is.
pub const PREFIX: &str = "/v1/queue";
/// Largest body taken, in bytes: a proof is the longest thing in it.
const BODY_MAX: usize = 32_768;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the front end stands on. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub door: Door,
    /// Keys of Nakama's session tokens, which prove an account.
    pub nakama_keys: NakamaKeys,
    /// Keys of Pragma's player tokens, which do so too; they sign the frame.
    pub player_keys: Arc<PlayerKeys>,
    /// The line, for who looks at the opening.
    pub line: Line,
    /// Settings.
    pub config: Arc<Config>,
    /// The frame as it is served.
    pub frames: frame::Desk,
    /// Every open stream.
    pub streams: Streams,
    /// What is counted.
    pub figures: Arc<Figures>,
}

impl App {
    /// Puts the front end together.
    pub fn new(
        door: Door,
        line: Line,
        nakama_keys: NakamaKeys,
        player_keys: Arc<PlayerKeys>,
    ) -> Self {
        let config = Arc::clone(&door.config);
        Self {
            door,
            line,
            nakama_keys,
            player_keys,
            streams: Streams::new(config.queue.streams_max),
            config,
            frames: frame::Desk::default(),
            figures: Arc::default(),
        }
    }

    /// The line's state, at most about a second old.
    fn posted(&self) -> Arc<Frame> {
        self.door.frame()
    }
}

/// Registers every route.
pub fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone {
    let app = web::Data::new(app);
    move |service| {
        let [opening, file] = opening::resources(app.line.clone());
        let scope = web::scope(PREFIX)
            .app_data(app.clone())
            .app_data(web::PayloadConfig::new(BODY_MAX))
            .service(only("/ticket").get(ticket::stands).delete(ticket::leave).done())
            .service(only("/frame").get(frame::serve).done())
            .service(only("/ready").post(ticket::ready).done())
            .service(only("/enter").post(enter::enter).done())
            .service(only("/stream").get(stream::sse::open).done())
            .service(only("/transfer").post(transfer::begin).done())
            .service(only("/party").post(transfer::invite).done())
            .service(only("/transfer/accept").post(transfer::accept).done())
            .service(opening)
            .service(file)
            .service(only("/openapi.json").get(openapi).done())
            .default_service(web::to(|| async { Err::<HttpResponse, _>(Refusal::NoSuchPath) }));
        service.service(scope);
    }
}

/// The description in `OpenAPI` 3.1; `tests/it/queue_openapi.rs` holds it against real answers.
pub const OPENAPI: &str = include_str!("openapi.json");

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, JSON)).body(OPENAPI)
}

/// A path that takes these methods and says so to others.
struct Only(actix_web::Resource);

fn only(path: &str) -> Only {
    Only(web::resource(path))
}

impl Only {
    fn get<F, A>(self, handler: F) -> Self
    where
        F: actix_web::Handler<A>,
        A: actix_web::FromRequest + 'static,
        F::Output: actix_web::Responder + 'static,
    {
        Self(self.0.route(web::get().to(handler)))
    }

    fn post<F, A>(self, handler: F) -> Self
    where
        F: actix_web::Handler<A>,
        A: actix_web::FromRequest + 'static,
        F::Output: actix_web::Responder + 'static,
    {
        Self(self.0.route(web::post().to(handler)))
    }

    fn delete<F, A>(self, handler: F) -> Self
    where
        F: actix_web::Handler<A>,
        A: actix_web::FromRequest + 'static,
        F::Output: actix_web::Responder + 'static,
    {
        Self(self.0.route(web::delete().to(handler)))
    }

    fn done(self) -> actix_web::Resource {
        self.0.default_service(web::to(|| async {
            Err::<HttpResponse, _>(Refusal::MethodNotAllowed)
        }))
    }
}

/// The body of a request; an error: too large, or cut off.
type Body = Result<web::Bytes, actix_web::Error>;

fn whole(body: Body) -> Result<web::Bytes, Refusal> {
    body.map_err(|error| match error.as_response_error().status_code() {
        actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::BadRequest,
    })
}

/// The body of a request as JSON. Nothing at all is an empty object.
fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)
}

/// An answer with this status.
fn json(status: actix_web::http::StatusCode, body: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(text) => HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, JSON))
            .insert_header(("Cache-Control", "no-store"))
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// The address to hold limits against.
fn client(app: &App, request: &HttpRequest) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for");
    let lines = forwarded.filter_map(|line| line.to_str().ok());
    app.door.client_address(request.peer_addr(), lines)
}

/// The ticket a request shows: its token, and what that says.
struct Shown {
    token: String,
    claims: Claims,
}

impl Shown {
    /// From `Authorization: Bearer …`.
    ///
    /// # Errors
    ///
    /// [`Refusal::Ticket`], or [`Refusal::Gone`] when its life is over.
    fn bearer(app: &App, request: &HttpRequest) -> Result<Self, Refusal> {
        Self::in_header(app, request.headers().get(AUTHORIZATION))
    }

    fn in_header(app: &App, value: Option<&HeaderValue>) -> Result<Self, Refusal> {
        let value = value.and_then(|value| value.to_str().ok());
        Self::read(app, value.and_then(bearer).ok_or(Refusal::Ticket)?)
    }

    /// The same, or from the query: browsers cannot send the header with a socket or an event source.
    fn anywhere(app: &App, authorized: Option<&HeaderValue>, query: &str) -> Result<Self, Refusal> {
        let named = query.split('&').find_map(|one| one.strip_prefix("ticket="));
        match named {
            Some(token) => Self::read(app, token),
            None => Self::in_header(app, authorized),
        }
    }

    /// From the token itself.
    fn read(app: &App, token: &str) -> Result<Self, Refusal> {
        match app.door.tickets.verify(token, app.door.clock.now()) {
            Ok(claims) => Ok(Self { token: token.to_owned(), claims }),
            Err(TicketError::Expired) => Err(Refusal::Gone(refusal::Gone::Expired)),
            Err(_) => Err(Refusal::Ticket),
        }
    }
}
