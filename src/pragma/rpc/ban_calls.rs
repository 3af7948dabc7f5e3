//! Bans (protocol-pragma §6.6).

use serde_json::{Value, json};

use super::calls::{Ask, Call, Step};
use super::lookups::known;
use super::office_shapes;
use super::payload::{Payload, actor, known_shard, natural};
use crate::actors::account_registry::Key;
use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::{Account, Ban, BanForm, BanScope, OfficeAsk};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// Longest reason, in characters: a name of the studio's enum.
const REASON_MAX: usize = 128;
/// Longest comment, in characters.
const COMMENT_MAX: usize = 1_024;

/// What is served here to game servers and operators.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "AccountRpc" "BanAccount" "V1" "account.bans.create" ban;
        "AccountRpc" "RevokeBanAccount" "V1" "account.bans.revoke" revoke;
        "AccountRpc" "GetBansBySocialId" "V1" "account.bans.get" history;
    }
    operator {}
};

/// What is served here to players.
pub(super) const OWN: &[Call] =
    &[Call::new("AccountRpc.GetBansV1Request", SessionType::Player, BackendType::Social, |ask| {
        Step::later(own(ask))
    })];

#[derive(Clone, Copy)]
enum Scope {
    Shard,
    AllShards,
    Account,
}

const SCOPES: [(u64, &str, Scope); 3] = [
    (1, "GAME_SHARD", Scope::Shard),
    (2, "ALL_GAME_SHARDS", Scope::AllShards),
    (3, "FULL_ACCOUNT", Scope::Account),
];

async fn ban(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let scope = payload.choice("banScope", "BAN_SCOPE_", &SCOPES)?.ok_or(Fault::BadParam)?;
    let scope = match scope {
        Scope::Shard => BanScope::GameShard(known_shard(&ask, payload.id("gameShardId")?)?),
        Scope::AllShards => BanScope::AllGameShards,
        Scope::Account => BanScope::FullAccount,
    };
    let duration_ms = payload.number("durationInMillis")?.unwrap_or(FOREVER_MS);
    if !(1..=FOREVER_MS).contains(&duration_ms) {
        return Err(Fault::BadParam);
    }
    let form = BanForm {
        scope,
        duration_ms,
        reason: reason(payload)?,
        comment: payload.text("comment", COMMENT_MAX)?.to_owned(),
        by: actor(&ask),
        ends_sessions: false,
    };
    let (account, ban) = ask.app.door.ban(payload.account("pragmaSocialId")?, form).await?;
    Ok(json!({"banRecord": office_shapes::ban_record(account.id, &ban)}))
}

/// The studio's own enum, by name or by number; absent: none.
fn reason(payload: Payload<'_>) -> Result<String, Fault> {
    match payload.value("banReason") {
        Some(value) if value.is_number() => {
            natural(value).map(|number| number.to_string()).ok_or(Fault::BadParam)
        }
        _ => payload.text("banReason", REASON_MAX).map(str::to_owned),
    }
}

async fn revoke(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let id = payload.id("banId")?;
    let account = ask.app.door.find(Key::Matter(id)).await?.ok_or(Fault::NotThere)?;
    if payload.maybe_id("pragmaSocialId")?.is_some_and(|named| named != account.id.0) {
        return Err(Fault::NotThere);
    }
    let what = OfficeAsk::RevokeBan(id, actor(&ask));
    let account = ask.app.door.office(account.id, what).await?.account;
    let revoked = account.dossier().bans.iter().find(|ban| ban.id == id).ok_or(Fault::NotThere)?;
    Ok(json!({"banRecord": office_shapes::ban_record(account.id, revoked)}))
}

async fn history(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, Payload::of(&ask).account("pragmaSocialId")?).await?;
    Ok(json!({"banRecords": each(&account, |ban| office_shapes::ban_record(account.id, ban))}))
}

async fn own(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, ask.account()?).await?;
    Ok(json!({"bans": each(&account, |ban| office_shapes::ban(account.id, ban))}))
}

fn each(account: &Account, shown: impl Fn(&Ban) -> Value) -> Vec<Value> {
    account.dossier().bans.iter().map(shown).collect()
}
