//! What adding, removing, blocking and importing do to a relationship (protocol-nakama §6.4 to
//! §6.7). `mine` is the caller's record, `theirs` the other side's.

use super::{Edge, EdgeState};
use crate::domain::notification::Topic;
use crate::domain::time::UnixMicros;

/// Both records as they shall be, and what the other side hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The caller's record.
    pub mine: Option<Edge>,
    /// The other side's.
    pub theirs: Option<Edge>,
    /// What the other side is told.
    pub tells: Option<Topic>,
}

const fn made(state: EdgeState, metadata: String, now: UnixMicros) -> Edge {
    Edge { state, position: now.0, updated_at: now.as_secs(), metadata }
}

fn state(edge: Option<&Edge>) -> Option<EdgeState> {
    edge.map(|edge| edge.state)
}

/// Asks to be friends, or accepts. `None`: nothing changes; nobody learns that they are blocked
/// (§6.4).
pub fn add(
    mine: Option<&Edge>,
    theirs: Option<&Edge>,
    metadata: &str,
    now: UnixMicros,
) -> Option<Step> {
    use EdgeState::{Friend, InviteReceived, InviteSent};
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine.state == InviteReceived => Some(Step {
            mine: Some(Edge {
                state: Friend,
                updated_at: now.as_secs(),
                metadata: merged(&mine.metadata, metadata),
                ..mine.clone()
            }),
            theirs: Some(Edge { state: Friend, updated_at: now.as_secs(), ..theirs.clone() }),
            tells: Some(Topic::FriendAccept),
        }),
        (None, None) => Some(Step {
            mine: Some(made(InviteSent, metadata.to_owned(), now)),
            theirs: Some(made(InviteReceived, String::new(), now)),
            tells: Some(Topic::FriendRequest),
        }),
        _ => None,
    }
}

/// Takes the caller's record away, whatever it says, and the other side's unless it is a block.
/// Told to the other side only when both went (§6.5).
pub fn remove(mine: Option<&Edge>, theirs: Option<&Edge>) -> Option<Step> {
    use EdgeState::{Blocked, BlockedBy};
    if mine.is_none_or(|mine| !mine.state.is_shown()) {
        return None;
    }
    Some(match theirs {
        Some(theirs) if theirs.state == Blocked => Step {
            // Still blocked by them, from now on without a record of one's own.
            mine: mine.map(|mine| Edge {
                state: BlockedBy,
                metadata: String::new(),
                ..mine.clone()
            }),
            theirs: Some(theirs.clone()),
            tells: None,
        },
        theirs => {
            let told = theirs.is_some_and(|theirs| theirs.state.is_shown());
            Step { mine: None, theirs: None, tells: told.then_some(Topic::FriendRemove) }
        }
    })
}

/// Blocks: the other side's record goes unless it is a block itself. Told to nobody (§6.6).
/// `None`: blocked already.
pub fn block(mine: Option<&Edge>, theirs: Option<&Edge>, now: UnixMicros) -> Option<Step> {
    use EdgeState::{Blocked, BlockedBy};
    if state(mine) == Some(Blocked) {
        return None;
    }
    let position = mine.map_or(now.0, |mine| mine.position);
    let theirs = match theirs {
        Some(theirs) if theirs.state == Blocked => Some(theirs.clone()),
        _ => Some(made(BlockedBy, String::new(), now)),
    };
    let mine = Edge {
        state: Blocked,
        position,
        updated_at: now.as_secs(),
        metadata: mine.map(|mine| mine.metadata.clone()).unwrap_or_default(),
    };
    Some(Step { mine: Some(mine), theirs, tells: None })
}

/// Friends at a provider become friends here, unless either side blocks (§6.7). `provider` is the
/// word for the metadata. `None`: nothing changes.
pub fn accept_from_provider(
    mine: Option<&Edge>,
    theirs: Option<&Edge>,
    provider: &str,
    now: UnixMicros,
) -> Option<Step> {
    use EdgeState::{Friend, InviteReceived, InviteSent};
    let note = format!(r#"{{"provider":"{provider}"}}"#);
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if matches!(mine.state, InviteReceived | InviteSent) => {
            let befriended = |edge: &Edge| {
                Some(Edge {
                    state: Friend,
                    updated_at: now.as_secs(),
                    metadata: merged(&edge.metadata, &note),
                    ..edge.clone()
                })
            };
            let (mine, theirs) = (befriended(mine), befriended(theirs));
            Some(Step { mine, theirs, tells: Some(Topic::FriendJoin) })
        }
        (None, None) => Some(Step {
            mine: Some(made(Friend, note.clone(), now)),
            theirs: Some(made(Friend, note, now)),
            tells: Some(Topic::FriendJoin),
        }),
        _ => None,
    }
}

/// The members of two JSON objects, the later one's winning. What is not an object counts as
/// empty.
fn merged(old: &str, new: &str) -> String {
    let object = |text: &str| serde_json::from_str::<serde_json::Map<_, _>>(text);
    let mut members = object(old).unwrap_or_default();
    members.extend(object(new).unwrap_or_default());
    if members.is_empty() {
        return String::new();
    }
    serde_json::to_string(&members).unwrap_or_default()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
