//! `authenticateorcreatev2` (protocol-pragma §4.1): a pass and a proof for session tokens.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

use super::providers::Provider;
use super::tokens::{Grant, Pair};
use super::{App, Fault, client, json, login_queue};
use crate::domain::realm::OperatorIdentity;
use crate::domain::time::UnixMicros;
use crate::domain::token::{PlayerKeys, PlayerTokenError, SessionType, TicketError, TicketKeys};
use crate::signin::{Entrance, PragmaWish, SignInAsk, SignedIn, Wish};

/// The request. Members nobody knows are skipped; a member that is `null` is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ask<'a> {
    /// The provider, by number or name.
    #[serde(default)]
    pub provider_id: Value,
    /// The proof: text or an object.
    #[serde(default)]
    pub provider_token: Value,
    #[serde(borrow)]
    game_shard_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    login_queue_pass_token: Option<Cow<'a, str>>,
}

impl<'a> Ask<'a> {
    /// Reads it. There has to be a proof.
    ///
    /// # Errors
    ///
    /// [`Fault::BadRequest`]
    pub fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let ask: Self = serde_json::from_slice(body).map_err(|_| Fault::BadRequest)?;
        let proof = match &ask.provider_token {
            Value::String(text) => !text.is_empty(),
            other => other.is_object(),
        };
        if proof { Ok(ask) } else { Err(Fault::BadRequest) }
    }

    /// The shard asked for, in any case; absent and empty both mean none.
    fn shard(&self) -> Result<Option<Uuid>, Fault> {
        match self.game_shard_id.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Uuid::try_parse(text).map(Some).map_err(|_| Fault::BadRequest),
        }
    }
}

/// `POST /v1/account/authenticateorcreatev2`. In this order: form, provider, pass, shard, proof; then
/// the account, its player on the shard, bans and access. A request that fails anywhere leaves the
/// pass as it was. Operators do not queue and hold no slot.
pub(super) async fn authenticate_or_create(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    let ask = Ask::read(body)?;
    let shard = ask.shard()?;
    let provider = Provider::resolve(&ask.provider_id, &app.door)?;
    provider.check_login(app.gateway.session)?;
    let entrance = if app.gateway.session == SessionType::Operator {
        Entrance::Outside
    } else if login_queue::is_open(&app.config) {
        Entrance::Exempt
    } else {
        let pass = ask.login_queue_pass_token.as_deref().unwrap_or_default();
        entrance(&app.door.tickets, &app.keys, pass, app.door.clock.now())?
    };
    if shard.is_some_and(|shard| !app.config.pragma.knows_shard(shard)) {
        return Err(Fault::ShardNotFound);
    }
    let arrival = Arrival { provider: &provider, token: &ask.provider_token, shard, create: true };
    let signed_in = arrival.sign_in(app, request, entrance).await?;
    if app.gateway.session == SessionType::Operator {
        let identity = OperatorIdentity {
            provider: &provider.name,
            account_id: signed_in.account.link(provider.kind).unwrap_or_default(),
            verified_email: signed_in.vouched_email.as_deref(),
        };
        app.door.bootstrap_operator(&signed_in.account, identity).await?;
    }
    let pair = Pair::issue(app, &Grant::of(&signed_in, shard, &provider.name))?;
    if pair.game.is_empty() && app.gateway.session == SessionType::Player {
        // Who gets no game token will open no game socket: the slot is somebody else's.
        app.door.release_slot(signed_in.account.id).await?;
    }
    Ok(json(pair.json().to_string()))
}

/// Somebody at the door, with what they brought.
pub(super) struct Arrival<'a> {
    /// The provider they name.
    pub provider: &'a Provider,
    /// Their proof.
    pub token: &'a Value,
    /// The game shard they want to play on.
    pub shard: Option<Uuid>,
    /// Whether to make an account when there is none.
    pub create: bool,
}

impl Arrival<'_> {
    /// Signs them in by this entrance.
    pub async fn sign_in(
        &self,
        app: &App,
        request: &HttpRequest,
        entrance: Entrance,
    ) -> Result<SignedIn, Fault> {
        let credential = self.provider.read(self.token)?;
        let pragma = Some(PragmaWish { shard: self.shard });
        let wish = Wish { create: self.create, pragma, ..Wish::default() };
        let ask = SignInAsk { credential, entrance, wish };
        Ok(app.door.authenticate(ask, client(app, request)).await?)
    }
}

/// Reads the pass: every row of protocol-pragma §3.7 that can be told from the token alone. What
/// became of the pass is for the line and the registry to say.
pub(super) fn entrance(
    tickets: &TicketKeys,
    players: &PlayerKeys,
    pass: &str,
    now: UnixMicros,
) -> Result<Entrance, Fault> {
    if pass.is_empty() {
        return Err(Fault::Unauthorized);
    }
    match tickets.verify(pass, now) {
        Ok(claims) if claims.allowed && claims.ticket.number != login_queue::NO_PLACE => {
            Ok(Entrance::Pass { ticket: claims.ticket, expires_at: claims.expires_at })
        }
        Ok(_) => Err(Fault::Unauthorized),
        Err(error @ (TicketError::KeyNotFound | TicketError::Decode)) => {
            // A session token is genuine, but no ticket; it may be longer than any ticket.
            let session =
                matches!(players.verify(pass, now), Ok(_) | Err(PlayerTokenError::Expired));
            Err(if session { Fault::Unauthorized } else { error.into() })
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
