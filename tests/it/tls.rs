//! TLS at the server's own ports: certificates by files, exchanged while it runs.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;

use anteroom::config::Config;
use anteroom::config::tls::{MinVersion, Ports};
use anteroom::nakama::wire::api;
use futures_util::{SinkExt as _, StreamExt as _};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::grpc::device;
use crate::grpc_client::Client;
use crate::harness::{Auth, TestServer, ask};
use crate::program::spawn;
use crate::running::signal;
use crate::tls_client::{Authority, NAME, Pair};

const DEVICE: &str = "/v2/account/authenticate/device";
pub const KEY: (&str, &str) = ("authorization", "Basic ZGVmYXVsdGtleTo=");

/// A server with a certificate of `authority`.
async fn server(
    authority: &Authority,
    set: impl FnOnce(&mut Config),
) -> (TestServer, Pair, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let pair = authority.issue(2040);
    pair.write(folder.path());
    let server = TestServer::start(|config| {
        by_files(config, folder.path());
        set(config);
    })
    .await;
    (server, pair, folder)
}

fn by_files(config: &mut Config, folder: &Path) {
    config.tls.certificate = folder.join("certificate.pem");
    config.tls.key = folder.join("key.pem");
}

/// Signs in by HTTPS; the session's token.
pub async fn sign_in(authority: &Authority, to: SocketAddr, id: &str) -> String {
    let body = format!(r#"{{"id":"{id}"}}"#);
    let answer = authority.ask(to, &format!("POST {DEVICE}"), &body).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

pub type Socket = WebSocketStream<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>;

pub async fn socket(authority: &Authority, to: SocketAddr, token: &str) -> Socket {
    let mut stream = authority.connect(to, &["http/1.1"]).await.unwrap();
    let request = format!(
        "GET /ws?token={token}&status=true HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

/// Asks over a socket and waits for the answer to that.
pub async fn answers(socket: &mut Socket, cid: &str) {
    socket.send(Message::text(format!(r#"{{"cid":"{cid}","ping":{{}}}}"#))).await.unwrap();
    loop {
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        if text.contains("pong") {
            return assert!(text.contains(cid), "{text}");
        }
    }
}

async fn metrics(server: &TestServer) -> String {
    ask("GET", &format!("http://{}/metrics", server.operators), Auth::None, None).await.text
}

#[actix_rt::test]
async fn players_come_by_https_wss_and_grpc_over_tls() {
    let authority = Authority::new();
    let (server, _, _files) = server(&authority, |_| {}).await;
    let token = sign_in(&authority, server.players, "device-of-ada").await;
    let mut socket = socket(&authority, server.players, &token).await;
    answers(&mut socket, "one").await;

    let stream = authority.connect(server.grpc, &["h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let client = Client::over(stream, server.grpc).await.0;
    let session: api::Session =
        client.call("AuthenticateDevice", &[KEY], &device("device-of-ada")).await.unwrap();
    assert!(!session.created, "it is the same account");

    // Clients are told to come back by what they came by; operators' port has no TLS of its own.
    let info = authority.ask(server.players, "GET /v1/info", "").await;
    assert!(info.contains(r#""webSocketProtocol":"wss""#), "{info}");
    let page = metrics(&server).await;
    assert!(page.contains("tls_certificate_expiry_timestamp_seconds 2208988800.0\n"), "{page}");
}

/// What a client and the port do not have in common is no connection.
#[actix_rt::test]
async fn who_speaks_something_else_is_not_let_in() {
    let authority = Authority::new();
    let (server, ..) = server(&authority, |config| {
        config.tls.min_version = MinVersion::V1_3;
        config.tls.listeners = vec![Ports::Players, Ports::Operators];
    })
    .await;
    let (players, operators) = (server.players, server.operators);
    assert!(authority.connect(players, &["h2"]).await.is_err(), "HTTP/2 is not spoken there");
    let old = [&rustls::version::TLS12];
    assert!(authority.connect_with(players, &[], &old).await.is_err(), "TLS 1.2 is too old");
    assert!(Authority::new().connect(players, &[]).await.is_err(), "another root");
    let plain = crate::harness::try_ask("GET", &server.url("/readyz"), Auth::None, None).await;
    assert!(plain.is_none(), "no TLS at all");
    // gRPC is not in the list.
    let client = Client::connect(server.grpc).await.0;
    client.call::<()>("Healthcheck", &[], &()).await.unwrap();
    let page = authority.ask(operators, "GET /metrics", "").await;
    assert!(page.contains("tls_handshakes_failed_total 4.0\n"), "{page}");
}

#[actix_rt::test]
async fn another_certificate_is_taken_when_the_files_change_and_open_sockets_stay() {
    let authority = Authority::new();
    let (server, first, files) = server(&authority, |_| {}).await;
    let token = sign_in(&authority, server.players, "device-of-ada").await;
    let mut open = socket(&authority, server.players, &token).await;
    assert_eq!(authority.shown(server.players).await, Some(first.der()));

    let second = authority.issue(2041);
    second.write(files.path());
    server.pass_ms(2_000).await;
    assert_eq!(authority.shown(server.players).await, Some(first.der()), "they may still change");
    server.pass_ms(2_000).await;
    assert_eq!(authority.shown(server.players).await, Some(second.der()));
    assert_eq!(authority.shown(server.grpc).await, Some(second.der()), "at every port");
    answers(&mut open, "still here").await;
    let page = metrics(&server).await;
    assert!(page.contains("tls_certificate_expiry_timestamp_seconds 2240611200.0\n"), "{page}");
    assert!(page.contains("tls_certificates_total{result=\"taken\"} 1.0\n"), "{page}");
}

#[actix_rt::test]
async fn a_pair_that_cannot_be_used_leaves_the_one_before_in_force() {
    let authority = Authority::new();
    let (server, first, files) = server(&authority, |_| {}).await;
    let other = authority.issue(2041);
    let broken = [
        (
            "a key of another",
            Pair { certificate: other.certificate.clone(), key: first.key.clone() },
        ),
        ("lapsed", authority.issue(2026)),
        ("no certificate", Pair { certificate: "nothing".into(), key: other.key.clone() }),
        ("half a key", Pair { certificate: other.certificate.clone(), key: "-----BEGIN".into() }),
    ];
    for (at, (what, pair)) in broken.iter().enumerate() {
        pair.write(files.path());
        server.pass_ms(2_000).await;
        server.pass_ms(2_000).await;
        assert_eq!(authority.shown(server.players).await, Some(first.der()), "{what}");
        let page = metrics(&server).await;
        let line = format!("tls_certificates_total{{result=\"refused\"}} {}.0\n", at + 1);
        assert!(page.contains(&line), "{what}: told once for each change\n{page}");
    }
    std::fs::remove_file(files.path().join("key.pem")).unwrap();
    server.pass_ms(4_000).await;
    sign_in(&authority, server.players, "device-of-ada").await;
    other.write(files.path());
    server.pass_ms(2_000).await;
    server.pass_ms(2_000).await;
    assert_eq!(authority.shown(server.players).await, Some(other.der()), "and then a good one");
}

/// The program: SIGHUP reads the certificate again; a start with files that cannot be used ends with
/// words.
#[actix_rt::test]
async fn a_hangup_reads_the_certificate_again() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (first, second) = (authority.issue(2040), authority.issue(2041));
    first.write(folder.path());
    let settings = [("TLS__CERTIFICATE", "certificate.pem"), ("TLS__KEY", "key.pem")];
    let mut program = spawn(folder.path(), &settings);
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let players = line.split("players https://").nth(1).and_then(|rest| rest.split(',').next());
    let players = players.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
    assert_eq!(authority.shown(players).await, Some(first.der()));
    second.write(folder.path());
    signal(program.id(), "HUP");
    while authority.shown(players).await != Some(second.der()) {
        assert_eq!(program.try_wait().unwrap(), None, "it runs on");
    }
    drop(program);

    std::fs::write(folder.path().join("key.pem"), first.key).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data", "data"]);
    for (key, value) in settings {
        command.env(format!("ANTEROOM__{key}"), value);
    }
    let ended = command.current_dir(folder.path()).output().unwrap();
    let words = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(78), "{words}");
    assert!(words.contains("certificate and its key"), "{words}");
}
