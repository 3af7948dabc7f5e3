//! Device switch: `POST /v1/queue/transfer` gives a token for the place of a ticket,
//! `POST /v1/queue/transfer/accept` takes the place on another device. The old ticket is nobody's then.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::proof::Says;
use super::ticket::gone;
use super::{App, Body, Refusal, Shown, client, json, read, whole};
use crate::domain::queue::{Checked, Standing};
use crate::domain::token::transfer::LIFE_S;
use crate::signin::places::Owner;

/// A place to be taken elsewhere.
#[derive(Serialize)]
struct Offered {
    transfer_token: String,
    expires_ms: u64,
}

#[derive(Deserialize)]
struct Accept<'a> {
    #[serde(borrow)]
    transfer_token: Cow<'a, str>,
    #[serde(borrow, flatten)]
    says: Says<'a>,
}

/// Gives a token for the place of the ticket. Nothing changes until it is taken.
pub(super) async fn begin(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let shown = Shown::bearer(&app, &request)?;
    let ticket = shown.claims.ticket;
    match app.door.check_ticket(ticket).await? {
        Checked::Standing(Standing::Waiting(waiting)) => {
            let now = app.door.clock.now();
            let transfer_token = app.door.tickets.sign_transfer(&waiting.ticket, now);
            let expires_ms = now.plus_secs(LIFE_S).as_secs() * 1_000;
            Ok(json(StatusCode::OK, &Offered { transfer_token, expires_ms }))
        }
        Checked::Standing(_) => Err(Refusal::Admitted),
        Checked::Forgotten => Err(gone(&app, ticket).await),
    }
}

/// Takes the place. Whoever has one already keeps the better of the two.
pub(super) async fn accept(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let body = whole(body)?;
    let ask: Accept<'_> = read(&body)?;
    let now = app.door.clock.now();
    let ticket = app.door.tickets.verify_transfer(&ask.transfer_token, now);
    let ticket = ticket.map_err(|_| Refusal::Transfer)?;
    let owner = match ask.says.owner(&app)? {
        Owner::Nobody => return Err(Refusal::BadRequest),
        owner => owner,
    };
    let moved = app.door.transfer_place(ticket, owner, client(&app, &request)).await;
    match moved.map_err(Refusal::from) {
        Ok(standing) => {
            app.figures.count_transfer();
            Ok(Answer::of(&app, &standing, None)?.response())
        }
        Err(Refusal::Gone(_)) => Err(gone(&app, ticket).await),
        Err(refusal) => Err(refusal),
    }
}
