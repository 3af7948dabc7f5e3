//! `POST /v1/queue/enter`: a place in line, the one that is there already, or straight in; alone or with
//! a party; during an attack a challenge first.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::proof::Says;
use super::ticket::{gone, watches};
use super::{App, Body, Refusal, client, json, read, whole};
use crate::config::queue::Gate;
use crate::domain::queue::{Checked, Standing};
use crate::domain::token::offer::Offer;
use crate::signin::guard::Challenged;
use crate::signin::places::EnterError;

#[derive(Deserialize)]
struct Enter<'a> {
    /// A friend's invitation.
    #[serde(borrow, default)]
    party: Option<Cow<'a, str>>,
    #[serde(borrow, flatten)]
    says: Says<'a>,
}

/// A challenge as it is written.
#[derive(Serialize)]
struct Asked<'a> {
    state: &'static str,
    why: &'static str,
    now_ms: u64,
    challenge: &'a str,
    bits: u8,
    expires_ms: u64,
}

/// See the module. 200: come in; 202: wait; 428: answer first.
pub(super) async fn enter(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let body = whole(body)?;
    let Enter { party, says } = read(&body)?;
    let asker = says.asker(&app)?;
    if app.config.queue.gate == Gate::Off {
        return Ok(Answer::come_in(app.door.clock.now()).response());
    }
    let from = client(&app, &request);
    let entered = match party {
        None => app.door.enter_line_as(asker, says.shows(), from).await,
        Some(token) => {
            let first = app.door.tickets.verify_offer(Offer::Party, &token, app.door.clock.now());
            let first = first.map_err(|_| Refusal::Party)?;
            app.door.join_line(asker, first, says.shows(), from).await
        }
    };
    match entered {
        Ok(Standing::Waiting(waiting)) if watches(&request) => {
            let checked = app.door.watch_ticket(waiting.ticket).await?;
            match checked {
                Checked::Standing(standing) => Ok(Answer::of(&app, &standing, None)?.response()),
                Checked::Forgotten => Err(gone(&app, waiting.ticket).await),
            }
        }
        Ok(standing) => Ok(Answer::of(&app, &standing, None)?.response()),
        Err(EnterError::Challenged(challenged)) => Ok(ask(&app, &challenged)),
        Err(EnterError::Party(why)) => Err(Refusal::NoParty(why)),
        Err(EnterError::Refused(error)) => Err(error.into()),
    }
}

fn ask(app: &App, Challenged { challenge, why }: &Challenged) -> HttpResponse {
    let asked = Asked {
        state: "challenge",
        why: why.name(),
        now_ms: app.door.clock.now().as_millis(),
        challenge: &challenge.text,
        bits: challenge.bits,
        expires_ms: challenge.expires_at.as_millis(),
    };
    json(StatusCode::PRECONDITION_REQUIRED, &asked)
}
