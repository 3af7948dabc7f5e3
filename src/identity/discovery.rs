//! What an `OpenID` Connect issuer publishes of itself: where its keys are and where codes are
//! redeemed. Read when first needed, and again once a day; while it cannot be read, what is known
//! stays in use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use serde::Deserialize;

use super::jwks::{Format, Keys};
use super::{Common, IdentityError, SetupError};
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

/// How long what was read is fresh; seconds.
const FRESH_S: u64 = 86_400;
/// Between attempts while what is known is not fresh; seconds.
const RETRY_S: u64 = 30;

/// An issuer, and what is known of it.
pub(super) struct Discovery {
    kind: LinkKind,
    common: Common,
    issuer: String,
    url: Url,
    state: Mutex<State>,
    /// Held by the one who reads.
    turn: tokio::sync::Mutex<()>,
}

/// What an issuer published.
pub(super) struct Published {
    /// The issuer, as it writes itself in tokens.
    pub issuer: String,
    /// Its keys.
    pub keys: Keys,
    /// Where codes are redeemed.
    pub token_url: Option<Url>,
    jwks_url: Url,
}

#[derive(Default)]
struct State {
    known: Option<Arc<Published>>,
    fresh_until: UnixMicros,
    attempts: u64,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    token_endpoint: Option<String>,
}

impl Discovery {
    /// The issuer of the settings; `key` names it.
    pub fn new(
        kind: LinkKind,
        key: &str,
        issuer: &str,
        common: &Common,
    ) -> Result<Self, SetupError> {
        let issuer = issuer.trim_end_matches('/').to_owned();
        let url = format!("{issuer}/.well-known/openid-configuration");
        let url = common.outbound.url(key, &url)?;
        let (state, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { kind, common: common.clone(), issuer, url, state, turn })
    }

    /// What it published.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]: it never could be read.
    pub async fn get(&self) -> Result<Arc<Published>, IdentityError> {
        let seen = {
            let state = self.lock();
            match &state.known {
                Some(known) if self.common.clock.now() < state.fresh_until => {
                    return Ok(Arc::clone(known));
                }
                _ => state.attempts,
            }
        };
        let _turn = self.turn.lock().await;
        let known = {
            let state = self.lock();
            match &state.known {
                Some(known) if state.attempts != seen => return Ok(Arc::clone(known)),
                known => known.clone(),
            }
        };
        let read = self.read(known.as_ref()).await;
        let mut state = self.lock();
        state.attempts += 1;
        let now = self.common.clock.now();
        match (read, known) {
            (Ok(read), _) => {
                state.fresh_until = now.plus_secs(FRESH_S);
                state.known = Some(Arc::clone(&read));
                Ok(read)
            }
            (Err(error), Some(known)) => {
                tracing::info!(provider = self.kind.name(), %error, "an issuer cannot be read");
                state.fresh_until = now.plus_secs(RETRY_S);
                Ok(known)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self, known: Option<&Arc<Published>>) -> Result<Arc<Published>, IdentityError> {
        let outbound = &self.common.outbound;
        let odd = |why| IdentityError::Unavailable(self.kind, why);
        let answer = outbound.send(self.kind, outbound.get(self.url.clone())).await?.ok()?;
        let document: Document = answer.json()?;
        if document.issuer.trim_end_matches('/') != self.issuer {
            return Err(odd("what it publishes is of another issuer"));
        }
        let address = |text: &str| {
            outbound.published(text).ok_or_else(|| odd("it publishes an address we may not ask"))
        };
        let jwks_url = address(&document.jwks_uri)?;
        let token_url = document.token_endpoint.as_deref().map(address).transpose()?;
        // Keys that stay where they are stay known.
        if let Some(known) = known
            && known.jwks_url == jwks_url
            && known.token_url == token_url
        {
            return Ok(Arc::clone(known));
        }
        let clock = self.common.clock.clone();
        let keys = Keys::new(self.kind, jwks_url.clone(), Format::Jwks, outbound.clone(), clock);
        Ok(Arc::new(Published { issuer: document.issuer, keys, token_url, jwks_url }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
