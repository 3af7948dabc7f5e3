//! A stop under load: everybody is told when to come back, at moments of their own; nobody loses a place
//! or a slot. `DRAIN_FULL=1`: 5,000 sockets and 20,000 in line; else a tenth of that.

use std::collections::HashMap;
use std::net::SocketAddr;

use anteroom::clock::Stopwatch;
use anteroom::config::Config;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::TestServer;

/// Connections that ask at the same time.
const LANES: usize = 32;
/// Of those in line, how many ask while the server stops.
const POLLERS: usize = 400;
const DRAIN_S: u64 = 8;
/// When the first may come back after the last socket is closed, and over how long the others do.
const AFTER_S: u64 = 4;
const SPREAD_S: u64 = 20;

type Socket = WebSocketStream<TcpStream>;

/// (sockets, in line)
fn size() -> (usize, usize) {
    if std::env::var_os("DRAIN_FULL").is_some() { (5_000, 20_000) } else { (500, 2_000) }
}

/// A connection that asks one thing after the other.
struct Asker(TcpStream, SocketAddr);

impl Asker {
    async fn new(to: SocketAddr) -> Self {
        Self(TcpStream::connect(to).await.unwrap(), to)
    }

    /// The body of the answer, and its head.
    async fn ask(&mut self, line: &str, body: &str) -> (Value, String) {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic ZGVmYXVsdGtleTo=\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.1,
            body.len()
        );
        self.0.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut self.0).await;
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        let mut body = vec![0; length.trim().parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        (serde_json::from_slice(&body).unwrap_or(Value::Null), head)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Does something for each of `count`, over a few connections.
async fn each<T>(
    to: SocketAddr,
    count: usize,
    ask: impl AsyncFn(&mut Asker, usize) -> T,
) -> Vec<T> {
    let lanes = (0..LANES).map(async |lane| {
        let mut asker = Asker::new(to).await;
        let mut done = Vec::new();
        for at in (lane..count).step_by(LANES) {
            done.push(ask(&mut asker, at).await);
        }
        done
    });
    join_all(lanes).await.into_iter().flatten().collect()
}

async fn sign_in(asker: &mut Asker, at: usize) -> String {
    let body = format!(r#"{{"id":"device-number-{at}"}}"#);
    let (answer, head) = asker.ask("POST /v2/account/authenticate/device", &body).await;
    answer["token"].as_str().unwrap_or_else(|| panic!("{head}{answer}")).to_owned()
}

async fn socket(to: SocketAddr, token: &str) -> Result<Socket, String> {
    let mut stream = TcpStream::connect(to).await.map_err(|error| error.to_string())?;
    let request = format!(
        "GET /ws?token={token} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let head = head(&mut stream).await;
    if !head.starts_with("HTTP/1.1 101") {
        return Err(head);
    }
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
}

async fn all_sockets(to: SocketAddr, tokens: &[String]) -> Vec<Socket> {
    let mut open = Vec::new();
    for some in tokens.chunks(LANES) {
        let opened = join_all(some.iter().map(|token| socket(to, token))).await;
        open.extend(opened.into_iter().map(Result::unwrap));
    }
    open
}

/// Where a ticket stands: its place, and when to ask again, in milliseconds.
async fn poll(asker: &mut Asker, token: &str) -> (u64, u64) {
    let body = json!({"token": token}).to_string();
    let (answer, head) = asker.ask("POST /v1/loginqueue/checkticketv1", &body).await;
    let number = |name: &str| {
        let value = &answer[name];
        let text = value.as_str().and_then(|text| text.parse().ok());
        value.as_u64().or(text).unwrap_or_else(|| panic!("no {name}: {head}{answer}"))
    };
    (number("positionInQueue"), number("pollNextDuration"))
}

/// Reads until the server closes; when it said to come back, in seconds from then.
async fn told(mut socket: Socket) -> u64 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(close)))) => {
                assert_eq!(u16::from(close.code), 1001);
                let words = close.reason.as_str();
                let back = words.split("come back in ").nth(1).and_then(|it| it.strip_suffix(" s"));
                return back.unwrap_or_else(|| panic!("{words}")).parse().unwrap();
            }
            Some(Ok(_)) => {}
            other => panic!("a socket was not told: {other:?}"),
        }
    }
}

/// Whether moments, in milliseconds, are within the span and no quarter of it is left out.
fn is_spread(what: &str, moments_ms: &[u64]) {
    let first_ms = AFTER_S * 1_000;
    let last_ms = (DRAIN_S / 2 + AFTER_S + SPREAD_S + 1) * 1_000;
    let outside = moments_ms.iter().find(|ms| !(first_ms..=last_ms).contains(ms));
    assert_eq!(outside, None, "{what}: come back between {first_ms} and {last_ms} ms");
    let mut quarters = [0; 4];
    for ms in moments_ms {
        let at = (ms - first_ms) * 4 / (last_ms - first_ms + 1);
        quarters[usize::try_from(at).unwrap()] += 1;
    }
    // The first quarter is cut short by the time that has passed when it is told.
    let least = moments_ms.len() / 40;
    assert!(quarters.iter().all(|count| *count >= least), "{what}: {quarters:?}");
}

fn settings(config: &mut Config) {
    let (sockets, _) = size();
    config.server.drain_s = DRAIN_S;
    config.server.return_after_s = AFTER_S;
    config.server.return_spread_s = SPREAD_S;
    config.queue.rate = 100_000.0;
    config.queue.burst = 10_000;
    // The world is full: whoever loses his slot does not get in again, and nobody leaves the line.
    config.queue.cap = u64::try_from(sockets).unwrap();
}

#[actix_rt::test]
async fn a_stop_under_load_tells_everybody_when_to_come_back_and_loses_nobodys_place() {
    let (sockets, waiting) = size();
    let server = TestServer::start(settings).await;
    let at = server.players;
    let tokens = each(at, sockets, sign_in).await;
    let open = all_sockets(at, &tokens).await;
    let tickets = each(at, waiting, async |asker, _| {
        let (answer, head) = asker.ask("GET /v1/loginqueue/getinqueuev1", "").await;
        answer["token"].as_str().unwrap_or_else(|| panic!("{head}{answer}")).to_owned()
    })
    .await;
    let before: HashMap<_, _> = {
        let places =
            each(at, waiting, async |asker, n| (n, poll(asker, &tickets[n]).await.0)).await;
        places.into_iter().collect()
    };
    assert_eq!(before.values().max(), Some(&u64::try_from(waiting).unwrap()));

    // Those who ask meanwhile are connected before it begins.
    let pollers = join_all((0..POLLERS).map(|_| Asker::new(at))).await;
    let clock = server.clock.clone();
    let began = Stopwatch::start();
    let stopped = actix_rt::task::spawn_blocking(move || (server.stop(), began.elapsed_us()));
    let mut closing: futures_util::stream::FuturesUnordered<_> =
        open.into_iter().map(told).collect();
    let mut backs_ms = vec![closing.next().await.unwrap() * 1_000];
    let asked = pollers.into_iter().zip(&tickets).map(async |(mut asker, ticket)| {
        let (_, again_ms) = poll(&mut asker, ticket).await;
        again_ms
    });
    let (asked_ms, rest) =
        futures_util::future::join(join_all(asked), closing.collect::<Vec<_>>()).await;
    backs_ms.extend(rest.into_iter().map(|seconds| seconds * 1_000));
    assert_eq!(backs_ms.len(), sockets, "every socket was told");
    is_spread("sockets", &backs_ms);
    is_spread("those who ask", &asked_ms);
    let (folder, took) = stopped.await.unwrap();
    let folder = folder.unwrap();
    // What comes behind the bound is writing, which is not cut short.
    assert!(took < DRAIN_S * 2_000_000, "{took} µs");

    clock.advance_ms(20_000);
    let server = TestServer::start_on(folder.path(), clock, settings).await;
    let at = server.players;
    let open = all_sockets(at, &tokens).await;
    assert_eq!(server.dials.figures().await.unwrap().live, u64::try_from(sockets).unwrap());
    let after: HashMap<_, _> = {
        let places =
            each(at, waiting, async |asker, n| (n, poll(asker, &tickets[n]).await.0)).await;
        places.into_iter().collect()
    };
    assert!(before == after, "everybody stands where they stood");
    drop(open);
}
