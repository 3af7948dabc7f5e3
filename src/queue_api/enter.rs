//! `POST /v1/queue/enter`: a place in line, the one that is there already, or straight in; alone or with
//! a party.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::answer::Answer;
use super::proof::Says;
use super::{App, Body, Refusal, client, read, whole};
use crate::config::queue::Gate;
use crate::domain::token::offer::Offer;

#[derive(Deserialize)]
struct Enter<'a> {
    /// A friend's invitation.
    #[serde(borrow, default)]
    party: Option<Cow<'a, str>>,
    #[serde(borrow, flatten)]
    says: Says<'a>,
}

/// See the module. 200: come in; 202: wait.
pub(super) async fn enter(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let body = whole(body)?;
    let ask: Enter<'_> = read(&body)?;
    let asker = ask.says.asker(&app)?;
    if app.config.queue.gate == Gate::Off {
        return Ok(Answer::come_in(app.door.clock.now()).response());
    }
    let from = client(&app, &request);
    let standing = match ask.party {
        None => app.door.enter_line_as(asker, from).await?,
        Some(token) => {
            let first = app.door.tickets.verify_offer(Offer::Party, &token, app.door.clock.now());
            app.door.join_line(asker, first.map_err(|_| Refusal::Party)?, from).await?
        }
    };
    Ok(Answer::of(&app, &standing, None)?.response())
}
