//! Where a list goes on, as clients keep it: opaque, versioned, and safe in a query without escapes
//! (protocol-nakama §6.2). A cursor says where, never who may: it needs no secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::account::AccountId;
use crate::domain::friend::{EdgeCursor, EdgeState};

/// The form of what follows; another form gets another number.
const VERSION: u8 = 1;

/// Which list a cursor is of, so that one is not taken for another.
#[derive(Clone, Copy)]
enum List {
    Friends = 1,
    FriendsOfFriends = 2,
    Notifications = 3,
}

fn write(list: List, parts: &[&[u8]]) -> String {
    let mut bytes = vec![VERSION, list as u8];
    for part in parts {
        bytes.extend_from_slice(part);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read<const N: usize>(list: List, cursor: &str) -> Option<[u8; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    bytes.strip_prefix(&[VERSION, list as u8])?.try_into().ok()
}

fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}

/// Behind this friend.
pub(super) fn friends(at: &EdgeCursor) -> String {
    let state = [at.state.number().unwrap_or_default()];
    write(List::Friends, &[&state, &at.position.to_be_bytes(), at.other.0.as_bytes()])
}

/// `None`: not one of ours.
pub(super) fn read_friends(cursor: &str) -> Option<EdgeCursor> {
    let bytes: [u8; 25] = read(List::Friends, cursor)?;
    let (state, rest) = bytes.split_first()?;
    let (position, other) = rest.split_first_chunk()?;
    Some(EdgeCursor {
        state: EdgeState::from_number(*state)?,
        position: u64::from_be_bytes(*position),
        other: AccountId(uuid(other)?),
    })
}

/// Behind this pair of referrer and friend.
pub(super) fn friends_of_friends(referrer: AccountId, friend: AccountId) -> String {
    write(List::FriendsOfFriends, &[referrer.0.as_bytes(), friend.0.as_bytes()])
}

/// `None`: not one of ours.
pub(super) fn read_friends_of_friends(cursor: &str) -> Option<(AccountId, AccountId)> {
    let bytes: [u8; 32] = read(List::FriendsOfFriends, cursor)?;
    let (referrer, friend) = bytes.split_at(16);
    Some((AccountId(uuid(referrer)?), AccountId(uuid(friend)?)))
}

/// Behind this notification; nil: from the start.
pub(super) fn notifications(last: Uuid) -> String {
    write(List::Notifications, &[last.as_bytes()])
}

/// `None`: not one of ours.
pub(super) fn read_notifications(cursor: &str) -> Option<Uuid> {
    let bytes: [u8; 16] = read(List::Notifications, cursor)?;
    Some(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHO: Uuid = Uuid::from_u128(0x4c2a_e592_b2a7_445e_98ec_6976_9447_8b1c);

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_by_its_own_list_only() {
        let at = EdgeCursor {
            state: EdgeState::InviteReceived,
            position: u64::MAX,
            other: AccountId(WHO),
        };
        let friends = friends(&at);
        assert_eq!(read_friends(&friends), Some(at));
        let pair = (AccountId(WHO), AccountId(Uuid::max()));
        let of_friends = friends_of_friends(pair.0, pair.1);
        assert_eq!(read_friends_of_friends(&of_friends), Some(pair));
        let news = notifications(WHO);
        assert_eq!(read_notifications(&news), Some(WHO));
        for cursor in [&friends, &of_friends, &news] {
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(cursor.bytes().all(safe), "{cursor}");
            let readers = usize::from(read_friends(cursor).is_some())
                + usize::from(read_friends_of_friends(cursor).is_some())
                + usize::from(read_notifications(cursor).is_some());
            assert_eq!(readers, 1, "{cursor}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let good = notifications(WHO);
        let shorter = &good[..good.len() - 2];
        let longer = format!("{good}AA");
        let padded = format!("{good}==");
        let other_version = URL_SAFE_NO_PAD.encode([&[2, 3][..], WHO.as_bytes()].concat());
        for cursor in ["", "x", "????", shorter, &longer, &padded, &other_version] {
            assert_eq!(read_notifications(cursor), None, "{cursor}");
        }
        let hidden = URL_SAFE_NO_PAD.encode([&[1, 1, 4][..], &[0; 24]].concat());
        assert_eq!(read_friends(&hidden), None, "a state nobody is shown");
    }

    proptest! {
        #[test]
        fn no_text_panics(cursor in ".{0,60}|[A-Za-z0-9_-]{0,60}") {
            let _ = read_friends(&cursor);
            let _ = read_friends_of_friends(&cursor);
            let _ = read_notifications(&cursor);
        }
    }
}
