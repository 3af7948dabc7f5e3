//! The caller's own account: read, change, delete (protocol-nakama §5.1 to §5.3).

use super::{Asked, users};
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, LinkKind};
use crate::nakama::errors::{Context, Failure, code, failure};
use crate::nakama::wire::api;

/// The caller's own account.
///
/// # Errors
///
/// 5/404 `Account not found.` when it is gone, or no answer in time.
pub async fn get_account(asked: &Asked<'_>) -> Result<api::Account, Failure> {
    let id = asked.account()?;
    let door = &asked.app.door;
    let account = door.account(id).await.map_err(Failure::from_call)?;
    let account = account.ok_or_else(|| Failure::new(code::NOT_FOUND, "Account not found."))?;
    Ok(wire(account, door.is_online(id)))
}

/// Metadata and wallet are JSON written as a string (§0.3).
fn wire(account: Account, online: bool) -> api::Account {
    let link = |kind| account.link(kind).unwrap_or_default().to_owned();
    let devices = account.links.iter().filter(|link| link.kind == LinkKind::Device);
    let devices =
        devices.map(|link| api::AccountDevice { id: link.id.clone(), ..Default::default() });
    let devices = devices.collect();
    let (email, custom_id) = (link(LinkKind::Email), custom_id(&account));
    api::Account {
        email,
        custom_id,
        devices,
        user: Some(users::user(account, online, users::Sees::Everything)),
        wallet: "{}".to_owned(),
        verify_time: None,
        disable_time: None,
    }
}

/// The custom id, or a console's id with that console's prefix.
fn custom_id(account: &Account) -> String {
    let custom = account.link(LinkKind::Custom).map(str::to_owned);
    let consoles = [
        (LinkKind::Xbox, "xbox|"),
        (LinkKind::PlayStation, "psn|"),
        (LinkKind::Nintendo, "nintendo|"),
    ];
    let console = || {
        let linked = |(kind, prefix)| account.link(kind).map(|id| format!("{prefix}{id}"));
        consoles.into_iter().find_map(linked)
    };
    custom.or_else(console).unwrap_or_default()
}

/// Changes what players may change about themselves.
///
/// # Errors
///
/// Those of §5.2, but a taken user name is 6/409 and a field that is too long 3/400.
pub async fn update_account(
    asked: &Asked<'_>,
    request: api::UpdateAccountRequest,
) -> Result<(), Failure> {
    let account = asked.account()?;
    let api::UpdateAccountRequest {
        username,
        display_name,
        avatar_url,
        lang_tag,
        location,
        timezone,
    } = request;
    let update = AccountUpdate { username, display_name, avatar_url, lang_tag, location, timezone };
    super::proofs::said(Context::Account, update.check())?;
    let updated = asked.app.door.update_account(account, update).await;
    updated.map_err(|error| failure(Context::Account, error))
}

/// Deletes the caller's account with everything that hangs on it.
///
/// # Errors
///
/// No answer in time; asking again is safe.
pub async fn delete_account(asked: &Asked<'_>) -> Result<(), Failure> {
    let deleted = asked.app.door.delete_account(asked.account()?).await;
    deleted.map_err(|error| failure(Context::Account, error))
}
