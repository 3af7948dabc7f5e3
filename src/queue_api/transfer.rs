//! What the owner of a place offers. Device switch: `POST /v1/queue/transfer` gives a token for the place
//! of a ticket, `POST /v1/queue/transfer/accept` takes the place on another device; the old ticket is
//! nobody's then. Party: `POST /v1/queue/party` gives a token for friends to enter with.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::proof::Says;
use super::ticket::gone;
use super::{App, Body, Refusal, Shown, client, json, read, whole};
use crate::domain::queue::{Checked, Standing};
use crate::domain::token::offer::{LIFE_S, Offer};
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

/// A party to be joined.
#[derive(Serialize)]
struct Invited {
    party_token: String,
    expires_ms: u64,
}

/// Gives a token for the place of the ticket. Nothing changes until it is taken.
pub(super) async fn begin(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (transfer_token, expires_ms) = offer(&app, &request, Offer::Transfer).await?;
    Ok(json(StatusCode::OK, &Offered { transfer_token, expires_ms }))
}

/// Gives a token for friends to stand in line with the ticket's owner.
pub(super) async fn invite(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (party_token, expires_ms) = offer(&app, &request, Offer::Party).await?;
    Ok(json(StatusCode::OK, &Invited { party_token, expires_ms }))
}

/// The token of an offer, and when it ends.
async fn offer(app: &App, request: &HttpRequest, offer: Offer) -> Result<(String, u64), Refusal> {
    let shown = Shown::bearer(app, request)?;
    let ticket = shown.claims.ticket;
    match app.door.check_ticket(ticket).await? {
        Checked::Standing(Standing::Waiting(waiting)) => {
            let now = app.door.clock.now();
            let token = app.door.tickets.sign_offer(offer, &waiting.ticket, now);
            Ok((token, now.plus_secs(LIFE_S).as_secs() * 1_000))
        }
        Checked::Standing(_) => Err(Refusal::Admitted),
        Checked::Forgotten => Err(gone(app, ticket).await),
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
    let ticket = app.door.tickets.verify_offer(Offer::Transfer, &ask.transfer_token, now);
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
