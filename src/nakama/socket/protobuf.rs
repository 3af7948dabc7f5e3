//! Envelopes from the client in protobuf (protocol-nakama §7.4): what is not known is skipped, a
//! message of a later version too, which leaves its envelope without one.

use prost::Message as _;

use super::read::{self, Follow, Message, Unfollow, Update};
use crate::nakama::wire::realtime::{Envelope, envelope};

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
