//! `/v1/operator/session/providers`: operators who sign in at an identity provider. The page asks where
//! to go, the provider sends the browser back here, and here it is sent on to the console's page, which
//! asks what came of it: nothing of it is in an address.

use actix_web::http::header::{CACHE_CONTROL, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::guard::{Asker, away, keep_away};
use super::refusal::words_of;
use super::session::{from, opened_answer, read, session_cookie};
use super::{App, PREFIX, Refusal};
use crate::domain::account::Account;
use crate::domain::operator::{Joining, Purpose, Seat, Told, bindings_of};
use crate::domain::token::oauth_state::LIFE_S;
use crate::signin::operators::{Back, Begin, OperatorError};

/// The console's page.
const PAGE: &str = "/";
/// The same for a browser of which nothing is known, so that nothing can be told it there.
const PAGE_AGAIN: &str = "/#/sign-in?again";
/// Longest text of a provider's taken, in bytes.
const TEXT_MAX: usize = 8_192;

/// What there is to say of providers to whoever asks.
#[derive(Serialize)]
pub(super) struct ByProviders {
    /// Those that operators may sign in by.
    providers: Vec<ProviderTold>,
    /// What came of this browser's sign-in at one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptTold>,
}

#[derive(Serialize)]
struct ProviderTold {
    name: String,
    title: String,
}

#[derive(Serialize)]
struct AttemptTold {
    /// `totp`: the code is asked for (`POST /session/code`). Else it was refused.
    why: &'static str,
    message: String,
}

impl ByProviders {
    pub fn of(app: &App, request: &HttpRequest) -> Self {
        let told = |it: &crate::config::OperatorProvider| ProviderTold {
            name: it.name.clone(),
            title: it.title.clone(),
        };
        let attempt = app.operators.told(away(request)).map(|told| {
            let error = match told {
                Told::Code => OperatorError::CodeNeeded,
                Told::Ended(error) => error,
            };
            let (why, message) = words_of(error);
            AttemptTold { why, message }
        });
        Self { providers: app.operators.offered().iter().map(told).collect(), attempt }
    }
}

/// A provider that an operator signs in by.
#[derive(Serialize)]
pub(super) struct BindingTold {
    provider: String,
    /// What its owner goes by there; empty: the provider did not say.
    name: String,
    added_ms: u64,
}

impl BindingTold {
    pub fn all(app: &App, account: &Account) -> Vec<Self> {
        let told = |it: &crate::domain::operator::Binding| Self {
            provider: app.operators.provider_name(it.kind),
            name: it.name.clone(),
            added_ms: it.added_ms,
        };
        bindings_of(account).iter().map(told).collect()
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum What {
    SignIn,
    Setup,
    Accept,
    Bind,
    StepUp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Going {
    #[serde(rename = "for")]
    what: What,
    #[serde(default)]
    code: String,
    #[serde(default)]
    email: String,
}

/// Says where to go, and binds the way to this browser.
pub(super) async fn begin(
    app: web::Data<App>,
    request: HttpRequest,
    name: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Gone<'a> {
        url: &'a str,
    }
    let Going { what, code, email } = read(&request, &body)?;
    let joining = Joining { code: Zeroizing::new(code), email };
    let purpose = match what {
        What::SignIn => Purpose::SignIn,
        What::Setup => Purpose::SetUp(joining),
        What::Accept => Purpose::Accept(joining),
        What::Bind => Purpose::Bind(binding_seat(&app, &request).await?),
        What::StepUp => Purpose::StepUp(seat(&app, &Asker::person(&app, &request).await?)?),
    };
    let name = name.into_inner().to_ascii_lowercase();
    let redirect_uri = format!("{}{PREFIX}/session/providers/{name}/callback", origin(&request)?);
    let ask = Begin { provider: &name, purpose, redirect_uri };
    let begun = app.operators.begin(ask, from(&app, &request)).await?;
    Ok(HttpResponse::Created()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((SET_COOKIE, keep_away(&request, &begun.browser, LIFE_S)))
        .json(Gone { url: &begun.url }))
}

/// Where the console is, as its own page says, which [`read`] has compared with where it asks. Behind a
/// proxy nobody else knows.
fn origin(request: &HttpRequest) -> Result<&str, Refusal> {
    let told = request.headers().get(ORIGIN).and_then(|value| value.to_str().ok());
    told.filter(|origin| origin.contains("://")).ok_or(Refusal::ForeignPage)
}

/// Who is signed in by the cookie.
fn seat(app: &App, asker: &Asker) -> Result<Seat, Refusal> {
    let (token, _) = asker.session().ok_or(Refusal::NoPassword)?;
    Ok(app.operators.seat(&asker.account, token))
}

/// The same of somebody who may change how he signs in.
async fn binding_seat(app: &App, request: &HttpRequest) -> Result<Seat, Refusal> {
    let asker = Asker::person(app, request).await?;
    if asker.needs_totp(app) {
        return Err(Refusal::TotpNeeded);
    }
    asker.fresh(app)?;
    seat(app, &asker)
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// The provider sends somebody back.
pub(super) async fn callback(
    app: web::Data<App>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let asked = web::Query::<Asked>::from_query(request.query_string());
    let Asked { code, state } = asked.map(web::Query::into_inner).unwrap_or_default();
    let code = Zeroizing::new(code);
    let is_code = (1..=TEXT_MAX).contains(&code.len());
    let back = Back {
        provider: &name,
        browser: away(&request),
        state: &state,
        code: is_code.then_some(code.as_str()),
    };
    let mut answer = HttpResponse::SeeOther();
    answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"));
    match app.operators.returned(back).await {
        Ok(Some(opened)) => {
            answer.append_header((SET_COOKIE, session_cookie(&app, &request, &opened)));
            answer.append_header((SET_COOKIE, keep_away(&request, "", 0)));
            answer.insert_header((LOCATION, PAGE));
        }
        Ok(None) => drop(answer.insert_header((LOCATION, PAGE))),
        Err(OperatorError::StartAgain) => drop(answer.insert_header((LOCATION, PAGE_AGAIN))),
        Err(error) => return Err(error.into()),
    }
    Ok(answer.finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    totp: String,
}

/// The authenticator's code after a provider.
pub(super) async fn code(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let Code { totp } = read(&request, &body)?;
    let opened = app.operators.code(away(&request), &totp, from(&app, &request)).await?;
    Ok(opened_answer(&app, &request, &opened))
}

/// Takes a provider away.
pub(super) async fn unbind(
    app: web::Data<App>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let asker = Asker::person(&app, &request).await?;
    asker.fresh(&app)?;
    let session = asker.session().map(|(token, _)| token);
    app.operators.unbind(&asker.account, &name, session).await?;
    Ok(HttpResponse::NoContent().finish())
}
