//! Handshakes: exact bytes, refusals, slots, revocations.

use std::sync::atomic::Ordering;

use anteroom::actors::session::Others;
use anteroom::domain::queue::Departure;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::harness::{Settings, TestServer, account, handshake, patient, read_head, token};

#[actix_web::test]
async fn the_handshake_answer_is_exactly_these_bytes() {
    let server = TestServer::start(Settings::default());
    let offers = handshake("1").replace(
        "Host: t",
        "Host: t\r\nSec-WebSocket-Protocol: pragma\r\nSec-WebSocket-Extensions: permessage-deflate",
    );
    for request in [handshake("1"), offers] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        let (known, id) = head.split_once("X-Request-Id: ").unwrap();
        assert_eq!(
            known,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        );
        let id = id.strip_suffix("\r\n\r\n").unwrap();
        assert!(id.len() == 16 && id.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
    }
}

#[actix_web::test]
async fn a_frame_right_behind_the_handshake_is_answered() {
    let server = TestServer::start(Settings::default());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut bytes = handshake("1").into_bytes();
    bytes.extend([0x81, 0x86, 0, 0, 0, 0]);
    bytes.extend(b"echo x");
    stream.write_all(&bytes).await.unwrap();
    read_head(&mut stream).await;
    let mut answer = [0; 10];
    patient(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"\x81\x05hello\x81\x01x");
}

#[actix_web::test]
async fn bad_handshakes_get_an_http_answer_and_no_slot() {
    let server = TestServer::start(Settings::default());
    let good = handshake("1");
    let cases = [
        (good.replace("/t?1", "/other"), "404", r#"{"code":5,"message":"Not Found"}"#),
        (good.replace("/t?1", "/t/?1"), "404", r#"{"code":5,"message":"Not Found"}"#),
        (good.replace("GET", "POST"), "400", "GET"),
        (good.replace("Connection: Upgrade", "Connection: keep-alive"), "400", "upgrade"),
        (good.replace("Version: 13", "Version: 8"), "426", "version 13"),
        (good.replace("Sec-WebSocket-Version: 13\r\n", ""), "426", "version 13"),
        (good.replace("dGhl", "dG"), "400", "Sec-WebSocket-Key"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), "400", "Sec-WebSocket-Key"),
        (good.replace("Sec-WebSocket-Key", "X-Key"), "400", "Sec-WebSocket-Key"),
        (good.replace("/t?1", "/t?1&denied"), "401", "Missing or invalid token\n"),
    ];
    for (request, status, words) in cases {
        let answer = server.ask(&request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
        assert!(head.ends_with("Connection: close"), "{head}");
        assert!(!head.contains("Access-Control"), "{head}");
        assert!(body.contains(words), "{body}");
    }
    assert_eq!(server.door.figures().denied(), 10);
    assert!(server.slots.log.lock().unwrap().is_empty());
    assert_eq!(server.door.count(), 0);
}

#[actix_web::test]
async fn a_browser_is_told_that_any_origin_may_read_the_refusal() {
    let server = TestServer::start(Settings::default());
    let request = handshake("1&denied").replace("Host: t", "Host: t\r\nOrigin: http://game.test");
    let answer = server.ask(&request).await;
    assert!(answer.contains("\r\nAccess-Control-Allow-Origin: *\r\n"), "{answer}");
    assert!(answer.contains("\r\nX-Why: no\r\n"), "{answer}");
}

#[actix_web::test]
async fn a_full_world_turns_the_socket_away_before_the_upgrade() {
    let server = TestServer::start(Settings::default());
    server.slots.full.store(true, Ordering::SeqCst);
    let answer = server.ask(&handshake("1")).await;
    assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"), "{answer}");
    assert_eq!(server.door.count(), 0);
    assert!(server.slots.log.lock().unwrap().is_empty(), "nothing taken, nothing given back");
    assert!(!server.door.is_connected(account(1)));
}

#[actix_web::test]
async fn a_player_has_no_more_sockets_than_may_be() {
    let settings = Settings { others: Others::Keep(2), ..Settings::default() };
    let server = TestServer::start(settings);
    let first = server.join("1").await;
    let _second = server.join("1").await;
    assert!(server.ask(&handshake("1")).await.starts_with("HTTP/1.1 429 "));
    let _elsewhere = server.join("1&game").await;
    let _other = server.join("2").await;
    drop(first);
    server.until(|server| server.door.count() == 3).await;
    server.join("1").await;
    let departed = (1, Some(Departure::Dropped));
    assert!(server.slots.log.lock().unwrap().contains(&departed), "a cut connection is a drop");
}

#[actix_web::test]
async fn a_token_revoked_while_the_socket_opens_closes_it_at_once() {
    let server = TestServer::start(Settings::default());
    server.revoked.lock().unwrap().insert(token(1));
    let (last, close) = server.open("1").await.end().await;
    assert_eq!(last, ["closing: kicked"]);
    assert_eq!(close, Some((4000, "kicked".into())));
    server.until(|server| server.door.figures().open() == 0).await;
    let log = server.slots.log.lock().unwrap().clone();
    assert_eq!(log, [(1, None), (1, Some(Departure::Ended))]);
}
