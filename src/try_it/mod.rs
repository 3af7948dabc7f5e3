//! The page at `/`: join the line, sign in, be online. Embedded in the binary.

/// Registers the page.
pub fn routes(_routes: &mut actix_web::web::ServiceConfig) {}
