//! Id tokens: whose keys sign them, and for whom they may be. One engine for every provider that is
//! asked by OAuth (protocol-pragma §4.4).

use jsonwebtoken::Algorithm;
use reqwest::Url;

use super::discovery::Discovery;
use super::jwks::{Format, Keys};
use super::jwt::{self, Claims, Rules};
use super::{Common, IdentityError, SetupError};
use crate::config::identity::Algorithm as Named;
use crate::domain::account::LinkKind;

/// An issuer whose id tokens are taken.
pub(super) struct Oidc {
    kind: LinkKind,
    common: Common,
    source: Source,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
}

enum Source {
    /// Issuers and keys that the settings name.
    Known { issuers: Vec<String>, keys: Keys },
    /// What the issuer says of itself.
    Published(Discovery),
}

impl Oidc {
    /// Tokens of `issuers`, RS256, with keys at an address of the settings that `key` names.
    pub fn known(
        kind: LinkKind,
        common: &Common,
        audiences: &[String],
        issuers: &[&str],
        (key, jwks_url): (&str, &str),
    ) -> Result<Self, SetupError> {
        let keys = common.keys(kind, key, jwks_url, Format::Jwks)?;
        let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
        Ok(Self {
            kind,
            common: common.clone(),
            source: Source::Known { issuers, keys },
            audiences: super::named(audiences),
            algorithms: jwt::RS256.to_vec(),
        })
    }

    /// Tokens of one issuer, which publishes where its keys are; `key` names it.
    pub fn published(
        kind: LinkKind,
        common: &Common,
        audiences: &[String],
        algorithms: &[Named],
        (key, issuer): (&str, &str),
    ) -> Result<Self, SetupError> {
        Ok(Self {
            kind,
            common: common.clone(),
            source: Source::Published(Discovery::new(kind, key, issuer, common)?),
            audiences: super::named(audiences),
            algorithms: algorithms.iter().map(|named| algorithm(*named)).collect(),
        })
    }

    /// What an id token says, proven.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Refused`], or [`IdentityError::Unavailable`] when no keys can be had.
    pub async fn claims(&self, token: &str) -> Result<Claims, IdentityError> {
        match &self.source {
            Source::Known { issuers, keys } => {
                let issuers: Vec<&str> = issuers.iter().map(String::as_str).collect();
                self.check(token, &issuers, keys).await
            }
            Source::Published(discovery) => {
                let published = discovery.get().await?;
                self.check(token, &[&published.issuer], &published.keys).await
            }
        }
    }

    /// Where its issuer says that codes are redeemed.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]: it does not say, or cannot be asked.
    pub async fn token_url(&self) -> Result<Url, IdentityError> {
        let nowhere = IdentityError::Unavailable(self.kind, "it publishes no token endpoint");
        match &self.source {
            Source::Known { .. } => Err(nowhere),
            Source::Published(discovery) => discovery.get().await?.token_url.clone().ok_or(nowhere),
        }
    }

    async fn check(
        &self,
        token: &str,
        issuers: &[&str],
        keys: &Keys,
    ) -> Result<Claims, IdentityError> {
        let rules = Rules {
            kind: self.kind,
            algorithms: &self.algorithms,
            issuers,
            audiences: &self.audiences,
            now: self.common.clock.now(),
            leeway_s: self.common.leeway_s,
        };
        jwt::verify(token, keys, &rules).await
    }
}

const fn algorithm(named: Named) -> Algorithm {
    match named {
        Named::RS256 => Algorithm::RS256,
        Named::ES256 => Algorithm::ES256,
        Named::EdDsa => Algorithm::EdDSA,
    }
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").field("kind", &self.kind).finish_non_exhaustive()
    }
}
