//! Twitch: an id token, an access token or an authorization code (protocol-pragma §4.4).

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::oauth::{Client, Credentials, Door, Redeemed, Takes};
use super::oidc::Oidc;
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::TwitchConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Twitch;
const ISSUER: &str = "https://id.twitch.tv/oauth2";

/// Twitch, configured.
#[derive(Debug)]
pub(super) struct Twitch {
    client: Client,
    oidc: Oidc,
    validate_url: Url,
    users_url: Url,
}

#[derive(Deserialize)]
struct Validated {
    #[serde(default)]
    client_id: String,
    login: Option<String>,
    /// Not there for tokens of an app itself.
    #[serde(default)]
    user_id: String,
}

#[derive(Deserialize)]
struct Users {
    data: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    display_name: Option<String>,
}

impl Twitch {
    pub fn new(config: &TwitchConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let takes = Takes { id_tokens: true, access_tokens: true };
        let settings = config.registration();
        let client = Client::new(KIND, "twitch", &settings, common, takes, Credentials::Form)?;
        let Some(client) = client else { return Ok(None) };
        let keys = ("twitch.jwks_url", config.jwks_url.as_str());
        Ok(Some(Self {
            oidc: Oidc::known(KIND, common, client.ids(), &[ISSUER], keys)?,
            validate_url: common.outbound.url("twitch.validate_url", &config.validate_url)?,
            users_url: common.outbound.url("twitch.users_url", &config.users_url)?,
            client,
        }))
    }

    /// The name as the player writes it. Nothing depends on it, so an outage is none.
    async fn name(&self, id: &str, client_id: &str, access_token: &str) -> Option<String> {
        let outbound = &self.client.common().outbound;
        let request = outbound.get(self.users_url.clone()).query(&[("id", id)]);
        let request = request.bearer_auth(access_token).header("Client-Id", client_id);
        let users: Users = outbound.send(KIND, request).await.ok()?.ok().ok()?.json().ok()?;
        users.data.into_iter().find(|user| user.id == id)?.display_name
    }
}

impl Door for Twitch {
    fn client(&self) -> &Client {
        &self.client
    }

    async fn id_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let claims = self.oidc.claims(token).await?;
        let link = facts::numbered(KIND, claims.text("sub").unwrap_or_default())?;
        let shown = facts::shown(claims.text("preferred_username"), None);
        Ok(Verified { shown, ..Verified::of(link) })
    }

    async fn access_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let outbound = &self.client.common().outbound;
        let header = Zeroizing::new(format!("OAuth {token}"));
        let odd = |_| IdentityError::Refused(KIND, "not a token");
        let mut header = HeaderValue::from_str(&header).map_err(odd)?;
        header.set_sensitive(true);
        let request = outbound.get(self.validate_url.clone()).header(AUTHORIZATION, header);
        let told: Validated = outbound.send(KIND, request).await?.accepted()?.json()?;
        if !self.client.is_us(&told.client_id) {
            return Err(IdentityError::Refused(KIND, "the token is of another app"));
        }
        let link = facts::numbered(KIND, &told.user_id)?;
        let name = self.name(&link.id, &told.client_id, token).await.or(told.login);
        Ok(Verified { shown: facts::shown(name.as_deref(), None), ..Verified::of(link) })
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        self.access_token(&tokens.access_token).await
    }
}
