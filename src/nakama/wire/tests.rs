//! Messages in JSON and in protobuf, as SDKs write and read them.

use prost::Message as _;
use prost_types::Timestamp;

use super::realtime::envelope::Message;
use super::realtime::{Envelope, Error, Ping, Pong, Status, StatusUpdate, UserPresence};
use super::{api, realtime};

fn json(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap()
}

fn frame(cid: &str, message: Option<Message>) -> Envelope {
    Envelope { cid: cid.into(), message }
}

fn hex(message: &Envelope) -> String {
    let bytes = message.encode_to_vec();
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(number: u8) -> char {
    char::from_digit(number.into(), 16).unwrap()
}

fn update(status: Option<&str>) -> Message {
    Message::StatusUpdate(StatusUpdate { status: status.map(str::to_owned) })
}

#[test]
fn frames_are_the_bytes_and_the_json_of_the_vectors() {
    let error = Error {
        code: 3,
        message: "Invalid user identifier".into(),
        context: std::collections::BTreeMap::new(),
    };
    for (envelope, bytes, text) in [
        (frame("1", Some(Message::Ping(Ping {}))), "0a0131820200", r#"{"cid":"1","ping":{}}"#),
        (frame("1", Some(Message::Pong(Pong {}))), "0a01318a0200", r#"{"cid":"1","pong":{}}"#),
        (
            frame("2", Some(update(Some("hi")))),
            "0a0132ea01060a040a026869",
            r#"{"cid":"2","status_update":{"status":"hi"}}"#,
        ),
        (
            frame("2", Some(update(Some("")))),
            "0a0132ea01020a00",
            r#"{"cid":"2","status_update":{"status":""}}"#,
        ),
        (frame("2", Some(update(None))), "0a0132ea0100", r#"{"cid":"2","status_update":{}}"#),
        (frame("2", None), "0a0132", r#"{"cid":"2"}"#),
        (frame("", None), "", "{}"),
        (
            frame("4", Some(Message::Error(error))),
            "0a01345a1b08031217496e76616c69642075736572206964656e746966696572",
            r#"{"cid":"4","error":{"code":3,"message":"Invalid user identifier"}}"#,
        ),
    ] {
        assert_eq!(hex(&envelope), bytes, "{text}");
        assert_eq!(json(&envelope), text);
    }
}

#[test]
fn messages_that_are_not_served_are_recognised_by_their_tag() {
    let match_join: &[u8] = &[0x82, 0x01, 0x05, 0x0a, 0x03, b'm', b'.', b'1'];
    let read = Envelope::decode(match_join).unwrap();
    assert!(matches!(read.message, Some(Message::MatchJoin(_))));
    let tag_of_tomorrow: &[u8] = &[0x0a, 0x01, b'1', 0xc2, 0x3e, 0x00];
    let read = Envelope::decode(tag_of_tomorrow).unwrap();
    assert!(read.cid == "1" && read.message.is_none());
}

#[test]
fn what_sdks_need_is_written_even_when_zero() {
    let status = frame("1", Some(Message::Status(Status::default())));
    assert_eq!(json(&status), r#"{"cid":"1","status":{"presences":[]}}"#);
    assert_eq!(json(&Error::default()), r#"{"code":0}"#);
    let notification = api::Notification { code: -7, ..Default::default() };
    assert_eq!(json(&notification), r#"{"code":-7,"sender_id":"","persistent":false}"#);
    let friend = api::Friend { state: Some(0), ..Default::default() };
    assert_eq!(json(&friend), r#"{"state":0}"#);
    assert_eq!(json(&UserPresence::default()), "{}");
    let seen = UserPresence { status: Some(String::new()), ..Default::default() };
    assert_eq!(json(&seen), r#"{"status":""}"#);
    assert_eq!(json(&realtime::Notifications::default()), "{}");
}

#[test]
fn the_rest_is_left_out_when_zero_and_times_are_whole_seconds() {
    assert_eq!(json(&api::Account::default()), "{}");
    assert_eq!(json(&api::Session { token: "t".into(), ..Default::default() }), r#"{"token":"t"}"#);
    let time = Timestamp { seconds: 1_767_225_600, nanos: 999_999_999 };
    let user =
        api::User { online: true, edge_count: 2, create_time: Some(time), ..api::User::default() };
    assert_eq!(
        json(&user),
        r#"{"online":true,"edge_count":2,"create_time":"2026-01-01T00:00:00Z"}"#
    );
}

#[test]
fn numbers_may_be_text() {
    let read = |body: &str| serde_json::from_str::<api::AccountGameCenter>(body);
    for (body, number) in [
        (r#"{"timestamp_seconds":1767225600000}"#, 1_767_225_600_000),
        (r#"{"timestampSeconds":"1767225600000"}"#, 1_767_225_600_000),
        (r#"{"timestamp_seconds":null}"#, 0),
        (r#"{"timestamp_seconds":"-1"}"#, -1),
    ] {
        assert_eq!(read(body).unwrap().timestamp_seconds, number, "{body}");
    }
    for body in [
        r#"{"timestamp_seconds":1.5}"#,
        r#"{"timestamp_seconds":"x"}"#,
        r#"{"timestamp_seconds":9223372036854775808}"#,
        r#"{"timestamp_seconds":1,"timestampSeconds":1}"#,
    ] {
        assert!(read(body).is_err(), "{body}");
    }
    let limit = |body: &str| serde_json::from_str::<api::ListFriendsRequest>(body).map(|r| r.limit);
    assert_eq!(limit(r#"{"limit":"7"}"#).unwrap(), Some(7));
    assert_eq!(limit(r#"{"limit":0}"#).unwrap(), Some(0));
    assert_eq!(limit(r#"{"limit":null}"#).unwrap(), None);
    assert!(limit(r#"{"limit":2147483648}"#).is_err());
}

#[test]
fn numbers_of_64_bits_are_written_as_text() {
    #[derive(serde::Serialize)]
    struct Signed {
        #[serde(serialize_with = "super::json::int64_text")]
        at: i64,
    }
    assert_eq!(json(&Signed { at: -1_767_225_600_000 }), r#"{"at":"-1767225600000"}"#);
}

#[test]
fn wrappers_tell_absent_from_empty() {
    let read = |body: &str| serde_json::from_str::<api::UpdateAccountRequest>(body).unwrap();
    assert_eq!(read(r#"{"displayName":""}"#).display_name.as_deref(), Some(""));
    assert_eq!(read(r#"{"display_name":null}"#).display_name, None);
    assert_eq!(read("{}").display_name, None);
}

#[test]
fn a_message_inside_is_an_object_or_null() {
    let read = |body: &str| serde_json::from_str::<api::LinkSteamRequest>(body);
    let given = read(r#"{"account":{"token":"t","vars":{"k":"v"}},"sync":false}"#).unwrap();
    assert_eq!(given.account.unwrap().token, "t");
    assert_eq!(given.sync, Some(false));
    assert!(read(r#"{"account":null,"import":true}"#).unwrap().account.is_none());
    assert_eq!(read(r#"{"import":true}"#).unwrap().sync, Some(true));
    assert!(read(r#"{"account":["t"]}"#).is_err());
}
