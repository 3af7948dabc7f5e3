//! Epic Games: an id token, an access token or an authorization code (protocol-pragma §4.4).

use reqwest::Url;
use serde::Deserialize;

use super::oauth::{Client, Credentials, Door, Redeemed, Takes};
use super::oidc::Oidc;
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::EpicConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Epic;

/// Epic, configured.
#[derive(Debug)]
pub(super) struct Epic {
    client: Client,
    oidc: Oidc,
    info_url: Url,
    accounts_url: Url,
}

#[derive(Deserialize)]
struct TokenInfo {
    active: bool,
    #[serde(default)]
    account_id: String,
    #[serde(default)]
    client_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    account_id: String,
    display_name: Option<String>,
}

impl Epic {
    pub fn new(config: &EpicConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let takes = Takes { id_tokens: true, access_tokens: true };
        let settings = config.registration();
        let client = Client::new(KIND, "epic", &settings, common, takes, Credentials::Basic)?;
        let Some(client) = client else { return Ok(None) };
        let issuers: Vec<&str> = config.issuers.iter().map(String::as_str).collect();
        let keys = ("epic.jwks_url", config.jwks_url.as_str());
        Ok(Some(Self {
            oidc: Oidc::known(KIND, common, client.ids(), &issuers, keys)?,
            info_url: common.outbound.url("epic.token_info_url", &config.token_info_url)?,
            accounts_url: common.outbound.url("epic.accounts_url", &config.accounts_url)?,
            client,
        }))
    }

    /// The account's name. Nothing depends on it, so an outage is none.
    async fn name(&self, id: &str, access_token: &str) -> Option<String> {
        let outbound = &self.client.common().outbound;
        let request = outbound.get(self.accounts_url.clone()).query(&[("accountId", id)]);
        let answer = outbound.send(KIND, request.bearer_auth(access_token)).await.ok()?;
        let accounts: Vec<Account> = answer.ok().ok()?.json().ok()?;
        accounts.into_iter().find(|account| account.account_id == id)?.display_name
    }
}

impl Door for Epic {
    fn client(&self) -> &Client {
        &self.client
    }

    async fn id_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let claims = self.oidc.claims(token).await?;
        let link = facts::link(KIND, claims.text("sub").unwrap_or_default())?;
        Ok(Verified { shown: facts::shown(claims.text("dn"), None), ..Verified::of(link) })
    }

    async fn access_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let outbound = &self.client.common().outbound;
        let request = outbound.post(self.info_url.clone()).form(&[("token", token)]);
        let info: TokenInfo = outbound.send(KIND, request).await?.accepted()?.json()?;
        if !info.active {
            return Err(IdentityError::Refused(KIND, "the token is not good any more"));
        }
        if !self.client.is_us(&info.client_id) {
            return Err(IdentityError::Refused(KIND, "the token is of another app"));
        }
        let link = facts::link(KIND, &info.account_id)?;
        let name = self.name(&link.id, token).await;
        Ok(Verified { shown: facts::shown(name.as_deref(), None), ..Verified::of(link) })
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        self.access_token(&tokens.access_token).await
    }
}
