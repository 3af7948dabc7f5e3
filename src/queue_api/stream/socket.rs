//! Streams over a WebSocket: each message `{"event": …, "data": …}`. Nothing the client sends is read but
//! pings and pongs.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_http::RequestHead;
use actix_http::header::AUTHORIZATION;
use actix_web::ResponseError as _;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::FutureExt as _;

use super::PATH;
use super::teller::{Event, Teller};
use crate::actors::session::{Denied, StreamRoute, Wire};
use crate::queue_api::{App, Refusal, Shown};

/// A client that is not heard of for so long is gone, in microseconds: three pings.
const SILENCE_US: u64 = 65_000_000;
/// Close code of a stream that has said everything (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;

/// Where the sockets open.
pub fn route(app: App) -> Arc<dyn StreamRoute> {
    Arc::new(Route(app))
}

struct Route(App);

impl StreamRoute for Route {
    fn path(&self) -> &'static str {
        PATH
    }

    fn admit(
        &self,
        head: &RequestHead,
        _peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<crate::actors::session::Teller, Denied>>>> {
        let authorized = head.headers().get(AUTHORIZATION);
        let query = head.uri.query().unwrap_or_default();
        let (app, shown) = (self.0.clone(), Shown::anywhere(&self.0, authorized, query));
        Box::pin(async move {
            let teller = match shown {
                Ok(shown) => Teller::open(&app, shown, None).await,
                Err(refusal) => Err(refusal),
            };
            let teller = teller.map_err(|refusal| denied(&refusal))?;
            Ok(Box::new(|wire| run(teller, wire).boxed_local()) as crate::actors::session::Teller)
        })
    }
}

fn denied(refusal: &Refusal) -> Denied {
    let retry = refusal.retry_after_ms().map(|ms| ms.div_ceil(1_000).max(1));
    Denied {
        status: refusal.status_code().as_u16(),
        content_type: "application/json",
        body: serde_json::to_string(&refusal.body()).unwrap_or_default(),
        headers: retry.map(|secs| ("Retry-After", secs.to_string())).into_iter().collect(),
    }
}

async fn run(mut teller: Teller, mut wire: Wire) {
    loop {
        let event = tokio::select! {
            event = teller.next() => event,
            _ = wire.listen() => return,
        };
        let sent = match event {
            Some(Event::Told(name, data)) => wire.send(written(name, &data)).await,
            Some(Event::Beat) if wire.silent_us() > SILENCE_US => return,
            Some(Event::Beat) => wire.ping().await,
            None => return wire.close(NORMAL, "").await,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn written(name: &str, data: &Bytes) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + name.len() + 24);
    for part in [br#"{"event":""#, name.as_bytes(), br#"","data":"#, data, b"}"] {
        out.put_slice(part);
    }
    out.freeze()
}
