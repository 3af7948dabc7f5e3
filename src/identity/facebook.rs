//! Facebook: a Limited Login token or a Graph access token (protocol-nakama §2.11). The shape of the
//! text says which: three parts between dots are Limited Login.

use super::graph::Graph;
use super::jwks::{Format, Keys};
use super::jwt::{self, Rules};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::FacebookConfig;
use crate::domain::account::{Link, LinkKind, Profile};

const KIND: LinkKind = LinkKind::Facebook;
const ISSUERS: [&str; 2] = ["https://www.facebook.com", "https://facebook.com"];

/// Facebook, configured for Limited Login, access tokens or both.
#[derive(Debug)]
pub(super) struct Facebook {
    common: Common,
    limited: Option<Limited>,
    graph: Option<Graph>,
}

#[derive(Debug)]
struct Limited {
    keys: Keys,
    app_ids: Vec<String>,
}

impl Facebook {
    pub fn new(config: &FacebookConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let mut app_ids = super::named(&config.limited_login_app_ids);
        app_ids.extend(Some(config.app_id.clone()).filter(|id| !id.is_empty()));
        let limited = if app_ids.is_empty() {
            None
        } else {
            let keys = common.keys(KIND, "facebook.jwks_url", &config.jwks_url, Format::Jwks)?;
            Some(Limited { keys, app_ids })
        };
        let graph = Graph::new(config, common)?;
        let is_configured = limited.is_some() || graph.is_some();
        Ok(is_configured.then(|| Self { common: common.clone(), limited, graph }))
    }

    /// Whether this text has to be asked about at the Graph API.
    pub fn is_access_token(text: &str) -> bool {
        !jwt::has_three_parts(text)
    }

    pub async fn verify(&self, text: &str) -> Result<Verified, IdentityError> {
        let not_configured = IdentityError::NotConfigured(KIND);
        if Self::is_access_token(text) {
            return self.graph.as_ref().ok_or(not_configured)?.verify(text).await;
        }
        let limited = self.limited.as_ref().ok_or(not_configured)?;
        let rules = Rules {
            kind: KIND,
            algorithms: jwt::RS256,
            issuers: &ISSUERS,
            audiences: &limited.app_ids,
            now: self.common.clock.now(),
            leeway_s: self.common.leeway_s,
        };
        let claims = jwt::verify(text, &limited.keys, &rules).await?;
        let profile = facts::profile(claims.text("name"), claims.text("picture"));
        // Facebook does not say whether the address is the player's.
        let email = facts::email(claims.text("email"), false);
        Ok(Verified {
            profile: Profile { email, ..profile },
            ..Verified::of(facts::link(KIND, claims.text("sub").unwrap_or_default())?)
        })
    }

    /// Friends who play, too. Limited Login tokens know none.
    pub async fn friends(&self, text: &str) -> Result<Vec<Link>, IdentityError> {
        if !Self::is_access_token(text) {
            return Err(IdentityError::Refused(KIND, "Limited Login tells no friends"));
        }
        self.graph.as_ref().ok_or(IdentityError::NotConfigured(KIND))?.friends(text).await
    }
}
