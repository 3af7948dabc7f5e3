//! Streams as server-sent events ([`crate::sse`]).
//!
//! The other side never says that it is there, so such a stream is short: it ends after some minutes,
//! and opening it again says so.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use super::teller::{Event, Teller};
use crate::queue_api::{App, Refusal, Shown};
use crate::sse;

/// Life of a stream, in milliseconds: less than the default lease.
const LIFE_MS: u64 = 240_000;

/// `GET /v1/queue/stream`. What was told last is not asked for (`Last-Event-ID`): the first events say
/// how things are.
pub(crate) async fn open(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let authorized = request.headers().get(AUTHORIZATION);
    let shown = Shown::anywhere(&app, authorized, request.query_string())?;
    let teller = Teller::open(&app, shown, Some(LIFE_MS)).await?;
    let events = stream::unfold(teller, |mut teller| async move {
        let bytes = match teller.next().await? {
            Event::Told(name, data) => sse::event(name, &data),
            Event::Beat => sse::BEAT,
        };
        Some((bytes, teller))
    });
    Ok(sse::response(events))
}
