//! What a player wants done to their relationships, and its effect on both accounts' counts.

use super::{Edge, EdgeState, FriendRefusal, Step};
use crate::domain::account::{Account, AccountId, Link};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Ask to be friends, or accept; with metadata, a JSON object as text.
    Add(String),
    /// End, withdraw, decline, unblock.
    Remove,
    /// Block.
    Block,
    /// Ask one player to be friends, or accept; see [`super::invites`] for this and the next three.
    Invite,
    /// Accept or decline one player's invitation.
    Respond {
        /// Accept it.
        accepts: bool,
    },
    /// End one friendship.
    Unfriend,
    /// Lift one block.
    Unblock,
    /// Become friends with those who are friends at a provider; `reset` ends other friendships
    /// and invitations first.
    Import {
        /// The provider's word, for the metadata.
        provider: &'static str,
        /// End the others.
        reset: bool,
    },
}

impl Deed {
    /// What is said when the one player it is about is not there; `None`: nothing.
    pub const fn nobody(&self) -> Option<FriendRefusal> {
        match self {
            Self::Invite => Some(FriendRefusal::InviteeNotFound),
            Self::Respond { .. } => Some(FriendRefusal::InviterNotFound),
            Self::Unfriend => Some(FriendRefusal::FriendNotFound),
            Self::Add(_) | Self::Remove | Self::Block | Self::Unblock | Self::Import { .. } => None,
        }
    }
}

/// A wish of one player about others.
#[derive(Clone, Debug)]
pub struct FriendAsk {
    /// The caller's name, as the others are told.
    pub username: String,
    /// What is to be done.
    pub deed: Deed,
    /// To whom, by id.
    pub ids: Vec<AccountId>,
    /// To whom, by user name.
    pub usernames: Vec<String>,
    /// To whom, by link.
    pub links: Vec<Link>,
}

/// Bounds of relationships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FriendLimits {
    /// Friends, invitations and blocks an account may have. Invitations from others stop at half
    /// of it, so that strangers cannot fill a list.
    pub friends_max: u32,
    /// Notifications kept for an account; the oldest go.
    pub notifications_max: usize,
    /// Invitations to others that may wait for an answer, for those who invite by [`Deed::Invite`].
    pub invites_sent_max: usize,
    /// Invitations from others that may wait, as far as those go who invite by [`Deed::Invite`].
    pub invites_received_max: usize,
}

impl Default for FriendLimits {
    fn default() -> Self {
        Self {
            friends_max: 5_000,
            notifications_max: 500,
            invites_sent_max: 100,
            invites_received_max: 100,
        }
    }
}

impl FriendLimits {
    /// Whether the caller's list has room for a record that is not there yet.
    pub const fn has_room(&self, account: &Account) -> bool {
        account.edge_count < self.friends_max
    }

    /// Whether a stranger may add to this account's list.
    pub const fn takes_invitations(&self, account: &Account) -> bool {
        account.edge_count < self.friends_max.div_ceil(2)
    }
}

impl Step {
    /// Sets both counts right, given what was recorded before.
    pub fn count(
        &self,
        (mine, theirs): (Option<&Edge>, Option<&Edge>),
        me: &mut Account,
        them: &mut Account,
    ) {
        adjust(&mut me.edge_count, mine, self.mine.as_ref());
        adjust(&mut them.edge_count, theirs, self.theirs.as_ref());
    }
}

fn adjust(count: &mut u32, before: Option<&Edge>, after: Option<&Edge>) {
    let shown = |edge: Option<&Edge>| edge.is_some_and(|edge| edge.state.is_shown());
    match (shown(before), shown(after)) {
        (false, true) => *count = count.saturating_add(1),
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}

/// Whether a record ends with a reset: everything but blocks.
pub const fn ends_with_reset(state: EdgeState) -> bool {
    matches!(state, EdgeState::Friend | EdgeState::InviteSent | EdgeState::InviteReceived)
}
