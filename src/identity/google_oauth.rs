//! Google through OAuth: for players, whose accounts are those of [`super::google`], and for the
//! people of Workspace domains (protocol-pragma §4.4).

use reqwest::Url;
use serde::Deserialize;

use super::ceremony::Ceremony;
use super::jwt::Claims;
use super::oauth::{Client, Credentials, Door, Redeemed, Takes};
use super::oidc::Oidc;
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::{GoogleOauthConfig, GoogleWorkspaceConfig};
use crate::domain::account::{LinkKind, Profile};

const ISSUERS: [&str; 2] = ["accounts.google.com", "https://accounts.google.com"];

/// Google for players, configured.
#[derive(Debug)]
pub(super) struct GoogleOauth {
    client: Client,
    oidc: Oidc,
    info_url: Url,
}

/// Google for the people of Workspace domains, configured.
#[derive(Debug)]
pub(super) struct GoogleWorkspace {
    client: Client,
    oidc: Oidc,
    domains: Vec<String>,
}

/// What Google says of an access token.
#[derive(Deserialize)]
struct TokenInfo {
    #[serde(default)]
    aud: String,
    #[serde(default)]
    sub: String,
    email: Option<String>,
    /// Text, "true" or "false".
    email_verified: Option<String>,
}

impl GoogleOauth {
    pub fn new(config: &GoogleOauthConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let (kind, takes) = (LinkKind::Google, Takes { id_tokens: true, access_tokens: true });
        let settings = config.registration();
        let client =
            Client::new(kind, "google_oauth", &settings, common, takes, Credentials::Form)?;
        let Some(client) = client else { return Ok(None) };
        let keys = ("google_oauth.jwks_url", config.jwks_url.as_str());
        let info = common.outbound.url("google_oauth.token_info_url", &config.token_info_url)?;
        let oidc = Oidc::known(kind, common, client.ids(), &ISSUERS, keys)?;
        Ok(Some(Self { client, oidc, info_url: info }))
    }
}

/// Name, picture and address of an id token. The name is not shown: it is mostly the real one.
fn profile(claims: &Claims) -> Profile {
    let email = facts::email(claims.text("email"), claims.is_true("email_verified"));
    Profile { email, ..facts::profile(claims.text("name"), claims.text("picture")) }
}

/// The id token that a code was exchanged for.
fn id_token_of(kind: LinkKind, tokens: &Redeemed) -> Result<&str, IdentityError> {
    let none = IdentityError::Unavailable(kind, "it gives no id token for the code");
    Some(tokens.id_token.as_str()).filter(|token| !token.is_empty()).ok_or(none)
}

impl Door for GoogleOauth {
    fn client(&self) -> &Client {
        &self.client
    }

    fn ceremony(&self) -> Option<Ceremony> {
        Some(Ceremony::SilentOidc)
    }

    async fn id_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let claims = self.oidc.claims(token).await?;
        let link = facts::link(LinkKind::Google, claims.text("sub").unwrap_or_default())?;
        Ok(Verified { profile: profile(&claims), ..Verified::of(link) })
    }

    async fn access_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let outbound = &self.client.common().outbound;
        let request = outbound.get(self.info_url.clone()).query(&[("access_token", token)]);
        let answer = outbound.send(LinkKind::Google, request).await?.accepted()?;
        let info: TokenInfo = answer.json()?;
        if !self.client.is_us(&info.aud) {
            return Err(IdentityError::Refused(LinkKind::Google, "the token is of another app"));
        }
        let is_verified = info.email_verified.as_deref() == Some("true");
        let email = facts::email(info.email.as_deref(), is_verified);
        let link = facts::link(LinkKind::Google, &info.sub)?;
        Ok(Verified { profile: Profile { email, ..Profile::default() }, ..Verified::of(link) })
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        self.id_token(id_token_of(LinkKind::Google, &tokens)?).await
    }
}

impl GoogleWorkspace {
    pub fn new(
        config: &GoogleWorkspaceConfig,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        // What Google says of an access token leaves out the domain.
        let takes = Takes { id_tokens: true, access_tokens: false };
        let (kind, settings) = (LinkKind::GoogleWorkspace, config.registration());
        let client =
            Client::new(kind, "googleworkspace", &settings, common, takes, Credentials::Form)?;
        let domains = super::named(&config.allowed_domains);
        let Some(client) = client.filter(|_| !domains.is_empty()) else { return Ok(None) };
        let keys = ("googleworkspace.jwks_url", config.jwks_url.as_str());
        let oidc = Oidc::known(kind, common, client.ids(), &ISSUERS, keys)?;
        Ok(Some(Self { client, oidc, domains }))
    }
}

impl Door for GoogleWorkspace {
    fn client(&self) -> &Client {
        &self.client
    }

    fn ceremony(&self) -> Option<Ceremony> {
        Some(Ceremony::SilentOidc)
    }

    async fn id_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let kind = LinkKind::GoogleWorkspace;
        let claims = self.oidc.claims(token).await?;
        let domain = claims.text("hd").unwrap_or_default();
        if !self.domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain)) {
            return Err(IdentityError::Refused(kind, "of no domain that is let in"));
        }
        if claims.text("email").is_some() && !claims.is_true("email_verified") {
            return Err(IdentityError::Unverified(kind, "the e-mail address"));
        }
        let link = facts::link(kind, claims.text("sub").unwrap_or_default())?;
        let name = claims.text("name").or(facts::local_part(claims.text("email")));
        let shown = facts::shown(name, None);
        Ok(Verified { profile: profile(&claims), shown, ..Verified::of(link) })
    }

    async fn access_token(&self, _token: &str) -> Result<Verified, IdentityError> {
        Err(IdentityError::NotConfigured(LinkKind::GoogleWorkspace))
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        self.id_token(id_token_of(LinkKind::GoogleWorkspace, &tokens)?).await
    }
}
