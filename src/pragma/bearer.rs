//! The session token of a request: `Authorization: Bearer …`, checked as protocol-pragma §9.3 says.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::{App, Fault};
use crate::domain::account::AccountId;
use crate::domain::token::{Claims, bearer};

/// Checks the token of a request: present, ours, alive, of this gateway and shard, not revoked.
///
/// # Errors
///
/// 401 for a bad token, 403 for a good one of another type or shard.
pub(super) fn check(app: &App, headers: &HeaderMap) -> Result<Claims, Fault> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(bearer).ok_or(Fault::Unauthorized)?;
    let claims = app.keys.verify(token, app.door.clock.now())?;
    if !app.gateway.takes(&claims) {
        return Err(Fault::WrongSessionType);
    }
    still_good(app, &claims)?;
    Ok(claims)
}

/// Checks of a token whose signature is good: its shard, and whether it was revoked.
pub(super) fn still_good(app: &App, claims: &Claims) -> Result<(), Fault> {
    if claims.shard().is_some_and(|shard| shard != app.config.pragma.game_shard) {
        return Err(Fault::WrongShard);
    }
    let is_good = match claims {
        Claims::Person(person) => {
            let account = AccountId(person.session.social_id);
            !app.door.is_revoked(account, person.jti, false, person.issued_at_us)
        }
        Claims::Partner(partner) => {
            let is_good = app.door.realm().partner_is_good(partner.partner);
            if is_good {
                app.door.partners.note(partner.partner, app.door.clock.now());
            }
            is_good
        }
    };
    if is_good { Ok(()) } else { Err(Fault::Unauthorized) }
}
