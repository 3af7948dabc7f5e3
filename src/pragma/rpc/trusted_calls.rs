//! Linking and making accounts by those who are trusted: game servers and operators
//! (protocol-pragma §6.5, §7).

use serde_json::{Value, json};

use super::account_calls::{presented, unlinked_kind};
use super::calls::{Ask, Call, Step};
use super::shapes;
use crate::actors::account_registry::Key;
use crate::domain::account::AccountId;
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

/// The object the older calls wrap their payload in, or the payload itself.
fn wrapped(ask: &Ask) -> &Value {
    static NULL: Value = Value::Null;
    ask.request.payload.get("request").unwrap_or(&NULL)
}

/// Proves an account by one provider, links another to it and gives tokens of the player.
async fn link(ask: Ask) -> Result<Value, Fault> {
    let request = wrapped(&ask);
    let member = |name: &str| request.get(name).ok_or(Fault::BadParam);
    let (existing, existing_token) = presented(&ask.app, member("existingProvider")?)?;
    let (new, new_token) = presented(&ask.app, member("newProvider")?)?;
    if existing.kind == new.kind {
        return Err(Fault::DuplicateIdProvider);
    }
    if !new.options.linking {
        return Err(Fault::IdProviderLinkingDisabled);
    }
    let shard = match request.get("gameShardId").and_then(Value::as_str) {
        None | Some("") => None,
        Some(text) => Some(uuid::Uuid::try_parse(text).map_err(|_| Fault::BadParam)?),
    };
    let door = &ask.app.door;
    let (account, info) = door.proven_by(existing.read(existing_token)?).await?;
    door.link_provider(account.id, new.read(new_token)?).await?;
    let at = door.clock.now();
    let grant = Grant { account: &account, shard, id_provider: &existing.name, at, info: &info };
    let pair = Pair::for_player(&ask.app, &grant)?;
    Ok(json!({"tokens": pair.json()["pragmaTokens"]}))
}

async fn unlink(ask: Ask) -> Result<Value, Fault> {
    let account = AccountId(ask.request.uuid("pragmaSocialId")?);
    let kind = unlinked_kind(&ask, false)?;
    ask.app.door.unlink_provider(account, kind).await?;
    Ok(json!({}))
}

/// Who `idProvider`/`providerAccountId` names; nothing is proven, the caller is trusted (§6.5).
fn named(ask: &Ask) -> Result<(Provider, String), Fault> {
    let payload = &ask.request.payload;
    let id = payload.get("providerId").or_else(|| payload.get("idProvider"));
    let provider = Provider::named(id.unwrap_or(&Value::Null), &ask.app.door)?;
    let account_id = ask.request.text("providerAccountId").ok_or(Fault::BadParam)?;
    Ok((provider, account_id.to_owned()))
}

async fn create(ask: Ask) -> Result<Value, Fault> {
    let (provider, id) = named(&ask)?;
    let shown = ask.request.text("displayName").unwrap_or_default();
    let shard = match ask.request.text("gameShardId") {
        None | Some("") => None,
        Some(_) => Some(ask.request.uuid("gameShardId")?),
    };
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
    let account = AccountId(ask.request.uuid("pragmaSocialId")?);
    let shown = ask.request.text("displayName").unwrap_or_default();
    ask.app.door.link_trusted(account, provider.kind, id, shown).await?;
    Ok(json!({}))
}

async fn rename(ask: Ask) -> Result<Value, Fault> {
    let account = AccountId(ask.request.uuid("pragmaSocialId")?);
    let wanted = ask.request.text("requestedDisplayName").ok_or(Fault::BadParam)?;
    let name = ask.app.door.rename(account, wanted, ask.claims.session_type()).await?;
    Ok(json!({"updatedDisplayName": shapes::pragma_name(&name)}))
}
