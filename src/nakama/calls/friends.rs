//! Friends, invitations and blocks (protocol-nakama §6.2 to §6.7).

use super::Asked;
use crate::nakama::errors::Failure;
use crate::nakama::wire::api;

/// Lists friends, invitations and blocks.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn list_friends(
    asked: &Asked<'_>,
    _request: api::ListFriendsRequest,
) -> Result<api::FriendList, Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Lists friends of friends.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn list_friends_of_friends(
    asked: &Asked<'_>,
    _request: api::ListFriendsOfFriendsRequest,
) -> Result<api::FriendsOfFriendsList, Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Asks players to be friends, or accepts.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn add_friends(
    asked: &Asked<'_>,
    _request: api::AddFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Ends friendships, invitations and blocks.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn delete_friends(
    asked: &Asked<'_>,
    _request: api::DeleteFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Blocks players.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn block_friends(
    asked: &Asked<'_>,
    _request: api::BlockFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Makes friends of those known at Facebook.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn import_facebook_friends(
    asked: &Asked<'_>,
    _request: api::ImportFacebookFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Makes friends of those known at Steam.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn import_steam_friends(
    asked: &Asked<'_>,
    _request: api::ImportSteamFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}
