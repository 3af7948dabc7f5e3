//! Envelopes in protobuf, both ways (protocol-nakama §7.4): what is not known is skipped, a message
//! of a later version too, which leaves its envelope without one.

use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;

use super::codec::Said;
use super::read::{self, Follow, Message, Unfollow, Update};
use crate::domain::notification::Notification;
use crate::domain::presence::Presence;
use crate::nakama::wire::api;
use crate::nakama::wire::realtime::{
    Envelope, Error, Notifications, Pong, Status, StatusPresenceEvent, UserPresence, envelope,
};

/// Reads one envelope; `None` when the frame is not one.
pub fn envelope(frame: &[u8]) -> Option<read::Envelope> {
    use envelope::Message as Wire;
    let Envelope { cid, message } = Envelope::decode(frame).ok()?;
    let message = message.map(|message| match message {
        Wire::Ping(_) => Message::Ping,
        Wire::Pong(_) => Message::Pong,
        Wire::StatusFollow(follow) => {
            Message::Follow(Follow { user_ids: follow.user_ids, usernames: follow.usernames })
        }
        Wire::StatusUnfollow(unfollow) => {
            Message::Unfollow(Unfollow { user_ids: unfollow.user_ids })
        }
        Wire::StatusUpdate(update) => Message::Update(Update { status: update.status }),
        Wire::MatchJoin(_) => Message::MatchJoin,
        Wire::Rpc(_) => Message::Rpc,
        _ => Message::Other,
    });
    Some(read::Envelope { cid, message })
}

/// An envelope's bytes. The acknowledgement of a request without `cid` has none.
pub fn binary(cid: &str, said: Said<'_>) -> Bytes {
    use envelope::Message as Wire;
    let message = match said {
        Said::Done => None,
        Said::Pong => Some(Wire::Pong(Pong {})),
        Said::Error(code, message) => {
            let (code, message) = (code as i32, message.to_owned());
            Some(Wire::Error(Error { code, message, ..Default::default() }))
        }
        Said::Status(online) => Some(Wire::Status(Status { presences: users(online) })),
        Said::Event(event) => Some(Wire::StatusPresenceEvent(StatusPresenceEvent {
            joins: users(&event.joins),
            leaves: users(&event.leaves),
        })),
        Said::Notification(told) => {
            Some(Wire::Notifications(Notifications { notifications: vec![notification(told)] }))
        }
    };
    Envelope { cid: cid.to_owned(), message }.encode_to_vec().into()
}

fn users(presences: &[Presence]) -> Vec<UserPresence> {
    let user = |presence: &Presence| UserPresence {
        user_id: presence.account.0.to_string(),
        session_id: presence.session.to_string(),
        username: (*presence.username).to_owned(),
        persistence: false,
        status: Some((*presence.status).to_owned()),
    };
    presences.iter().map(user).collect()
}

fn notification(told: &Notification) -> api::Notification {
    let seconds = i64::try_from(told.created_at).unwrap_or(i64::MAX);
    api::Notification {
        id: told.id.to_string(),
        subject: told.subject.clone(),
        content: told.content.clone(),
        code: told.topic.code(),
        sender_id: told.sender.map(|sender| sender.0.to_string()).unwrap_or_default(),
        create_time: Some(Timestamp { seconds, nanos: 0 }),
        persistent: told.persistent,
    }
}
