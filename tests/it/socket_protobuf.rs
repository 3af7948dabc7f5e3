//! Nakama's socket in both formats (protocol-nakama §7), against the real server.

use std::net::SocketAddr;
use std::time::Duration;

use anteroom::config::Gate;
use anteroom::nakama::wire::realtime::envelope::Message as Wire;
use anteroom::nakama::wire::realtime::{
    Envelope, NotServed, Ping, StatusFollow, StatusUpdate, UserPresence,
};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::TestServer;
use crate::races::user_id;

/// A client's end.
pub struct Socket(WebSocketStream<TcpStream>);

/// Asks for a socket; gives the connection and the answer's head.
async fn asked(to: SocketAddr, query: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let request = format!(
        "GET /ws?{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

impl Socket {
    pub async fn open(server: &TestServer, query: &str) -> Self {
        let (stream, head) = asked(server.players, query).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("\r\nSec-WebSocket-Accept: "), "{head}");
        assert!(!head.contains("Extensions"), "{head}");
        Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(30), self.0.next()).await;
        next.expect("an answer in time").expect("an open socket").unwrap()
    }

    pub async fn json(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn tell_json(&mut self, envelope: Value) {
        self.send(Message::text(envelope.to_string())).await;
    }

    async fn binary(&mut self) -> Envelope {
        match self.next().await {
            Message::Binary(bytes) => Envelope::decode(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn tell_binary(&mut self, cid: &str, message: Wire) {
        let envelope = Envelope { cid: cid.into(), message: Some(message) };
        self.send(Message::binary(envelope.encode_to_vec())).await;
    }

    /// Code and reason of the close frame, which comes next.
    async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

async fn server() -> TestServer {
    TestServer::start(|config| config.queue.gate = Gate::Off).await
}

/// A new player's id and token.
async fn player(server: &TestServer, name: &str) -> (String, String) {
    let path = format!("/v2/account/authenticate/device?username={name}");
    let answer = server.with_key(&path, json!({ "id": format!("device-of-{name}") })).await;
    (user_id(answer.str("/token")), answer.str("/token").to_owned())
}

fn update(status: Option<&str>) -> Wire {
    Wire::StatusUpdate(StatusUpdate { status: status.map(str::to_owned) })
}

/// Who, and what they show.
type Shown<'a> = Vec<(&'a str, Option<&'a str>)>;

fn shown(presences: &[UserPresence]) -> Shown<'_> {
    presences.iter().map(|it| (&*it.username, it.status.as_deref())).collect()
}

/// The joins and leaves of an event.
fn event(envelope: &Envelope) -> (Shown<'_>, Shown<'_>) {
    assert_eq!(envelope.cid, "");
    match &envelope.message {
        Some(Wire::StatusPresenceEvent(event)) => (shown(&event.joins), shown(&event.leaves)),
        _ => panic!("no event"),
    }
}

#[actix_rt::test]
async fn the_presence_script_in_protobuf_heard_in_json() {
    let server = server().await;
    let ((a_id, a), (_, b)) = (player(&server, "ada").await, player(&server, "bob").await);
    let mut ada = Socket::open(&server, &format!("format=protobuf&status=True&token={a}")).await;
    let mut bob = Socket::open(&server, &format!("format=json&lang=en&token={b}")).await;
    assert_eq!(event(&ada.binary().await), (vec![("ada", Some(""))], vec![]));
    bob.tell_json(json!({ "cid": "1", "status_follow": { "user_ids": [a_id] } })).await;
    let followed = bob.json().await;
    let session = followed.pointer("/status/presences/0/session_id").unwrap().clone();
    let ada_with = |status| json!({ "user_id": a_id, "session_id": session, "username": "ada", "status": status });
    assert_eq!(followed, json!({ "cid": "1", "status": { "presences": [ada_with("")] } }));

    ada.tell_binary("1", update(Some("lobby"))).await;
    let (first, second) = (ada.binary().await, ada.binary().await);
    let (done, heard) = if first.cid == "1" { (first, second) } else { (second, first) };
    assert!(done.cid == "1" && done.message.is_none());
    assert_eq!(event(&heard), (vec![("ada", Some("lobby"))], vec![("ada", Some(""))]));
    let change = json!({ "joins": [ada_with("lobby")], "leaves": [ada_with("")] });
    assert_eq!(bob.json().await, json!({ "status_presence_event": change }));

    ada.send(Message::Close(None)).await;
    let gone = json!({ "leaves": [ada_with("lobby")] });
    assert_eq!(bob.json().await, json!({ "status_presence_event": gone }));
}

#[actix_rt::test]
async fn the_presence_script_in_json_heard_in_protobuf() {
    let server = server().await;
    let ((_, a), (_, b)) = (player(&server, "ada").await, player(&server, "bob").await);
    let mut ada = Socket::open(&server, &format!("status=true&token={a}")).await;
    let mut bob = Socket::open(&server, &format!("format=protobuf&token={b}")).await;
    ada.json().await;
    let (user_ids, usernames) = (Vec::new(), vec!["ada".into(), "bob".into(), "nobody".into()]);
    bob.tell_binary("0", Wire::StatusFollow(StatusFollow { user_ids, usernames })).await;
    let followed = bob.binary().await;
    let Some(Wire::Status(status)) = &followed.message else { panic!("no status") };
    assert_eq!((&*followed.cid, shown(&status.presences)), ("0", vec![("ada", Some(""))]));
    ada.tell_json(json!({ "statusUpdate": { "status": null } })).await;
    assert_eq!(event(&bob.binary().await), (vec![], vec![("ada", Some(""))]));
    bob.tell_binary("", update(Some(""))).await;
    let (first, second) = (bob.next().await, bob.next().await);
    assert!([first, second].contains(&Message::binary(Vec::new())), "acknowledged with no bytes");
    bob.tell_binary("7", Wire::Ping(Ping {})).await;
    let pong = bob.binary().await;
    assert!(pong.cid == "7" && matches!(pong.message, Some(Wire::Pong(_))));
}

#[actix_rt::test]
async fn misuse_of_a_protobuf_socket_ends_it_in_nakamas_words() {
    let server = server().await;
    let (_, token) = player(&server, "ada").await;
    let query = format!("format=protobuf&token={token}");
    let unknown = Message::binary(b"\x0a\x016\xc2\x3e\x00".as_slice());
    for (frame, words) in [
        (Message::text(r#"{"ping":{}}"#), "received unexpected WebSocket message type"),
        (Message::binary(b"\x0a\xff".as_slice()), "received malformed payload"),
    ] {
        let mut socket = Socket::open(&server, &query).await;
        socket.send(frame).await;
        assert_eq!(socket.closed().await, (1000, words.to_owned()));
    }
    let mut socket = Socket::open(&server, &query).await;
    socket.tell_binary("5", Wire::ChannelJoin(NotServed::default())).await;
    let Some(Wire::Error(error)) = socket.binary().await.message else { panic!("no error") };
    assert_eq!((error.code, &*error.message), (1, "Unrecognized message."));
    socket.send(unknown).await;
    let refused = socket.binary().await;
    let Some(Wire::Error(error)) = refused.message else { panic!("no error") };
    assert_eq!((&*refused.cid, error.code, &*error.message), ("6", 2, "Missing message."));
    assert_eq!(socket.closed().await, (1000, "error processing message".to_owned()));

    let mut socket = Socket::open(&server, &query).await;
    socket.send(Message::binary(vec![0; 5_000])).await;
    assert_eq!(socket.closed().await, (1009, String::new()));
}

#[actix_rt::test]
async fn the_format_is_checked_before_the_token() {
    let server = server().await;
    for (query, status) in [("format=xml", "400"), ("format=protobuf", "401"), ("", "401")] {
        let (_, head) = asked(server.players, query).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{query} {head}");
    }
}

#[actix_rt::test]
async fn pings_are_answered_and_pongs_nobody_asked_for_are_taken() {
    let server = server().await;
    let (_, token) = player(&server, "ada").await;
    let mut socket = Socket::open(&server, &format!("token={token}&status=maybe")).await;
    socket.send(Message::Pong("here".into())).await;
    socket.send(Message::Ping("there?".into())).await;
    assert_eq!(socket.next().await, Message::Pong("there?".into()));
    socket.tell_json(json!({ "cid": "1", "ping": {} })).await;
    assert_eq!(socket.json().await, json!({ "cid": "1", "pong": {} }));
}

#[actix_rt::test]
async fn the_newer_socket_wins_and_the_older_hears_why() {
    let server = TestServer::start(|config| {
        config.queue.gate = Gate::Off;
        config.nakama.single_socket = true;
    })
    .await;
    let (_, token) = player(&server, "ada").await;
    let mut first = Socket::open(&server, &format!("format=protobuf&token={token}")).await;
    let mut second = Socket::open(&server, &format!("token={token}")).await;
    let Some(Wire::Notifications(told)) = first.binary().await.message else { panic!("no news") };
    let told = &told.notifications[0];
    assert_eq!((told.code, &*told.subject, told.persistent), (-7, "single_socket", false));
    assert_eq!(first.closed().await, (1000, "server-side session disconnect".to_owned()));
    let _third = Socket::open(&server, &format!("token={token}")).await;
    let told = second.json().await;
    let told = told.pointer("/notifications/notifications/0").unwrap();
    assert_eq!((&told["code"], &told["sender_id"]), (&json!(-7), &json!("")));
}

#[actix_rt::test]
async fn a_socket_can_be_made_to_end_some_time_after_its_token() {
    let server = TestServer::start(|config| {
        config.queue.gate = Gate::Off;
        config.nakama.token_expiry_s = 100;
        config.nakama.socket_outlives_token_s = 20;
    })
    .await;
    let (_, token) = player(&server, "ada").await;
    let mut socket = Socket::open(&server, &format!("format=protobuf&token={token}")).await;
    server.pass_ms(110_000).await;
    socket.tell_binary("1", Wire::Ping(Ping {})).await;
    assert_eq!(socket.binary().await.cid, "1");
    server.pass_ms(15_000).await;
    assert_eq!(socket.closed().await, (1000, "server-side session disconnect".to_owned()));
}
