//! `authenticateorcreatev2` (protocol-pragma §4.1): a pass and a proof for session tokens.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

use super::providers::Provider;
use super::tokens::Pair;
use super::{App, Fault, client, json, login_queue};
use crate::actors::account_registry::PragmaSignIn;
use crate::domain::time::UnixMicros;
use crate::domain::token::{PlayerKeys, PlayerTokenError, TicketError, TicketKeys};
use crate::signin::{Credential, Entrance, SignInAsk, Wish};

/// The request. Members nobody knows are skipped; a member that is `null` is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ask<'a> {
    #[serde(default)]
    provider_id: Value,
    #[serde(default)]
    provider_token: Value,
    #[serde(borrow)]
    game_shard_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    login_queue_pass_token: Option<Cow<'a, str>>,
}

impl<'a> Ask<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Fault> {
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

/// `POST /v1/account/authenticateorcreatev2`. In this order: form, provider, pass, proof, shard;
/// only then is anybody asked. A request that fails anywhere leaves the pass as it was.
pub(super) async fn authenticate_or_create(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    let ask = Ask::read(body)?;
    let shard = ask.shard()?;
    let provider = Provider::resolve(&ask.provider_id, app.config.pragma.unsafe_provider)?;
    let entrance = if login_queue::is_open(&app.config) {
        Entrance::Exempt
    } else {
        let pass = ask.login_queue_pass_token.as_deref().unwrap_or_default();
        entrance(&app.door.tickets, &app.keys, pass, app.door.clock.now())?
    };
    let credential = provider.read(&ask.provider_token)?;
    if shard.is_some_and(|shard| shard != app.config.pragma.game_shard) {
        return Err(Fault::ShardNotFound);
    }
    let Credential::Unsafe { display_name, .. } = &credential else {
        return Err(Fault::Internal);
    };
    let pragma = PragmaSignIn { shard, display_name: display_name.clone() };
    let ask = SignInAsk {
        credential,
        entrance,
        wish: Wish { create: true, pragma: Some(pragma), ..Wish::default() },
    };
    let signed_in = app.door.authenticate(ask, client(app, request)).await?;
    let pair = Pair::issue(app, &signed_in.account, shard, provider.name(), signed_in.at)?;
    Ok(json(pair.json().to_string()))
}

/// Reads the pass: every row of protocol-pragma §3.7 that can be told from the token alone. What
/// became of the pass is for the line and the registry to say.
fn entrance(
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
