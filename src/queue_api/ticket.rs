//! A ticket: how it stands, that its owner is there, and that it is given up.

use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::Answer;
use super::refusal::Gone;
use super::{App, Refusal, Shown};
use crate::domain::queue::{Checked, TicketRef, Whereabouts};

/// Said by a client that watches the frame, and so need not ask as often.
const WATCHES: &str = "watch=1";

/// Whether a request is from such a client.
pub(super) fn watches(request: &HttpRequest) -> bool {
    request.query_string().split('&').any(|one| one == WATCHES)
}

/// `GET /v1/queue/ticket`. Renews the lease. 304 when the client has nothing new to show.
pub(super) async fn stands(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let shown = Shown::bearer(&app, &request)?;
    let ticket = shown.claims.ticket;
    let checked = if watches(&request) {
        app.door.watch_ticket(ticket).await?
    } else {
        app.door.check_ticket(ticket).await?
    };
    Ok(told(&app, checked, &shown).await?.response_to(&request))
}

/// `POST /v1/queue/ready`: "I am here", said near the front by who watched the frame so far.
pub(super) async fn ready(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let shown = Shown::bearer(&app, &request)?;
    let checked = app.door.check_ticket(shown.claims.ticket).await?;
    Ok(told(&app, checked, &shown).await?.response())
}

/// `DELETE /v1/queue/ticket`: gives the place up, however often it is asked.
pub(super) async fn leave(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    match Shown::bearer(&app, &request) {
        Ok(shown) => drop(app.door.leave_line(shown.claims.ticket).await?),
        Err(Refusal::Gone(_)) => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(HttpResponse::NoContent().finish())
}

/// How a ticket that was shown stands.
pub(super) async fn told(app: &App, checked: Checked, shown: &Shown) -> Result<Answer, Refusal> {
    match checked {
        Checked::Standing(standing) => Answer::of(app, &standing, shown.brought()),
        Checked::Forgotten => Err(gone(app, shown.claims.ticket).await),
    }
}

/// Why a forgotten ticket has no place.
pub(super) async fn gone(app: &App, ticket: TicketRef) -> Refusal {
    match app.door.whereabouts(ticket).await {
        Ok(Whereabouts::Transferred) => Refusal::Gone(Gone::Transferred),
        Ok(Whereabouts::Over) => Refusal::Gone(Gone::Forgotten),
        Err(error) => error.into(),
    }
}
