//! Partner tokens: what game servers show. The record of a pair is durable before anybody has its tokens,
//! which are shown once and kept nowhere.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, Refusal, fresh_operator, json, operator, page, permits_all, read};
use crate::domain::realm::{NAME_MAX, PartnerToken, Realm, RealmAsk};
use crate::domain::time::UnixMicros;
use crate::domain::token::PartnerClaims;

const SEE: &str = "account.partner_tokens.get";

#[derive(Serialize)]
struct Told {
    id: Uuid,
    shard: Uuid,
    label: String,
    /// Empty: everything a game server may.
    permissions: Vec<String>,
    by: Uuid,
    created_ms: u64,
    /// `null`: it is good.
    revoked_ms: Option<u64>,
    /// To the minute, since the server started; `null`: not used since.
    last_used_ms: Option<u64>,
}

fn told(app: &App, partner: &PartnerToken) -> Told {
    Told {
        id: partner.id,
        shard: partner.shard,
        label: partner.label.clone(),
        permissions: partner.permissions.clone(),
        by: partner.by.0,
        created_ms: partner.created_ms,
        revoked_ms: (partner.revoked_ms > 0).then_some(partner.revoked_ms),
        last_used_ms: app.door.partners.last(partner.id).map(|used_s| used_s.saturating_mul(1_000)),
    }
}

fn found(realm: &Realm, id: Uuid) -> Result<&PartnerToken, Refusal> {
    realm.partners.iter().find(|partner| partner.id == id).ok_or(Refusal::NotThere)
}

/// The pairs, the newest first.
pub(super) async fn list(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let paging: page::Paging = page::query(&request)?;
    let realm = app.door.realm();
    let all = realm.partners.iter().rev().map(|partner| told(&app, partner));
    Ok(json(StatusCode::OK, &paging.of(all)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateAsk {
    shard: Option<Uuid>,
    #[serde(default)]
    label: String,
    /// Absent: everything a game server may.
    permissions: Option<Vec<String>>,
}

/// A new pair. The tokens are in this answer and nowhere else.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Made {
        #[serde(flatten)]
        record: Told,
        game_token: String,
        social_token: String,
    }
    let by = operator(&app, &request, "account.partner_tokens.create").await?;
    let CreateAsk { shard, label, permissions } = read(&body)?;
    let config = &app.door.config.pragma;
    let shard = shard.unwrap_or(config.game_shard);
    let is_known = |name: &String| app.permissions.iter().any(|(known, _)| known == name);
    // An empty list would mean everything.
    let names_some = permissions.as_ref().is_none_or(|list| !list.is_empty());
    let permissions = permissions.unwrap_or_default();
    let is_whole = config.knows_shard(shard)
        && label.chars().count() <= NAME_MAX
        && names_some
        && permissions.iter().all(is_known);
    if !is_whole {
        return Err(Refusal::BadRequest);
    }
    permits_all(&app, &request, &permissions).await?;
    let record = PartnerToken {
        id: Uuid::nil(),
        shard,
        label,
        permissions,
        by,
        created_ms: 0,
        revoked_ms: 0,
    };
    let what = ("partner_token_created", record.label.clone());
    let changed = app.audited.realm(by, what, RealmAsk::AddPartner(record)).await?;
    let record = found(&changed.realm, changed.id)?;
    let made = Made {
        record: told(&app, record),
        game_token: sign(&app, record, Some(record.shard))?,
        social_token: sign(&app, record, None)?,
    };
    Ok(json(StatusCode::CREATED, &made))
}

/// Signs a token of a pair that is kept: issued at the moment of its record.
fn sign(app: &App, record: &PartnerToken, shard: Option<Uuid>) -> Result<String, Refusal> {
    let at = UnixMicros::from_millis(record.created_ms);
    let life_s = app.door.config.pragma.partner_token_h.saturating_mul(3_600);
    let claims = PartnerClaims::of(record, shard, app.door.dice.uuid(), at.plus_secs(life_s));
    app.keys.sign_partner(&claims, at, life_s).map_err(|error| {
        tracing::error!(%error, "a partner token could not be signed");
        Refusal::Unavailable
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelAsk {
    label: String,
}

/// Calls a pair otherwise.
pub(super) async fn relabel(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.partner_tokens.update").await?;
    let LabelAsk { label } = read(&body)?;
    if label.chars().count() > NAME_MAX {
        return Err(Refusal::BadRequest);
    }
    let what = ("partner_token_relabelled", id.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::RelabelPartner(*id, label)).await?;
    Ok(json(StatusCode::OK, &told(&app, found(&changed.realm, changed.id)?)))
}

/// Revokes a pair: refused from now on, and its sockets close.
pub(super) async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = fresh_operator(&app, &request, "account.partner_tokens.revoke").await?;
    let what = ("partner_token_revoked", id.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::RevokePartner(*id)).await?;
    Ok(json(StatusCode::OK, &told(&app, found(&changed.realm, changed.id)?)))
}
