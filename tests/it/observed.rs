//! Every request has an id, whichever door it comes by, and what an operator did carries it.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anteroom::domain::token::SessionType;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::grpc_client::{Client, framed};
use crate::harness::{TestServer, ask_with};
use crate::operator_client::Desk;
use crate::pragma_gateways::with_ports;
use crate::program::spawn;
use crate::running::signal;

/// The id of the answer to a request that gives one of its own.
async fn id_at(address: SocketAddr, path: &str, given: &str) -> String {
    let url = format!("http://{address}{path}");
    let answer = ask_with("GET", &url, &[("X-Request-Id", given)], None).await;
    answer.header("x-request-id").expect("every answer has one").to_owned()
}

fn is_ours(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[actix_rt::test]
async fn every_port_answers_with_an_id_and_takes_one_only_from_our_own_machines() {
    let server = with_ports().await;
    let given = "deploy-2026-11-23";
    for path in ["/healthcheck", "/nowhere", "/v1/queue/frame", "/v2/account"] {
        let id = id_at(server.players, path, given).await;
        assert!(is_ours(&id), "{path}: {id}");
    }
    for at in [server.operators, server.partners] {
        for path in ["/readyz", "/nowhere"] {
            assert_eq!(id_at(at, path, given).await, given, "{path}");
            assert!(is_ours(&id_at(at, path, "tiny").await));
        }
    }
    for (of, at) in &server.pragma_ports {
        let id = id_at(*at, "/nowhere", given).await;
        assert_eq!(id == given, of.0 != SessionType::Player, "{of:?}: {id}");
    }
    let (grpc, _task) = Client::connect(server.grpc).await;
    let raw = grpc.send("/nakama.api.Nakama/Healthcheck", &[], framed(0, &[])).await.unwrap();
    assert!(is_ours(raw.headers["x-request-id"].to_str().unwrap()));
    let two = [id_at(server.players, "/", given).await, id_at(server.players, "/", given).await];
    assert_ne!(two[0], two[1]);
}

#[actix_rt::test]
async fn a_trusted_proxy_says_the_id_of_a_players_request() {
    let server = TestServer::start(|config| {
        config.server.trusted_proxies = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    })
    .await;
    assert_eq!(id_at(server.players, "/healthcheck", "edge-00017").await, "edge-00017");
}

#[actix_rt::test]
async fn a_handshake_has_an_id_too() {
    let server = TestServer::start(|_| {}).await;
    let mut stream = TcpStream::connect(server.players).await.unwrap();
    let request = "GET /ws?token=hush HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("\r\nX-Request-Id: "),
        "{answer}"
    );
}

#[actix_rt::test]
async fn what_an_operator_did_is_on_record_with_the_request_and_streamed_as_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("siem.jsonl");
    let stream = to.to_str().unwrap().to_owned();
    let desk = Desk::open(|config| config.audit.stream = stream).await;
    let bearer = format!("Bearer {}", desk.olga.social);
    let headers = [("X-Request-Id", "ticket-4711"), ("Authorization", bearer.as_str())];
    let made = ask_with("POST", &desk.url("/tags"), &headers, Some(json!({"name": "vip"}))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let metrics = format!("http://{}/metrics", desk.server.operators);
    let page = ask_with("GET", &metrics, &[], None).await;
    assert!(page.text.contains("audit_stream_behind "), "{}", page.text);

    let data = desk.server.stop().unwrap();
    let files = std::fs::read_dir(data.path().join("audit")).unwrap();
    let chain: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let streamed = std::fs::read_to_string(&to).unwrap();
    assert_eq!(streamed, chain, "one file, told to its end");
    let records: Vec<Value> =
        streamed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tag = records.iter().find(|it| it["what"]["name"] == "tag_created").unwrap();
    assert_eq!(tag["request"], "ticket-4711");
}

/// What a server on this folder tells of a change of its settings, wherever the stream goes to.
fn told(folder: &Path, stream: &str, read: impl FnOnce(&mut dyn BufRead) -> String) -> Value {
    let mut server = spawn(folder, &[("AUDIT__STREAM", stream)]);
    let mut out = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("setup code") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended");
    }
    std::fs::write(folder.join("config.toml"), "[queue]\nrate = 77.0\n").unwrap();
    signal(server.id(), "HUP");
    let record = read(&mut out);
    serde_json::from_str(&record).unwrap_or_else(|error| panic!("{error}: {record:?}"))
}

#[test]
fn records_are_told_on_standard_output_and_into_a_named_pipe() {
    let line = |from: &mut dyn BufRead| {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        line
    };
    let folder = tempfile::tempdir().unwrap();
    let on_output = told(folder.path(), "stdout", line);

    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("siem");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Nobody has it open at first: the server waits for a reader, and nothing else waits for it.
    let in_pipe = told(folder.path(), pipe.to_str().unwrap(), |_| {
        line(&mut BufReader::new(std::fs::File::open(&pipe).unwrap()))
    });
    for record in [on_output, in_pipe] {
        assert_eq!(record["seq"], 1, "{record:#}");
        assert_eq!(record["what"], json!({"kind": "rate", "from": 50.0, "to": 77.0}));
    }
}
