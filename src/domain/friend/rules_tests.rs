use proptest::prelude::*;

use super::*;
use EdgeState::{Blocked, BlockedBy, Friend, InviteReceived, InviteSent};

const NOW: UnixMicros = UnixMicros::from_secs(1_000);

fn edge(state: EdgeState) -> Edge {
    Edge { state, position: 5, updated_at: 5, metadata: String::new() }
}

/// Both sides' states after a step, and what is told.
fn states(step: Option<Step>) -> Option<(Option<EdgeState>, Option<EdgeState>, Option<Topic>)> {
    let state = |edge: &Option<Edge>| edge.as_ref().map(|edge| edge.state);
    step.map(|step| (state(&step.mine), state(&step.theirs), step.tells))
}

/// Every pair that can be stored, from the caller's side.
const PAIRS: [(Option<EdgeState>, Option<EdgeState>); 7] = [
    (None, None),
    (Some(Friend), Some(Friend)),
    (Some(InviteSent), Some(InviteReceived)),
    (Some(InviteReceived), Some(InviteSent)),
    (Some(Blocked), Some(BlockedBy)),
    (Some(BlockedBy), Some(Blocked)),
    (Some(Blocked), Some(Blocked)),
];

type Expected = Option<(Option<EdgeState>, Option<EdgeState>, Option<Topic>)>;

fn check(expected: [Expected; 7], deed: impl Fn(Option<&Edge>, Option<&Edge>) -> Option<Step>) {
    for ((mine, theirs), expected) in PAIRS.into_iter().zip(expected) {
        let (me, them) = (mine.map(edge), theirs.map(edge));
        assert_eq!(states(deed(me.as_ref(), them.as_ref())), expected, "{mine:?} {theirs:?}");
    }
}

#[test]
fn adding_asks_or_accepts_and_tells_nobody_of_blocks() {
    let accepted = Some((Some(Friend), Some(Friend), Some(Topic::FriendAccept)));
    let asked = Some((Some(InviteSent), Some(InviteReceived), Some(Topic::FriendRequest)));
    check([asked, None, None, accepted, None, None, None], |mine, theirs| {
        add(mine, theirs, "", NOW)
    });
}

#[test]
fn removing_ends_both_sides_but_for_the_others_block() {
    let ended = Some((None, None, Some(Topic::FriendRemove)));
    let unblocked = Some((None, None, None));
    let still_blocked = Some((Some(BlockedBy), Some(Blocked), None));
    check([None, ended, ended, ended, unblocked, None, still_blocked], remove);
}

#[test]
fn blocking_replaces_everything_but_the_others_block() {
    let blocked = Some((Some(Blocked), Some(BlockedBy), None));
    let both = Some((Some(Blocked), Some(Blocked), None));
    check([blocked, blocked, blocked, blocked, None, both, None], |mine, theirs| {
        block(mine, theirs, NOW)
    });
}

#[test]
fn importing_makes_friends_unless_either_side_blocks() {
    let joined = Some((Some(Friend), Some(Friend), Some(Topic::FriendJoin)));
    check([joined, None, joined, joined, None, None, None], |mine, theirs| {
        accept_from_provider(mine, theirs, "steam", NOW)
    });
}

#[test]
fn accepting_merges_the_metadata_of_the_accepter_and_keeps_positions() {
    let mine = Edge { metadata: r#"{"a":1,"b":1}"#.into(), ..edge(InviteReceived) };
    let step = add(Some(&mine), Some(&edge(InviteSent)), r#"{"b":2}"#, NOW).unwrap();
    let (mine, theirs) = (step.mine.unwrap(), step.theirs.unwrap());
    assert_eq!(mine.metadata, r#"{"a":1,"b":2}"#);
    assert_eq!((mine.position, mine.updated_at), (5, 1_000));
    assert_eq!((theirs.position, theirs.updated_at, theirs.metadata.as_str()), (5, 1_000, ""));
}

#[test]
fn an_import_says_from_where() {
    let step = accept_from_provider(None, None, "facebook", NOW).unwrap();
    for edge in [step.mine.unwrap(), step.theirs.unwrap()] {
        assert_eq!(edge.metadata, r#"{"provider":"facebook"}"#);
        assert_eq!(edge.position, NOW.0);
    }
}

proptest! {
    /// Whatever two players do to each other, the two records are a pair that may be stored.
    #[test]
    fn records_always_come_in_pairs(deeds in prop::collection::vec((0..4_u8, any::<bool>()), 0..30)) {
        let (mut a, mut b): (Option<Edge>, Option<Edge>) = (None, None);
        for (deed, by_a) in deeds {
            let (mine, theirs) = if by_a { (&a, &b) } else { (&b, &a) };
            let (mine, theirs) = (mine.as_ref(), theirs.as_ref());
            let step = match deed {
                0 => add(mine, theirs, "", NOW),
                1 => remove(mine, theirs),
                2 => block(mine, theirs, NOW),
                _ => accept_from_provider(mine, theirs, "steam", NOW),
            };
            if let Some(step) = step {
                (a, b) = if by_a { (step.mine, step.theirs) } else { (step.theirs, step.mine) };
            }
            let state = |edge: &Option<Edge>| edge.as_ref().map(|edge| edge.state);
            prop_assert!(PAIRS.contains(&(state(&a), state(&b))), "{a:?} {b:?}");
        }
    }
}
