//! The ports: one server, with services for players over HTTP and over gRPC, and for operators.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpResponse, web};

use super::accepting::{self, Accepted, Behind};
use super::metrics::Sources;
use super::observed::Observed;
use super::parts::{Running, StartError};
use super::pragma_ports::{self, Ports, PragmaPort};
use crate::actors::session::{self, Connection, SocketRoute};
use crate::config::pragma::PortOf;
use crate::config::{Config, tls};
use crate::domain::token::SessionType;
use crate::observe::{Health, PortKind, Traffic};
use crate::operator_api::round_trips::{Trips, way_in};
use crate::pragma::Gateway;
use crate::signin::Audited;
use crate::tls::{Acceptor, Speaks};
use crate::{console, nakama, operator_api, pragma, queue_api, try_it};

/// An idle connection is closed after this (protocol-nakama §0.5).
pub(super) const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// A request's head must be here within this.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;

/// Ports that are ours and not yet served.
pub(super) struct Sockets {
    players: TcpListener,
    grpc: TcpListener,
    operators: TcpListener,
    partners: TcpListener,
    pragma: Ports,
}

/// Ports that are served once the server runs.
pub(super) struct Listeners {
    pub players: SocketAddr,
    pub grpc: SocketAddr,
    pub operators: SocketAddr,
    pub partners: SocketAddr,
    pub pragma: Vec<(PortOf, SocketAddr)>,
    /// Tells gRPC's connections to end.
    pub leave: nakama::grpc::Leave,
    pub server: Server,
}

pub(super) fn bind(config: &Config) -> Result<Sockets, StartError> {
    Ok(Sockets {
        players: listen(config.server.listen)?,
        grpc: listen(config.server.grpc_address())?,
        operators: listen(config.server.operators_address())?,
        partners: listen(config.server.partners_address())?,
        pragma: pragma_ports::bind(&config.pragma)?,
    })
}

pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
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
        let (grpc_at, partners_at) = (at(&self.grpc)?, at(&self.partners)?);
        let pragma_at = pragma_ports::addresses(&self.pragma);
        let config = &running.config;
        let workers = match config.server.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let trips = Trips::default();
        let player_port = PlayerPort::new(running, &trips);
        let leave = nakama::grpc::Leave::default();
        let grpc_port =
            nakama::grpc::Port::new(player_port.nakama.clone(), &leave, &running.access);
        let ours = [
            ("players", players_at),
            ("grpc", grpc_at),
            ("operators", operators_at),
            ("partners", partners_at),
        ];
        let ours = ours.map(|(name, at)| (name.to_owned(), at));
        let name_of = |(session, backend): PortOf| format!("pragma {} {backend:?}", session.name());
        let pragmas = pragma_at.iter().map(|(of, at)| (name_of(*of), *at));
        let listeners: Vec<_> = ours.into_iter().chain(pragmas).collect();
        let pages = OperatorPages::new(running, listeners, workers, trips);
        let port_of = |session, backend: Option<_>| {
            let gateway = Gateway { session, backend };
            let kind = match (session, backend) {
                (_, Some(_)) => PortKind::Pragma,
                (SessionType::Operator, None) => PortKind::Operators,
                (_, None) => PortKind::Partners,
            };
            PragmaPort::new(running, pragma_ports::app(running, gateway, &pragma_at), kind)
        };
        let operator_port = port_of(SessionType::Operator, None);
        let partner_port = port_of(SessionType::Partner, None);
        let mut server = Server::build()
            .workers(workers)
            .max_concurrent_connections(config.server.connections_max)
            .shutdown_timeout(config.server.drain_s.div_ceil(4))
            .disable_signals();
        let tls = |ports| acceptor(running, ports);
        let players_tls = tls(tls::Ports::Players)?;
        server = accepting::listen(server, "players", self.players, player_port, players_tls)?;
        server = accepting::listen(server, "grpc", self.grpc, grpc_port, tls(tls::Ports::Grpc)?)?;
        let operators_tls = tls(tls::Ports::Operators)?;
        let operator_port = operator_port.with_pages(pages);
        server =
            accepting::listen(server, "operators", self.operators, operator_port, operators_tls)?;
        let partners_tls = tls(tls::Ports::Partners)?;
        server = accepting::listen(server, "partners", self.partners, partner_port, partners_tls)?;
        let pragma_tls = tls(tls::Ports::Pragma)?;
        for ((session, backend), listener) in self.pragma {
            let port = port_of(session, Some(backend));
            let name = name_of((session, backend));
            server = accepting::listen(server, &name, listener, port, pragma_tls.clone())?;
        }
        Ok(Listeners {
            players: players_at,
            grpc: grpc_at,
            operators: operators_at,
            partners: partners_at,
            pragma: pragma_at,
            leave,
            server: server.run(),
        })
    }
}

/// Begins connections at these ports with TLS, if they have it.
fn acceptor(running: &Running, ports: tls::Ports) -> Result<Option<Acceptor>, StartError> {
    let wanted = running.certificates.as_ref().filter(|_| running.config.tls.serves(ports));
    let speaks = if ports == tls::Ports::Grpc { Speaks::Grpc } else { Speaks::Http };
    Ok(wanted.map(|certificates| certificates.acceptor(speaks)).transpose()?)
}

/// Everything behind the players' port.
#[derive(Clone)]
struct PlayerPort {
    nakama: nakama::App,
    pragma: pragma::App,
    queue: queue_api::App,
    sockets: session::SessionDoor,
    routes: Vec<Arc<dyn SocketRoute>>,
    health: Health,
    trips: Trips,
    traffic: Traffic,
    observed: Observed,
}

impl PlayerPort {
    fn new(running: &Running, trips: &Trips) -> Self {
        let nakama = nakama::App {
            door: running.door.clone(),
            keys: running.nakama_keys.clone(),
            server_key: nakama::ServerKey::new(running.server_key.as_bytes()),
            config: Arc::clone(&running.config),
        };
        let gateway = Gateway { session: SessionType::Player, backend: None };
        let pragma = pragma_ports::app(running, gateway, &[]);
        let routes =
            vec![nakama::socket_route(nakama.clone()), pragma::socket_route(pragma.clone())];
        let (sockets, health) = (running.sockets.clone(), running.health.clone());
        let queue = (*running.queue_api).clone();
        let (traffic, trips) = (running.traffic.clone(), trips.clone());
        let observed = Observed::new(running, PortKind::Players, false);
        Self { nakama, pragma, queue, sockets, routes, health, trips, traffic, observed }
    }
}

impl Behind for PlayerPort {
    /// The line's routes come first: polls are the bulk of all requests.
    fn service<T: Connection>(
        &self,
    ) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = (), InitError = ()> + use<T>
    {
        let this = self.clone();
        // This runs once on each worker, whose loop it is.
        actix_rt::spawn(this.traffic.clone().watch_loop());
        let app = App::new()
            .configure(pragma::routes(this.pragma.clone()))
            .configure(queue_api::routes(this.queue.clone()))
            .configure(nakama::routes(this.nakama.clone()))
            .configure(try_it::routes)
            .configure(health_routes(&this.health))
            .configure(way_in(this.nakama.door.clone(), this.trips.clone()))
            .configure(pragma::any_case(this.pragma.clone()))
            .default_service(web::to(nakama::default_service))
            .wrap(nakama::Cors { but_for: pragma::is_portal });
        HttpService::build()
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_WITHIN)
            .on_connect_ext(counted(&this.traffic, PortKind::Players))
            .upgrade(
                session::upgrade(this.sockets.clone(), this.routes.clone())
                    .by(this.observed.doorway())
                    .with_streams(vec![queue_api::stream::route(this.queue.clone())]),
            )
            .h1(this.observed.around(map_config(app, |()| AppConfig::default())))
            .map_err(drop)
    }
}

/// Counts a connection for as long as it is open.
pub(super) fn counted<T>(
    traffic: &Traffic,
    port: PortKind,
) -> impl Fn(&T, &mut actix_http::Extensions) + 'static + use<T> {
    let traffic = traffic.clone();
    move |_, kept| drop(kept.insert(traffic.connected(port)))
}

/// What is at the operators' port beside Pragma's calls.
#[derive(Clone)]
pub(super) struct OperatorPages {
    metrics: web::Data<Sources>,
    api: operator_api::App,
}

impl OperatorPages {
    fn new(
        running: &Running,
        listeners: Vec<(String, SocketAddr)>,
        workers: usize,
        trips: Trips,
    ) -> Self {
        let streams = running.queue_api.streams.clone();
        let about = operator_api::About {
            started_at: running.door.clock.now(),
            listeners,
            workers,
            health: running.health.clone(),
            traffic: running.traffic.clone(),
            queue_streams: Box::new(move || streams.count()),
        };
        let api = operator_api::App {
            door: running.door.clone(),
            audited: Audited::new(running.door.clone(), running.audit.clone()),
            steering: running.steering.clone(),
            backups: running.backups.clone(),
            trips,
            reloader: running.reloader.clone(),
            keys: Arc::clone(&running.player_keys),
            live: running.live.clone(),
            about: Arc::new(about),
            operators: running.operators.clone(),
            permissions: pragma::rpc::permissions::PERMISSIONS,
        };
        Self { metrics: web::Data::new(Sources::new(running)), api }
    }
}

/// Pages for operators, where there are any.
pub(super) fn operator_routes(
    pages: Option<&OperatorPages>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let pages = pages.cloned();
    move |routes| {
        let Some(OperatorPages { metrics, api }) = pages else {
            return;
        };
        operator_api::routes(api)(routes);
        console::routes(routes);
        let page = web::resource("/metrics").app_data(metrics).route(web::get().to(metrics_page));
        let healthcheck = || async { HttpResponse::Ok().json(serde_json::json!({})) };
        routes.service(page).route("/healthcheck", web::get().to(healthcheck));
    }
}

pub(super) fn health_routes(health: &Health) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
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
