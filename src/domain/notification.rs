//! Notifications: what the server tells a player, kept until they delete it or there are too many
//! (protocol-nakama §6.8).

use uuid::Uuid;

use crate::domain::account::AccountId;

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
