//! The vectors of protocol-nakama §16.3 in both formats, and that both formats say the same.

use proptest::prelude::*;
use prost::Message as _;
use uuid::Uuid;

use super::*;
use crate::domain::account::AccountId;
use crate::domain::notification::Topic;
use crate::domain::time::UnixMicros;
use crate::nakama::socket::read::{Envelope, Follow, Message, Unfollow, Update};
use crate::nakama::wire::realtime;

const ID: &str = "0f5a2c3e-6b1d-4f0a-9a43-1d2f6a3c7b55";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn frames_of_the_vectors_are_read_in_both_formats() {
    let update =
        |status: Option<&str>| Some(Message::Update(Update { status: status.map(str::to_owned) }));
    let follow = Follow { user_ids: vec![ID.to_owned()], usernames: Vec::new() };
    let unfollow = Unfollow { user_ids: vec![ID.to_owned()] };
    let one = |tag: &str| [bytes(tag), ID.as_bytes().to_vec()].concat();
    for (binary, text, cid, message) in [
        (bytes("0a0131 820200"), r#"{"cid":"1","ping":{}}"#.into(), "1", Some(Message::Ping)),
        (bytes("0a0131 8a0200"), r#"{"cid":"1","pong":{}}"#.into(), "1", Some(Message::Pong)),
        (
            bytes("0a0132 ea0106 0a04 0a026869"),
            r#"{"cid":"2","status_update":{"status":"hi"}}"#.into(),
            "2",
            update(Some("hi")),
        ),
        (
            bytes("0a0132 ea0102 0a00"),
            r#"{"cid":"2","status_update":{"status":""}}"#.into(),
            "2",
            update(Some("")),
        ),
        (bytes("0a0132 ea0100"), r#"{"cid":"2","status_update":{}}"#.into(), "2", update(None)),
        (
            one("0a0133 d20126 0a24"),
            format!(r#"{{"cid":"3","status_follow":{{"user_ids":["{ID}"]}}}}"#),
            "3",
            Some(Message::Follow(follow)),
        ),
        (
            one("0a0133 e20126 0a24"),
            format!(r#"{{"cid":"3","status_unfollow":{{"user_ids":["{ID}"]}}}}"#),
            "3",
            Some(Message::Unfollow(unfollow)),
        ),
        (Vec::new(), "{}".into(), "", None),
    ] {
        let expected = Ok(Envelope { cid: cid.into(), message });
        let text: String = text;
        assert_eq!(Codec::Protobuf.read(&Inbound::Binary(binary.into())), expected, "{text}");
        assert_eq!(Codec::Json.read(&Inbound::Text(text.clone().into())), expected, "{text}");
    }
}

#[test]
fn frames_of_the_vectors_are_written_in_both_formats() {
    let id: Uuid = ID.parse().unwrap();
    let presence = Presence {
        account: AccountId(id),
        session: id,
        username: "alice".into(),
        status: "hi".into(),
        version: 1,
        rich: None,
    };
    let account = AccountId(id);
    let (was, is) = (None, Some(presence.clone()));
    let event = Event { account, joins: vec![presence], leaves: Vec::new(), was, is };
    let bad = Said::Error(ErrorCode::BadInput, "Invalid user identifier");
    let join = [
        &bytes("da015b 1259 0a24")[..],
        ID.as_bytes(),
        &bytes("1224"),
        ID.as_bytes(),
        &bytes("1a05616c696365 2a04 0a026869"),
    ];
    for (cid, said, binary, text) in [
        ("1", Said::Pong, bytes("0a0131 8a0200"), r#"{"cid":"1","pong":{}}"#.to_owned()),
        ("2", Said::Done, bytes("0a0132"), r#"{"cid":"2"}"#.to_owned()),
        ("", Said::Done, Vec::new(), "{}".to_owned()),
        (
            "4",
            bad,
            [bytes("0a0134 5a1b 0803 1217"), b"Invalid user identifier".to_vec()].concat(),
            r#"{"cid":"4","error":{"code":3,"message":"Invalid user identifier"}}"#.to_owned(),
        ),
        (
            "",
            Said::Event(&event),
            join.concat(),
            format!(
                r#"{{"status_presence_event":{{"joins":[{{"user_id":"{ID}","session_id":"{ID}","username":"alice","status":"hi"}}]}}}}"#
            ),
        ),
    ] {
        assert_eq!(Codec::Json.bytes(cid, said), text);
        assert_eq!(Codec::Protobuf.bytes(cid, said), binary, "{text}");
    }
}

#[test]
fn a_frame_of_the_other_format_is_told_from_a_broken_one() {
    let (text, binary) =
        (Inbound::Text(Bytes::new()), Inbound::Binary(Bytes::from_static(b"\xff")));
    assert_eq!(Codec::Protobuf.read(&text), Err(CloseReason::WrongFrame));
    assert_eq!(Codec::Json.read(&binary), Err(CloseReason::WrongFrame));
    assert_eq!(Codec::Protobuf.read(&binary), Err(CloseReason::Malformed));
    assert_eq!(Codec::Json.read(&text), Err(CloseReason::Malformed));
}

#[test]
fn formats_have_their_names() {
    for (name, codec) in [
        ("", Some(Codec::Json)),
        ("json", Some(Codec::Json)),
        ("protobuf", Some(Codec::Protobuf)),
        ("JSON", None),
        ("xml", None),
    ] {
        assert_eq!(Codec::named(name.as_bytes()), codec, "{name}");
    }
}

/// Something the server says, owned.
#[derive(Clone, Debug)]
enum Speech {
    Done,
    Pong,
    Error(ErrorCode),
    Status(Vec<Presence>),
    Event(Event),
    Notification(Notification),
}

impl Speech {
    fn said(&self) -> Said<'_> {
        match self {
            Self::Done => Said::Done,
            Self::Pong => Said::Pong,
            Self::Error(code) => Said::Error(*code, "in words"),
            Self::Status(online) => Said::Status(online),
            Self::Event(event) => Said::Event(event),
            Self::Notification(told) => Said::Notification(told),
        }
    }
}

fn presences() -> impl Strategy<Value = Vec<Presence>> {
    let presence = (any::<u128>(), any::<u128>(), ".{0,8}", ".{0,8}");
    let presence = presence.prop_map(|(account, session, username, status)| Presence {
        account: AccountId(Uuid::from_u128(account)),
        session: Uuid::from_u128(session),
        username: username.into(),
        status: status.into(),
        version: 1,
        rich: None,
    });
    prop::collection::vec(presence, 0..3)
}

fn notification() -> impl Strategy<Value = Notification> {
    (any::<u128>(), any::<bool>(), ".{0,8}", 0_u64..253_402_300_800).prop_map(
        |(id, from_server, name, at)| {
            let (id, at) = (Uuid::from_u128(id), UnixMicros::from_secs(at));
            if from_server {
                Notification::from_server(id, Topic::SingleSocket, at)
            } else {
                Notification::from_friend(id, Topic::FriendJoin, AccountId(id), &name, at)
            }
        },
    )
}

fn speech() -> impl Strategy<Value = Speech> {
    let code = prop_oneof![
        Just(ErrorCode::Internal),
        Just(ErrorCode::Unrecognized),
        Just(ErrorCode::FunctionNotFound),
    ];
    prop_oneof![
        Just(Speech::Done),
        Just(Speech::Pong),
        code.prop_map(Speech::Error),
        presences().prop_map(Speech::Status),
        (presences(), presences()).prop_map(|(joins, leaves)| {
            let account = AccountId(Uuid::nil());
            Speech::Event(Event { account, joins, leaves, was: None, is: None })
        }),
        notification().prop_map(Speech::Notification),
    ]
}

proptest! {
    #[test]
    fn both_formats_say_the_same(cid in ".{0,8}", speech in speech()) {
        let text = Codec::Json.bytes(&cid, speech.said());
        let binary = Codec::Protobuf.bytes(&cid, speech.said());
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let binary = realtime::Envelope::decode(binary).unwrap();
        prop_assert_eq!(text, serde_json::to_value(&binary).unwrap());
    }

    #[test]
    fn no_binary_frame_panics(frame in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Codec::Protobuf.read(&Inbound::Binary(frame.into()));
    }
}
