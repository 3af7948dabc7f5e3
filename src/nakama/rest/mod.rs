//! The REST calls: one file for each use case. Each checks in the order of the protocol note, asks
//! a use case of [`crate::signin`] and says what came of it.

pub mod account;
pub mod authenticate;
pub mod link;
pub mod session;

use std::net::IpAddr;
use std::sync::Arc;

use actix_http::header::{self, HeaderMap};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use super::calls::{self, Call};
use super::errors::Failure;
use super::reply::{Reply, render};
use super::{App, auth, body, query};

/// Largest request head taken, in bytes: Nakama's 5120 and Go's slack of 4096 (§0.5).
const HEAD_MAX: usize = 5_120 + 4_096;

/// Answers a request under `/v2` or to `/healthcheck`.
pub async fn serve(app: Arc<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    render(answer(&app, &request, payload).await)
}

/// What the port answers where nothing is: 404 in Nakama's words (§0.4). For `App::default_service`.
pub async fn default_service(request: HttpRequest) -> HttpResponse {
    render(Err(match query::path(request.path()) {
        Ok(_) => Failure::unknown_path(),
        Err(undecodable) => undecodable,
    }))
}

async fn answer(app: &App, request: &HttpRequest, payload: Payload) -> Result<Reply, Failure> {
    let call = calls::find(request.method(), &query::path(request.path())?)?;
    let asked = Asked { app, request };
    if asked.head_bytes() > HEAD_MAX {
        return Err(Failure::headers_too_large());
    }
    match call {
        Call::Health => Ok(Reply::Empty),
        Call::Authenticate(kind) => authenticate::call(&asked, kind, payload).await,
        Call::Refresh => session::refresh(&asked, payload).await,
        Call::Logout => session::logout(&asked, payload).await,
        Call::Account => account::get(&asked).await,
        Call::Link(kind) => link::link(&asked, kind, payload).await,
        Call::Unlink(kind) => link::unlink(&asked, kind, payload).await,
    }
}

/// A request and what it may reach.
struct Asked<'a> {
    app: &'a App,
    request: &'a HttpRequest,
}

impl Asked<'_> {
    fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Size of request line and headers, about as they were sent.
    fn head_bytes(&self) -> usize {
        let path = self.request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        let headers = self.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        path + headers.map(|bytes| bytes + 4).sum::<usize>()
    }

    async fn body(&self, payload: Payload) -> Result<Bytes, Failure> {
        body::read(self.headers(), payload, self.app.config.limits.body_max_bytes).await
    }

    fn bearer(&self) -> Result<crate::domain::token::nakama::Claims, Failure> {
        auth::bearer(self.app, self.headers())
    }

    fn server_key(&self) -> Result<(), Failure> {
        self.app.server_key.check(self.headers())
    }

    /// Where the request came from, as far as it is believed (§0.7).
    fn from(&self) -> Option<IpAddr> {
        let mut lines =
            self.headers().get_all(header::X_FORWARDED_FOR).filter_map(|line| line.to_str().ok());
        let first = lines.next();
        let joined = lines.next().map(|second| {
            let rest = std::iter::once(second).chain(lines);
            first.into_iter().chain(rest).collect::<Vec<_>>().join(",")
        });
        self.app.door.client_address(self.request.peer_addr(), joined.as_deref().or(first))
    }
}
