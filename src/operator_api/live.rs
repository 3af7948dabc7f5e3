//! `/v1/operator/live`: what was measured lately, and every second what is measured now.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{App, Refusal, SEE, json, operator, page};
use crate::domain::history::Step;
use crate::domain::time::UnixMicros;
use crate::observe::live::{Seat, Series};
use crate::sse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    since_ms: u64,
    /// Seconds between two rows: 1 or 10. Absent: the finest that goes back so far.
    step: Option<u8>,
}

#[derive(Serialize)]
struct Told {
    now_ms: u64,
    step_ms: u64,
    at_ms: Vec<u64>,
    series: Series,
}

/// The history: fifteen minutes by the second, six hours by ten.
pub(super) async fn history(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let Wanted { since_ms, step } = page::query(&request)?;
    let (now, since) = (app.door.clock.now(), UnixMicros::from_millis(since_ms));
    let step = match step {
        None => Step::since(now, since),
        Some(1) => Step::Fine,
        Some(10) => Step::Coarse,
        Some(_) => return Err(Refusal::BadRequest),
    };
    let part = app.live.since(since, step);
    let told = Told {
        now_ms: now.as_millis(),
        step_ms: step.ms(),
        at_ms: part.at_ms,
        series: Series(part.series),
    };
    Ok(json(StatusCode::OK, &told))
}

/// One event a second; the first at once.
pub(super) async fn stream(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let seat = app.live.seat().ok_or(Refusal::NoRoom)?;
    let mut newest = app.live.newest();
    // What was measured last is told, too.
    newest.mark_changed();
    let events = stream::unfold((seat, newest), |(mut seat, mut newest)| async move {
        let row = next(&mut seat, &mut newest).await?;
        Some((sse::event("row", &row), (seat, newest)))
    });
    Ok(sse::response(events))
}

async fn next(seat: &mut Seat, newest: &mut watch::Receiver<Option<Bytes>>) -> Option<Bytes> {
    loop {
        tokio::select! {
            changed = newest.changed() => changed.ok()?,
            () = seat.ended() => return None,
        }
        if let Some(row) = newest.borrow_and_update().clone() {
            return Some(row);
        }
    }
}
