//! Facebook Instant Games: signed player info, checked without asking anybody (protocol-nakama
//! §2.12). HMAC-SHA256 and nothing else, whatever the payload says of itself.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::FacebookInstantGameConfig;
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

const KIND: LinkKind = LinkKind::FacebookInstantGame;
/// Longest text read, in bytes.
const TEXT_MAX: usize = 16_384;

/// Facebook Instant Games, configured.
pub(super) struct Instant {
    common: Common,
    key: hmac::Key,
    /// Seconds; 0: any age.
    max_age_s: u64,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    player_id: String,
    #[serde(default)]
    issued_at: u64,
}

impl Instant {
    pub fn new(
        config: &FacebookInstantGameConfig,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        let file = config.app_secret_file.as_deref();
        let secret = super::secret("facebook_instant_game.app_secret", &config.app_secret, file)?;
        if secret.is_empty() {
            return Ok(None);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Ok(Some(Self { common: common.clone(), key, max_age_s: config.max_age_s }))
    }

    pub fn verify(&self, text: &str) -> Result<Verified, IdentityError> {
        self.player(text, self.common.clock.now())
            .map_err(|why| IdentityError::Refused(KIND, why))
            .and_then(|id| facts::nameless(KIND, &id))
    }

    fn player(&self, text: &str, now: UnixMicros) -> Result<String, &'static str> {
        if text.len() > TEXT_MAX {
            return Err("it is too long");
        }
        let (signature, payload) = text.split_once('.').ok_or("it has not two parts")?;
        let signature =
            URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the signature is not base64")?;
        hmac::verify(&self.key, payload.as_bytes(), &signature)
            .map_err(|_| "the signature is wrong")?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| "the payload is not base64")?;
        let payload: Payload =
            serde_json::from_slice(&payload).map_err(|_| "the payload makes no sense")?;
        if !["HMAC-SHA256", "HS256"].contains(&payload.algorithm.as_str()) {
            return Err("not signed with HMAC-SHA256");
        }
        if self.max_age_s > 0 {
            let (now, leeway) = (now.as_secs(), self.common.leeway_s);
            if payload.issued_at.saturating_add(self.max_age_s) < now {
                return Err("it is too old");
            }
            if payload.issued_at > now.saturating_add(leeway) {
                return Err("it is from the future");
            }
        }
        Ok(payload.player_id)
    }
}

impl std::fmt::Debug for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instant").finish_non_exhaustive()
    }
}
