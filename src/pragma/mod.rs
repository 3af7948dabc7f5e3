//! Pragma's login flow: translation only. The authority is the protocol note, section by section.
//!
//! Read [`login_queue`] and [`account`] for the way in, [`rpc`] for what is spoken afterwards, and
//! [`errors`] for every refusal. Paths are matched without regard to case, and `/v1/accounts/…`
//! is `/v1/account/…` (protocol-pragma §16).

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, guard, web};

use crate::actors::session::SocketRoute;
use crate::config::Config;
use crate::config::pragma::BackendMode;
use crate::config::tls::Ports;
use crate::domain::time::UnixMicros;
use crate::domain::token::oauth_state::StateKey;
use crate::domain::token::{BackendType, PlayerKeys, SessionType};
use crate::signin::{Audited, Door};

pub mod account;
pub mod bearer;
pub mod catalogue;
mod data_rights;
pub mod discovery;
pub mod errors;
pub mod gateway;
pub mod login_queue;
pub mod portal;
pub mod providers;
mod redirect;
mod refusals;
pub mod rpc;
mod session_info;
mod slots;
pub mod tokens;
mod types;

pub use errors::Fault;
pub use gateway::Gateway;

/// What the front end stands on.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub door: Door,
    /// Where what operators and game servers do goes on record.
    pub audited: Audited,
    /// Keys of session tokens.
    pub keys: Arc<PlayerKeys>,
    /// Settings.
    pub config: Arc<Config>,
    /// When the server started.
    pub started_at: UnixMicros,
    /// What the port serves.
    pub gateway: Gateway,
    /// Key of the states of sign-ins at providers' pages.
    pub states: Arc<StateKey>,
    /// The ports of both backends for this type of session, where each has its own.
    pub siblings: Option<Siblings>,
}

impl App {
    /// Whether clients reach this port by https and wss.
    pub(crate) fn is_by_tls(&self) -> bool {
        self.config.is_by_tls(match (self.gateway.session, self.gateway.backend) {
            (_, Some(_)) => Ports::Pragma,
            (SessionType::Operator, None) => Ports::Operators,
            (SessionType::Partner, None) => Ports::Partners,
            (_, None) => Ports::Players,
        })
    }
}

/// Ports of the two backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Siblings {
    /// The social backend's.
    pub social: u16,
    /// The game backend's.
    pub game: u16,
}

impl App {
    /// The answer to a refused request. Its trace id is in the log too.
    fn refuse(&self, fault: Fault) -> HttpResponse {
        let trace = self.door.dice.uuid();
        tracing::debug!(%trace, status = fault.status(), error = fault.name(), "refused");
        fault.response(trace)
    }

    /// Details for developers: nothing in production.
    fn details(&self, fault: Fault) -> Vec<String> {
        match self.config.pragma.backend_mode {
            BackendMode::Development => vec![format!("{fault:?}")],
            BackendMode::Production => Vec::new(),
        }
    }
}

/// The one path that has a route of its own: it is asked more often than all others together.
const HOT: &str = "/v1/loginqueue/checkticketv1";

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Info,
    Types,
    Healthcheck,
    InstanceHealthcheck,
    GetInQueue,
    CheckTicket,
    Authenticate,
    PortalSignIn,
    PortalSignUp,
    /// To a provider's page or back from it; see [`redirect`].
    Redirect,
    SlotRedeem,
    SlotHeartbeat,
    SlotLeave,
    Gateway,
    Rpc,
    Jwks,
    Report,
}

impl Call {
    /// Whether it is answered at a gateway: what makes a session is at the backend that makes it, and
    /// game servers have theirs already (protocol-pragma §1.3, §4.1, §9.1).
    fn is_at(self, gateway: Gateway) -> bool {
        let (session, serves) = (gateway.session, |backend| gateway.serves(backend));
        match self {
            Self::GetInQueue | Self::CheckTicket => {
                session == SessionType::Player && serves(BackendType::Game)
            }
            Self::Authenticate | Self::Redirect => {
                session != SessionType::Partner && serves(BackendType::Social)
            }
            Self::SlotRedeem | Self::SlotHeartbeat | Self::SlotLeave => {
                session == SessionType::Partner && serves(BackendType::Game)
            }
            Self::PortalSignIn | Self::PortalSignUp => {
                session == SessionType::Player && serves(BackendType::Social)
            }
            _ => true,
        }
    }
}

/// A path in lower case, what it stands for and the methods it takes.
type Path = (&'static str, Call, &'static [Method]);

/// Every path that names no provider.
const PATHS: [Path; 19] = [
    ("/v1/info", Call::Info, &[Method::GET]),
    ("/v1/types", Call::Types, &[Method::GET]),
    ("/v1/healthcheck", Call::Healthcheck, &[Method::GET]),
    ("/instance-healthcheck", Call::InstanceHealthcheck, &[Method::GET]),
    ("/v1/loginqueue/getinqueuev1", Call::GetInQueue, &[Method::GET, Method::POST]),
    (HOT, Call::CheckTicket, &[Method::POST]),
    ("/v1/account/authenticateorcreatev2", Call::Authenticate, &[Method::POST]),
    ("/v1/accounts/authenticateorcreatev2", Call::Authenticate, &[Method::POST]),
    ("/v1/accounts/authenticatev1", Call::PortalSignIn, &[Method::POST, Method::OPTIONS]),
    ("/v1/account/authenticatev1", Call::PortalSignIn, &[Method::POST, Method::OPTIONS]),
    ("/v1/accounts/createaccountv1", Call::PortalSignUp, &[Method::POST, Method::OPTIONS]),
    ("/v1/account/createaccountv1", Call::PortalSignUp, &[Method::POST, Method::OPTIONS]),
    ("/v1/slots/redeem", Call::SlotRedeem, &[Method::POST]),
    ("/v1/slots/heartbeat", Call::SlotHeartbeat, &[Method::POST]),
    ("/v1/slots/leave", Call::SlotLeave, &[Method::POST]),
    ("/v1/gateway", Call::Gateway, &[Method::GET]),
    ("/v1/rpc", Call::Rpc, &[Method::POST]),
    ("/.well-known/jwks.json", Call::Jwks, &[Method::GET]),
    (data_rights::PATH, Call::Report, &[Method::POST]),
];

/// Asked for every request of the port: most paths are told by their length.
fn plain(path: &str) -> Option<&'static Path> {
    PATHS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(path))
}

/// The path of a call as it stands in the table, in lower case: what a log may say of a request.
pub fn named(path: &str) -> Option<&'static str> {
    plain(path).map(|(known, ..)| *known)
}

fn find(path: &str) -> Option<(Call, &'static [Method])> {
    plain(path)
        .map(|(_, call, methods)| (*call, *methods))
        .or_else(|| redirect::find(path).map(|_| (Call::Redirect, &[Method::GET][..])))
}

/// Whether a path is the web portal's, which pages of other origins than its own may not read.
pub fn is_portal(path: &str) -> bool {
    plain(path).is_some_and(|(_, call, _)| matches!(call, Call::PortalSignIn | Call::PortalSignUp))
}

/// Registers every plain route, each by its very path: that costs a comparison, a pattern costs ten
/// times as much for every request that is not ours. See [`any_case`].
pub fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone {
    let app = Arc::new(app);
    move |service| {
        let limit = web::PayloadConfig::new(app.config.limits.body_max_bytes);
        if Call::CheckTicket.is_at(app.gateway) {
            register_hot(service, &app, limit.clone());
        }
        for (path, ..) in PATHS {
            register(service, web::resource(path), &app, limit.clone());
        }
    }
}

/// Registers the same paths in whatever case they are written (protocol-pragma §16). To be
/// registered behind everything else: it looks at every request that comes so far.
pub fn any_case(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone {
    let app = Arc::new(app);
    move |service| {
        let limit = web::PayloadConfig::new(app.config.limits.body_max_bytes);
        let known = guard::fn_guard(|context| find(context.head().uri.path()).is_some());
        register(service, web::resource("/{path:.*}").guard(known), &app, limit);
    }
}

fn register_hot(service: &mut web::ServiceConfig, app: &Arc<App>, limit: web::PayloadConfig) {
    let app = Arc::clone(app);
    service.service(web::resource(HOT).guard(guard::Post()).app_data(limit).route(web::post().to(
        move |request: HttpRequest, body: Body| {
            let app = app.clone();
            async move {
                match body.0 {
                    Ok(body) => login_queue::check_ticket(&app, &request, &body).await,
                    Err(fault) => app.refuse(fault),
                }
            }
        },
    )));
}

fn register(
    service: &mut web::ServiceConfig,
    resource: actix_web::Resource,
    app: &Arc<App>,
    limit: web::PayloadConfig,
) {
    let app = Arc::clone(app);
    service.service(resource.app_data(limit).to(move |request: HttpRequest, body: Body| {
        let app = app.clone();
        async move { answer(&app, &request, body).await.unwrap_or_else(|f| app.refuse(f)) }
    }));
}

/// Where Pragma's sockets open.
pub fn socket_route(app: App) -> Arc<dyn SocketRoute> {
    Arc::new(rpc::socket::Route::new(app))
}

async fn answer(app: &Arc<App>, request: &HttpRequest, body: Body) -> Result<HttpResponse, Fault> {
    let (call, methods) = find(request.path()).ok_or(Fault::NoSuchPath)?;
    if !call.is_at(app.gateway) {
        return Err(Fault::NoSuchPath);
    }
    if !methods.contains(request.method()) {
        return Err(Fault::MethodNotAllowed);
    }
    // A browser comes to that one.
    if call != Call::Redirect && !accepts_json(request.headers()) {
        return Err(Fault::NotAcceptable);
    }
    let body = body.0?;
    match call {
        Call::Info => Ok(discovery::info(app, request)),
        Call::Types => Ok(json(types::json(app.gateway.session))),
        Call::Healthcheck => Ok(discovery::healthcheck(app)),
        Call::InstanceHealthcheck => Ok(json(r#"{"alive":true}"#)),
        Call::Jwks => Ok(json(app.keys.jwks().to_string())),
        Call::Gateway => discovery::gateway(app, request),
        Call::GetInQueue => login_queue::get_in_queue(app, request).await,
        Call::CheckTicket => Ok(login_queue::check_ticket(app, request, &body).await),
        Call::Authenticate => account::authenticate_or_create(app, request, &body).await,
        Call::PortalSignIn => Ok(portal::answer(app, request, &body, false).await),
        Call::PortalSignUp => Ok(portal::answer(app, request, &body, true).await),
        Call::Redirect => redirect::answer(app, request),
        Call::SlotRedeem => slots::redeem(app, request, &body).await,
        Call::SlotHeartbeat => slots::heartbeat(app, request, &body).await,
        Call::SlotLeave => slots::leave(app, request, &body).await,
        Call::Rpc => rpc::http::call(app, request, &body).await,
        Call::Report => data_rights::report(app, request, &body).await,
    }
}

/// The body of a request, or why there is none: too large or cut off.
struct Body(Result<web::Bytes, Fault>);

impl FromRequest for Body {
    type Error = std::convert::Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            Ok(Self(body.await.map_err(|error| match error.as_response_error().status_code() {
                actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge,
                _ => Fault::BadRequest,
            })))
        })
    }
}

/// A good answer.
fn json(body: impl Into<web::Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(errors::JSON)))
        .body(body.into())
}

/// Whether a client takes JSON (protocol-pragma §2.3). No `Accept` at all means it takes anything.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(actix_web::http::header::ACCEPT).peekable();
    values.peek().is_none()
        || values.any(|value| {
            value.as_bytes() == b"application/json"
                || value.to_str().is_ok_and(|value| value.split(',').any(takes_json))
        })
}

/// Whether one media range of an `Accept` header covers JSON.
fn takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let covers = matches!(kind.as_str(), "application/json" | "application/*" | "*/*");
    let zero = |weight: &str| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0);
    covers && !parts.any(|part| part.strip_prefix("q=").is_some_and(zero))
}

/// The address limits are held against.
fn client(app: &App, request: &HttpRequest) -> Option<std::net::IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for");
    let lines = forwarded.filter_map(|line| line.to_str().ok());
    app.door.client_address(request.peer_addr(), lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::ACCEPT;

    #[test]
    fn paths_match_without_regard_to_case_and_both_spellings_of_account() {
        for (path, call) in [
            ("/v1/info", Call::Info),
            ("/V1/LoginQueue/getInQueueV1", Call::GetInQueue),
            ("/v1/loginqueue/checkTicketV1", Call::CheckTicket),
            ("/v1/account/authenticateOrCreateV2", Call::Authenticate),
            ("/v1/accounts/authenticateorcreatev2", Call::Authenticate),
        ] {
            assert_eq!(find(path).map(|found| found.0), Some(call), "{path}");
        }
        assert!(find("/v1/info/").is_none() && find("/v2/account").is_none());
    }

    #[test]
    fn only_an_accept_header_that_leaves_json_out_is_refused() {
        let accepts = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
            accepts_json(&headers)
        };
        assert!(accepts_json(&HeaderMap::new()));
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "*/*",
            "text/html, application/*;q=0.5",
            "application/x-protobuf;q=1, application/json;q=0.1",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in ["application/x-protobuf", "application/json;q=0", "text/*", ""] {
            assert!(!accepts(bad), "{bad}");
        }
    }
}
