//! gRPC, the other door to the calls (protocol-nakama §10): one more service of the workers that
//! serve HTTP, so that both share a worker's rounds to the line.
//!
//! `connection` carries a connection, `service` is the generated service in terms of
//! [`super::calls`], `status` says what a refusal looks like here.

mod begun;
mod connection;
mod service;
mod status;

use std::net::SocketAddr;
use std::time::Duration;

use actix_service::{ServiceFactory, fn_service};
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;

use super::App;
use super::wire::api::nakama_server::NakamaServer;
use crate::actors::session::Connection;
use crate::observe::Access;
use crate::observe::access::Doorway;
use service::Calls;

/// Calls at once on one connection; a client's library holds further ones back.
const STREAMS_MAX: u32 = 256;
/// Largest metadata of a call, in bytes as HTTP/2 counts them: twice what REST takes, because names
/// that are not ours count 32 bytes more each.
const METADATA_MAX: u32 = 16_384;
/// A connection must begin to speak HTTP/2 within this.
const PREFACE_WITHIN: Duration = Duration::from_secs(10);
/// How long somebody who speaks something else may take to read that.
const TURN_AWAY_WITHIN: Duration = Duration::from_secs(1);
/// Silent connections are asked this often whether anybody is there, and given this long.
const PING_EVERY: Duration = Duration::from_mins(1);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// Ends gRPC's connections in good order.
#[derive(Debug)]
pub struct Leave(watch::Sender<bool>);

impl Default for Leave {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Leave {
    /// Every connection finishes the calls it has and takes no more (GOAWAY).
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

/// Everything behind the gRPC port.
#[derive(Clone)]
pub struct Port {
    calls: NakamaServer<Calls>,
    leaving: watch::Receiver<bool>,
    doorway: Doorway,
}

impl Port {
    /// The port; `leave` ends its connections, `access` looks at its calls.
    pub fn new(app: App, leave: &Leave, access: &Access) -> Self {
        let body_max = app.config.limits.body_max_bytes;
        let calls = NakamaServer::new(Calls::new(app))
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(body_max);
        Self { calls, leaving: leave.0.subscribe(), doorway: access.by("grpc", false) }
    }

    /// One worker's service: a connection each time, to its end.
    pub fn service<T: Connection>(
        &self,
    ) -> impl ServiceFactory<
        (T, Option<SocketAddr>),
        Config = (),
        Response = (),
        Error = (),
        InitError = (),
    > + use<T> {
        let this = self.clone();
        fn_service(move |(stream, peer): (T, Option<SocketAddr>)| {
            let this = this.clone();
            async move {
                connection::serve(stream, peer, (this.calls, this.doorway), this.leaving).await;
                Ok::<(), ()>(())
            }
        })
    }
}
