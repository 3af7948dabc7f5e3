//! The same calls through both doors: gRPC beside REST, in turns.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anteroom::nakama::wire::api;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;

use super::child::Server;
use super::load::{Plan, get, post, run};
use super::scenes::{KEY, OPEN, device, field, measure, scaled};

/// Connections and calls in flight on each: as many in flight as REST has.
const CONNECTIONS: u64 = 8;
const IN_FLIGHT: u64 = 8;

struct Call<'a> {
    rpc: &'a str,
    authorization: &'a (dyn Fn(u64) -> String + Sync),
    message: &'a (dyn Fn(u64) -> Vec<u8> + Sync),
}

/// Sign-in by device, the account, a refresh: gRPC's CPU beside REST's.
pub fn grpc() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &OPEN);
    let accounts = scaled(20_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 1 };
    let (_, made) = measure("new account by device", &server, &plan);
    let sessions: Vec<(String, String)> = made
        .bodies
        .iter()
        .map(|body| (field(body, "token"), field(body, "refresh_token")))
        .collect();
    let any = |n: u64| (n * 7919) % accounts;
    let key = |_| "Basic ZGVmYXVsdGtleTo=".to_owned();
    let bearer = |n: u64| format!("Bearer {}", sessions[any(n) as usize].0);

    let sign_in = |n: u64| {
        let account = api::AccountDevice {
            id: format!("bench-device-{:010}", any(n)),
            ..api::AccountDevice::default()
        };
        let request = api::AuthenticateDeviceRequest {
            account: Some(account),
            ..api::AuthenticateDeviceRequest::default()
        };
        request.encode_to_vec()
    };
    let rest = |n: u64| device(any(n));
    let call = Call { rpc: "AuthenticateDevice", authorization: &key, message: &sign_in };
    beside_rest("device sign-in", &server, &rest, &call);

    let rest = |n: u64| get("/v2/account", &format!("Authorization: {}\r\n", bearer(n)));
    let call = Call { rpc: "GetAccount", authorization: &bearer, message: &|_| Vec::new() };
    beside_rest("account", &server, &rest, &call);

    let token = |n: u64| &sessions[any(n) as usize].1;
    let rest = |n: u64| {
        let body = format!("{{\"token\":\"{}\"}}", token(n));
        post("/v2/account/session/refresh", KEY, &body)
    };
    let refresh = |n: u64| {
        let token = token(n).clone();
        api::SessionRefreshRequest { token, ..api::SessionRefreshRequest::default() }
            .encode_to_vec()
    };
    let call = Call { rpc: "SessionRefresh", authorization: &key, message: &refresh };
    beside_rest("refresh", &server, &rest, &call);
}

fn beside_rest(
    name: &str,
    server: &Server,
    make: &(dyn Fn(u64) -> Vec<u8> + Sync),
    call: &Call<'_>,
) {
    let requests = scaled(60_000);
    let (mut grpc, mut rest) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..3 {
        let before = server.cpu();
        let plan = Plan {
            at: server.at,
            connections: CONNECTIONS * IN_FLIGHT,
            requests,
            make,
            keep_every: 0,
        };
        assert_eq!(run(&plan).not_200, 0);
        let between = server.cpu();
        calls(server.grpc, requests, call);
        rest += between.saturating_sub(before);
        grpc += server.cpu().saturating_sub(between);
    }
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / (3 * requests) as f64;
    println!(
        "=> {name}: gRPC {:.1} µs CPU each, REST {:.1} µs: {:.2} ×\n",
        each(grpc),
        each(rest),
        grpc.as_secs_f64() / rest.as_secs_f64()
    );
}

/// Calls over a few connections, each with some in flight.
fn calls(at: SocketAddr, requests: u64, call: &Call<'_>) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut lanes = Vec::new();
                    for _ in 0..CONNECTIONS / 2 {
                        let stream = tokio::net::TcpStream::connect(at).await.unwrap();
                        stream.set_nodelay(true).unwrap();
                        let io = TokioIo::new(stream);
                        let (send, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
                        tokio::spawn(connection);
                        for _ in 0..IN_FLIGHT {
                            lanes.push(lane(at, send.clone(), requests, call, &next));
                        }
                    }
                    futures_util::future::join_all(lanes).await
                });
            });
        }
    });
}

async fn lane(
    at: SocketAddr,
    mut send: SendRequest<Full<Bytes>>,
    requests: u64,
    call: &Call<'_>,
    next: &AtomicU64,
) {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= requests {
            return;
        }
        let message = (call.message)(n);
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let body = [&[0][..], &length[..], &message].concat();
        let request = Request::post(format!("http://{at}/nakama.api.Nakama/{}", call.rpc))
            .header("te", "trailers")
            .header("content-type", "application/grpc")
            .header("authorization", (call.authorization)(n))
            .body(Full::new(body.into()))
            .unwrap();
        let response = send.send_request(request).await.unwrap();
        let status = response.headers().get("grpc-status").cloned();
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let status = status.or_else(|| trailers.get("grpc-status").cloned()).unwrap();
        assert_eq!(status, "0", "{trailers:?}");
    }
}
