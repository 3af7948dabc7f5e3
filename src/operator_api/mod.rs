//! The operator API: what the people at a launch see and turn. Translation only; `docs/operator-api.md`
//! is the page for those who call it.
//!
//! On the operators' port. Who calls it is an operator and has the permission ([`guard`]).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use std::sync::Arc;

use crate::actors::Backups;
use crate::domain::token::PlayerKeys;
use crate::signin::Door;
use crate::signin::operators::Operators;
use crate::signin::steering::Steering;

pub mod backups;
pub mod dials;
mod guard;
mod picture;
pub mod refusal;
pub mod round_trips;
mod session;
pub mod staff;

use guard::operator;
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
    /// Who signs in here.
    pub operators: Operators,
    /// Every permission there is, and what it is for.
    pub permissions: &'static [(&'static str, &'static str)],
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
            .configure(operators)
            .service(web::resource("/round-trips").route(web::post().to(round_trips::begin)))
            .service(web::resource("/round-trips/{id}").route(web::get().to(round_trips::see)))
            .service(web::resource("/backup").route(web::post().to(backups::make)))
            .default_service(web::to(|| async { Err::<HttpResponse, _>(Refusal::NoSuchPath) }));
        service.service(scope);
    }
}

/// Who signs in, and who may.
fn operators(service: &mut web::ServiceConfig) {
    service
        .service(
            web::resource("/session")
                .route(web::get().to(session::see))
                .route(web::post().to(session::sign_in))
                .route(web::delete().to(session::sign_out)),
        )
        .service(web::resource("/session/step-up").route(web::post().to(session::step_up)))
        .service(web::resource("/setup").route(web::post().to(session::set_up)))
        .service(
            web::resource("/totp")
                .route(web::post().to(session::enrol))
                .route(web::delete().to(session::drop_totp)),
        )
        .service(web::resource("/totp/confirm").route(web::post().to(session::confirm)))
        .service(
            web::resource("/operators")
                .route(web::get().to(staff::list))
                .route(web::post().to(staff::invite)),
        )
        .service(web::resource("/operators/accept").route(web::post().to(session::accept)))
        .service(
            web::resource("/operators/invitations/{id}").route(web::delete().to(staff::withdraw)),
        )
        .service(
            web::resource("/operators/{id}")
                .route(web::patch().to(staff::set_roles))
                .route(web::delete().to(staff::dismiss)),
        )
        .service(
            web::resource("/tokens")
                .route(web::get().to(staff::tokens))
                .route(web::post().to(staff::make_token)),
        )
        .service(web::resource("/tokens/{id}").route(web::delete().to(staff::revoke_token)));
}

/// An answer that nobody keeps.
fn json(status: actix_web::http::StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}
