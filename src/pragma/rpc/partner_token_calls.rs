//! Partner tokens (protocol-pragma §9.2): made, listed, named, revoked by operators. The record of a
//! pair is durable before anybody has its tokens.

use serde_json::{Value, json};

use super::calls::{Ask, Call, Step};
use super::payload::{Payload, known_shard, may_give};
use super::{office_shapes, permissions, role_calls};
use crate::domain::realm::{NAME_MAX, PartnerToken, RealmAsk, RealmChanged};
use crate::domain::time::UnixMicros;
use crate::domain::token::{BackendType, PartnerClaims, SessionType};
use crate::pragma::Fault;
use crate::pragma::tokens::Pair;

/// What is served here; each under the engine's name and under an operator's.
pub(super) const CALLS: &[Call] = office_calls! {
    both {}
    operator {
        "AccountRpc" "CreatePartnerTokenV1" "account.partner_tokens.create" create;
        "AccountRpc" "CreatePartnerTokenOperatorV1" "account.partner_tokens.create" create;
        "AccountRpc" "ListPartnerTokensV1" "account.partner_tokens.get" list;
        "AccountRpc" "ListPartnerTokensOperatorV1" "account.partner_tokens.get" list;
        "AccountRpc" "RelabelPartnerTokenV1" "account.partner_tokens.update" relabel;
        "AccountRpc" "RelabelPartnerTokenOperatorV1" "account.partner_tokens.update" relabel;
        "AccountRpc" "RevokePartnerTokenV1" "account.partner_tokens.revoke" revoke;
        "AccountRpc" "RevokePartnerTokenOperatorV1" "account.partner_tokens.revoke" revoke;
    }
};

/// Without `permissions` the tokens permit everything a game server may, so whoever makes them has
/// to have all of it. An empty list would mean the same to older servers, and is refused.
async fn create(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let shard = known_shard(&ask, payload.id("gameShardId")?)?;
    let permissions = role_calls::wanted(payload)?;
    if permissions.is_empty() {
        if payload.value("permissions").is_some() {
            return Err(Fault::BadParam);
        }
        may_give(&ask, &permissions::all()).await?;
    } else {
        may_give(&ask, &permissions).await?;
    }
    let record = PartnerToken {
        id: uuid::Uuid::nil(),
        shard,
        label: payload.text("label", NAME_MAX)?.to_owned(),
        permissions,
        by: ask.account()?,
        created_ms: 0,
        revoked_ms: 0,
    };
    let changed = ask.app.door.change_realm(RealmAsk::AddPartner(record)).await?;
    let mut answer = pair(&ask, &changed)?.json();
    if let Some(members) = answer.as_object_mut() {
        members.insert("tokenId".to_owned(), json!(changed.id));
    }
    Ok(answer)
}

/// Signs both tokens of a pair that is kept: issued at the moment of its record.
fn pair(ask: &Ask, changed: &RealmChanged) -> Result<Pair, Fault> {
    let record = found(changed)?;
    let at = UnixMicros::from_millis(record.created_ms);
    let life_s = ask.app.config.pragma.partner_token_h.saturating_mul(3_600);
    let sign = |shard| {
        let (jti, expires_at) = (ask.app.door.dice.uuid(), at.plus_secs(life_s));
        let claims = PartnerClaims::of(record, shard, jti, expires_at);
        ask.app.keys.sign_partner(&claims, at, life_s).map_err(|error| {
            tracing::error!(%error, "a partner token could not be signed");
            Fault::Internal
        })
    };
    Ok(Pair { game: sign(Some(record.shard))?, social: sign(None)? })
}

fn found(changed: &RealmChanged) -> Result<&PartnerToken, Fault> {
    let mut records = changed.realm.partners.iter();
    records.find(|partner| partner.id == changed.id).ok_or(Fault::NotThere)
}

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn list(ask: Ask) -> Result<Value, Fault> {
    let shard = Payload::of(&ask).maybe_id("gameShardId")?;
    let (realm, used) = (ask.app.door.realm(), &ask.app.door.partners);
    let wanted = realm.partners.iter().filter(|it| shard.is_none_or(|shard| shard == it.shard));
    let shown = wanted.map(|partner| office_shapes::partner(partner, used.last(partner.id)));
    Ok(json!({"partnerTokens": shown.collect::<Vec<_>>()}))
}

async fn relabel(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let label = payload.text("label", NAME_MAX)?.to_owned();
    let what = RealmAsk::RelabelPartner(payload.id("tokenId")?, label);
    let changed = ask.app.door.change_realm(what).await?;
    shown(&ask, &changed)
}

async fn revoke(ask: Ask) -> Result<Value, Fault> {
    let changed = ask.app.door.revoke_partner(Payload::of(&ask).id("tokenId")?).await?;
    shown(&ask, &changed)
}

fn shown(ask: &Ask, changed: &RealmChanged) -> Result<Value, Fault> {
    let partner = found(changed)?;
    let last = ask.app.door.partners.last(partner.id);
    Ok(json!({"partnerToken": office_shapes::partner(partner, last)}))
}
