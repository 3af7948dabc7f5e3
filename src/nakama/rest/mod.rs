//! REST: from a request to a call of [`calls`] and back (protocol-nakama §0). [`routes`] says which
//! path is which call, [`bind`] what of a call's message is in the body and what in the query.

mod bind;
pub mod routes;

use std::net::IpAddr;
use std::sync::Arc;

use actix_http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::auth::Authorization;
use super::calls::{self, Asked};
use super::errors::Failure;
use super::reply::{Reply, render, render_packed};
use super::{App, query};

/// Largest request head taken, in bytes: Nakama's 5120 and Go's slack of 4096 (§0.5).
const HEAD_MAX: usize = 5_120 + 4_096;

/// The REST door.
pub struct Rest {
    app: App,
    /// Headers for answers that lack them (§0.3).
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Rest {
    /// The door to `app`, with the headers its settings name.
    pub fn new(app: App) -> Self {
        let named = app.config.nakama.response_headers.iter();
        let headers = named.filter_map(|header| {
            let (name, value) = header.split_once('=')?;
            Some((name.parse().ok()?, value.trim().parse().ok()?))
        });
        Self { headers: headers.collect(), app }
    }
}

/// Answers a request under `/v2` or to `/healthcheck`.
pub async fn serve(rest: Arc<Rest>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answer = calls::in_time(answer(&rest.app, &request, payload)).await;
    let mut response = render_packed(answer, request.headers());
    for (name, value) in &rest.headers {
        if !response.headers().contains_key(name) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// What the port answers where nothing is: 404 in Nakama's words (§0.4). For `App::default_service`.
pub async fn default_service(request: HttpRequest) -> HttpResponse {
    render(Err(match query::path(request.path()) {
        Ok(_) => Failure::unknown_path(),
        Err(undecodable) => undecodable,
    }))
}

async fn answer(app: &App, request: &HttpRequest, payload: Payload) -> Result<Reply, Failure> {
    let call = routes::find(request.method(), &query::path(request.path())?)?;
    if head_bytes(request) > HEAD_MAX {
        return Err(Failure::headers_too_large());
    }
    let headers = request.headers();
    let pass = headers.get(calls::PASS_HEADER).map(|value| value.to_str().unwrap_or("?"));
    let from = from(app, request);
    let asked = Asked::new(app, Authorization::in_headers(headers), pass, from);
    bind::Input { asked: &asked, request, payload }.call(call).await
}

/// Size of request line and headers, about as they were sent.
fn head_bytes(request: &HttpRequest) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    path + headers.map(|bytes| bytes + 4).sum::<usize>()
}

/// Where the request came from, as far as it is believed (§0.7).
fn from(app: &App, request: &HttpRequest) -> Option<IpAddr> {
    let forwarded = request.headers().get_all(header::X_FORWARDED_FOR);
    let lines = forwarded.filter_map(|line| line.to_str().ok());
    app.door.client_address(request.peer_addr(), lines)
}
