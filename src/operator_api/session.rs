//! `/v1/operator/session`, `/setup`, `/totp`: signing in to the console, and who is signed in.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::guard::{Asker, cookie, is_own_page, keep};
use super::provider_sign_in::{BindingTold, ByProviders};
use super::{App, Refusal, json};
use crate::domain::account::Account;
use crate::domain::operator::{bindings_of, proof_of_page};
use crate::domain::realm::{ADMIN, ADMIN_NAME, Realm};
use crate::signin::Password;
use crate::signin::operators::{Accepting, Opened, Shown, email_of, has_password};

/// A role, as it is told.
#[derive(Serialize)]
pub(super) struct RoleTold {
    id: Uuid,
    name: String,
}

/// The roles of an account that the realm knows.
pub(super) fn roles_of(account: &Account, realm: &Realm) -> Vec<RoleTold> {
    let roles = account.dossier().roles.iter();
    roles.filter_map(|id| role_told(*id, realm)).collect()
}

/// One role; `None`: it is gone.
pub(super) fn role_told(id: Uuid, realm: &Realm) -> Option<RoleTold> {
    if id == ADMIN {
        return Some(RoleTold { id, name: ADMIN_NAME.to_owned() });
    }
    let role = realm.roles.iter().find(|role| role.id == id)?;
    Some(RoleTold { id, name: role.name.clone() })
}

/// What an operator is called: the address he signs in by, or the account's name.
pub(super) fn name_of(account: &Account) -> &str {
    match (email_of(account), &account.pragma_name) {
        ("", Some(name)) => &name.name,
        ("", None) if !account.display_name.is_empty() => &account.display_name,
        ("", None) => &account.username,
        (email, _) => email,
    }
}

/// Who is signed in.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own on the wire")]
#[derive(Serialize)]
struct View {
    id: Uuid,
    name: String,
    roles: Vec<RoleTold>,
    /// `*`: all there are.
    permissions: Vec<&'static str>,
    totp: bool,
    needs_totp: bool,
    recovery_codes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh_until_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<u64>,
    /// What the page shows beside its cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    is_dev: bool,
    /// Whether there is a password to sign in by.
    password: bool,
    #[serde(flatten)]
    by_providers: ByProviders,
    /// Those of them that are theirs, and others that are not offered any more.
    bindings: Vec<BindingTold>,
}

impl View {
    fn of(app: &App, request: &HttpRequest, asker: &Asker) -> Self {
        let (realm, dossier) = (app.door.realm(), asker.account.dossier());
        let names = app.permissions.iter().map(|(name, _)| *name);
        let permissions = if dossier.roles.contains(&ADMIN) {
            vec!["*"]
        } else {
            names.filter(|name| realm.permits(&dossier.roles, name)).collect()
        };
        let has = dossier.operator.as_deref();
        let session = asker.session();
        Self {
            id: asker.account.id.0,
            name: name_of(&asker.account).to_owned(),
            roles: roles_of(&asker.account, &realm),
            permissions,
            totp: has.is_some_and(|has| has.totp.is_some()),
            needs_totp: asker.needs_totp(app),
            recovery_codes: has.map_or(0, |has| has.recovery.len()),
            fresh_until_ms: session.map(|(_, session)| session.fresh_until.as_millis()),
            expires_ms: session.map(|(_, session)| session.ends.as_millis()),
            csrf: session.map(|(token, _)| proof_of_page(token)),
            is_dev: app.door.config.dev,
            password: has_password(&asker.account),
            by_providers: ByProviders::of(app, request),
            bindings: BindingTold::all(app, &asker.account),
        }
    }
}

/// Who asks; or that nobody does, and whether there is anybody yet.
pub(super) async fn see(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Nobody {
        why: &'static str,
        message: String,
        setup: bool,
        #[serde(flatten)]
        by_providers: ByProviders,
    }
    match Asker::of(&app, &request).await {
        Ok(asker) => Ok(json(StatusCode::OK, &View::of(&app, &request, &asker))),
        Err(refusal @ Refusal::Token) => {
            let message = refusal.to_string();
            let (setup, by_providers) =
                (app.operators.needs_setup(), ByProviders::of(&app, &request));
            let nobody = Nobody { why: "token", message, setup, by_providers };
            Ok(json(StatusCode::UNAUTHORIZED, &nobody))
        }
        Err(refusal) => Err(refusal),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    #[serde(deserialize_with = "typed")]
    password: Password,
    #[serde(default)]
    totp: String,
}

/// Signs in.
pub(super) async fn sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let ask: SignIn = read(&request, &body)?;
    let shown = Shown { password: ask.password, code: ask.totp };
    let opened = app.operators.sign_in(&ask.email, shown, from(&app, &request)).await?;
    Ok(opened_answer(&app, &request, &opened))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Joining {
    code: String,
    email: String,
    #[serde(deserialize_with = "typed")]
    password: Password,
}

/// Makes the first operator.
pub(super) async fn set_up(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let Joining { code, email, password } = read(&request, &body)?;
    let from = from(&app, &request);
    let opened = app.operators.set_up(&code, &email, password, from).await?;
    Ok(opened_answer(&app, &request, &opened))
}

/// Makes an operator of somebody who was invited.
pub(super) async fn accept(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let Joining { code, email, password } = read(&request, &body)?;
    let ask = Accepting { code: &code, email: &email, password };
    let opened = app.operators.accept(ask, from(&app, &request)).await?;
    Ok(opened_answer(&app, &request, &opened))
}

/// Signs out, whoever asks and however often.
pub(super) async fn sign_out(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let gone = match Asker::of(&app, &request).await {
        Ok(_) | Err(Refusal::Token) => cookie(&request),
        Err(refusal) => return Err(refusal),
    };
    if let Some(token) = gone {
        app.operators.sign_out(token);
    }
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, keep(&request, "", 0))).finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepUp {
    /// Not there: they have none, and the code stands alone.
    #[serde(default = "no_password", deserialize_with = "typed")]
    password: Password,
    #[serde(default)]
    totp: String,
}

/// Proves again who is there.
pub(super) async fn step_up(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let asker = Asker::person(&app, &request).await?;
    let ask: StepUp = read(&request, &body)?;
    let (token, _) = asker.session().ok_or(Refusal::StepUp)?;
    let shown = Shown { password: ask.password, code: ask.totp };
    let (account, at) = (asker.account.clone(), from(&app, &request));
    app.operators.step_up(token, account, shown, at).await?;
    see(app, request).await
}

/// Begins to set up an authenticator; a new one beside one that is there is for who proved lately who
/// he is.
pub(super) async fn enrol(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Enrolment<'a> {
        secret: &'a str,
        uri: &'a str,
        /// The link as a picture (SVG) that authenticators read.
        picture: String,
    }
    let asker = signs_in_here(&app, &request).await?;
    asker.fresh_or_new(&app)?;
    let made = app.operators.enrol(&asker.account).await?;
    let picture = super::picture::svg(&made.uri);
    let told = Enrolment { secret: &made.secret, uri: &made.uri, picture };
    Ok(json(StatusCode::CREATED, &told))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    code: String,
}

/// The authenticator shows that it works.
pub(super) async fn confirm(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let asker = signs_in_here(&app, &request).await?;
    let Confirm { code } = read(&request, &body)?;
    let token = asker.session().map(|(token, _)| token);
    let recovery_codes = app.operators.confirm(&asker.account, &code, token).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "recovery_codes": recovery_codes })))
}

/// Takes the authenticator away.
pub(super) async fn drop_totp(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let asker = signs_in_here(&app, &request).await?;
    asker.fresh(&app)?;
    app.operators.drop_totp(asker.account.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Somebody who signs in here, by password or provider: an authenticator is of use to nobody else.
async fn signs_in_here(app: &App, request: &HttpRequest) -> Result<Asker, Refusal> {
    let asker = Asker::person(app, request).await?;
    let is_bound = !bindings_of(&asker.account).is_empty();
    if has_password(&asker.account) || is_bound { Ok(asker) } else { Err(Refusal::NoPassword) }
}

fn no_password() -> Password {
    Password(Zeroizing::default())
}

/// A password, as typed.
fn typed<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Password, D::Error> {
    String::deserialize(from).map(|text| Password(Zeroizing::new(text)))
}

/// The body of a request of a person: of the console's page, or of no page at all.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    request: &HttpRequest,
    body: &[u8],
) -> Result<T, Refusal> {
    if !is_own_page(request) {
        return Err(Refusal::ForeignPage);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)
}

pub(super) fn from(app: &App, request: &HttpRequest) -> Option<IpAddr> {
    let lines = request.headers().get_all("x-forwarded-for").filter_map(|it| it.to_str().ok());
    app.door.client_address(request.peer_addr(), lines)
}

pub(super) fn opened_answer(app: &App, request: &HttpRequest, opened: &Opened) -> HttpResponse {
    let asker = Asker::signed_in(opened);
    HttpResponse::Created()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((SET_COOKIE, session_cookie(app, request, opened)))
        .json(View::of(app, request, &asker))
}

/// The header that makes the browser keep a session that was opened.
pub(super) fn session_cookie(app: &App, request: &HttpRequest, opened: &Opened) -> String {
    keep(request, &opened.token, app.door.config.operators.session_h * 3_600)
}
