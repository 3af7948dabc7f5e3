//! `/v1/operator/operators` and `/tokens`: who is an operator, who is invited, tokens for scripts.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::guard::Asker;
use super::session::{RoleTold, name_of, read, role_told, roles_of};
use super::{App, Refusal, json, operator};
use crate::domain::account::AccountId;
use crate::domain::operator::bindings_of;
use crate::domain::realm::ADMIN;
use crate::signin::operators::{Wanted, email_of};

/// To see operators and their roles.
pub const SEE: &str = "account.roles.get";
/// To invite, to give roles and to take them.
pub const GIVE: &str = "account.account_roles.update";
/// To see, make and revoke tokens for scripts.
pub const TOKENS: &str = "operators.tokens.update";

const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Who asks for something that gives power: a person who may, and proved lately who he is.
async fn giver(
    app: &App,
    request: &HttpRequest,
    permission: &'static str,
) -> Result<Asker, Refusal> {
    let asker = Asker::person(app, request).await?;
    asker.permitted(app, request, permission)?;
    asker.fresh(app)?;
    Ok(asker)
}

#[derive(Serialize)]
struct OperatorTold {
    id: Uuid,
    name: String,
    email: String,
    roles: Vec<RoleTold>,
    totp: bool,
    /// Providers they sign in by.
    providers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_ms: Option<u64>,
    is_me: bool,
}

#[derive(Serialize)]
struct InvitationTold {
    id: Uuid,
    label: String,
    roles: Vec<RoleTold>,
    by: String,
    expires_ms: u64,
}

/// Everybody who is an operator, who is invited, and which roles there are.
pub(super) async fn list(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct All {
        operators: Vec<OperatorTold>,
        invitations: Vec<InvitationTold>,
        roles: Vec<RoleTold>,
    }
    let me = operator(&app, &request, SEE).await?;
    let realm = app.door.realm();
    let now_ms = app.door.clock.now().as_millis();
    let (mut operators, mut invitations) = (Vec::new(), Vec::new());
    for staff in app.operators.staff().await? {
        let (account, has) = (&staff.account, staff.account.dossier().operator.as_deref());
        for made in has.map_or(&[][..], |has| &has.invitations) {
            if made.expires_ms > now_ms {
                invitations.push(InvitationTold {
                    id: made.id,
                    label: made.label.clone(),
                    roles: made.roles.iter().filter_map(|id| role_told(*id, &realm)).collect(),
                    by: name_of(account).to_owned(),
                    expires_ms: made.expires_ms,
                });
            }
        }
        operators.push(OperatorTold {
            id: account.id.0,
            name: name_of(account).to_owned(),
            email: email_of(account).to_owned(),
            roles: roles_of(account, &realm),
            totp: has.is_some_and(|has| has.totp.is_some()),
            providers: bindings_of(account)
                .iter()
                .map(|it| app.operators.provider_name(it.kind))
                .collect(),
            last_seen_ms: staff.seen.map(crate::domain::time::UnixMicros::as_millis),
            is_me: account.id == me,
        });
    }
    let every = [ADMIN].into_iter().chain(realm.roles.iter().map(|role| role.id));
    let roles = every.filter_map(|id| role_told(id, &realm)).collect();
    Ok(json(StatusCode::OK, &All { operators, invitations, roles }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    label: String,
    roles: Vec<Uuid>,
}

/// Invites somebody.
pub(super) async fn invite(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Invited {
        id: Uuid,
        code: String,
        expires_ms: u64,
    }
    let by = giver(&app, &request, GIVE).await?;
    let Invite { label, roles } = read(&request, &body)?;
    let (made, code) = app.operators.invite(&by.account, &label, roles).await?;
    let told = Invited { id: made.id, code, expires_ms: made.expires_ms };
    Ok(json(StatusCode::CREATED, &told))
}

/// Takes an invitation back.
pub(super) async fn withdraw(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, GIVE).await?;
    app.operators.withdraw(by, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRoles {
    roles: Vec<Uuid>,
}

/// Gives an operator these roles and no others.
pub(super) async fn set_roles(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = giver(&app, &request, GIVE).await?;
    let SetRoles { roles } = read(&request, &body)?;
    if roles.is_empty() {
        return Err(Refusal::BadRequest);
    }
    let account = app.operators.set_roles(&by.account, AccountId(*id), roles).await?;
    let roles = roles_of(&account, &app.door.realm());
    Ok(json(StatusCode::OK, &serde_json::json!({ "id": *id, "roles": roles })))
}

/// Makes an operator none.
pub(super) async fn dismiss(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = giver(&app, &request, GIVE).await?;
    app.operators.set_roles(&by.account, AccountId(*id), Vec::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Serialize)]
struct TokenTold {
    id: Uuid,
    label: String,
    permissions: Vec<String>,
    by: String,
    created_ms: u64,
    expires_ms: u64,
    /// To the minute; since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_ms: Option<u64>,
}

/// Every token for scripts, and what one could permit.
pub(super) async fn tokens(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Known {
        name: &'static str,
        what_for: &'static str,
    }
    #[derive(Serialize)]
    struct All {
        tokens: Vec<TokenTold>,
        /// Those that the asker may put into a token.
        permissions: Vec<Known>,
    }
    let asker = Asker::of(&app, &request).await?;
    asker.permitted(&app, &request, TOKENS)?;
    let (realm, now_ms) = (app.door.realm(), app.door.clock.now().as_millis());
    let mut tokens = Vec::new();
    for staff in app.operators.staff().await? {
        let has = staff.account.dossier().operator.as_deref();
        let made = has.map_or(&[][..], |has| &has.tokens).iter();
        tokens.extend(made.filter(|one| one.expires_ms > now_ms).map(|one| TokenTold {
            id: one.id,
            label: one.label.clone(),
            permissions: one.permissions.clone(),
            by: name_of(&staff.account).to_owned(),
            created_ms: one.created_ms,
            expires_ms: one.expires_ms,
            used_ms: app.operators.token_used(one.id).map(|at_s| at_s * 1_000),
        }));
    }
    tokens.sort_by_key(|one| std::cmp::Reverse(one.created_ms));
    let own = &asker.account.dossier().roles;
    let known = app.permissions.iter().filter(|(name, _)| realm.permits(own, name));
    let permissions = known.map(|(name, what_for)| Known { name, what_for }).collect();
    Ok(json(StatusCode::OK, &All { tokens, permissions }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Make {
    label: String,
    permissions: Vec<String>,
    days: u64,
}

/// Makes a token for scripts.
pub(super) async fn make_token(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Made<'a> {
        id: Uuid,
        token: &'a str,
        expires_ms: u64,
    }
    let by = giver(&app, &request, TOKENS).await?;
    let Make { label, permissions, days } = read(&request, &body)?;
    let is_known = |wanted: &String| app.permissions.iter().any(|(name, _)| name == wanted);
    if !permissions.iter().all(is_known) {
        return Err(Refusal::BadRequest);
    }
    let wanted = Wanted { label, permissions, life_ms: days.saturating_mul(DAY_MS) };
    let made = app.operators.make_token(&by.account, wanted).await?;
    let told = Made { id: made.id, token: &made.token, expires_ms: made.expires_ms };
    Ok(json(StatusCode::CREATED, &told))
}

/// Revokes a token for scripts.
pub(super) async fn revoke_token(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, TOKENS).await?;
    app.operators.revoke_token(by, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
