//! Ends: who closes, what is said last, what becomes of the slot.

use std::time::Duration;

use anteroom::actors::session::SocketLimits;
use anteroom::domain::queue::Departure;
use anteroom::domain::session::{CloseReason, Returning};
use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::harness::{LIMITS, START, Settings, TestServer, account, handshake, token};

/// What became of the slot of player 1, whose only socket has ended.
async fn departure(server: &TestServer) -> Departure {
    server.until(|server| server.door.figures().open() == 0).await;
    let log = server.slots.log.lock().unwrap();
    let [(1, None), (1, Some(departure))] = log[..] else {
        panic!("not one connect and one disconnect: {log:?}");
    };
    departure
}

#[actix_web::test]
async fn a_client_that_says_goodbye_gets_its_code_back_and_leaves_cleanly() {
    for code in [Some(1000), Some(4321), None] {
        let server = TestServer::start(Settings::default());
        let mut client = server.join("1").await;
        let close = code.map(|code| CloseFrame { code: u16::into(code), reason: "bye".into() });
        client.socket.send(Message::Close(close)).await.unwrap();
        assert_eq!(client.end().await, (vec![], code.map(|code| (code, String::new()))));
        assert_eq!(departure(&server).await, Departure::Clean);
    }
}

#[actix_web::test]
async fn a_sign_out_on_the_socket_ends_the_slot_and_a_lost_connection_keeps_it_for_a_while() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    client.say("bye").await;
    let (last, close) = client.end().await;
    assert_eq!(
        (last, close),
        (vec!["closing: as_requested".into()], Some((4000, "as_requested".into())))
    );
    assert_eq!(departure(&server).await, Departure::Ended);

    let server = TestServer::start(Settings::default());
    drop(server.join("1").await);
    assert_eq!(departure(&server).await, Departure::Dropped);
}

#[actix_web::test]
async fn a_silent_client_is_pinged_and_closed_when_it_says_nothing() {
    let limits = SocketLimits { ping_period_ms: Some(100), idle_ms: 450, ..LIMITS };
    let server = TestServer::start(Settings { limits, ..Settings::default() });
    let client = server.join("1").await;
    // A raw reader: tungstenite would answer the pings.
    let mut stream = client.socket.into_inner();
    let mut read = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut read);
    super::harness::patient(reading).await.unwrap();
    assert!(read.starts_with(&[0x89, 0, 0x89, 0]), "pings come first: {read:?}");
    assert!(read.ends_with(b"\x88\x06\x0f\xa0idle"), "{read:?}");
    assert_eq!(server.door.figures().closed(CloseReason::Idle), 1);
}

#[actix_web::test]
async fn a_client_that_answers_pings_stays() {
    let limits = SocketLimits { ping_period_ms: Some(100), idle_ms: 1_500, ..LIMITS };
    let server = TestServer::start(Settings { limits, ..Settings::default() });
    let mut client = server.join("1").await;
    for _ in 0..20 {
        assert_eq!(client.frame().await, Message::Ping(vec![].into()));
    }
    assert_eq!(client.ask("echo here").await, "here");
}

#[actix_web::test]
async fn a_session_ends_with_its_token_unless_that_was_replaced() {
    let expires_at = Some(START.plus_secs(60));
    let server = TestServer::start(Settings { expires_at, ..Settings::default() });
    let (ends, mut stays) = (server.join("1").await, server.join("2").await);
    assert_eq!(stays.ask("extend 120").await, "ok");
    server.clock.advance_ms(59_999);
    server.door.time_has_passed();
    assert_eq!(stays.ask("echo both").await, "both");
    assert_eq!(server.door.count(), 2);
    server.clock.advance_ms(1);
    server.door.time_has_passed();
    assert_eq!(ends.end().await.0, ["closing: expired"]);
    assert_eq!(stays.ask("echo me").await, "me");
}

#[actix_web::test]
async fn a_new_connection_usurps_the_older_ones_of_its_channel_only() {
    let server = TestServer::start(Settings::default());
    let old = server.join("1").await;
    let mut game = server.join("1&game").await;
    let mut other = server.join("2").await;
    let mut new = server.join("1&usurp").await;
    assert_eq!(old.end().await, (vec!["closing: usurped".into()], Some((4000, "usurped".into()))));
    for client in [&mut game, &mut other, &mut new] {
        assert_eq!(client.ask("echo on").await, "on");
    }
}

#[actix_web::test]
async fn a_log_out_closes_the_sockets_of_its_token_and_a_ban_all_of_the_player() {
    let server = TestServer::start(Settings::default());
    let (one, two) = (server.join("1").await, server.join("1").await);
    let mut other = server.join("2").await;
    let none = server.door.close_tokens(account(1), &[token(2)], CloseReason::AsRequested);
    assert_eq!(none, 0, "another player's token closes nothing");
    let closed = server.door.close_tokens(account(1), &[token(1)], CloseReason::AsRequested);
    assert_eq!(closed, 2);
    for client in [one, two] {
        assert_eq!(client.end().await.0, ["closing: as_requested"]);
    }
    assert_eq!(other.ask("echo on").await, "on");
    assert_eq!(server.door.close_all(account(2), CloseReason::Kicked), 1);
    assert_eq!(other.end().await.1, Some((4000, "kicked".into())));
    assert_eq!(server.door.close_all(account(2), CloseReason::Kicked), 0);
}

#[actix_web::test]
async fn a_session_that_waits_for_a_use_case_closes_all_the_same() {
    let server = TestServer::start(Settings::default());
    let mut client = server.join("1").await;
    client.say("hang").await;
    client.say("echo never").await;
    server.until(|server| server.door.figures().frames_in() == 1).await;
    server.door.close_all(account(1), CloseReason::Kicked);
    assert_eq!(client.end().await.0, ["closing: kicked"]);
}

/// From 5 to 35 seconds after the sockets are closed.
fn returning() -> Returning {
    Returning::new(100, 5_000, 30_000, None)
}

#[actix_web::test]
async fn a_drain_tells_everyone_and_lets_nobody_in() {
    let server = TestServer::start(Settings::default());
    let mut clients = Vec::new();
    for n in 0..20 {
        clients.push(server.join(&n.to_string()).await);
    }
    let ends = futures_util::future::join_all(clients.into_iter().map(super::harness::Client::end));
    let drain = server.door.drain(Duration::from_millis(100), Duration::from_secs(20), returning());
    let (left, ends) = futures_util::future::join(drain, ends).await;
    assert_eq!(left, 0);
    let mut told = Vec::new();
    for (last, close) in ends {
        assert_eq!(last, ["closing: shutdown"]);
        let (code, words) = close.unwrap();
        let back =
            words.strip_prefix("shutdown; come back in ").and_then(|it| it.strip_suffix(" s"));
        told.push((code, back.unwrap_or_else(|| panic!("{words}")).parse::<u64>().unwrap()));
    }
    told.sort_unstable();
    assert!(
        told.iter().all(|(code, back_s)| *code == 1001 && (5..=36).contains(back_s)),
        "{told:?}"
    );
    told.dedup();
    assert!(told.len() > 15, "each at a moment of its own: {told:?}");
    assert_eq!(server.door.count(), 0);
    assert!(server.ask(&handshake("1")).await.starts_with("HTTP/1.1 503 "));
}

#[actix_web::test]
async fn a_drain_ends_in_time_even_if_a_client_does_not() {
    let server = TestServer::start(Settings::default());
    let _deaf = server.join("1").await;
    let left = server.door.drain(Duration::ZERO, Duration::from_millis(50), returning()).await;
    assert_eq!(left, 1, "it has not answered the close frame");
}
