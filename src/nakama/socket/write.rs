//! Envelopes to the client, the same for both formats (protocol-nakama §7.4).

use super::codec::Said;
use crate::domain::presence::Presence;
use crate::nakama::calls::notification;
use crate::nakama::wire::realtime::{
    Envelope, Error, Notifications, Pong, Status, StatusPresenceEvent, UserPresence, envelope,
};

/// The envelope of what is said; `cid` is that of the request, empty when the server speaks first.
pub fn envelope(cid: &str, said: Said<'_>) -> Envelope {
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
        Said::Notification(told) => Some(Wire::Notifications(Notifications {
            notifications: vec![notification(told.clone())],
        })),
    };
    Envelope { cid: cid.to_owned(), message }
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
