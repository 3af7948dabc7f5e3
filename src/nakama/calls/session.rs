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
}

/// Both tokens with their full life (§3.3).
pub(super) fn pair(app: &App, issue: Issue, created: bool) -> api::Session {
    let Issue { token, account, username, vars, signed_in_at, at } = issue;
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
    let refresh = app.keys.sign(Kind::Refresh, &claims);
    api::Session { created, token: access, refresh_token: refresh }
}

/// Gives a new pair for a refresh token, which stays good: clients refresh in parallel.
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
    let account = app
        .door
        .resume(AccountId(claims.account))
        .await
        .map_err(|error| failure(Context::Refresh, error))?;
    // Signed out everywhere while we looked.
    let revoked_before = UnixMicros(account.revoked_before_us);
    if revoked_before.0 != 0 && revoked_before.0 >= claims.issued_at_us {
        return Err(Failure::unauthenticated(REFUSED));
    }
    let issue = Issue {
        token: claims.token,
        account: account.id,
        username: account.username,
        vars: if request.vars.is_empty() { claims.vars } else { request.vars },
        signed_in_at: claims.signed_in_at,
        // After a clock that stepped back the new pair must not be born revoked.
        at: app.door.clock.now().max(revoked_before.plus_us(1)),
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
        .ok_or_else(|| Failure::unauthenticated(REFUSED))
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
