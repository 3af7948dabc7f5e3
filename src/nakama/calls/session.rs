//! Refresh and logout (protocol-nakama §3.4, §3.5), and how a token pair is issued.

use uuid::Uuid;

use super::Asked;
use crate::actors::account_registry::{Revoke, RevokedToken};
use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;
use crate::domain::token::nakama::{Claims, Kind, Vars};
use crate::nakama::App;
use crate::nakama::auth;
use crate::nakama::errors::{Context, Failure, failure};
use crate::nakama::wire::api;
use crate::signin::outcomes::Refresh;
use crate::signin::renewing::Renewal;

/// A session a token pair is issued for.
pub(super) struct Issue {
    /// `tid`.
    pub token: Uuid,
    pub account: AccountId,
    pub username: String,
    pub vars: Vars,
    /// `iat`, in seconds.
    pub signed_in_at: u64,
    /// Now.
    pub at: UnixMicros,
    /// The refresh token's, with rotation.
    pub generation: u32,
}

/// Both tokens with their full life (§3.3).
pub(super) fn pair(app: &App, issue: Issue, created: bool) -> api::Session {
    let Issue { token, account, username, vars, signed_in_at, at, generation } = issue;
    let life = &app.config.nakama;
    let mut claims = Claims {
        token,
        account: account.0,
        username,
        vars,
        expires_at: at.as_secs().saturating_add(life.token_expiry_s),
        signed_in_at,
        issued_at_us: at.0,
        generation: 0,
    };
    let access = app.keys.sign(Kind::Access, &claims);
    claims.expires_at = at.as_secs().saturating_add(life.refresh_expiry_s);
    claims.generation = generation;
    let refresh = app.keys.sign(Kind::Refresh, &claims);
    api::Session { created, token: access, refresh_token: refresh }
}

/// Gives a new pair for a refresh token, which stays good or is replaced (`nakama.refresh_token`).
///
/// A bearer in place of the server key is let through when the request's token is good: two SDKs
/// send it (§1.2, §13.2).
///
/// # Errors
///
/// Those of §3.4, in its order.
pub async fn session_refresh(
    asked: &Asked<'_>,
    request: api::SessionRefreshRequest,
) -> Result<api::Session, Failure> {
    let app = asked.app;
    let key = asked.refresh_key()?;
    let claims =
        refreshable(app, &request.token).map_err(|refused| key.err().unwrap_or(refused))?;
    let renewal = Renewal {
        account: AccountId(claims.account),
        token: claims.token,
        generation: claims.generation,
        issued_at_us: claims.issued_at_us,
    };
    let renewed = app.door.renew(renewal).await;
    let renewed = renewed.map_err(|error| failure(Context::Refresh, error))?;
    let issue = Issue {
        token: claims.token,
        account: renewed.account.id,
        username: renewed.account.username,
        vars: if request.vars.is_empty() { claims.vars } else { request.vars },
        signed_in_at: claims.signed_in_at,
        at: renewed.at,
        generation: renewed.generation,
    };
    Ok(pair(app, issue, false))
}

const REFUSED: &str = "Refresh token invalid or expired.";

impl Asked<'_> {
    /// The server key, or any bearer in its place: then inside is what to answer if the refresh
    /// token is not good.
    ///
    /// # Errors
    ///
    /// Those of [`Asked::server_key`] when there is no bearer either.
    pub fn refresh_key(&self) -> Result<Result<(), Failure>, Failure> {
        match self.server_key() {
            Err(no_key) if !self.authorization.is_bearer() => Err(no_key),
            key => Ok(key),
        }
    }
}

fn refreshable(app: &App, token: &str) -> Result<Claims, Failure> {
    if token.is_empty() {
        return Err(Failure::invalid("Refresh token is required."));
    }
    app.keys
        .verify(Kind::Refresh, token, app.door.clock.now())
        .ok()
        .filter(|claims| !auth::is_revoked(app, claims, Kind::Refresh))
        .ok_or_else(|| {
            app.door.outcomes.count_refresh(Refresh::Invalid);
            Failure::unauthenticated(REFUSED)
        })
}

/// Revokes the tokens of the request, each for its kind alone, or everything when there are none.
///
/// # Errors
///
/// Those of §3.5.
pub async fn session_logout(
    asked: &Asked<'_>,
    request: api::SessionLogoutRequest,
) -> Result<(), Failure> {
    let account = asked.account()?;
    let what = leaving(asked.app, account.0, &request)?;
    let left = asked.app.door.sign_out(account, what).await;
    left.map_err(|error| failure(Context::Logout, error))
}

/// What a logout revokes.
fn leaving(app: &App, account: Uuid, with: &api::SessionLogoutRequest) -> Result<Revoke, Failure> {
    let now = app.door.clock.now();
    let named = [
        (Kind::Access, &with.token, "Session token invalid."),
        (Kind::Refresh, &with.refresh_token, "Refresh token invalid."),
    ];
    let mut tokens = Vec::new();
    for (kind, token, message) in named {
        if token.is_empty() {
            continue;
        }
        let claims = app
            .keys
            .verify(kind, token, now)
            .ok()
            .filter(|claims| claims.account == account)
            .ok_or_else(|| Failure::invalid(message))?;
        tokens.push(RevokedToken {
            id: claims.token,
            refresh: kind == Kind::Refresh,
            expires_at: claims.expires_at,
        });
    }
    Ok(if tokens.is_empty() { Revoke::All } else { Revoke::Tokens(tokens) })
}
