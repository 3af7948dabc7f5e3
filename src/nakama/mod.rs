//! Nakama's client API (protocol-nakama): translation only.
//!
//! [`calls`] has a function for each call, whichever door it comes through; [`wire`] the messages.
//! [`rest`] says which path is which call, [`grpc`] is the other door to them; [`socket`] speaks JSON
//! and protobuf over `/ws`; [`errors`] has every refusal's code and words. What the wire allows in a body or a query is in [`body`] and [`query`],
//! what an answer looks like in [`reply`].

pub mod auth;
pub mod body;
pub mod calls;
pub mod catalogue;
pub mod cors;
pub mod errors;
pub mod grpc;
pub mod openapi;
pub mod query;
pub mod reply;
pub mod rest;
pub mod socket;
pub mod waiting;
pub mod wire;

use std::sync::Arc;

use actix_web::web;

pub use auth::ServerKey;
pub use cors::Cors;
pub use rest::default_service;
pub use socket::socket_route;

use crate::config::Config;
use crate::domain::token::nakama::NakamaKeys;
use crate::signin::Door;

/// What this front end reaches.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub door: Door,
    /// Keys of the session tokens.
    pub keys: NakamaKeys,
    /// The key a client shows to sign in.
    pub server_key: ServerKey,
    /// Settings.
    pub config: Arc<Config>,
}

/// Registers Nakama's paths: `/v2/...`, `/healthcheck`, `/openapi.json` and what is answered on `/ws` to those who
/// do not ask for a socket. The rest of the port is not touched; see [`default_service`], [`Cors`].
pub fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone {
    let socket = Arc::new(app.clone());
    let rest = Arc::new(rest::Rest::new(app));
    move |config| {
        let (calls, health, socket) = (rest.clone(), rest.clone(), socket.clone());
        config
            .configure(openapi::routes)
            .service(web::scope("/v2").default_service(web::to(move |request, payload| {
                rest::serve(calls.clone(), request, payload)
            })))
            .service(web::resource("/healthcheck").default_service(web::to(
                move |request, payload| rest::serve(health.clone(), request, payload),
            )))
            .service(web::resource("/ws").default_service(web::to(move |request| {
                std::future::ready(socket::without_upgrade(&socket, &request))
            })));
    }
}
