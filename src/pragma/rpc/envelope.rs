//! The envelope around every message (protocol-pragma §2, §10.3): reading requests, writing answers.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::payload::whole;
use crate::pragma::{Fault, types};

/// A request that reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Chosen by the client, echoed in the answer.
    pub id: i64,
    /// Message name.
    pub kind: Cow<'static, str>,
    /// Always an object.
    pub payload: Map<String, Value>,
}

/// Why a message is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON: nobody could be answered.
    NotJson,
    /// JSON of another shape. The request's id where there is one, else 0.
    Shape(i64),
}

/// The members as they come. Integers may be written `2.0`; a type may be a number.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    request_id: Value,
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    payload: Value,
}

impl Request {
    /// Reads a request. Members nobody knows are skipped; a missing payload is an empty one.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]
    pub fn read(message: &[u8]) -> Result<Self, Unreadable> {
        let wire: Wire = serde_json::from_slice(message).map_err(|error| {
            if error.is_data() { Unreadable::Shape(0) } else { Unreadable::NotJson }
        })?;
        let id = integer(&wire.request_id).filter(|id| *id > 0);
        let id = i64::from(id.ok_or(Unreadable::Shape(0))?);
        let kind = match wire.r#type {
            Value::String(name) => Cow::Owned(name),
            number => {
                let number = integer(&number).and_then(|number| u64::try_from(number).ok());
                let number = number.ok_or(Unreadable::Shape(id))?;
                // An unknown number is an unknown type, not a wrong shape.
                Cow::Borrowed(types::name(number).unwrap_or_default())
            }
        };
        let payload = match wire.payload {
            Value::Object(payload) => payload,
            Value::Null => Map::new(),
            _ => return Err(Unreadable::Shape(id)),
        };
        Ok(Self { id, kind, payload })
    }
}

/// An int32, also when it is written `2.0`.
fn integer(value: &Value) -> Option<i32> {
    i32::try_from(whole(value).filter(|_| value.is_number())?).ok()
}

/// The answer to a request, without its sequence number.
pub fn response(id: i64, kind: &str, payload: &Value) -> (&'static str, Value) {
    let kind = match kind.strip_suffix("Request") {
        Some(stem) => format!("{stem}Response"),
        None => kind.to_owned(),
    };
    ("response", json!({"requestId": id, "type": kind, "payload": payload}))
}

/// A refusal of a request. `details` only in development.
pub fn refusal(id: i64, fault: Fault, trace: Uuid, details: &[String]) -> (&'static str, Value) {
    ("serviceError", fault.object(id, trace, details))
}

/// A message to a client nobody asked for.
pub fn notification(kind: &str, payload: &Value) -> (&'static str, Value) {
    ("notification", json!({"type": kind, "payload": payload}))
}

/// Puts a body into the envelope: exactly one of the three, and its number.
pub fn sealed(sequence: u64, (member, body): (&'static str, Value)) -> String {
    json!({"sequenceNumber": sequence, member: body}).to_string()
}

/// The same around a notification that is encoded already.
pub fn around(sequence: u64, notification: &str) -> String {
    format!(r#"{{"notification":{notification},"sequenceNumber":{sequence}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, Unreadable> {
        Request::read(text.as_bytes())
    }

    #[test]
    fn requests_are_read_by_name_or_number_with_or_without_payload() {
        let kind = "PlayerSessionRpc.HeartbeatV1Request";
        let types: Map<String, Value> =
            serde_json::from_str(types::json(crate::domain::token::SessionType::Player)).unwrap();
        let number = types[kind].as_u64().unwrap();
        let plain = Request { id: 7, kind: kind.into(), payload: Map::new() };
        for text in [
            format!(r#"{{"requestId":7,"type":"{kind}","payload":{{}}}}"#),
            format!(r#"{{"type":"{kind}","extra":[1],"requestId":7.0}}"#),
            format!(r#"{{"requestId":7,"type":{number},"payload":null}}"#),
        ] {
            assert_eq!(read(&text), Ok(plain.clone()), "{text}");
        }
        assert_eq!(read(r#"{"requestId":7,"type":99999}"#).unwrap().kind, "");
    }

    #[test]
    fn what_is_not_json_is_told_from_what_has_another_shape() {
        let deep = format!(r#"{{"requestId":1,"type":"x","payload":{}}}"#, "[".repeat(10_000));
        for text in ["", "{", "nonsense", "{\"requestId\":1", deep.as_str()] {
            assert_eq!(read(text), Err(Unreadable::NotJson), "{text:.20}");
        }
        assert_eq!(Request::read(b"{\"type\":\"\xff\"}"), Err(Unreadable::NotJson));
        for text in [
            "[]",
            "5",
            "{}",
            r#"{"type":"x"}"#,
            r#"{"requestId":0,"type":"x"}"#,
            r#"{"requestId":-1,"type":"x"}"#,
            r#"{"requestId":1.5,"type":"x"}"#,
            r#"{"requestId":4294967296,"type":"x"}"#,
            r#"{"requestId":1,"requestId":2,"type":"x"}"#,
        ] {
            assert_eq!(read(text), Err(Unreadable::Shape(0)), "{text}");
        }
        for text in [r#"{"requestId":3}"#, r#"{"requestId":3,"type":"x","payload":[]}"#] {
            assert_eq!(read(text), Err(Unreadable::Shape(3)), "{text}");
        }
    }

    #[test]
    fn answers_have_a_number_and_exactly_one_body() {
        let request = read(r#"{"requestId":41,"type":"AccountRpc.GetAccountV1Request"}"#).unwrap();
        assert_eq!(
            sealed(12, response(request.id, &request.kind, &json!({"a": 1}))),
            r#"{"response":{"payload":{"a":1},"requestId":41,"type":"AccountRpc.GetAccountV1Response"},"sequenceNumber":12}"#
        );
        let told = notification("FriendRpc.FriendUpdateV1Notification", &json!({"a": 1}));
        let encoded = told.1.to_string();
        assert_eq!(around(3, &encoded), sealed(3, told));
        let error: Value = serde_json::from_str(&sealed(
            0,
            refusal(9, Fault::InvalidRequestType, Uuid::nil(), &[]),
        ))
        .unwrap();
        assert_eq!(error["serviceError"]["requestId"], 9);
        assert_eq!(error["sequenceNumber"], 0);
    }
}
