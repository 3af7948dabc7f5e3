//! `POST /v1/rpc`: one request, one answer, no session. It takes no slot and needs no heartbeat
//! (protocol-pragma §10.2). Refusals of the call come with status 200, since a client reads the
//! envelope of nothing else (§10.3).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use super::calls::{self, Ask, Step, Via};
use super::envelope::{self, Request};
use crate::pragma::{App, Fault, bearer, json};

pub(in crate::pragma) async fn call(
    app: &Arc<App>,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    let claims = bearer::check(app, request.headers())?;
    let ask = Request::read(body).map_err(|_| Fault::BadRequest)?;
    let (id, kind) = (ask.id, ask.kind.clone());
    let ask = Ask { app: Arc::clone(app), claims: Arc::new(claims), via: Via::Http, request: ask };
    let answer = match calls::call(ask) {
        Step::Now(answer) => answer,
        Step::Later(answer) => answer.await,
        Step::Asking(_) => Err(Fault::SessionNotFound),
    };
    let body = match answer {
        Ok((payload, _)) => envelope::response(id, &kind, &payload),
        Err(fault) => envelope::refusal(id, fault, app.door.dice.uuid(), &app.details(fault)),
    };
    Ok(json(envelope::sealed(0, body)))
}
