//! The same relationships as clients of Pragma's ask for them: one player at a time, and a word for
//! everything that is not as they think (protocol-pragma §12).

use super::{Edge, EdgeState, Step, add, remove};
use crate::domain::time::UnixMicros;

/// Why nothing was done. Whoever is blocked learns no more than that nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FriendRefusal {
    /// Nobody, or nobody who may be invited: blocked either way, or taking no invitations.
    #[error("nobody to invite")]
    InviteeNotFound,
    /// They are friends.
    #[error("they are friends already")]
    InviteeAlreadyFriend,
    /// The other has as many invitations as they may.
    #[error("the other's invitations are full")]
    InviteeReceivedInvitesFull,
    /// The caller's list, or their invitations to others, are full.
    #[error("the list is full")]
    ListFull,
    /// They did not invite the caller.
    #[error("no such invitation")]
    InviteNotFound,
    /// Nobody, to be answered.
    #[error("nobody who invited")]
    InviterNotFound,
    /// Not a friend, or nobody.
    #[error("no such friend")]
    FriendNotFound,
}

/// Whether an invitation that is not there yet would find room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// The other takes no invitations.
    pub is_refused: bool,
    /// The caller's list or their invitations to others are full.
    pub mine_full: bool,
    /// The other's list or their invitations from others are full.
    pub theirs_full: bool,
}

/// Asks to be friends; whoever was asked by the other accepts. `None`: asked already.
///
/// # Errors
///
/// [`FriendRefusal`]
pub fn invite(
    mine: Option<&Edge>,
    theirs: Option<&Edge>,
    room: Room,
    now: UnixMicros,
) -> Result<Option<Step>, FriendRefusal> {
    use EdgeState::{Blocked, BlockedBy, Friend, InviteReceived, InviteSent};
    match mine.map(|mine| mine.state) {
        Some(Friend) => Err(FriendRefusal::InviteeAlreadyFriend),
        Some(Blocked | BlockedBy) => Err(FriendRefusal::InviteeNotFound),
        Some(InviteSent) => Ok(None),
        Some(InviteReceived) => Ok(add(mine, theirs, "", now)),
        None if room.is_refused => Err(FriendRefusal::InviteeNotFound),
        None if room.mine_full => Err(FriendRefusal::ListFull),
        None if room.theirs_full => Err(FriendRefusal::InviteeReceivedInvitesFull),
        None => Ok(add(None, theirs, "", now)),
    }
}

/// Accepts or declines an invitation.
///
/// # Errors
///
/// [`FriendRefusal::InviteNotFound`]
pub fn respond(
    mine: Option<&Edge>,
    theirs: Option<&Edge>,
    accepts: bool,
    now: UnixMicros,
) -> Result<Option<Step>, FriendRefusal> {
    if mine.map(|mine| mine.state) != Some(EdgeState::InviteReceived) {
        return Err(FriendRefusal::InviteNotFound);
    }
    Ok(if accepts { add(mine, theirs, "", now) } else { remove(mine, theirs) })
}

/// Ends a friendship and nothing else.
///
/// # Errors
///
/// [`FriendRefusal::FriendNotFound`]
pub fn unfriend(mine: Option<&Edge>, theirs: Option<&Edge>) -> Result<Option<Step>, FriendRefusal> {
    if mine.map(|mine| mine.state) != Some(EdgeState::Friend) {
        return Err(FriendRefusal::FriendNotFound);
    }
    Ok(remove(mine, theirs))
}

/// Lifts a block; where there is none, nothing changes.
pub fn unblock(mine: Option<&Edge>, theirs: Option<&Edge>) -> Option<Step> {
    mine.filter(|mine| mine.state == EdgeState::Blocked).and_then(|_| remove(mine, theirs))
}

#[cfg(test)]
mod tests {
    use EdgeState::{Blocked, BlockedBy, Friend, InviteReceived, InviteSent};

    use super::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_000);
    const PAIRS: [(Option<EdgeState>, Option<EdgeState>); 7] = [
        (None, None),
        (Some(Friend), Some(Friend)),
        (Some(InviteSent), Some(InviteReceived)),
        (Some(InviteReceived), Some(InviteSent)),
        (Some(Blocked), Some(BlockedBy)),
        (Some(BlockedBy), Some(Blocked)),
        (Some(Blocked), Some(Blocked)),
    ];

    type Asked = Result<Option<Step>, FriendRefusal>;
    /// The caller's state after it, or why not. `Ok(None)`: nothing changes or nothing is left.
    type After = Result<Option<EdgeState>, FriendRefusal>;

    fn check(expected: [After; 7], deed: impl Fn(Option<&Edge>, Option<&Edge>) -> Asked) {
        let edge = |state| Edge { state, position: 5, updated_at: 5, metadata: String::new() };
        for ((mine, theirs), expected) in PAIRS.into_iter().zip(expected) {
            let (me, them) = (mine.map(edge), theirs.map(edge));
            let after = deed(me.as_ref(), them.as_ref());
            let after = after.map(|step| step.and_then(|step| step.mine).map(|mine| mine.state));
            assert_eq!(after, expected, "{mine:?} {theirs:?}");
        }
    }

    #[test]
    fn inviting_tells_what_is_wrong_but_not_who_blocks() {
        let nobody = Err(FriendRefusal::InviteeNotFound);
        let already = Err(FriendRefusal::InviteeAlreadyFriend);
        let known = [already, Ok(None), Ok(Some(Friend)), nobody, nobody, nobody];
        let all = |first| [first, known[0], known[1], known[2], known[3], known[4], known[5]];
        let room = Room::default();
        for (room, first) in [
            (room, Ok(Some(InviteSent))),
            (Room { is_refused: true, theirs_full: true, ..room }, nobody),
            (Room { mine_full: true, theirs_full: true, ..room }, Err(FriendRefusal::ListFull)),
            (Room { theirs_full: true, ..room }, Err(FriendRefusal::InviteeReceivedInvitesFull)),
        ] {
            check(all(first), |mine, theirs| invite(mine, theirs, room, NOW));
        }
    }

    #[test]
    fn only_an_invitation_is_answered() {
        let none = Err(FriendRefusal::InviteNotFound);
        let answered = |after| [none, none, none, after, none, none, none];
        check(answered(Ok(Some(Friend))), |mine, theirs| respond(mine, theirs, true, NOW));
        check(answered(Ok(None)), |mine, theirs| respond(mine, theirs, false, NOW));
    }

    #[test]
    fn only_a_friend_is_removed_and_only_a_block_lifted() {
        let none = Err(FriendRefusal::FriendNotFound);
        check([none, Ok(None), none, none, none, none, none], unfriend);
        let nothing = Ok(None);
        let still = Ok(Some(BlockedBy));
        let lifted = [nothing, nothing, nothing, nothing, nothing, nothing, still];
        check(lifted, |mine, theirs| Ok(unblock(mine, theirs)));
    }
}
