//! A small client of the queue API, written from its page: JSON over HTTP, and streams as a socket or as
//! server-sent events.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::{Answer, Auth, TestServer, ask};

/// How long a test waits for something that must come. It never has to in a good run.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line that lets in one a second, one at once.
pub async fn slow_gate() -> TestServer {
    TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await
}

/// The body of a device that enters.
pub fn device(name: &str) -> Value {
    json!({"device_key": format!("the-secret-of-{name}")})
}

pub async fn enter(server: &TestServer, body: Value) -> Answer {
    server.plain("POST", "/v1/queue/enter", Some(body)).await
}

/// A ticket that waits.
pub async fn ticket(server: &TestServer, body: Value) -> String {
    let answer = enter(server, body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.str("/ticket").to_owned()
}

/// A call with a ticket.
pub async fn with_ticket(server: &TestServer, method: &str, path: &str, ticket: &str) -> Answer {
    ask(method, &server.url(path), Auth::Bearer(ticket), None).await
}

pub async fn stands(server: &TestServer, ticket: &str) -> Answer {
    with_ticket(server, "GET", "/v1/queue/ticket", ticket).await
}

/// A request with further headers: the status, and a header of the answer.
pub async fn conditional(server: &TestServer, path: &str, bearer: &str, etag: &str) -> u16 {
    let request = awc::Client::default()
        .get(server.url(path))
        .bearer_auth(bearer)
        .insert_header(("If-None-Match", etag));
    request.send().await.unwrap().status().as_u16()
}

/// An open stream, of either kind.
pub enum Stream {
    Socket(Box<WebSocketStream<TcpStream>>),
    Events(BufReader<TcpStream>),
}

/// Opens a stream as a socket. An error is the head and the body of the refusal.
pub async fn socket(server: &TestServer, query: &str) -> Result<Stream, (u16, String)> {
    let (status, stream) = open(server, query, UPGRADE).await;
    if status != 101 {
        return Err(rest(status, stream).await);
    }
    let stream = stream.into_inner();
    let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    Ok(Stream::Socket(Box::new(socket)))
}

/// The same as server-sent events.
pub async fn events(server: &TestServer, query: &str) -> Result<Stream, (u16, String)> {
    let more = "Last-Event-ID: 7\r\nConnection: close\r\n";
    let (status, stream) = open(server, query, more).await;
    if status == 200 { Ok(Stream::Events(stream)) } else { Err(rest(status, stream).await) }
}

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Any other path's server-sent events, with a bearer token.
pub async fn events_at(host: SocketAddr, path: &str, token: &str) -> Result<Stream, (u16, String)> {
    let more = format!("Authorization: Bearer {token}\r\nConnection: close\r\n");
    let (status, stream) = open_at(host, path, &more).await;
    if status == 200 { Ok(Stream::Events(stream)) } else { Err(rest(status, stream).await) }
}

async fn open(server: &TestServer, query: &str, more: &str) -> (u16, BufReader<TcpStream>) {
    open_at(server.players, &format!("/v1/queue/stream{query}"), more).await
}

async fn open_at(host: SocketAddr, path: &str, more: &str) -> (u16, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
        head.push(byte.expect("an answer in time").expect("a whole head"));
    }
    let head = String::from_utf8(head).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), BufReader::new(stream))
}

async fn rest(status: u16, mut stream: BufReader<TcpStream>) -> (u16, String) {
    let mut text = String::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    (status, text)
}

impl Stream {
    /// The next event: its name and what it says. `None`: the stream ended in good order.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        match self {
            Self::Socket(socket) => loop {
                let frame = tokio::time::timeout(PATIENCE, socket.next()).await;
                match frame.expect("a frame in time")?.expect("a whole frame") {
                    Message::Text(text) => {
                        let message: Value = serde_json::from_str(text.as_str()).unwrap();
                        let name = message["event"].as_str().unwrap().to_owned();
                        return Some((name, message["data"].clone()));
                    }
                    Message::Close(frame) => {
                        assert_eq!(u16::from(frame.expect("with a code").code), 1000);
                        return None;
                    }
                    _ => {}
                }
            },
            Self::Events(stream) => {
                let mut name = String::new();
                loop {
                    let mut line = String::new();
                    let read = tokio::time::timeout(PATIENCE, stream.read_line(&mut line)).await;
                    if read.expect("a line in time").unwrap() == 0 {
                        return None;
                    }
                    if let Some(named) = line.strip_prefix("event: ") {
                        named.trim().clone_into(&mut name);
                    } else if let Some(data) = line.strip_prefix("data: ") {
                        return Some((name, serde_json::from_str(data.trim()).unwrap()));
                    }
                }
            }
        }
    }

    /// Waits until the server asks whether anybody is there: it has then looked at the ticket. Events
    /// before that are skipped.
    pub async fn beat(&mut self) {
        match self {
            Self::Socket(socket) => loop {
                let frame = tokio::time::timeout(PATIENCE, socket.next()).await;
                let frame = frame.expect("a frame in time").expect("an open stream");
                if matches!(frame.unwrap(), Message::Ping(_)) {
                    return;
                }
            },
            Self::Events(stream) => loop {
                let mut line = String::new();
                let read = tokio::time::timeout(PATIENCE, stream.read_line(&mut line)).await;
                assert_ne!(read.expect("a line in time").unwrap(), 0, "an open stream");
                if line.starts_with(':') {
                    return;
                }
            },
        }
    }

    /// What the next event says, which must have this name.
    pub async fn told(&mut self, name: &str) -> Value {
        match self.next().await {
            Some((named, data)) => {
                assert_eq!(named, name, "{data}");
                data
            }
            None => panic!("the stream ended; {name} was due"),
        }
    }
}
