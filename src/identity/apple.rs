//! Sign in with Apple: an identity token (protocol-nakama §2.10).

use super::jwks::{Format, Keys};
use super::jwt::{self, Rules};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::AppleConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Apple;
const ISSUER: &str = "https://appleid.apple.com";

/// Apple, configured.
#[derive(Debug)]
pub(super) struct Apple {
    common: Common,
    keys: Keys,
    bundle_ids: Vec<String>,
}

impl Apple {
    pub fn new(config: &AppleConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let bundle_ids = super::named(&config.bundle_ids);
        if bundle_ids.is_empty() {
            return Ok(None);
        }
        let keys = common.keys(KIND, "apple.jwks_url", &config.jwks_url, Format::Jwks)?;
        Ok(Some(Self { common: common.clone(), keys, bundle_ids }))
    }

    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        let rules = Rules {
            kind: KIND,
            issuers: &[ISSUER],
            audiences: &self.bundle_ids,
            now: self.common.clock.now(),
            leeway_s: self.common.leeway_s,
        };
        let claims = jwt::verify(token, &self.keys, &rules).await?;
        let mut verified = facts::nameless(KIND, claims.text("sub").unwrap_or_default())?;
        verified.profile.email =
            facts::email(claims.text("email"), claims.is_true("email_verified"));
        Ok(verified)
    }
}
