//! The web portal's sign-in and sign-up (protocol-pragma §8): outside the line, a social token only,
//! and nobody gets an account by accident. Browsers may call it from the configured origins alone.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::account::{Arrival, Ask};
use super::providers::Provider;
use super::tokens::{Grant, Pair};
use super::{App, Fault, client, json};
use crate::domain::token::SessionType;
use crate::signin::Entrance;

/// `POST /v1/accounts/authenticatev1` (`create` false) and `createaccountv1`.
pub(super) async fn answer(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
    create: bool,
) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return shared(app, request, HttpResponse::NoContent().finish());
    }
    let answered = sign_in(app, request, body, create).await;
    shared(app, request, answered.unwrap_or_else(|fault| app.refuse(fault)))
}

/// Signs a player in outside the line and gives a social token: by `create`, somebody new, or
/// somebody known. What else is in the body is not looked at (§8).
async fn sign_in(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
    create: bool,
) -> Result<HttpResponse, Fault> {
    let ask = Ask::read(body)?;
    let provider = Provider::resolve(&ask.provider_id, &app.door)?;
    provider.check_login(SessionType::Player)?;
    app.door.limit_portal(client(app, request))?;
    let token = &ask.provider_token;
    let arrival = Arrival { provider: &provider, token, shard: None, create };
    let signed_in = match arrival.sign_in(app, request, Entrance::Outside).await {
        Err(Fault::AccountNotFound) => return Err(Fault::UnknownAccount),
        signed_in => signed_in?,
    };
    if create && !signed_in.created {
        return Err(Fault::AlreadyExists);
    }
    let pair = Pair::issue(app, &Grant::of(&signed_in, None, &provider.name))?;
    Ok(json(pair.json().to_string()))
}

/// Lets a portal's page read the answer, if it is one of ours.
fn shared(app: &App, request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let origin = request.headers().get(header::ORIGIN);
    let is_ours = origin
        .and_then(|origin| origin.to_str().ok())
        .is_some_and(|origin| app.door.portal_origins.get().iter().any(|ours| ours == origin));
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| is_ours) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let exposed = HeaderValue::from_static("Retry-After, X-Request-Id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        if request.method() == Method::OPTIONS {
            let (methods, allowed) = ("POST", "content-type");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        }
    }
    response
}
