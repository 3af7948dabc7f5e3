//! The queue API, ours. Translation only.

use actix_web::web;

use crate::actors::Line;

pub mod opening;

/// Where everything of this front end is.
pub const PREFIX: &str = "/v1/queue";

/// Registers every route.
pub fn routes(line: Line) -> impl FnOnce(&mut web::ServiceConfig) {
    move |service| {
        let [opening, file] = opening::resources(line);
        service.service(web::scope(PREFIX).service(opening).service(file));
    }
}
