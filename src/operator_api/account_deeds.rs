//! What operators do to an account. Each is in the audit chain first.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::{known, now};
use super::{App, Refusal, account_shapes, fresh_operator, json, operator, read};
use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::search::kind_named;
use crate::domain::account::{AccountId, BanForm, BanScope, Link, LinkKind, names};
use crate::signin::audited::{ListOf, Names};

/// Longest reason, in characters.
const REASON_MAX: usize = 128;
/// Longest comment, in characters.
const COMMENT_MAX: usize = 1_024;
/// Entries a list of tags or groups may have.
const LIST_MAX: usize = 64;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Account,
    AllShards,
    Shard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BanAsk {
    scope: Scope,
    shard: Option<Uuid>,
    duration_ms: Option<u64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    comment: String,
}

/// Bans. Without `duration_ms` for good.
pub(super) async fn ban(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.bans.create").await?;
    let ask: BanAsk = read(&body)?;
    let scope = match (ask.scope, ask.shard) {
        (Scope::Account, None) => BanScope::FullAccount,
        (Scope::AllShards, None) => BanScope::AllGameShards,
        (Scope::Shard, Some(shard)) if app.door.config.pragma.knows_shard(shard) => {
            BanScope::GameShard(shard)
        }
        _ => return Err(Refusal::BadRequest),
    };
    let duration_ms = ask.duration_ms.unwrap_or(FOREVER_MS);
    let fits = |text: &str, most| text.chars().count() <= most;
    let is_whole = (1..=FOREVER_MS).contains(&duration_ms)
        && fits(&ask.reason, REASON_MAX)
        && fits(&ask.comment, COMMENT_MAX);
    if !is_whole {
        return Err(Refusal::BadRequest);
    }
    let (reason, comment) = (ask.reason, ask.comment);
    let form = BanForm { scope, duration_ms, reason, comment, by, ends_sessions: false };
    let (_, ban) = app.audited.ban(AccountId(*id), form).await?;
    let told = account_shapes::BanTold::of(&ban, app.door.clock.now());
    Ok(json(StatusCode::CREATED, &told))
}

/// Takes a ban back.
pub(super) async fn lift_ban(
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.bans.revoke").await?;
    let (id, ban) = *path;
    app.audited.lift_ban(by, AccountId(id), ban).await?;
    now(&app, &request, id).await
}

/// Takes a way to sign in away, by its key.
pub(super) async fn unlink(
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.accounts.link").await?;
    let (id, key) = path.into_inner();
    let account = known(&app, id).await?;
    let mut links = account.links.iter();
    let link = links.find(|link| account_shapes::link_key(link) == key).ok_or(Refusal::NotThere)?;
    app.audited.unlink(by, account.id, link.clone()).await?;
    now(&app, &request, id).await
}

/// Closes sockets.
pub(super) async fn kick(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Kicked {
        sockets: usize,
    }
    let by = operator(&app, &request, END).await?;
    let sockets = app.audited.kick(by, AccountId(*id)).await?;
    Ok(json(StatusCode::OK, &Kicked { sockets }))
}

/// To end players' sessions.
const END: &str = "session.sessions.revoke";

/// Ends every session.
pub(super) async fn sign_out(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, END).await?;
    app.audited.sign_out(by, AccountId(*id)).await?;
    now(&app, &request, *id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameAsk {
    username: Option<String>,
    display_name: Option<String>,
    pragma_name: Option<String>,
}

/// Calls a player otherwise.
pub(super) async fn rename(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.accounts.update").await?;
    let RenameAsk { username, display_name, pragma_name } = read(&body)?;
    if username.is_none() && display_name.is_none() && pragma_name.is_none() {
        return Err(Refusal::BadRequest);
    }
    let names = Names { username, display_name, pragma_name };
    app.audited.rename(by, AccountId(*id), names).await?;
    now(&app, &request, *id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    ids: Vec<Uuid>,
}

async fn set_list(
    app: &App,
    (request, by): (&HttpRequest, AccountId),
    (id, list): (Uuid, ListOf),
    body: &[u8],
) -> Result<HttpResponse, Refusal> {
    let ListAsk { ids } = read(body)?;
    if ids.len() > LIST_MAX {
        return Err(Refusal::BadRequest);
    }
    app.audited.set_list(by, AccountId(id), (list, ids)).await?;
    now(app, request, id).await
}

/// Gives an account exactly these tags.
pub(super) async fn set_tags(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.account_tags.update").await?;
    set_list(&app, (&request, by), (*id, ListOf::Tags), &body).await
}

/// Puts an account into exactly these groups.
pub(super) async fn set_groups(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "account.account_groups.update").await?;
    set_list(&app, (&request, by), (*id, ListOf::Groups), &body).await
}

/// Deletes an account and all that hangs on it.
pub(super) async fn delete(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = fresh_operator(&app, &request, "account.accounts.delete").await?;
    app.audited.delete(by, AccountId(*id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateAsk {
    kind: String,
    id: String,
    #[serde(default)]
    display_name: String,
    shard: Option<Uuid>,
}

/// Makes an account for an identifier on the operator's word.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Made {
        id: Uuid,
        created: bool,
    }
    let by = operator(&app, &request, "account.accounts.create").await?;
    let ask: CreateAsk = read(&body)?;
    let link = match kind_named(&ask.kind) {
        // They come with a password, which is the player's to choose.
        None | Some(LinkKind::Email) => return Err(Refusal::BadRequest),
        Some(LinkKind::Device) => names::device(&ask.id).map_err(Refusal::Rule)?,
        Some(LinkKind::Custom) => names::custom(&ask.id).map_err(Refusal::Rule)?,
        Some(kind) => Link { kind, id: ask.id },
    };
    let config = &app.door.config.pragma;
    let shard = ask.shard.filter(|shard| config.knows_shard(*shard));
    if shard != ask.shard {
        return Err(Refusal::BadRequest);
    }
    let (account, created) = app.audited.create(by, link, (&ask.display_name, shard)).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(status, &Made { id: account.id.0, created }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The console offers what [`create`] takes.
    #[test]
    fn an_account_is_made_for_every_kind_of_link_from_the_console() {
        let page = include_str!("../../console/pages/accounts.js");
        let list = page.split("const KINDS = \"").nth(1).and_then(|rest| rest.split('"').next());
        let mut offered: Vec<_> = list.unwrap().split(' ').filter_map(kind_named).collect();
        let mut taken = LinkKind::ALL.to_vec();
        taken.retain(|kind| *kind != LinkKind::Email);
        offered.sort();
        assert_eq!(offered, taken);
    }
}
