//! What clients send: in order, too much, not allowed.

use anteroom::actors::session::SocketLimits;
use anteroom::domain::session::CloseReason;
use futures_util::SinkExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::harness::{LIMITS, Settings, TestServer, resident};

#[actix_web::test]
async fn replies_keep_the_order_of_the_requests_whatever_each_waits_for() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    for words in ["call a", "echo b", "follow 2", "status s", "echo c", "offline", "call d"] {
        client.say(words).await;
    }
    let mut said = Vec::new();
    while said.last().is_none_or(|last| last != "called" || said.len() < 9) {
        let words = client.next().await;
        if !words.starts_with("event ") {
            said.push(words);
        }
    }
    let expected = ["a", "called", "b", "following ", "shown", "c", "hidden", "d", "called"];
    assert_eq!(said, expected);
}

#[actix_web::test]
async fn pings_are_answered_and_pongs_nobody_asked_for_are_taken() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    client.socket.send(Message::Pong("unasked".into())).await.unwrap();
    client.socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(client.frame().await, Message::Pong("are you there".into()));
    assert_eq!(client.ask("echo yes").await, "yes");
}

#[actix_web::test]
async fn a_message_in_fragments_is_one_message() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    let part = |payload: &'static str, opcode, last| {
        Message::Frame(Frame::message(payload, OpCode::Data(opcode), last))
    };
    client.socket.feed(part("echo one ", Data::Text, false)).await.unwrap();
    client.socket.feed(Message::Ping("between".into())).await.unwrap();
    client.socket.feed(part("and all", Data::Continue, true)).await.unwrap();
    client.socket.flush().await.unwrap();
    assert_eq!(client.frame().await, Message::Pong("between".into()));
    assert_eq!(client.next().await, "one and all");
}

#[actix_web::test]
async fn a_header_that_declares_400_mib_is_refused_when_it_arrives() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    let before = resident();
    let mut head = vec![0x82, 0xff];
    head.extend((400u64 << 20).to_be_bytes());
    head.extend([1, 2, 3, 4]);
    let stream = client.socket.get_mut();
    stream.write_all(&head).await.unwrap();
    // It sends on regardless, until it is cut off.
    let (mut sent, more) = (0usize, vec![0; 65_536]);
    while sent < 400 << 20 && stream.write_all(&more).await.is_ok() {
        sent += 65_536;
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert!(resident().saturating_sub(before) < 16 << 20, "memory grew");
    server.until(|server| server.door.figures().open() == 0).await;
    assert_eq!(server.door.figures().closed(CloseReason::TooBig), 1);
}

#[actix_web::test]
async fn what_cannot_be_read_closes_with_the_code_for_it() {
    let server = TestServer::start(Settings::default());
    let mut huge = vec![0x82, 0xff];
    huge.extend((400u64 << 20).to_be_bytes());
    huge.extend([1, 2, 3, 4]);
    let cases: [(&[u8], &str, u16, &str); 6] = [
        (&huge, "too_big", 1009, ""),
        (&[0x81, 0x02, b'h', b'i'], "malformed", 1002, ""),
        (&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], "malformed", 1007, ""),
        (&[0xc1, 0x80, 0, 0, 0, 0], "malformed", 1002, ""),
        (&[0x82, 0x81, 0, 0, 0, 0, 1], "wrong_frame", 4000, "wrong_frame"),
        (&[0x81, 0x81, 0, 0, 0, 0, b'?'], "malformed", 4000, "malformed"),
    ];
    for (bytes, reason, code, words) in cases {
        let mut client = server.join("1").await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        let (last, close) = client.end().await;
        assert_eq!(last, [format!("closing: {reason}")]);
        assert_eq!(close, Some((code, words.into())), "{bytes:?}");
    }
}

#[actix_web::test]
async fn a_client_that_sends_on_past_its_fault_still_sees_why_it_is_closed() {
    let server = TestServer::start(Settings::default());
    for _ in 0..5 {
        let mut client = server.join("1").await;
        let mut bytes = vec![0x82, 0xff];
        bytes.extend((400u64 << 20).to_be_bytes());
        bytes.resize(256 << 10, 0);
        client.socket.get_mut().write_all(&bytes).await.unwrap();
        assert_eq!(client.end().await.1, Some((1009, String::new())));
    }
}

#[actix_web::test]
async fn a_client_that_is_too_fast_is_slowed_down_and_loses_nothing() {
    let limits = SocketLimits { messages_per_second: 50, ..LIMITS };
    let server = TestServer::start(Settings { limits, ..Settings::default() });
    let mut client = server.join("1").await;
    for n in 0..60 {
        client.say(&format!("echo {n}")).await;
    }
    for n in 0..60 {
        assert_eq!(client.next().await, n.to_string());
    }
}

#[actix_web::test]
async fn a_panic_in_one_session_ends_that_one_alone() {
    let server = TestServer::start(Settings::default());
    let mut neighbours = Vec::new();
    for n in 0..8 {
        neighbours.push(server.join(&format!("{}", n + 10)).await);
    }
    let mut client = server.join("1").await;
    client.say("panic").await;
    assert_eq!(client.end().await, (vec![], Some((1011, String::new()))));
    for neighbour in &mut neighbours {
        assert_eq!(neighbour.ask("echo still here").await, "still here");
    }
    server.until(|server| server.door.figures().open() == 8).await;
    assert_eq!(server.door.figures().closed(CloseReason::Internal), 1);
}
