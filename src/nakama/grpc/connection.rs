//! One connection: HTTP/2, on the worker that accepted it, from its first bytes to its
//! end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codegen::Service as _;

use super::begun::Begun;
use super::service::{Calls, Peer};
use super::status;
use super::{
    METADATA_MAX, NakamaServer, PING_EVERY, PONG_WITHIN, PREFACE_WITHIN, STREAMS_MAX,
    TURN_AWAY_WITHIN,
};
use crate::actors::session::Connection;
use crate::nakama::calls;
use crate::observe::access::{Asked, Doorway, NO_ROUTE, REQUEST_ID, Said, TRACEPARENT};

/// What every HTTP/2 connection begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Longest name of a call.
const CALL_MAX: usize = 64;
/// For those who speak HTTP/1.
const NOT_HERE: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

/// Tasks of a connection stay on its worker.
#[derive(Clone, Copy)]
struct Here;

impl<F: Future<Output: 'static> + 'static> Executor<F> for Here {
    fn execute(&self, task: F) {
        drop(actix_rt::spawn(task));
    }
}

/// Serves a connection until it ends, or until `leaving` and the calls it has are done.
pub(super) async fn serve(
    mut stream: impl Connection,
    peer: Option<SocketAddr>,
    (calls, doorway): (NakamaServer<Calls>, Doorway),
    mut leaving: watch::Receiver<bool>,
) {
    // Answers are small and written whole: none should wait for another.
    stream.send_at_once();
    let Some(begun) = preface(&mut stream).await else { return };
    let io = Begun::new(begun, stream);
    let answer = service_fn(move |request: Request<Incoming>| {
        let value = |name| request.headers().get(name).map(HeaderValue::as_bytes);
        let said = Said { id: value(REQUEST_ID), traceparent: value(TRACEPARENT) };
        let asked = doorway.begin(peer, said);
        let call = request.uri().clone();
        asked.answer(answer(calls.clone(), peer, request), move |asked, answer| {
            answer.map(|answer| told(asked, answer, &call))
        })
    });
    let mut http = http2::Builder::new(Here);
    http.timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(METADATA_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = leaving.wait_for(|leave| *leave) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a gRPC connection broke off");
    }
}

/// The first bytes, if they are HTTP/2's.
async fn preface(stream: &mut impl Connection) -> Option<[u8; PREFACE.len()]> {
    let mut begun = [0; PREFACE.len()];
    let read = stream.read_exact(&mut begun);
    tokio::time::timeout(PREFACE_WITHIN, read).await.ok()?.ok()?;
    if begun == *PREFACE {
        return Some(begun);
    }
    let _ = tokio::time::timeout(TURN_AWAY_WITHIN, turn_away(stream)).await;
    None
}

/// Closing with bytes unread resets the connection before the client has read the answer.
async fn turn_away(stream: &mut impl Connection) -> std::io::Result<()> {
    stream.write_all(NOT_HERE).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let mut waste = [0; 1_024];
    while stream.read(&mut waste).await? > 0 {}
    Ok(())
}

/// One call, from its first byte to its answer within the longest time of any: a client's own
/// deadline is not looked at (§0.5).
async fn answer(
    mut calls: NakamaServer<Calls>,
    peer: Option<SocketAddr>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if !is_grpc(&request) {
        return Ok(status::not_grpc());
    }
    request.extensions_mut().insert(Peer(peer));
    let called = calls::in_time(async { Ok(calls.call(request).await) }).await;
    match called {
        Ok(Ok(response)) => Ok(status::from_transport(response)),
        Ok(Err(never)) => Err(never),
        Err(too_late) => Ok(status::of(&too_late).into_http()),
    }
}

/// The path of a call, as it is registered: only those of ours are named.
fn route(path: &str) -> &str {
    let call = path.strip_prefix("/nakama.api.Nakama/").filter(|call| call.len() <= CALL_MAX);
    let call = call.filter(|call| call.bytes().all(|byte| byte.is_ascii_alphabetic()));
    call.map_or(NO_ROUTE, |_| path)
}

/// Puts the request's id into its answer, and the answer into the log.
fn told(asked: Asked, mut answer: Response<Body>, call: &Uri) -> Response<Body> {
    if let Ok(id) = HeaderValue::from_str(asked.id.as_str()) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    asked.end(answer.status().as_u16(), || (actix_http::Method::POST, route(call.path())));
    answer
}

/// Whether it says that it is gRPC with protobuf; gRPC-Web is another protocol.
fn is_grpc(request: &Request<Incoming>) -> bool {
    let said = request.headers().get("content-type").map(hyper::header::HeaderValue::as_bytes);
    let rest = said.and_then(|said| said.strip_prefix(b"application/grpc"));
    matches!(rest, Some([] | [b'+' | b';', ..]))
}
