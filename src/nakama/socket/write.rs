//! Frames to the client: envelopes in JSON, snake case, defaults left out but where an SDK breaks
//! on it: `presences` and an error's `code` are always there (protocol-nakama §13.5).

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::presence::{Event, Presence};

/// An error's number (§7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The server's fault.
    Internal = 0,
    /// A message the server does not take.
    Unrecognized = 1,
    /// An envelope without a message.
    Missing = 2,
    /// A value that cannot be right.
    BadInput = 3,
    /// No such match.
    MatchNotFound = 4,
    /// No such function.
    FunctionNotFound = 6,
}

#[derive(Default, Serialize)]
struct Envelope<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    cid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pong: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_presence_event: Option<PresenceEvent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notifications: Option<Notifications>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Error {
    code: u8,
    message: &'static str,
}

#[derive(Serialize)]
struct Status<'a> {
    presences: Vec<UserPresence<'a>>,
}

#[derive(Serialize)]
struct PresenceEvent<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    joins: Vec<UserPresence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leaves: Vec<UserPresence<'a>>,
}

#[derive(Serialize)]
struct UserPresence<'a> {
    user_id: Uuid,
    session_id: Uuid,
    #[serde(skip_serializing_if = "str::is_empty")]
    username: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
struct Notifications {
    notifications: [Notification; 1],
}

#[derive(Serialize)]
struct Notification {
    id: Uuid,
    subject: &'static str,
    content: &'static str,
    code: i32,
    sender_id: &'static str,
    create_time: String,
}

fn users(presences: &[Presence]) -> Vec<UserPresence<'_>> {
    presences.iter().map(user).collect()
}

fn user(presence: &Presence) -> UserPresence<'_> {
    UserPresence {
        user_id: presence.account.0,
        session_id: presence.session,
        username: &presence.username,
        status: &presence.status,
    }
}

/// Serialising these cannot fail: no map with odd keys, no fallible writer.
fn text(envelope: &Envelope<'_>) -> Bytes {
    serde_json::to_vec(envelope).unwrap_or_default().into()
}

/// The acknowledgement of a request that has no other reply.
pub fn done(cid: &str) -> Bytes {
    text(&Envelope { cid, ..Default::default() })
}

/// The reply to a ping.
pub fn pong(cid: &str) -> Bytes {
    text(&Envelope { cid, pong: Some(Empty {}), ..Default::default() })
}

/// An error.
pub fn error(cid: &str, code: ErrorCode, message: &'static str) -> Bytes {
    let error = Error { code: code as u8, message };
    text(&Envelope { cid, error: Some(error), ..Default::default() })
}

/// The reply to a follow: who of them is online, one entry for each session.
pub fn status(cid: &str, online: &[Presence]) -> Bytes {
    let status = Status { presences: users(online) };
    text(&Envelope { cid, status: Some(status), ..Default::default() })
}

/// An event, the same for all who hear of it.
pub fn event(event: &Event) -> Bytes {
    let event = PresenceEvent { joins: users(&event.joins), leaves: users(&event.leaves) };
    text(&Envelope { status_presence_event: Some(event), ..Default::default() })
}

/// The last message of a socket that has to make way for another of its player (§3.7).
pub fn single_socket(id: Uuid, create_time: String) -> Bytes {
    let notification = Notification {
        id,
        subject: "single_socket",
        content: "{}",
        code: -7,
        sender_id: "",
        create_time,
    };
    let notifications = Notifications { notifications: [notification] };
    text(&Envelope { notifications: Some(notifications), ..Default::default() })
}
