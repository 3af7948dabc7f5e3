//! Linking and making accounts by those who are trusted: game servers and operators
//! (protocol-pragma §6.5, §7).

use serde_json::{Value, json};

use super::account_calls::{presented, unlinked_kind};
use super::calls::{Ask, Call, Step};
use super::payload::Payload;
use super::shapes;
use crate::actors::account_registry::Key;
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;
use crate::pragma::providers::Provider;
use crate::pragma::tokens::{Grant, Pair};

const LINK: &str = "account.accounts.link";
const CREATE: &str = "account.accounts.create";
const UPDATE: &str = "account.accounts.update";

const fn partner(name: &'static str, permission: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Partner, BackendType::Social, run).permitted(permission)
}

const fn operator(name: &'static str, permission: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Operator, BackendType::Social, run).permitted(permission)
}

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    partner("AccountRpc.LinkIdentityProviderAccountPartnerV1Request", LINK, |ask| {
        Step::later(link(ask))
    }),
    partner("AccountRpc.UnlinkIdentityProviderAccountPartnerV1Request", LINK, |ask| {
        Step::later(unlink(ask))
    }),
    operator("AccountRpc.UnlinkIdentityProviderAccountOperatorV1Request", LINK, |ask| {
        Step::later(unlink(ask))
    }),
    partner("AccountRpc.CreateAccountPartnerV1Request", CREATE, |ask| Step::later(create(ask))),
    operator("AccountRpc.CreateAccountOperatorV1Request", CREATE, |ask| Step::later(create(ask))),
    partner("AccountRpc.CreateAccountLinkPartnerV1Request", LINK, |ask| {
        Step::later(create_link(ask))
    }),
    operator("AccountRpc.CreateAccountLinkOperatorV1Request", LINK, |ask| {
        Step::later(create_link(ask))
    }),
    partner("AccountRpc.UpdateDisplayNamePartnerV1Request", UPDATE, |ask| Step::later(rename(ask))),
    operator("AccountRpc.UpdateDisplayNameOperatorV1Request", UPDATE, |ask| {
        Step::later(rename(ask))
    }),
];

/// Proves an account by one provider, links another to it and gives tokens of the player.
async fn link(ask: Ask) -> Result<Value, Fault> {
    let request = Payload::of(&ask).within("request");
    let (existing, existing_token) = presented(&ask.app, request, "existingProvider")?;
    let (new, new_token) = presented(&ask.app, request, "newProvider")?;
    if existing.kind == new.kind {
        return Err(Fault::DuplicateIdProvider);
    }
    if !new.options.linking {
        return Err(Fault::IdProviderLinkingDisabled);
    }
    let shard = request.maybe_id("gameShardId")?;
    let door = &ask.app.door;
    let (account, info) = door.proven_by(existing.read(existing_token)?).await?;
    door.link_provider(account.id, new.read(new_token)?).await?;
    let at = door.clock.now();
    let grant = Grant { account: &account, shard, id_provider: &existing.name, at, info: &info };
    let pair = Pair::for_player(&ask.app, &grant)?;
    Ok(json!({"tokens": pair.json()["pragmaTokens"]}))
}

async fn unlink(ask: Ask) -> Result<Value, Fault> {
    let account = Payload::of(&ask).account("pragmaSocialId")?;
    let kind = unlinked_kind(&ask, false)?;
    ask.app.door.unlink_provider(account, kind).await?;
    Ok(json!({}))
}

/// Who `idProvider`/`providerAccountId` names; nothing is proven, the caller is trusted (§6.5).
fn named(ask: &Ask) -> Result<(Provider, String), Fault> {
    let payload = Payload::of(ask);
    let id = payload.value("providerId").or_else(|| payload.value("idProvider"));
    let provider = Provider::named(id.unwrap_or(&Value::Null), &ask.app.door)?;
    let account_id = payload.any_text("providerAccountId").ok_or(Fault::BadParam)?;
    Ok((provider, account_id.to_owned()))
}

async fn create(ask: Ask) -> Result<Value, Fault> {
    let (provider, id) = named(&ask)?;
    let payload = Payload::of(&ask);
    let shown = payload.any_text("displayName").unwrap_or_default();
    let shard = payload.maybe_id("gameShardId")?;
    if shard.is_some_and(|shard| !ask.app.config.pragma.knows_shard(shard)) {
        return Err(Fault::ShardNotFound);
    }
    if ask.app.door.find(Key::link(provider.kind, &id)).await?.is_some() {
        return Err(Fault::AlreadyExists);
    }
    let made = ask.app.door.create_trusted(provider.kind, id, shown, shard).await?;
    if !made.created {
        return Err(Fault::AlreadyExists);
    }
    Ok(json!({
        "pragmaSocialId": made.account.id.0,
        "displayName": shapes::display_name(&made.account),
        "gameIdentities": shapes::game_identities(&made.account),
    }))
}

async fn create_link(ask: Ask) -> Result<Value, Fault> {
    let (provider, id) = named(&ask)?;
    let payload = Payload::of(&ask);
    let account = payload.account("pragmaSocialId")?;
    let shown = payload.any_text("displayName").unwrap_or_default();
    ask.app.door.link_trusted(account, provider.kind, id, shown).await?;
    Ok(json!({}))
}

async fn rename(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let account = payload.account("pragmaSocialId")?;
    let wanted = payload.any_text("requestedDisplayName").ok_or(Fault::BadParam)?;
    let name = ask.app.door.rename(account, wanted, ask.claims.session_type()).await?;
    Ok(json!({"updatedDisplayName": shapes::pragma_name(&name)}))
}
