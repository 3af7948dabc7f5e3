//! The ports: one server, with services for players over HTTP and over gRPC, and for operators.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpResponse, web};

use super::Shared;
use super::metrics::Sources;
use super::parts::{Running, StartError};
use crate::actors::session::{self, SocketRoute};
use crate::config::Config;
use crate::domain::token::SessionType;
use crate::observe::Health;
use crate::{nakama, pragma, try_it};

/// An idle connection is closed after this (protocol-nakama §0.5).
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// A request's head must be here within this.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;

/// Ports that are ours and not yet served.
pub(super) struct Sockets {
    players: TcpListener,
    grpc: TcpListener,
    operators: TcpListener,
}

/// Ports that are served once the server runs.
pub(super) struct Listeners {
    pub players: SocketAddr,
    pub grpc: SocketAddr,
    pub operators: SocketAddr,
    /// Tells gRPC's connections to end.
    pub leave: nakama::grpc::Leave,
    pub server: Server,
}

pub(super) fn bind(config: &Config) -> Result<Sockets, StartError> {
    Ok(Sockets {
        players: listen(config.server.listen)?,
        grpc: listen(config.server.grpc_address())?,
        operators: listen(config.server.operators_address())?,
    })
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = || {
        let socket = if address.is_ipv4() {
            tokio::net::TcpSocket::new_v4()?
        } else {
            tokio::net::TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bound().map_err(|source| StartError::Listen { address, source })
}

impl Sockets {
    pub fn serve(self, running: &Running) -> Result<Listeners, StartError> {
        let at = |listener: &TcpListener| listener.local_addr().map_err(StartError::Http);
        let (players_at, operators_at) = (at(&self.players)?, at(&self.operators)?);
        let grpc_at = at(&self.grpc)?;
        let config = &running.config;
        let workers = match config.server.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let player_port = PlayerPort::new(running);
        let leave = nakama::grpc::Leave::default();
        let grpc_port = nakama::grpc::Port::new(player_port.nakama.clone(), &leave);
        let shared = Shared { health: running.health.clone(), metrics: Sources::new(running) };
        let server = Server::build()
            .workers(workers)
            .max_concurrent_connections(config.server.connections_max)
            .shutdown_timeout(config.server.drain_s)
            .disable_signals()
            .listen("players", self.players, move || player_port.service())
            .and_then(|server| server.listen("grpc", self.grpc, move || grpc_port.service()))
            .and_then(|server| {
                server.listen("operators", self.operators, move || operator_service(&shared))
            })
            .map_err(StartError::Http)?
            .run();
        Ok(Listeners { players: players_at, grpc: grpc_at, operators: operators_at, leave, server })
    }
}

type Stream = actix_rt::net::TcpStream;

/// Everything behind the players' port.
#[derive(Clone)]
struct PlayerPort {
    nakama: nakama::App,
    pragma: pragma::App,
    sockets: session::SessionDoor,
    routes: Vec<Arc<dyn SocketRoute>>,
    health: Health,
}

impl PlayerPort {
    fn new(running: &Running) -> Self {
        let nakama = nakama::App {
            door: running.door.clone(),
            keys: running.nakama_keys.clone(),
            server_key: nakama::ServerKey::new(running.server_key.as_bytes()),
            config: Arc::clone(&running.config),
        };
        let pragma = pragma::App {
            door: running.door.clone(),
            keys: Arc::clone(&running.player_keys),
            config: Arc::clone(&running.config),
            started_at: running.door.clock.now(),
            gateway: pragma::Gateway { session: SessionType::Player, backend: None },
        };
        let routes =
            vec![nakama::socket_route(nakama.clone()), pragma::socket_route(pragma.clone())];
        let (sockets, health) = (running.sockets.clone(), running.health.clone());
        Self { nakama, pragma, sockets, routes, health }
    }

    /// One worker's service. The line's routes come first: polls are the bulk of all requests.
    fn service(
        &self,
    ) -> impl actix_service::ServiceFactory<Stream, Config = (), Response = (), InitError = ()> + use<>
    {
        let this = self.clone();
        let app = App::new()
            .configure(pragma::routes(this.pragma.clone()))
            .configure(nakama::routes(this.nakama.clone()))
            .configure(try_it::routes)
            .configure(health_routes(&this.health))
            .configure(pragma::any_case(this.pragma.clone()))
            .default_service(web::to(nakama::default_service))
            .wrap(nakama::Cors);
        HttpService::build()
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_WITHIN)
            .upgrade(session::upgrade(this.sockets.clone(), this.routes.clone()))
            .h1(map_config(app, |()| AppConfig::default()))
            .tcp()
            .map_err(drop)
    }
}

fn operator_service(
    shared: &Shared,
) -> impl actix_service::ServiceFactory<Stream, Config = (), Response = (), InitError = ()> + use<>
{
    let app = App::new()
        .app_data(web::Data::new(shared.metrics.clone()))
        .route("/metrics", web::get().to(metrics_page))
        .route(
            "/healthcheck",
            web::get().to(|| async { HttpResponse::Ok().json(serde_json::json!({})) }),
        )
        .configure(health_routes(&shared.health));
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_WITHIN)
        .h1(map_config(app, |()| AppConfig::default()))
        .tcp()
        .map_err(drop)
}

fn health_routes(health: &Health) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let health = web::Data::new(health.clone());
    move |routes| {
        routes.service(web::resource("/readyz").app_data(health).route(web::get().to(ready)));
    }
}

async fn ready(health: web::Data<Health>) -> HttpResponse {
    let (ready, state) = health.ready();
    let body = serde_json::json!({"ready": ready, "state": state});
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn metrics_page(sources: web::Data<Sources>) -> HttpResponse {
    match sources.page().await {
        Ok(page) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(page),
        Err(error) => HttpResponse::ServiceUnavailable().body(error.to_string()),
    }
}
