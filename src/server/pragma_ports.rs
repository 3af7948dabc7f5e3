//! Pragma's ports: whom each serves, and what is behind it (protocol-pragma §1.2).

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_http::HttpService;
use actix_service::{ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpResponse, web};

use super::accepting::{Accepted, Behind};
use super::listeners::{
    HEAD_WITHIN, KEEP_ALIVE, OperatorPages, counted, health_routes, listen, operator_routes,
};
use super::observed::Observed;
use super::parts::{Running, StartError};
use crate::actors::session::{self, Connection, SocketRoute};
use crate::config::PragmaConfig;
use crate::config::pragma::PortOf;
use crate::domain::token::{BackendType, SessionType};
use crate::observe::{Health, PortKind, Traffic};
use crate::pragma::{self, Gateway, Siblings};
use crate::signin::Audited;

/// Ports that are ours and not yet served.
pub(super) type Ports = Vec<(PortOf, TcpListener)>;

/// Binds Pragma's six ports, if they are wanted.
pub(super) fn bind(config: &PragmaConfig) -> Result<Ports, StartError> {
    let wanted = config.ports.each().into_iter().filter(|_| config.ports.enabled);
    wanted.map(|(of, address)| Ok((of, listen(address)?))).collect()
}

/// Where each is.
pub(super) fn addresses(ports: &Ports) -> Vec<(PortOf, SocketAddr)> {
    let at = |(of, listener): &(PortOf, TcpListener)| Some((*of, listener.local_addr().ok()?));
    ports.iter().filter_map(at).collect()
}

/// The two gateways of one type of session, where each has a port of its own.
fn siblings(of: SessionType, addresses: &[(PortOf, SocketAddr)]) -> Option<Siblings> {
    let port = |backend| {
        let found = addresses.iter().find(|(port, _)| *port == (of, backend));
        found.map(|(_, address)| address.port())
    };
    Some(Siblings { social: port(BackendType::Social)?, game: port(BackendType::Game)? })
}

/// What Pragma's front end stands on at one port.
pub(super) fn app(
    running: &Running,
    gateway: Gateway,
    addresses: &[(PortOf, SocketAddr)],
) -> pragma::App {
    pragma::App {
        door: running.door.clone(),
        audited: Audited::new(running.door.clone(), running.audit.clone()),
        keys: Arc::clone(&running.player_keys),
        config: Arc::clone(&running.config),
        started_at: running.door.clock.now(),
        gateway,
        states: Arc::clone(&running.states),
        siblings: gateway.backend.and_then(|_| siblings(gateway.session, addresses)),
    }
}

/// Everything behind a port that serves Pragma alone.
#[derive(Clone)]
pub(super) struct PragmaPort {
    pragma: pragma::App,
    sockets: session::SessionDoor,
    routes: Vec<Arc<dyn SocketRoute>>,
    health: Health,
    traffic: Traffic,
    kind: PortKind,
    observed: Observed,
    pages: Option<OperatorPages>,
}

impl PragmaPort {
    pub fn new(running: &Running, pragma: pragma::App, kind: PortKind) -> Self {
        let routes = vec![pragma::socket_route(pragma.clone())];
        let (sockets, health) = (running.sockets.clone(), running.health.clone());
        let traffic = running.traffic.clone();
        let is_private = pragma.gateway.session != SessionType::Player;
        let observed = Observed::new(running, kind, is_private);
        Self { pragma, sockets, routes, health, traffic, kind, observed, pages: None }
    }

    /// The same with operators' pages.
    pub fn with_pages(self, pages: OperatorPages) -> Self {
        Self { pages: Some(pages), ..self }
    }
}

impl Behind for PragmaPort {
    fn service<T: Connection>(
        &self,
    ) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = (), InitError = ()> + use<T>
    {
        let this = self.clone();
        let app = App::new()
            .configure(pragma::routes(this.pragma.clone()))
            .configure(health_routes(&this.health))
            .configure(operator_routes(this.pages.as_ref()))
            .configure(pragma::any_case(this.pragma.clone()))
            .default_service(web::to(HttpResponse::NotFound));
        HttpService::build()
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_WITHIN)
            .on_connect_ext(counted(&this.traffic, this.kind))
            .upgrade(
                session::upgrade(this.sockets.clone(), this.routes.clone())
                    .by(this.observed.doorway()),
            )
            .h1(this.observed.around(map_config(app, |()| AppConfig::default())))
            .map_err(drop)
    }
}
