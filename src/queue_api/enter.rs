//! `POST /v1/queue/enter`: a place in line, the one that is there already, or straight in.

use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::Answer;
use super::proof::Says;
use super::{App, Body, Refusal, client, read, whole};
use crate::config::queue::Gate;

/// See the module. 200: come in; 202: wait.
pub(super) async fn enter(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let body = whole(body)?;
    let owner = read::<Says<'_>>(&body)?.owner(&app)?;
    if app.config.queue.gate == Gate::Off {
        return Ok(Answer::come_in(app.door.clock.now()).response());
    }
    let standing = app.door.enter_line_as(owner, client(&app, &request)).await?;
    Ok(Answer::of(&app, &standing, None)?.response())
}
