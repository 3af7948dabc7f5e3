//! How a player's list of friends has changed: for clients that keep a copy of it
//! (protocol-pragma §12.2).

use super::{Edge, EdgeState};
use crate::domain::account::AccountId;

/// One change of one player's list. Its effect on a client's copy is all of `turns` at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListNews {
    /// Whose list.
    pub owner: AccountId,
    /// What is different.
    pub turns: Vec<Turn>,
    /// The list's number from now on: one more than before
    /// ([`crate::domain::account::Dossier::list_version`]). A client that misses one asks for the
    /// whole list.
    pub version: u64,
}

/// What became of one entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whom it is about.
    pub other: AccountId,
    /// What the owner was shown; `None`: nothing.
    pub before: Option<EdgeState>,
    /// What the owner is shown now.
    pub after: Option<EdgeState>,
}

impl Turn {
    /// The turn from one record to another; `None`: the owner sees no difference.
    pub fn of(other: AccountId, before: Option<&Edge>, after: Option<&Edge>) -> Option<Self> {
        let shown =
            |edge: Option<&Edge>| edge.map(|edge| edge.state).filter(|state| state.is_shown());
        let (before, after) = (shown(before), shown(after));
        (before != after).then_some(Self { other, before, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_blocked_sees_nothing_of_it_but_that_a_friend_is_gone() {
        let other = AccountId(uuid::Uuid::from_u128(1));
        let edge = |state| Edge { state, position: 1, updated_at: 1, metadata: String::new() };
        let (friend, blocked_by) = (edge(EdgeState::Friend), edge(EdgeState::BlockedBy));
        assert_eq!(Turn::of(other, None, Some(&blocked_by)), None);
        assert_eq!(Turn::of(other, Some(&blocked_by), None), None);
        let turn = Turn::of(other, Some(&friend), Some(&blocked_by)).unwrap();
        assert_eq!((turn.before, turn.after), (Some(EdgeState::Friend), None));
        assert_eq!(Turn::of(other, Some(&friend), Some(&friend)), None);
    }
}
