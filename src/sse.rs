//! Server-sent events: a response that is written as things happen, to browsers and everything that reads
//! a response as it comes. Who reads too slowly is dropped.

use std::pin::pin;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;

/// Events that wait for a slow reader.
const WAITING_MAX: usize = 4;
/// How long a reader may take nothing.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// When an event source opens it again, in milliseconds.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// Nothing has happened, and the stream is there.
pub const BEAT: Bytes = Bytes::from_static(b":\n\n");

/// A response of these events. It ends with them, or when nobody reads it.
pub fn response(events: impl Stream<Item = Bytes> + 'static) -> HttpResponse {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    actix_rt::spawn(feed(events, sender));
    let body = stream::unfold(receiver, |mut receiver| async move {
        let bytes = receiver.recv().await?;
        Some((Ok::<Bytes, actix_web::Error>(bytes), receiver))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Some proxies would keep events until there are more.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body)
}

/// Feeds a response until it is over, or nobody reads it.
async fn feed(events: impl Stream<Item = Bytes>, sender: mpsc::Sender<Bytes>) {
    let mut events = pin!(events);
    let mut bytes = Bytes::from_static(RETRY);
    loop {
        let put = sender.send(bytes);
        if !matches!(tokio::time::timeout(TAKES_WITHIN, put).await, Ok(Ok(()))) {
            return;
        }
        let event = tokio::select! {
            event = events.next() => event,
            () = sender.closed() => return,
        };
        let Some(event) = event else { return };
        bytes = event;
    }
}

/// One event. The data has no line breaks of its own, as JSON has none.
pub fn event(name: &str, data: &Bytes) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + name.len() + 32);
    for part in [b"event: ", name.as_bytes(), b"\ndata: ", data, b"\n\n"] {
        out.put_slice(part);
    }
    out.freeze()
}
