//! The operator API: what the people at a launch and in support see and do. Translation only;
//! `docs/operator-api.md` is the page for those who call it, [`OPENAPI`] for their tools.
//!
//! On the operators' port. Who calls it is an operator and has the permission ([`guard`]).

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::actors::Backups;
use crate::domain::time::UnixMicros;
use crate::domain::token::PlayerKeys;
use crate::observe::{Health, Live, Traffic};
use crate::signin::operators::Operators;
use crate::signin::reloading::Reloader;
use crate::signin::steering::Steering;
use crate::signin::{Audited, Door};

mod account_deeds;
mod account_shapes;
mod accounts;
mod audit_log;
pub mod backups;
pub mod catalogue;
pub mod dials;
mod guard;
mod live;
mod page;
mod partner_tokens;
mod picture;
mod provider_sign_in;
pub mod refusal;
pub mod round_trips;
mod servers;
mod session;
mod settings;
pub mod staff;
mod status;

use guard::{fresh_operator, operator};
pub use refusal::Refusal;

/// Where everything of this front end is.
pub const PREFIX: &str = "/v1/operator";
/// Largest body taken, in bytes.
const BODY_MAX: usize = 16_384;
/// To see the line and its dials.
pub const SEE: &str = "queue.dials.get";
/// To turn them.
pub const TURN: &str = "queue.dials.update";
/// The description in `OpenAPI` 3.1; `tests/it/operator_openapi.rs` holds it against real answers.
pub const OPENAPI: &str = include_str!("openapi.json");

/// What the front end stands on. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub door: Door,
    /// Those of operators, each on record.
    pub audited: Audited,
    /// What turns the line.
    pub steering: Steering,
    /// Round trips by the public address.
    pub trips: round_trips::Trips,
    /// What makes backups.
    pub backups: Backups,
    /// What reads settings again.
    pub reloader: Reloader,
    /// Keys of operators' tokens.
    pub keys: Arc<PlayerKeys>,
    /// Who signs in here.
    pub operators: Operators,
    /// What was measured lately.
    pub live: Live,
    /// Every permission there is, and what it is for.
    pub permissions: &'static [(&'static str, &'static str)],
    /// The server itself.
    pub about: Arc<About>,
}

/// What there is to say of the server itself.
pub struct About {
    /// When it started.
    pub started_at: UnixMicros,
    /// Where it listens, and for whom.
    pub listeners: Vec<(String, SocketAddr)>,
    /// HTTP workers.
    pub workers: usize,
    /// Whether it is ready.
    pub health: Health,
    /// Connections and answers.
    pub traffic: Traffic,
    /// Open streams of the queue API.
    pub queue_streams: Box<dyn Fn() -> usize + Send + Sync>,
}

macro_rules! routes {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Every call: its method, and its path below [`PREFIX`].
        pub const OFFERED: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        fn register(scope: actix_web::Scope) -> actix_web::Scope {
            scope$(.route($path, web::$method().to($handler)))*
        }
    };
}

routes! {
    get "/queue" => dials::see;
    post "/queue/changes" => dials::stage;
    delete "/queue/changes/{id}" => dials::drop_staged;
    post "/queue/changes/{id}/apply" => dials::apply;
    post "/queue/changes/{id}/undo" => dials::undo;
    get "/live" => live::history;
    get "/live/stream" => live::stream;
    get "/accounts" => accounts::list;
    post "/accounts" => account_deeds::create;
    get "/accounts/{id}" => accounts::one;
    patch "/accounts/{id}" => account_deeds::rename;
    delete "/accounts/{id}" => account_deeds::delete;
    get "/accounts/{id}/friends" => accounts::friends;
    get "/accounts/{id}/export" => accounts::export;
    post "/accounts/{id}/bans" => account_deeds::ban;
    delete "/accounts/{id}/bans/{ban}" => account_deeds::lift_ban;
    delete "/accounts/{id}/links/{key}" => account_deeds::unlink;
    post "/accounts/{id}/kick" => account_deeds::kick;
    post "/accounts/{id}/sign-out" => account_deeds::sign_out;
    put "/accounts/{id}/tags" => account_deeds::set_tags;
    put "/accounts/{id}/groups" => account_deeds::set_groups;
    get "/shards" => servers::shards;
    put "/shards/{id}" => servers::set_shard;
    get "/events" => servers::events;
    post "/events" => servers::create_event;
    put "/events/{id}" => servers::set_event;
    delete "/events/{id}" => servers::delete_event;
    get "/groups" => servers::groups;
    post "/groups" => servers::create_group;
    put "/groups/{id}" => servers::set_group;
    delete "/groups/{id}" => servers::delete_group;
    get "/tags" => servers::tags;
    post "/tags" => servers::create_tag;
    put "/tags/{id}" => servers::set_tag;
    delete "/tags/{id}" => servers::delete_tag;
    get "/partner-tokens" => partner_tokens::list;
    post "/partner-tokens" => partner_tokens::create;
    patch "/partner-tokens/{id}" => partner_tokens::relabel;
    delete "/partner-tokens/{id}" => partner_tokens::revoke;
    get "/status" => status::see;
    get "/presence/{id}" => status::presence;
    get "/presence/{id}/stream" => status::watch_presence;
    get "/audit" => audit_log::list;
    get "/audit/verify" => audit_log::verify;
    get "/audit/pseudonyms/{id}" => audit_log::pseudonym;
    get "/settings" => settings::list;
    post "/settings/reload" => settings::reload;
    post "/keys/rotate" => settings::rotate;
    get "/session" => session::see;
    post "/session" => session::sign_in;
    delete "/session" => session::sign_out;
    post "/session/step-up" => session::step_up;
    post "/session/code" => provider_sign_in::code;
    post "/session/providers/{name}" => provider_sign_in::begin;
    delete "/session/providers/{name}" => provider_sign_in::unbind;
    get "/session/providers/{name}/callback" => provider_sign_in::callback;
    post "/setup" => session::set_up;
    post "/totp" => session::enrol;
    delete "/totp" => session::drop_totp;
    post "/totp/confirm" => session::confirm;
    get "/operators" => staff::list;
    post "/operators" => staff::invite;
    post "/operators/accept" => session::accept;
    delete "/operators/invitations/{id}" => staff::withdraw;
    patch "/operators/{id}" => staff::set_roles;
    delete "/operators/{id}" => staff::dismiss;
    get "/tokens" => staff::tokens;
    post "/tokens" => staff::make_token;
    delete "/tokens/{id}" => staff::revoke_token;
    post "/round-trips" => round_trips::begin;
    get "/round-trips/{id}" => round_trips::see;
    post "/backup" => backups::make;
    get "/permissions" => permissions;
    get "/openapi.json" => openapi;
}

/// Registers every route.
pub fn routes(app: App) -> impl FnOnce(&mut web::ServiceConfig) {
    move |service| {
        let scope = web::scope(PREFIX)
            .app_data(web::Data::new(app))
            .app_data(web::PayloadConfig::new(BODY_MAX))
            .app_data(web::PathConfig::default().error_handler(|_, _| Refusal::NotThere.into()));
        let not_here = || async { Err::<HttpResponse, _>(Refusal::NoSuchPath) };
        service.service(register(scope).default_service(web::to(not_here)));
    }
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(OPENAPI)
}

/// What roles and tokens can permit.
async fn permissions(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Permission {
        name: &'static str,
        about: &'static str,
    }
    operator(&app, &request, "account.roles.get").await?;
    let paging: page::Paging = page::query(&request)?;
    let each = app.permissions.iter().map(|(name, about)| Permission { name, about });
    Ok(json(actix_web::http::StatusCode::OK, &paging.of(each)?))
}

/// Whether who asks and was let in may do this, too.
async fn permits(
    app: &App,
    request: &HttpRequest,
    permission: &'static str,
) -> Result<bool, Refusal> {
    match operator(app, request, permission).await {
        Ok(_) => Ok(true),
        Err(Refusal::Forbidden(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Nobody gives away what they may not do themselves; an empty list gives everything.
async fn permits_all(app: &App, request: &HttpRequest, wanted: &[String]) -> Result<(), Refusal> {
    let every = app.permissions.iter().map(|(name, _)| *name);
    let given = every.filter(|name| wanted.is_empty() || wanted.iter().any(|it| it == name));
    for name in given {
        operator(app, request, name).await?;
    }
    Ok(())
}

/// The body of a request.
fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)
}

/// An answer that nobody keeps.
fn json(status: actix_web::http::StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}
