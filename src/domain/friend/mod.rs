//! Friends: two records for each relationship, one for each side, always written together
//! (protocol-nakama §6).

pub mod ask;
pub mod invites;
pub mod news;
pub mod rules;

pub use ask::{Deed, FriendAsk, FriendLimits};
pub use invites::FriendRefusal;
pub use news::{ListNews, Turn};
pub use rules::{Step, accept_from_provider, add, block, remove};

use crate::domain::account::AccountId;

/// What one side's record says. The numbers are stored, and those up to 3 are Nakama's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum EdgeState {
    /// Mutual.
    Friend = 0,
    /// I asked, they have not answered.
    InviteSent = 1,
    /// They asked me.
    InviteReceived = 2,
    /// I blocked them.
    Blocked = 3,
    /// They blocked me and I hold nothing of my own: never shown and never counted. It keeps every
    /// relationship findable from both sides.
    BlockedBy = 4,
}

impl EdgeState {
    /// The number Nakama's clients know it by; `None`: it is not shown.
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::BlockedBy => None,
            state => Some(state as u8),
        }
    }

    /// The shown state with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Friend),
            1 => Some(Self::InviteSent),
            2 => Some(Self::InviteReceived),
            3 => Some(Self::Blocked),
            _ => None,
        }
    }

    /// Whether the record is the owner's own: shown and counted in `edge_count`.
    pub const fn is_shown(self) -> bool {
        !matches!(self, Self::BlockedBy)
    }
}

/// One side's record of a relationship.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Edge {
    /// What it says.
    pub state: EdgeState,
    /// When it was made, in microseconds since the epoch: the order of lists.
    pub position: u64,
    /// When it last changed, in seconds since the epoch.
    pub updated_at: u64,
    /// A JSON object as text; empty for `{}`.
    pub metadata: String,
}

impl Edge {
    /// Its place in the owner's list.
    pub const fn cursor(&self, other: AccountId) -> EdgeCursor {
        EdgeCursor { state: self.state, position: self.position, other }
    }
}

impl EdgeCursor {
    /// Before everything.
    pub const START: Self =
        Self { state: EdgeState::Friend, position: 0, other: AccountId(uuid::Uuid::nil()) };
}

/// Where a list of friends goes on: behind this record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EdgeCursor {
    /// Its state.
    pub state: EdgeState,
    /// Its position.
    pub position: u64,
    /// The other side.
    pub other: AccountId,
}
