//! `AccountRpc` as players call it (protocol-pragma §6.4, §7).

use serde_json::{Value, json};

use super::calls::{Ask, Call, Step};
use super::lookups::{self, known, of_player, pause, viewer};
use super::payload::{Payload, shard};
use super::shapes::{self, Viewer};
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, LinkKind};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::providers::Provider;
use crate::pragma::{App, Fault};

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

async fn get_account(ask: Ask) -> Result<Value, Fault> {
    Ok(shapes::own_account(&known(&ask, ask.account()?).await?, &ask.app.door))
}

/// The accounts of `providerAccountIds`, in the order asked; who is nobody is absent. A player finds
/// nobody by a provider that is hidden from other players.
async fn by_providers(ask: &Ask) -> Result<Vec<Account>, Fault> {
    let mut found = Vec::new();
    for (done, entry) in Payload::of(ask).list("providerAccountIds")?.iter().enumerate() {
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
        pause(done).await;
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

/// An id that does not read refuses the call.
async fn players(ask: Ask) -> Result<Value, Fault> {
    Payload::of(&ask).ids("playerIds")?;
    lookups::player_identities(&ask, shard(&ask)?).await
}

async fn socials(ask: Ask) -> Result<Value, Fault> {
    Payload::of(&ask).ids("socialIds")?;
    lookups::social_identities(&ask).await
}

async fn name_of_player(ask: Ask) -> Result<Value, Fault> {
    let player = Payload::of(&ask).id("pragmaPlayerId")?;
    let account = of_player(&ask, player, shard(&ask)?).await?.ok_or(Fault::AccountNotFound)?;
    Ok(shapes::display_name(&account))
}

async fn player_of_name(ask: Ask) -> Result<Value, Fault> {
    let (payload, shard) = (Payload::of(&ask), shard(&ask)?);
    let name = payload.any_text("displayName").ok_or(Fault::BadParam)?;
    let number = payload.any_text("discriminator").and_then(|text| text.parse().ok());
    let number = number.ok_or(Fault::AccountNotFound)?;
    let account = ask.app.door.find(Key::pragma_name(name, number)).await?;
    let player = account.and_then(|account| account.player_on(shard));
    Ok(json!({"pragmaPlayerId": player.ok_or(Fault::AccountNotFound)?}))
}

/// §7.2, in its order: known, linking enabled, proven; the rest is the registry's to say.
async fn link(ask: Ask) -> Result<Value, Fault> {
    let (provider, token) = presented(&ask.app, Payload::of(&ask), "newProvider")?;
    if !provider.options.linking {
        return Err(Fault::IdProviderLinkingDisabled);
    }
    ask.app.door.link_provider(ask.account()?, provider.read(token)?).await?;
    Ok(json!({}))
}

/// `{providerId, providerToken}` in a member.
pub(super) fn presented<'a>(
    app: &App,
    payload: Payload<'a>,
    member: &str,
) -> Result<(Provider, &'a Value), Fault> {
    let given = payload.object(member).ok_or(Fault::BadParam)?;
    let id = given.value("providerId").unwrap_or(&Value::Null);
    let provider = Provider::resolve(id, &app.door)?;
    Ok((provider, given.value("providerToken").ok_or(Fault::BadParam)?))
}

async fn unlink(ask: Ask) -> Result<Value, Fault> {
    let kind = unlinked_kind(&ask, true)?;
    ask.app.door.unlink_provider(ask.account()?, kind).await?;
    Ok(json!({}))
}

/// The provider of `idProvider`; players may only unlink what settings let them.
pub(super) fn unlinked_kind(ask: &Ask, by_player: bool) -> Result<LinkKind, Fault> {
    let named = Payload::of(ask).value("idProvider").unwrap_or(&Value::Null);
    let provider = Provider::named(named, &ask.app.door)?;
    if by_player && !provider.options.unlinking {
        return Err(Fault::IdProviderUnlinkingDisabled);
    }
    Ok(provider.kind)
}

async fn rename(ask: Ask) -> Result<Value, Fault> {
    let wanted = Payload::of(&ask).any_text("requestedDisplayName").ok_or(Fault::BadParam)?;
    let name = ask.app.door.rename(ask.account()?, wanted, SessionType::Player).await?;
    Ok(json!({"updatedDisplayName": shapes::pragma_name(&name)}))
}
