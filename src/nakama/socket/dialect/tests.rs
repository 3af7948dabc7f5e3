//! The frames of protocol-nakama §16.3 and §16.6, and what each mistake is answered with.

use bytes::Bytes;
use futures_util::FutureExt;

use super::*;
use crate::domain::presence::{Event, Presence};

const ME: &str = "4c2ae592-b2a7-445e-98ec-697694478b1c";
const BOB: &str = "0f5a2c3e-6b1d-4f0a-9a43-1d2f6a3c7b55";

/// Knows Bob by name; does not answer for `down`, nor for who may follow the zero id; lets nobody
/// follow the largest one.
#[derive(Clone)]
struct Fake;

impl Outside for Fake {
    async fn named(&self, name: &str) -> Result<Option<AccountId>, CallError> {
        match name {
            "down" => Err(CallError::NoAnswer),
            "bob" => Ok(Some(account(BOB))),
            "alice again" => Ok(Some(account(ME))),
            _ => Ok(None),
        }
    }

    fn may_follow(
        &self,
        account: AccountId,
        mut whom: Vec<AccountId>,
    ) -> Result<Vec<AccountId>, CallError> {
        assert_eq!(account.0.to_string(), ME);
        whom.retain(|account| !account.0.is_max());
        if whom.iter().any(|account| account.0.is_nil()) {
            Err(CallError::NoAnswer)
        } else {
            Ok(whom)
        }
    }

    fn now(&self) -> UnixMicros {
        UnixMicros::from_secs(1_767_225_600)
    }

    fn id(&self) -> Uuid {
        Uuid::nil()
    }
}

fn account(id: &str) -> AccountId {
    AccountId(id.parse().unwrap())
}

fn dialect() -> Realtime<Fake> {
    Realtime::new(Fake, Codec::Json, account(ME), "alice".into())
}

fn presence(status: &str) -> Presence {
    Presence {
        account: account(BOB),
        session: BOB.parse().unwrap(),
        username: "bob".into(),
        status: status.into(),
        version: 1,
        rich: None,
    }
}

/// What the session would do, one line each; whoever is followed is online with the status `hi`.
fn script(effects: Vec<Effect>) -> Vec<String> {
    let text = |message: Outbound| match message {
        Outbound::Text(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Outbound::Binary(_) => panic!("binary"),
    };
    let mut lines = Vec::new();
    for effect in effects {
        match effect {
            Effect::Send(message) => lines.push(text(message)),
            Effect::SetStatus(status) => lines.push(format!("set {status:?}")),
            Effect::SetRich(..) => panic!("a client of Nakama's has a status"),
            Effect::Follow(accounts, reply) => {
                lines.push(format!("follow {}", accounts.len()));
                lines.extend(script(reply(&[presence("hi")])));
            }
            Effect::Unfollow(accounts) => lines.push(format!("unfollow {}", accounts.len())),
            Effect::Call(call) => lines.extend(script(call.now_or_never().unwrap())),
            Effect::ExtendUntil(_) => panic!("sockets outlive tokens"),
            Effect::Close(reason) => lines.push(format!("close {reason:?}")),
        }
    }
    lines
}

fn told(frame: &str) -> Vec<String> {
    let frame = Inbound::Text(Bytes::copy_from_slice(frame.as_bytes()));
    script(dialect().message(frame, UnixMicros(0)))
}

#[test]
fn pings_are_answered_and_pongs_taken() {
    assert_eq!(told(r#"{"cid":"1","ping":{}}"#), [r#"{"cid":"1","pong":{}}"#]);
    assert_eq!(told(r#"{"ping":{}}"#), [r#"{"pong":{}}"#]);
    assert_eq!(told(r#"{"cid":"1","pong":{}}"#), [""; 0]);
}

#[test]
fn the_cid_comes_back_as_it_was() {
    let cid = r#"a\"\u0000é\\"#;
    assert_eq!(
        told(&format!(r#"{{"cid":"{cid}","ping":{{}}}}"#)),
        [format!(r#"{{"cid":"{cid}","pong":{{}}}}"#)]
    );
}

#[test]
fn a_status_is_set_emptied_and_taken_away() {
    let set = |frame: &str| told(frame);
    assert_eq!(
        set(r#"{"cid":"2","status_update":{"status":"hi"}}"#),
        [r#"set Some("hi")"#, r#"{"cid":"2"}"#]
    );
    assert_eq!(
        set(r#"{"cid":"2","statusUpdate":{"status":""}}"#),
        [r#"set Some("")"#, r#"{"cid":"2"}"#]
    );
    assert_eq!(set(r#"{"cid":"2","status_update":{}}"#), ["set None", r#"{"cid":"2"}"#]);
    assert_eq!(set(r#"{"status_update":{"status":null}}"#), ["set None", "{}"]);
}

#[test]
fn a_status_is_2048_bytes_at_most() {
    let frame = |length: usize| {
        format!(r#"{{"cid":"2","status_update":{{"status":"{}"}}}}"#, "é".repeat(length / 2))
    };
    assert_eq!(told(&frame(2_048)).len(), 2);
    assert_eq!(
        told(&frame(2_050)),
        [r#"{"cid":"2","error":{"code":3,"message":"Status must be 2048 characters or less"}}"#]
    );
}

#[test]
fn following_tells_who_is_online() {
    let online = format!(
        r#"{{"cid":"3","status":{{"presences":[{{"user_id":"{BOB}","session_id":"{BOB}","username":"bob","status":"hi"}}]}}}}"#
    );
    let by_id = format!(r#"{{"cid":"3","status_follow":{{"user_ids":["{BOB}","{ME}"]}}}}"#);
    assert_eq!(told(&by_id), ["follow 1", &online]);
    let by_name = r#"{"cid":"3","status_follow":{"usernames":["bob","alice","alice again","x"]}}"#;
    assert_eq!(told(by_name), ["follow 1", &online]);
}

#[test]
fn following_nobody_gives_an_empty_list() {
    let empty = [r#"{"cid":"3","status":{"presences":[]}}"#];
    assert_eq!(told(r#"{"cid":"3","status_follow":{}}"#), empty);
    assert_eq!(told(&format!(r#"{{"cid":"3","status_follow":{{"user_ids":["{ME}"]}}}}"#)), empty);
    assert_eq!(told(r#"{"cid":"3","status_follow":{"usernames":["nobody"]}}"#), empty);
}

#[test]
fn a_bad_follow_follows_nobody() {
    let error = |code, message| {
        [format!(r#"{{"cid":"4","error":{{"code":{code},"message":"{message}"}}}}"#)]
    };
    let ids = format!(r#"{{"cid":"4","status_follow":{{"user_ids":["{BOB}","x"]}}}}"#);
    assert_eq!(told(&ids), error(3, "Invalid user identifier"));
    let names = r#"{"cid":"4","status_follow":{"usernames":["bob",""]}}"#;
    assert_eq!(told(names), error(3, "Invalid username"));
    let down = r#"{"cid":"4","status_follow":{"usernames":["bob","down"]}}"#;
    assert_eq!(told(down), error(0, "Could not check users"));
}

#[test]
fn only_those_are_followed_who_may_be() {
    let frame = |ids: &str| format!(r#"{{"cid":"3","status_follow":{{"user_ids":[{ids}]}}}}"#);
    let hidden = format!(r#""{}""#, Uuid::max());
    let nobody = r#"{"cid":"3","status":{"presences":[]}}"#;
    assert_eq!(told(&frame(&hidden)), [nobody]);
    assert_eq!(told(&frame(&format!(r#"{hidden},"{BOB}""#)))[0], "follow 1");
    assert_eq!(
        told(&frame(&format!(r#""{}""#, Uuid::nil()))),
        [r#"{"cid":"3","error":{"code":0,"message":"Could not check users"}}"#]
    );
}

#[test]
fn unfollowing_is_acknowledged() {
    let frame = format!(r#"{{"cid":"5","status_unfollow":{{"user_ids":["{BOB}"]}}}}"#);
    assert_eq!(told(&frame), ["unfollow 1", r#"{"cid":"5"}"#]);
    let own = format!(r#"{{"status_unfollow":{{"userIds":["{ME}"]}}}}"#);
    assert_eq!(told(&own), ["{}"]);
    assert_eq!(
        told(r#"{"cid":"5","status_unfollow":{"user_ids":["x"]}}"#),
        [r#"{"cid":"5","error":{"code":3,"message":"Invalid user identifier"}}"#]
    );
}

#[test]
fn what_is_out_of_scope_is_an_error_and_the_socket_stays() {
    for (message, code, text) in [
        ("match_join", 4, "Match not found"),
        ("rpc", 6, "RPC function not found"),
        ("channel_join", 1, "Unrecognized message."),
        ("status_presence_event", 1, "Unrecognized message."),
    ] {
        assert_eq!(
            told(&format!(r#"{{"cid":"6","{message}":{{}}}}"#)),
            [format!(r#"{{"cid":"6","error":{{"code":{code},"message":"{text}"}}}}"#)]
        );
    }
}

#[test]
fn misuse_ends_the_socket_in_nakamas_words() {
    let close = |message| {
        let mut dialect = dialect();
        let script = script(dialect.message(message, UnixMicros(0)));
        let reason = match script.last().map(String::as_str) {
            Some("close Malformed") => CloseReason::Malformed,
            Some("close WrongFrame") => CloseReason::WrongFrame,
            _ => panic!("{script:?}"),
        };
        let (last, code, text) = dialect.closing(reason);
        assert!(last.is_empty());
        (script.len(), code, text)
    };
    let text = |frame: &'static str| Inbound::Text(Bytes::from_static(frame.as_bytes()));
    let binary = Inbound::Binary(Bytes::from_static(b"\x0a\x01\x31"));
    assert_eq!(close(binary), (1, 1000, "received unexpected WebSocket message type"));
    assert_eq!(close(text("{")), (1, 1000, "received malformed payload"));
    assert_eq!(close(text(r#"{"cid":"1"}"#)), (2, 1000, "error processing message"));
    assert_eq!(
        told(r#"{"cid":"1"}"#).first().unwrap(),
        r#"{"cid":"1","error":{"code":2,"message":"Missing message."}}"#
    );
}

#[test]
fn every_other_end_has_its_code() {
    let ends = |reason| {
        let (_, code, text) = dialect().closing(reason);
        (code, text)
    };
    assert_eq!(ends(CloseReason::TooBig), (1009, ""));
    assert_eq!(ends(CloseReason::SlowConsumer), (1000, "session outgoing queue full"));
    assert_eq!(ends(CloseReason::Kicked), (1000, "server-side session disconnect"));
    assert_eq!(ends(CloseReason::Shutdown).0, 1001);
    let (last, code, text) = dialect().closing(CloseReason::Usurped);
    assert_eq!((code, text), (1000, "server-side session disconnect"));
    let last = last.into_iter().map(Effect::Send).collect();
    assert_eq!(
        script(last),
        [concat!(
            r#"{"notifications":{"notifications":[{"id":"00000000-0000-0000-0000-000000000000","#,
            r#""subject":"single_socket","content":"{}","code":-7,"sender_id":"","#,
            r#""create_time":"2026-01-01T00:00:00Z","persistent":false}]}}"#
        )]
    );
}

#[test]
fn an_event_is_encoded_once_with_leave_and_join_together() {
    let event = |joins: &[&str], leaves: &[&str]| {
        Shared::new(Event {
            account: account(BOB),
            joins: joins.iter().map(|status| presence(status)).collect(),
            leaves: leaves.iter().map(|status| presence(status)).collect(),
            was: None,
            is: None,
        })
    };
    let heard = |shared: &Shared| match dialect().event(shared) {
        Some(Outbound::Text(bytes)) => bytes,
        _ => panic!("nothing heard"),
    };
    let user = |status: &str| {
        format!(
            r#"{{"user_id":"{BOB}","session_id":"{BOB}","username":"bob","status":"{status}"}}"#
        )
    };
    let update = event(&["lobby"], &[""]);
    assert_eq!(
        heard(&update),
        format!(
            r#"{{"status_presence_event":{{"joins":[{}],"leaves":[{}]}}}}"#,
            user("lobby"),
            user("")
        )
    );
    assert_eq!(heard(&update).as_ptr(), heard(&update).as_ptr(), "shared, not copied");
    assert_eq!(
        heard(&event(&[], &["lobby"])),
        format!(r#"{{"status_presence_event":{{"leaves":[{}]}}}}"#, user("lobby"))
    );
}

#[test]
fn protobuf_is_the_same_dialect_in_binary_frames() {
    let mut dialect = Realtime::new(Fake, Codec::Protobuf, account(ME), "alice".into());
    let mut answers = |frame: &'static [u8]| {
        let effects = dialect.message(Inbound::Binary(Bytes::from_static(frame)), UnixMicros(0));
        let answer = |effect| match effect {
            Effect::Send(Outbound::Binary(bytes)) => bytes.to_vec(),
            Effect::SetStatus(status) => format!("set {status:?}").into(),
            Effect::Close(reason) => format!("close {reason:?}").into(),
            _ => panic!("another effect"),
        };
        effects.into_iter().map(answer).collect::<Vec<_>>()
    };
    assert_eq!(answers(b"\x0a\x011\x82\x02\x00"), [b"\x0a\x011\x8a\x02\x00"], "ping");
    let hi = b"\x0a\x012\xea\x01\x06\x0a\x04\x0a\x02hi";
    assert_eq!(answers(hi), [&br#"set Some("hi")"#[..], b"\x0a\x012"]);
    assert_eq!(
        answers(b"\xea\x01\x02\x0a\x00"),
        [&br#"set Some("")"#[..], b""],
        "no cid, no bytes"
    );
    assert_eq!(answers(b"\xea\x01\x00"), [&b"set None"[..], b""]);
    let error = |code: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        [b"\x0a\x016\x5a", &[length + 4, 8, code, 0x12, length][..], text.as_bytes()].concat()
    };
    for (tag, code, text) in [
        (b"\x1a\x00".as_slice(), 1, "Unrecognized message."),
        (b"\x5a\x00", 1, "Unrecognized message."),
        (b"\x82\x01\x00", 4, "Match not found"),
        (b"\xc2\x01\x00", 6, "RPC function not found"),
    ] {
        let frame = Bytes::from([b"\x0a\x016", tag].concat()).to_vec().leak();
        assert_eq!(answers(frame), [error(code, text)], "{text}");
    }
    let unknown = b"\x0a\x016\xc2\x3e\x00";
    assert_eq!(answers(unknown), [error(2, "Missing message."), b"close Malformed".into()]);
    assert_eq!(answers(b"\x0a\xff"), [b"close Malformed"]);
    assert_eq!(dialect.closing(CloseReason::Malformed).2, "error processing message");

    let text = Inbound::Text(Bytes::from_static(br#"{"cid":"1","ping":{}}"#));
    let effects = dialect.message(text, UnixMicros(0));
    assert!(matches!(effects[..], [Effect::Close(CloseReason::WrongFrame)]));
}

#[test]
fn news_are_encoded_once_for_each_format() {
    let told = Shared::new(Notification::from_friend(
        Uuid::nil(),
        Topic::FriendRequest,
        account(BOB),
        "bob",
        UnixMicros::from_secs(1_767_225_600),
    ));
    let heard = |codec| {
        let mut dialect = Realtime::new(Fake, codec, account(ME), "alice".into());
        dialect.notification(&told).unwrap()
    };
    let Outbound::Text(text) = heard(Codec::Json) else { panic!("binary") };
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"notifications":{{"notifications":[{{"id":"{}","#,
                r#""subject":"bob wants to add you as a friend","#,
                r#""content":"{{\"username\":\"bob\"}}","code":-2,"sender_id":"{}","#,
                r#""create_time":"2026-01-01T00:00:00Z","persistent":true}}]}}}}"#
            ),
            Uuid::nil(),
            BOB
        )
    );
    let Outbound::Binary(binary) = heard(Codec::Protobuf) else { panic!("text") };
    for (codec, first) in [(Codec::Json, text), (Codec::Protobuf, binary)] {
        assert_eq!(heard(codec).payload().as_ptr(), first.as_ptr(), "shared, not copied");
    }
}
