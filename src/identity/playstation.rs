//! `PlayStation` Network: an authorization code, redeemed with our credentials, and what the token
//! behind it says (protocol-pragma §4.4). Codes of other clients cannot be redeemed by us.

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::PlayStationConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::PlayStation;
/// Longest code taken, in bytes.
const CODE_MAX: usize = 4_096;

/// `PlayStation` Network, configured.
pub(super) struct PlayStation {
    common: Common,
    client_id: String,
    client_secret: Zeroizing<String>,
    redirect_uri: String,
    token_url: Url,
}

#[derive(Deserialize)]
struct Redeemed {
    #[serde(default)]
    access_token: String,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Sony's names")]
struct TokenInfo {
    #[serde(default, alias = "account_id")]
    user_id: String,
    online_id: Option<String>,
    client_id: Option<String>,
}

impl PlayStation {
    pub fn new(config: &PlayStationConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let file = config.client_secret_file.as_deref();
        let client_secret =
            super::secret("playstation.client_secret", &config.client_secret, file)?;
        if config.client_id.is_empty() || client_secret.is_empty() {
            return Ok(None);
        }
        let url = format!("{}/token", config.oauth_url.trim_end_matches('/'));
        Ok(Some(Self {
            common: common.clone(),
            client_id: config.client_id.clone(),
            client_secret,
            redirect_uri: config.redirect_uri.clone(),
            token_url: common.outbound.url("playstation.oauth_url", &url)?,
        }))
    }

    pub async fn verify(&self, code: &str) -> Result<Verified, IdentityError> {
        let refused = |why| IdentityError::Refused(KIND, why);
        if code.is_empty() || code.len() > CODE_MAX {
            return Err(refused("the code is empty or too long"));
        }
        let redeemed = self.redeem(code).await?;
        let access_token = Zeroizing::new(redeemed.access_token);
        let info = self.info(&access_token).await?;
        if info.client_id.is_some_and(|client| client != self.client_id) {
            return Err(refused("the token is of another app"));
        }
        Ok(Verified {
            profile: facts::profile(info.online_id.as_deref(), None),
            shown: facts::shown(info.online_id.as_deref(), None),
            ..Verified::of(facts::link(KIND, &info.user_id)?)
        })
    }

    async fn redeem(&self, code: &str) -> Result<Redeemed, IdentityError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
        ];
        let outbound = &self.common.outbound;
        let request = outbound.post(self.token_url.clone()).form(&form);
        let request = request.basic_auth(&self.client_id, Some(self.client_secret.as_str()));
        let answer = outbound.send(KIND, request).await?;
        if answer.status() == 401 {
            return Err(IdentityError::Unavailable(KIND, "it does not take our credentials"));
        }
        answer.accepted()?.json()
    }

    async fn info(&self, access_token: &str) -> Result<TokenInfo, IdentityError> {
        let odd = IdentityError::Unavailable(KIND, "its answer makes no sense");
        let mut url = self.token_url.clone();
        if access_token.is_empty() {
            return Err(odd);
        }
        url.path_segments_mut().map_err(|()| odd)?.push(access_token);
        let outbound = &self.common.outbound;
        let request = outbound.get(url);
        let request = request.basic_auth(&self.client_id, Some(self.client_secret.as_str()));
        outbound.send(KIND, request).await?.ok()?.json()
    }
}

impl std::fmt::Debug for PlayStation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlayStation").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
