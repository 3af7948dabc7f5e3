//! `/openapi.json`: the REST API described in `OpenAPI` 3.1, for tools and people. Written from
//! `proto/` by `tests/tidy/openapi.rs`.

use actix_web::{HttpResponse, web};

use super::reply::{Reply, render};

/// The description.
pub const DOCUMENT: &str = include_str!("openapi.json");

/// Registers `GET /openapi.json`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/openapi.json").route(web::get().to(document)));
}

async fn document() -> HttpResponse {
    render(Ok(Reply::Json(DOCUMENT.into())))
}
