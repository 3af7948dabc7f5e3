//! Friends, invitations and blocks: listed and changed (protocol-nakama §6.2 to §6.6).

use super::{Asked, cursors, users, whom};
use crate::domain::account::Refusal;
use crate::domain::friend::{EdgeCursor, EdgeState};
use crate::nakama::errors::{Context, Failure, failure, words};
use crate::nakama::wire::api;
use crate::signin::social::{FriendsAsk, Me};

/// Longest metadata a friend may be given, in bytes.
const METADATA_MAX: usize = 4_096;

/// Lists the caller's friends, invitations and blocks, by state and age.
///
/// # Errors
///
/// Those of §6.2, or no answer in time.
pub async fn list_friends(
    asked: &Asked<'_>,
    request: api::ListFriendsRequest,
) -> Result<api::FriendList, Failure> {
    let me = asked.account()?;
    let ask = wanted(&request)?;
    let door = &asked.app.door;
    let (friends, next) = door.friends(me, ask).await.map_err(Failure::from_call)?;
    let friends = friends.into_iter().map(|friend| {
        let online = door.shows_online(me, friend.account.id);
        let user = users::user(friend.account, online, asked.ids_of_others());
        // §5.4: how many friends a friend has is not told here.
        let user = api::User { edge_count: 0, ..user };
        let metadata = friend.edge.metadata;
        api::Friend {
            user: Some(user),
            state: friend.edge.state.number().map(i32::from),
            update_time: Some(users::time(friend.edge.updated_at)),
            metadata: if metadata.is_empty() { "{}".to_owned() } else { metadata },
        }
    });
    let cursor = next.as_ref().map(cursors::friends).unwrap_or_default();
    Ok(api::FriendList { friends: friends.collect(), cursor })
}

/// Checks in the order of §6.2.
fn wanted(request: &api::ListFriendsRequest) -> Result<FriendsAsk, Failure> {
    let limit = limit(request.limit, 1_000, 1_000)?;
    let state = match request.state {
        None => None,
        Some(number) => Some(
            u8::try_from(number)
                .ok()
                .and_then(EdgeState::from_number)
                .ok_or(Failure::invalid(words::STATE))?,
        ),
    };
    let bad_cursor = || Failure::invalid(words::CURSOR);
    let after = match request.cursor.as_str() {
        "" => None,
        cursor => Some(cursors::read_friends(cursor).ok_or_else(bad_cursor)?),
    };
    let other_list = |after: &EdgeCursor| state.is_some_and(|state| state != after.state);
    if after.as_ref().is_some_and(other_list) {
        return Err(bad_cursor());
    }
    Ok(FriendsAsk { limit, state, after })
}

/// How many records are wanted.
pub(super) fn limit(given: Option<i32>, default: usize, max: usize) -> Result<usize, Failure> {
    let Some(given) = given else { return Ok(default) };
    usize::try_from(given)
        .ok()
        .filter(|limit| (1..=max).contains(limit))
        .ok_or_else(|| words::limit(max))
}

/// Lists friends of the caller's friends, once for each friend they are known through.
///
/// # Errors
///
/// Those of §6.3, or no answer in time.
pub async fn list_friends_of_friends(
    asked: &Asked<'_>,
    request: api::ListFriendsOfFriendsRequest,
) -> Result<api::FriendsOfFriendsList, Failure> {
    let me = asked.account()?;
    let limit = limit(request.limit, 10, 100)?;
    let after = match request.cursor.as_str() {
        "" => None,
        cursor => {
            let read = cursors::read_friends_of_friends(cursor);
            Some(read.ok_or_else(|| Failure::invalid(words::CURSOR))?)
        }
    };
    let door = &asked.app.door;
    let listed = door.friends_of_friends(me, limit, after).await;
    let (found, more) = listed.map_err(Failure::from_call)?;
    let next = found.last().filter(|_| more);
    let cursor = next
        .map(|last| cursors::friends_of_friends(last.referrer, last.account.id))
        .unwrap_or_default();
    let friends_of_friends = found.into_iter().map(|found| {
        let online = door.shows_online(me, found.account.id);
        let user = users::user(found.account, online, asked.ids_of_others());
        let user = Some(api::User { edge_count: 0, ..user });
        api::friends_of_friends_list::FriendOfFriend {
            referrer: found.referrer.0.to_string(),
            user,
        }
    });
    Ok(api::FriendsOfFriendsList { friends_of_friends: friends_of_friends.collect(), cursor })
}

impl Asked<'_> {
    /// The caller as others are told of them.
    pub(super) fn me(&self) -> Result<Me, Failure> {
        let username = self.bearer()?.username.clone();
        Ok(Me { account: self.account()?, username })
    }
}

/// Asks players to be friends, or accepts.
///
/// # Errors
///
/// Those of §6.4, but metadata that is no JSON object is 3/400: asking again would not help.
pub async fn add_friends(
    asked: &Asked<'_>,
    request: api::AddFriendsRequest,
) -> Result<(), Failure> {
    let me = asked.me()?;
    let (ids, usernames) = (request.ids, request.usernames);
    let Some(whom) = whom::checked(&me, ids, usernames, words::ADD_SELF)? else {
        return Ok(());
    };
    let metadata = metadata(request.metadata)?;
    let added = asked.app.door.add_friends(me, whom, metadata).await;
    added.map_err(|error| failure(Context::Friends, error))
}

/// Metadata of a friend: a JSON object as text, or nothing.
fn metadata(text: String) -> Result<String, Failure> {
    let object = |text: &str| {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
    };
    if text.is_empty() || text.len() <= METADATA_MAX && object(&text) {
        return Ok(text);
    }
    Err(Failure::invalid(words::METADATA))
}

/// Ends friendships, withdraws or declines invitations, unblocks.
///
/// # Errors
///
/// Those of §6.5; that nobody has such a name is none.
pub async fn delete_friends(
    asked: &Asked<'_>,
    request: api::DeleteFriendsRequest,
) -> Result<(), Failure> {
    let me = asked.me()?;
    let whom = whom::checked(&me, request.ids, request.usernames, words::DELETE_SELF)?;
    let Some(whom) = whom else { return Ok(()) };
    match asked.app.door.delete_friends(me, whom).await {
        Err(crate::signin::SignInError::Refused(Refusal::NobodyNamed)) => Ok(()),
        deleted => deleted.map_err(|error| failure(Context::Friends, error)),
    }
}

/// Blocks players.
///
/// # Errors
///
/// Those of §6.6.
pub async fn block_friends(
    asked: &Asked<'_>,
    request: api::BlockFriendsRequest,
) -> Result<(), Failure> {
    let me = asked.me()?;
    let whom = whom::checked(&me, request.ids, request.usernames, words::BLOCK_SELF)?;
    let Some(whom) = whom else { return Ok(()) };
    let blocked = asked.app.door.block_friends(me, whom).await;
    blocked.map_err(|error| failure(Context::Friends, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountId;
    use uuid::Uuid;

    fn says(limit: Option<i32>, state: Option<i32>, cursor: &str) -> String {
        let cursor = cursor.to_owned();
        let failure = wanted(&api::ListFriendsRequest { limit, state, cursor }).unwrap_err();
        assert_eq!((failure.code, failure.status), (3, 400));
        failure.message.into_owned()
    }

    #[test]
    fn what_of_the_list_is_wanted_is_checked_in_order() {
        let limit = "Invalid limit - limit must be between 1 and 1000.";
        let state = "Invalid state - state must be between 0 and 3.";
        for wrong in [0, -1, 1_001, i32::MIN, i32::MAX] {
            assert_eq!(says(Some(wrong), Some(9), "?"), limit, "{wrong}");
        }
        for wrong in [-1, 4, 256, i32::MAX] {
            assert_eq!(says(Some(1), Some(wrong), "?"), state, "{wrong}");
        }
        assert_eq!(says(None, None, "?"), "Cursor is invalid.");
        let at =
            EdgeCursor { state: EdgeState::InviteSent, position: 7, other: AccountId(Uuid::nil()) };
        let cursor = cursors::friends(&at);
        assert_eq!(says(None, Some(0), &cursor), "Cursor is invalid.");
        for state in [None, Some(1)] {
            let cursor = cursor.clone();
            let ask = wanted(&api::ListFriendsRequest { limit: None, state, cursor }).unwrap();
            assert_eq!((ask.limit, ask.after), (1_000, Some(at)));
        }
        let blocked =
            api::ListFriendsRequest { limit: Some(1), state: Some(3), ..Default::default() };
        let ask = wanted(&blocked).unwrap();
        assert_eq!((ask.limit, ask.state, ask.after), (1, Some(EdgeState::Blocked), None));
    }

    #[test]
    fn limits_say_what_they_are() {
        for (max, message) in [
            (100, "Invalid limit - limit must be between 1 and 100."),
            (1_000, "Invalid limit - limit must be between 1 and 1000."),
        ] {
            assert_eq!(super::limit(Some(0), 1, max).unwrap_err().message, message);
            assert_eq!(super::limit(None, 1, max), Ok(1));
        }
    }

    #[test]
    fn metadata_is_a_json_object() {
        for good in ["", "{}", r#"{"a":[1,"x"]}"#, " {} "] {
            assert_eq!(metadata(good.to_owned()).as_deref(), Ok(good));
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(METADATA_MAX));
        for bad in ["x", "[]", "1", "{", r#"{"a":1} x"#, &long] {
            let failure = metadata(bad.to_owned()).unwrap_err();
            assert_eq!((failure.code, failure.status), (3, 400), "{bad}");
        }
    }
}
