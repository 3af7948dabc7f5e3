//! How a sign-in gets past the line (design §5).

use super::Asked;
use crate::config::queue::Gate;
use crate::domain::queue::PassRefused;
use crate::domain::token::nakama::Vars;
use crate::nakama::errors::{Failure, pass_refused};
use crate::signin::{Entrance, PassTokenRefused};

/// The session variable that carries a pass; it does not become one of the session.
pub const PASS_VAR: &str = "login_queue_pass_token";
/// The header, over gRPC the metadata, that carries a pass.
pub const PASS_HEADER: &str = "x-login-queue-pass";

/// By the pass it brought, else as `queue.gate` says. Takes the pass out of the session variables.
pub(super) fn entrance(asked: &Asked<'_>, vars: &mut Vars) -> Result<Entrance, Failure> {
    let named = vars.remove(PASS_VAR);
    if let Some(pass) = named.as_deref().or(asked.pass).filter(|pass| !pass.is_empty()) {
        return asked.app.door.read_pass(pass).map_err(|refused| match refused {
            PassTokenRefused::StillWaiting => pass_refused(PassRefused::StillWaiting),
            PassTokenRefused::Token(_) => Failure::bad_pass(),
        });
    }
    Ok(match asked.app.config.queue.gate {
        Gate::All => Entrance::Implicit,
        Gate::Pragma | Gate::Off => Entrance::Exempt,
    })
}
