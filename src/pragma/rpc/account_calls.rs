//! `AccountRpc` as players call it (protocol-pragma §6.4, §7).

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::shapes::{self, Viewer};
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, AccountId, LinkKind};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::providers::Provider;
use crate::pragma::{App, Fault};

/// Most identities one call may ask for.
pub(super) const LOOKUPS_MAX: usize = 1_000;

const fn row(name: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Player, BackendType::Social, run)
}

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    row("AccountRpc.GetAccountV1Request", |ask| Step::later(get_account(ask))),
    row("AccountRpc.GetPlayerIdentitiesByProviderAccountIdsV1Request", |ask| {
        Step::later(players_by_providers(ask))
    }),
    row("AccountRpc.GetPragmaPlayerIdsForProviderIdsV2Request", |ask| {
        Step::later(players_by_providers(ask))
    }),
    row("AccountRpc.GetSocialIdentitiesByProviderAccountIdsV1Request", |ask| {
        Step::later(socials_by_providers(ask))
    }),
    row("AccountRpc.GetPlayerIdentitiesV1Request", |ask| Step::later(players(ask))),
    row("AccountRpc.GetSocialIdentitiesV1Request", |ask| Step::later(socials(ask))),
    row("AccountRpc.GetDisplayNameForPragmaPlayerIdV1Request", |ask| {
        Step::later(name_of_player(ask))
    }),
    row("AccountRpc.GetPragmaPlayerIdForDisplayNameV1Request", |ask| {
        Step::later(player_of_name(ask))
    }),
    row("AccountRpc.LinkIdentityProviderAccountV2Request", |ask| Step::later(link(ask))),
    row("AccountRpc.UnlinkIdentityProviderAccountV2Request", |ask| Step::later(unlink(ask))),
    row("AccountRpc.UpdateDisplayNameV1Request", |ask| Step::later(rename(ask))),
    row("AccountRpc.UpdateEmailV1Request", |_| Step::Now(Err(Fault::NoMail))),
];

async fn own(ask: &Ask) -> Result<Account, Fault> {
    ask.app.door.account(ask.account()?).await?.ok_or(Fault::AccountNotFound)
}

async fn get_account(ask: Ask) -> Result<Value, Fault> {
    Ok(shapes::own_account(&own(&ask).await?, &ask.app.door))
}

/// What the caller may see of an account.
fn viewer(ask: &Ask, account: &Account) -> Viewer {
    let is_own = ask.account().is_ok_and(|own| own == account.id);
    if is_own { Viewer::Trusted } else { Viewer::Stranger }
}

/// The shard that is asked about; absent and empty mean this server's own.
pub(super) fn shard(ask: &Ask) -> Result<Uuid, Fault> {
    match ask.request.payload.get("gameShardId") {
        None | Some(Value::Null) => Ok(ask.app.config.pragma.game_shard),
        Some(Value::String(text)) if text.is_empty() => Ok(ask.app.config.pragma.game_shard),
        Some(_) => ask.request.uuid("gameShardId"),
    }
}

/// The accounts of `providerAccountIds`, in the order asked; who is nobody is absent. A player finds
/// nobody by a provider that is hidden from other players.
async fn by_providers(ask: &Ask) -> Result<Vec<Account>, Fault> {
    let asked = ask.request.list("providerAccountIds")?;
    if asked.len() > LOOKUPS_MAX {
        return Err(Fault::BadParam);
    }
    let mut found = Vec::new();
    for entry in asked {
        let Some(id) = entry.get("providerAccountId").and_then(Value::as_str) else {
            return Err(Fault::BadParam);
        };
        let named = entry.get("idProviderType").unwrap_or(&Value::Null);
        let Ok(provider) = Provider::named(named, &ask.app.door) else {
            continue;
        };
        let account = ask.app.door.find(Key::link(provider.kind, id)).await?;
        let is_seen =
            |account: &Account| provider.options.visible || viewer(ask, account) == Viewer::Trusted;
        found.extend(account.filter(is_seen));
    }
    Ok(found)
}

async fn players_by_providers(ask: Ask) -> Result<Value, Fault> {
    let shard = shard(&ask)?;
    let accounts = by_providers(&ask).await?;
    let door = &ask.app.door;
    let identity =
        |account: &Account| shapes::player_identity(account, shard, door, viewer(&ask, account));
    Ok(json!({"playerIdentities": accounts.iter().filter_map(identity).collect::<Vec<_>>()}))
}

async fn socials_by_providers(ask: Ask) -> Result<Value, Fault> {
    let accounts = by_providers(&ask).await?;
    let identity =
        |account: &Account| shapes::social_identity(account, &ask.app.door, viewer(&ask, account));
    Ok(json!({"socialIdentities": accounts.iter().map(identity).collect::<Vec<_>>()}))
}

async fn players(ask: Ask) -> Result<Value, Fault> {
    let shard = shard(&ask)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in ask.request.uuids("playerIds", LOOKUPS_MAX)? {
        let account = ask.app.door.find(Key::Player(id)).await?;
        let account = account.filter(|account| account.player_on(shard) == Some(id));
        let identity = account.and_then(|account| {
            shapes::player_identity(&account, shard, &ask.app.door, viewer(&ask, &account))
        });
        match identity {
            Some(identity) => found.push(identity),
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({"playerIdentities": found, "failures": failures}))
}

async fn socials(ask: Ask) -> Result<Value, Fault> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in ask.request.uuids("socialIds", LOOKUPS_MAX)? {
        match ask.app.door.account(AccountId(id)).await? {
            Some(account) => {
                let viewer = viewer(&ask, &account);
                found.push(shapes::social_identity(&account, &ask.app.door, viewer));
            }
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({"socialIdentities": found, "failures": failures}))
}

/// One of many that is nobody's.
pub(super) fn failure(id: Uuid) -> Value {
    json!({"pragmaId": id, "error": Fault::AccountNotFound.name()})
}

async fn name_of_player(ask: Ask) -> Result<Value, Fault> {
    let player = ask.request.uuid("pragmaPlayerId")?;
    let shard = shard(&ask)?;
    let account = ask.app.door.find(Key::Player(player)).await?;
    let account = account.filter(|account| account.player_on(shard) == Some(player));
    Ok(shapes::display_name(&account.ok_or(Fault::AccountNotFound)?))
}

async fn player_of_name(ask: Ask) -> Result<Value, Fault> {
    let shard = shard(&ask)?;
    let name = ask.request.text("displayName").ok_or(Fault::BadParam)?;
    let number = ask.request.text("discriminator").and_then(|text| text.parse().ok());
    let number = number.ok_or(Fault::AccountNotFound)?;
    let account = ask.app.door.find(Key::pragma_name(name, number)).await?;
    let player = account.and_then(|account| account.player_on(shard));
    Ok(json!({"pragmaPlayerId": player.ok_or(Fault::AccountNotFound)?}))
}

/// §7.2, in its order: known, linking enabled, proven; the rest is the registry's to say.
async fn link(ask: Ask) -> Result<Value, Fault> {
    let new = ask.request.payload.get("newProvider").ok_or(Fault::BadParam)?;
    let (provider, token) = presented(&ask.app, new)?;
    if !provider.options.linking {
        return Err(Fault::IdProviderLinkingDisabled);
    }
    ask.app.door.link_provider(ask.account()?, provider.read(token)?).await?;
    Ok(json!({}))
}

/// `{providerId, providerToken}`.
pub(super) fn presented<'a>(app: &App, given: &'a Value) -> Result<(Provider, &'a Value), Fault> {
    let id = given.get("providerId").unwrap_or(&Value::Null);
    let provider = Provider::resolve(id, &app.door)?;
    let token = given.get("providerToken").ok_or(Fault::BadParam)?;
    Ok((provider, token))
}

async fn unlink(ask: Ask) -> Result<Value, Fault> {
    let kind = unlinked_kind(&ask, true)?;
    ask.app.door.unlink_provider(ask.account()?, kind).await?;
    Ok(json!({}))
}

/// The provider of `idProvider`; players may only unlink what settings let them.
pub(super) fn unlinked_kind(ask: &Ask, by_player: bool) -> Result<LinkKind, Fault> {
    let named = ask.request.payload.get("idProvider").unwrap_or(&Value::Null);
    let provider = Provider::named(named, &ask.app.door)?;
    if by_player && !provider.options.unlinking {
        return Err(Fault::IdProviderUnlinkingDisabled);
    }
    Ok(provider.kind)
}

async fn rename(ask: Ask) -> Result<Value, Fault> {
    let wanted = ask.request.text("requestedDisplayName").ok_or(Fault::BadParam)?;
    let name = ask.app.door.rename(ask.account()?, wanted, SessionType::Player).await?;
    Ok(json!({"updatedDisplayName": shapes::pragma_name(&name)}))
}
