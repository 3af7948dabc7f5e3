//! Frames to the client in JSON: snake case, defaults left out but where an SDK breaks on it:
//! `presences`, an error's `code`, a notification's `sender_id` and `persistent` are always there
//! (protocol-nakama §13.5).

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use super::codec::Said;
use crate::domain::notification::Notification;
use crate::domain::presence::Presence;
use crate::nakama::reply::timestamp;

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    cid: &'a str,
    #[serde(flatten)]
    message: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Message<'a> {
    Pong {},
    Error {
        code: u8,
        message: &'static str,
    },
    Status {
        presences: Vec<UserPresence<'a>>,
    },
    StatusPresenceEvent {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        joins: Vec<UserPresence<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        leaves: Vec<UserPresence<'a>>,
    },
    Notifications {
        notifications: [Told<'a>; 1],
    },
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
struct Told<'a> {
    id: Uuid,
    subject: &'a str,
    content: &'a str,
    code: i32,
    sender_id: String,
    create_time: String,
    persistent: bool,
}

/// An envelope's text. Serialising it cannot fail: no map with odd keys, no fallible writer.
pub fn text(cid: &str, said: Said<'_>) -> Bytes {
    let message = match said {
        Said::Done => None,
        Said::Pong => Some(Message::Pong {}),
        Said::Error(code, message) => Some(Message::Error { code: code as u8, message }),
        Said::Status(online) => Some(Message::Status { presences: users(online) }),
        Said::Event(event) => Some(Message::StatusPresenceEvent {
            joins: users(&event.joins),
            leaves: users(&event.leaves),
        }),
        Said::Notification(told) => {
            Some(Message::Notifications { notifications: [notification(told)] })
        }
    };
    serde_json::to_vec(&Envelope { cid, message }).unwrap_or_default().into()
}

fn users(presences: &[Presence]) -> Vec<UserPresence<'_>> {
    presences.iter().map(user).collect()
}

fn user(presence: &Presence) -> UserPresence<'_> {
    let Presence { account, session, username, status } = presence;
    UserPresence { user_id: account.0, session_id: *session, username, status }
}

fn notification(told: &Notification) -> Told<'_> {
    Told {
        id: told.id,
        subject: &told.subject,
        content: &told.content,
        code: told.topic.code(),
        sender_id: told.sender.map(|sender| sender.0.to_string()).unwrap_or_default(),
        create_time: timestamp(told.created_at),
        persistent: told.persistent,
    }
}
