//! The operator API: what the people at a launch see and turn. Translation only; `docs/operator-api.md`
//! is the page for those who call it.
//!
//! On the operators' port. Who calls it is an operator by the token of Pragma's operator sign-in, and has
//! the permission; roles are looked up each time, so that one that is taken away is gone at once.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use std::sync::Arc;

use crate::actors::Backups;
use crate::actors::account_registry::Key;
use crate::domain::account::AccountId;
use crate::domain::token::{Claims, PlayerKeys, SessionType, bearer};
use crate::signin::Door;
use crate::signin::steering::Steering;

pub mod backups;
pub mod dials;
pub mod refusal;
pub mod round_trips;

pub use refusal::Refusal;

/// Where everything of this front end is.
pub const PREFIX: &str = "/v1/operator";
/// Largest body taken, in bytes.
const BODY_MAX: usize = 16_384;
/// To see the line and its dials.
pub const SEE: &str = "queue.dials.get";
/// To turn them.
pub const TURN: &str = "queue.dials.update";

/// What the front end stands on. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub door: Door,
    /// What turns the line.
    pub steering: Steering,
    /// Round trips by the public address.
    pub trips: round_trips::Trips,
    /// What makes backups.
    pub backups: Backups,
    /// Keys of operators' tokens.
    pub keys: Arc<PlayerKeys>,
}

/// Registers every route.
pub fn routes(app: App) -> impl FnOnce(&mut web::ServiceConfig) {
    move |service| {
        let scope = web::scope(PREFIX)
            .app_data(web::Data::new(app))
            .app_data(web::PayloadConfig::new(BODY_MAX))
            .service(web::resource("/queue").route(web::get().to(dials::see)))
            .service(web::resource("/queue/changes").route(web::post().to(dials::stage)))
            .service(
                web::resource("/queue/changes/{id}").route(web::delete().to(dials::drop_staged)),
            )
            .service(web::resource("/queue/changes/{id}/apply").route(web::post().to(dials::apply)))
            .service(web::resource("/queue/changes/{id}/undo").route(web::post().to(dials::undo)))
            .service(web::resource("/round-trips").route(web::post().to(round_trips::begin)))
            .service(web::resource("/round-trips/{id}").route(web::get().to(round_trips::see)))
            .service(web::resource("/backup").route(web::post().to(backups::make)))
            .default_service(web::to(|| async { Err::<HttpResponse, _>(Refusal::NoSuchPath) }));
        service.service(scope);
    }
}

/// Who asks, if he may.
///
/// # Errors
///
/// [`Refusal::Token`], [`Refusal::Forbidden`], or no answer.
async fn operator(
    app: &App,
    request: &HttpRequest,
    permission: &'static str,
) -> Result<AccountId, Refusal> {
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(bearer).ok_or(Refusal::Token)?;
    let now = app.door.clock.now();
    let Ok(Claims::Person(person)) = app.keys.verify(token, now) else {
        return Err(Refusal::Token);
    };
    let account = AccountId(person.session.social_id);
    let is_good = person.session.session_type == SessionType::Operator
        && !app.door.is_revoked(account, person.jti, false, person.issued_at_us);
    if !is_good {
        return Err(Refusal::Token);
    }
    let found = app.door.find(Key::Id(account)).await?.ok_or(Refusal::Token)?;
    let permits = app.door.realm().permits(&found.dossier().roles, permission);
    if permits && !found.is_banned(now) { Ok(account) } else { Err(Refusal::Forbidden(permission)) }
}

/// An answer that nobody keeps.
fn json(status: actix_web::http::StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}
