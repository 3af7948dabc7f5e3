//! Notifications: what the server tells a player, kept until they delete it or there are too many
//! (protocol-nakama §6.8).

use uuid::Uuid;

use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;

/// What a notification is about; the number is Nakama's (protocol-nakama §6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(i8)]
pub enum Topic {
    /// Somebody wants to be a friend.
    FriendRequest = -2,
    /// Somebody accepted to be a friend.
    FriendAccept = -3,
    /// A friend from elsewhere plays this game now.
    FriendJoin = -6,
    /// Another socket of the player took this one's place. Never stored.
    SingleSocket = -7,
    /// The player was banned. Never stored.
    Banned = -8,
    /// Somebody is a friend no more.
    FriendRemove = -9,
}

impl Topic {
    /// Nakama's number.
    pub const fn code(self) -> i32 {
        self as i32
    }
}

impl Topic {
    /// The line people read; `who` caused it (protocol-nakama §6.8).
    pub fn subject(self, who: &str) -> String {
        match self {
            Self::FriendRequest => format!("{who} wants to add you as a friend"),
            Self::FriendAccept => format!("{who} accepted your friend request"),
            Self::FriendJoin => "Your friend has just joined the game".to_owned(),
            Self::FriendRemove => format!("{who} removed you as a friend"),
            Self::SingleSocket => "single_socket".to_owned(),
            Self::Banned => "banned".to_owned(),
        }
    }
}

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// Its id. Ids of one player's stored notifications are in the order they were made.
    pub id: Uuid,
    /// What it is about.
    pub topic: Topic,
    /// One line for people.
    pub subject: String,
    /// A JSON object as text.
    pub content: String,
    /// Who caused it; `None`: the server.
    pub sender: Option<AccountId>,
    /// When, in seconds since the epoch.
    pub created_at: u64,
    /// Whether it is stored.
    pub persistent: bool,
}

impl Notification {
    /// About a friend: stored, and sent to those who are there.
    pub fn from_friend(
        id: Uuid,
        topic: Topic,
        sender: AccountId,
        username: &str,
        now: UnixMicros,
    ) -> Self {
        Self {
            id,
            topic,
            subject: topic.subject(username),
            content: serde_json::json!({ "username": username }).to_string(),
            sender: Some(sender),
            created_at: now.as_secs(),
            persistent: true,
        }
    }

    /// From the server, for those who are there only.
    pub fn from_server(id: Uuid, topic: Topic, now: UnixMicros) -> Self {
        Self {
            id,
            topic,
            subject: topic.subject(""),
            content: "{}".to_owned(),
            sender: None,
            created_at: now.as_secs(),
            persistent: false,
        }
    }
}

/// An id behind every id given to the same player before: a version 7 UUID (RFC 9562 §5.7) with
/// the microseconds in `rand_a`; after a clock that stepped back, just behind `last`.
pub fn id_after(last: Option<Uuid>, now: UnixMicros, dice: Uuid) -> Uuid {
    let (ms, us) = (now.as_millis() & 0xffff_ffff_ffff, now.0 % 1_000);
    let time = u128::from(ms) << 80 | 0x7 << 76 | u128::from(us * 4) << 64;
    let low = dice.as_u128() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    let id = Uuid::from_u128(time | low);
    match last {
        Some(last) if last >= id => Uuid::from_u128(last.as_u128().saturating_add(1)),
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_in_the_order_they_were_made(
            steps in prop::collection::vec((0_u64..3_000, any::<u128>()), 1..40),
        ) {
            let (mut last, mut now) = (None, 1_800_000_000_000_000_u64);
            for (step, dice) in steps {
                now = now + step - 1_000; // forwards and backwards
                let id = id_after(last, UnixMicros(now), Uuid::from_u128(dice));
                prop_assert!(last.is_none_or(|last| last < id));
                prop_assert_eq!(id.get_version_num(), 7);
                last = Some(id);
            }
        }
    }

    #[test]
    fn contents_are_json_whatever_the_name() {
        let id = Uuid::nil();
        let sender = AccountId(Uuid::nil());
        let name = "a \"quoted\" name";
        let told = Notification::from_friend(id, Topic::FriendRequest, sender, name, UnixMicros(0));
        assert_eq!(told.subject, "a \"quoted\" name wants to add you as a friend");
        let content: serde_json::Value = serde_json::from_str(&told.content).unwrap();
        assert_eq!(content["username"], name);
        assert_eq!(told.topic.code(), -2);
    }
}
