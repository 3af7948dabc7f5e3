//! Nintendo service accounts: an NSA id token, checked with what the developer's contract says
//! (keys, issuer, audiences).

use super::jwks::{Format, Keys};
use super::jwt::{self, Rules};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::NintendoConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Nintendo;

/// Nintendo, configured.
#[derive(Debug)]
pub(super) struct Nintendo {
    common: Common,
    keys: Keys,
    issuer: String,
    audiences: Vec<String>,
}

impl Nintendo {
    pub fn new(config: &NintendoConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let (issuer, audiences) = (config.issuer.clone(), super::named(&config.audiences));
        if config.jwks_url.is_empty() || issuer.is_empty() || audiences.is_empty() {
            return Ok(None);
        }
        let keys = common.keys(KIND, "nintendo.jwks_url", &config.jwks_url, Format::Jwks)?;
        Ok(Some(Self { common: common.clone(), keys, issuer, audiences }))
    }

    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        let rules = Rules {
            kind: KIND,
            algorithms: jwt::RS256,
            issuers: &[&self.issuer],
            audiences: &self.audiences,
            now: self.common.clock.now(),
            leeway_s: self.common.leeway_s,
        };
        let claims = jwt::verify(token, &self.keys, &rules).await?;
        facts::nameless(KIND, claims.text("sub").unwrap_or_default())
    }
}
