//! Streams as server-sent events, for browsers and everything that reads a response as it comes.
//!
//! The other side never says that it is there, so such a stream is short: it ends after some minutes,
//! and opening it again says so.

use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream;
use tokio::sync::mpsc;

use super::teller::{Event, Teller};
use crate::queue_api::{App, Refusal, Shown};

/// Life of a stream, in milliseconds: less than the default lease.
const LIFE_MS: u64 = 240_000;
/// Events that wait for a slow reader.
const WAITING_MAX: usize = 4;
/// How long a reader may take nothing.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// When an event source opens it again, in milliseconds.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// `GET /v1/queue/stream`. What was told last is not asked for (`Last-Event-ID`): the first events say
/// how things are.
pub(crate) async fn open(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let authorized = request.headers().get(AUTHORIZATION);
    let shown = Shown::anywhere(&app, authorized, request.query_string())?;
    let teller = Teller::open(&app, shown, Some(LIFE_MS)).await?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    actix_rt::spawn(feed(teller, sender));
    let body = stream::unfold(receiver, |mut receiver| async move {
        let bytes = receiver.recv().await?;
        Some((Ok::<Bytes, actix_web::Error>(bytes), receiver))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Some proxies would keep events until there are more.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}

/// Feeds a response until it is over, or nobody reads it.
async fn feed(mut teller: Teller, sender: mpsc::Sender<Bytes>) {
    let mut bytes = Bytes::from_static(RETRY);
    loop {
        let put = sender.send(bytes);
        if !matches!(tokio::time::timeout(TAKES_WITHIN, put).await, Ok(Ok(()))) {
            return;
        }
        let event = tokio::select! {
            event = teller.next() => event,
            () = sender.closed() => return,
        };
        bytes = match event {
            Some(Event::Told(name, data)) => written(name, &data),
            Some(Event::Beat) => Bytes::from_static(b":\n\n"),
            None => return,
        };
    }
}

/// One event. JSON has no line breaks of its own.
fn written(name: &str, data: &Bytes) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + name.len() + 32);
    for part in [b"event: ", name.as_bytes(), b"\ndata: ", data, b"\n\n"] {
        out.put_slice(part);
    }
    out.freeze()
}
