//! Other people's accounts (protocol-nakama §5.4, §5.5).

use prost_types::Timestamp;

use super::Asked;
use crate::domain::account::{Account, LinkKind};
use crate::nakama::errors::Failure;
use crate::nakama::wire::api;

/// Which of an account's ids at providers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// All of them.
    Everything,
}

/// An account as everybody sees it (§5.4).
pub(super) fn user(account: Account, online: bool, _sees: Sees) -> api::User {
    let link = |kind| account.link(kind).unwrap_or_default().to_owned();
    api::User {
        facebook_id: link(LinkKind::Facebook),
        google_id: link(LinkKind::Google),
        gamecenter_id: link(LinkKind::GameCenter),
        steam_id: link(LinkKind::Steam),
        facebook_instant_game_id: link(LinkKind::FacebookInstantGame),
        apple_id: link(LinkKind::Apple),
        id: account.id.0.to_string(),
        username: account.username,
        display_name: account.display_name,
        avatar_url: account.avatar_url,
        lang_tag: account.lang_tag,
        location: account.location,
        timezone: account.timezone,
        metadata: "{}".to_owned(),
        online,
        edge_count: 0, // edge_count
        create_time: time(account.created_at),
        update_time: time(account.updated_at),
    }
}

/// Seconds since the epoch on the wire.
pub(super) fn time(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 })
}

/// Looks people up.
///
/// # Errors
///
/// Those of §5.5.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn get_users(
    asked: &Asked<'_>,
    _request: api::GetUsersRequest,
) -> Result<api::Users, Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}
