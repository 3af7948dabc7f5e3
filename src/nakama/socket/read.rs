//! Frames from the client: one envelope of Nakama's realtime protocol in JSON
//! (protocol-nakama §7.4), snake or camel case, nulls as absent, unknown fields ignored.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::nakama::body::Object;

/// An envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Chosen by the client, repeated in the reply; empty: none.
    pub cid: String,
    /// What is asked; `None` when the envelope holds no message.
    pub message: Option<Message>,
}

/// A message that clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `ping`
    Ping,
    /// `pong`: taken, not answered.
    Pong,
    /// `status_follow`
    Follow(Follow),
    /// `status_unfollow`
    Unfollow(Unfollow),
    /// `status_update`
    Update(Update),
    /// `match_join`: there are no matches.
    MatchJoin,
    /// `rpc`: there are no functions.
    Rpc,
    /// A message of Nakama's, or of a later version of it, that this server does not take.
    Other,
}

/// `status_follow` (§7.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Follow {
    /// Whom, by id.
    #[serde(alias = "userIds", deserialize_with = "list")]
    pub user_ids: Vec<String>,
    /// Whom, by user name.
    #[serde(deserialize_with = "list")]
    pub usernames: Vec<String>,
}

/// `status_unfollow` (§7.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Unfollow {
    /// Whom.
    #[serde(alias = "userIds", deserialize_with = "list")]
    pub user_ids: Vec<String>,
}

/// `status_update` (§7.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Update {
    /// The status to show; `None`: appear offline. An empty one is online with an empty text.
    pub status: Option<String>,
}

/// A list; Defold sends a lone text where it has one.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Listed {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Listed>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Listed::One(one)) => vec![one],
        Some(Listed::Many(many)) => many,
    })
}

/// Reads one envelope; `None` when the frame is not one.
pub fn envelope(frame: &[u8]) -> Option<Envelope> {
    serde_json::from_slice(frame).ok()
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an envelope")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let (mut cid, mut message, mut unknown) = (None, None, false);
                while let Some(name) = map.next_key::<Name>()? {
                    if name == Name::Cid {
                        if cid.replace(map.next_value::<Option<String>>()?).is_some() {
                            return Err(A::Error::duplicate_field("cid"));
                        }
                    } else if name == Name::Unknown {
                        unknown |= map.next_value::<Option<IgnoredAny>>()?.is_some();
                    } else if let Some(found) = name.value(&mut map)?
                        && message.replace(found).is_some()
                    {
                        return Err(A::Error::custom("more than one message"));
                    }
                }
                let message = message.or_else(|| unknown.then_some(Message::Other));
                Ok(Envelope { cid: cid.flatten().unwrap_or_default(), message })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The fields of an envelope that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Cid,
    Ping,
    Pong,
    #[serde(alias = "statusFollow")]
    StatusFollow,
    #[serde(alias = "statusUnfollow")]
    StatusUnfollow,
    #[serde(alias = "statusUpdate")]
    StatusUpdate,
    #[serde(alias = "matchJoin")]
    MatchJoin,
    Rpc,
    #[serde(other)]
    Unknown,
}

impl Name {
    /// The message under this name; `None` for a null.
    fn value<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<Option<Message>, A::Error> {
        let ignored = |map: &mut A| map.next_value::<Option<Object<Empty>>>();
        Ok(match self {
            Self::Ping => ignored(map)?.map(|_| Message::Ping),
            Self::Pong => ignored(map)?.map(|_| Message::Pong),
            Self::MatchJoin => ignored(map)?.map(|_| Message::MatchJoin),
            Self::Rpc => ignored(map)?.map(|_| Message::Rpc),
            Self::StatusFollow => map
                .next_value::<Option<Object<Follow>>>()?
                .map(|Object(follow)| Message::Follow(follow)),
            Self::StatusUnfollow => map
                .next_value::<Option<Object<Unfollow>>>()?
                .map(|Object(unfollow)| Message::Unfollow(unfollow)),
            Self::StatusUpdate => map
                .next_value::<Option<Object<Update>>>()?
                .map(|Object(update)| Message::Update(update)),
            Self::Cid | Self::Unknown => None,
        })
    }
}

/// An object whose fields do not matter.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(frame: &str) -> Envelope {
        envelope(frame.as_bytes()).unwrap_or_else(|| panic!("{frame}"))
    }

    fn message(frame: &str) -> Option<Message> {
        read(frame).message
    }

    #[test]
    fn frames_as_the_sdks_write_them_are_read() {
        let ping = Envelope { cid: "1".into(), message: Some(Message::Ping) };
        assert_eq!(read(r#"{"cid":"1","ping":{}}"#), ping);
        assert_eq!(read(r#"{"ping":{"later":1},"cid":"1","later":null}"#), ping);
        let update = |status: Option<&str>| {
            Some(Message::Update(Update { status: status.map(str::to_owned) }))
        };
        assert_eq!(message(r#"{"status_update":{"status":"hi"}}"#), update(Some("hi")));
        assert_eq!(message(r#"{"statusUpdate":{"status":"hi"}}"#), update(Some("hi")));
        assert_eq!(message(r#"{"status_update":{"status":""}}"#), update(Some("")));
        assert_eq!(message(r#"{"status_update":{"status":null}}"#), update(None));
        assert_eq!(message(r#"{"status_update":{}}"#), update(None));
        let follow = Follow { user_ids: vec!["a".into()], usernames: vec!["b".into()] };
        for frame in [
            r#"{"status_follow":{"user_ids":["a"],"usernames":["b"]}}"#,
            r#"{"statusFollow":{"userIds":["a"],"usernames":["b"]}}"#,
        ] {
            assert_eq!(message(frame), Some(Message::Follow(follow.clone())));
        }
        let one = Follow { user_ids: vec!["a".into()], usernames: Vec::new() };
        let lone = message(r#"{"status_follow":{"user_ids":"a"}}"#);
        assert_eq!(lone, Some(Message::Follow(one)));
        let nobody = Some(Message::Follow(Follow::default()));
        assert_eq!(message(r#"{"status_follow":{"user_ids":null}}"#), nobody);
    }

    #[test]
    fn what_is_out_of_scope_is_told_from_nothing_at_all() {
        assert_eq!(message(r#"{"cid":"1"}"#), None);
        assert_eq!(message("{}"), None);
        assert_eq!(message(r#"{"ping":null,"party_create":null}"#), None);
        assert_eq!(message(r#"{"match_join":{"match_id":"m"}}"#), Some(Message::MatchJoin));
        assert_eq!(message(r#"{"rpc":{"id":"echo"}}"#), Some(Message::Rpc));
        assert_eq!(message(r#"{"channel_join":{"type":1}}"#), Some(Message::Other));
        assert_eq!(message(r#"{"from_the_future":{}}"#), Some(Message::Other));
    }

    #[test]
    fn frames_that_are_no_envelope_are_refused() {
        let deep = format!(r#"{{"status_update":{}}}"#, "[".repeat(4_000));
        for frame in [
            "",
            "null",
            "[]",
            r#"["1"]"#,
            "{",
            r#"{"cid":1,"ping":{}}"#,
            r#"{"cid":"1","cid":"2","ping":{}}"#,
            r#"{"ping":{},"pong":{}}"#,
            r#"{"ping":{},"ping":{}}"#,
            r#"{"ping":[]}"#,
            r#"{"status_update":"hi"}"#,
            r#"{"status_update":{"status":1}}"#,
            r#"{"status_update":{"status":"a","status":"b"}}"#,
            r#"{"status_follow":{"user_ids":[null]}}"#,
            r#"{"ping":{}} x"#,
            &deep,
        ] {
            assert_eq!(envelope(frame.as_bytes()), None, "{frame}");
        }
        assert_eq!(envelope(b"{\"cid\":\"\xff\",\"ping\":{}}"), None);
    }

    proptest! {
        #[test]
        fn no_frame_panics(frame in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = envelope(&frame);
        }
    }
}
