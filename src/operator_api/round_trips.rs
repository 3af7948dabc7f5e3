//! `/v1/operator/round-trips`: somebody goes in by the public address and asks whom the server saw
//! (`anteroom doctor`). The way in is `/v1/round-trip/{id}` on the players' port.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use uuid::Uuid;

use super::{App, Refusal, SEE, json, operator};
use crate::domain::checkup::{RoundTrips, Seen};
use crate::signin::Door;

/// Round trips that are under way. Cheap to clone.
#[derive(Clone, Default)]
pub struct Trips(Arc<Mutex<RoundTrips>>);

impl Trips {
    fn lock(&self) -> MutexGuard<'_, RoundTrips> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct Begun {
    id: Uuid,
}

/// Whom the server saw.
#[derive(Serialize)]
struct Told {
    peer: IpAddr,
    client: IpAddr,
}

/// Makes up a number to come in with.
pub(super) async fn begin(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let id = app.door.dice.uuid();
    app.trips.lock().begin(id, app.door.clock.now());
    Ok(json(StatusCode::CREATED, &Begun { id }))
}

/// Whom the server saw come in with it.
pub(super) async fn see(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let seen = app.trips.lock().seen(*id, app.door.clock.now());
    let Seen { peer, client } = seen.ok_or(Refusal::NoSuchPath)?;
    Ok(json(StatusCode::OK, &Told { peer, client }))
}

/// The way in, on the players' port.
pub fn way_in(door: Door, trips: Trips) -> impl FnOnce(&mut web::ServiceConfig) {
    move |service| {
        let come =
            async |state: web::Data<(Door, Trips)>, request: HttpRequest, id: web::Path<Uuid>| {
                let (door, trips) = &**state;
                let forwarded = request.headers().get_all("x-forwarded-for");
                let lines = forwarded.filter_map(|line| line.to_str().ok());
                let peer = request.peer_addr();
                let client = door.client_address(peer, lines);
                let seen = peer
                    .zip(client)
                    .map(|(peer, client)| Seen { peer: peer.ip().to_canonical(), client });
                match seen {
                    Some(seen) if trips.lock().arrive(*id, seen, door.clock.now()) => {
                        HttpResponse::NoContent().finish()
                    }
                    _ => HttpResponse::NotFound().finish(),
                }
            };
        let state = web::Data::new((door, trips));
        let route = web::resource("/v1/round-trip/{id}").app_data(state);
        service.service(route.route(web::get().to(come)));
    }
}
