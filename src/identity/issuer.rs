//! `OpenID` Connect services that publish what they are: Okta, Auth0 and the studio's own. Id tokens
//! and codes; no access tokens, since nothing says for whom those are (protocol-pragma §4.4).

use reqwest::Url;

use super::ceremony::Ceremony;
use super::jwt::Claims;
use super::oauth::{Client, Credentials, Door, Redeemed, Takes};
use super::oidc::Oidc;
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::{IssuerConfig, OidcConfig, Registration};
use crate::domain::account::{LinkKind, Profile};

const TAKES: Takes = Takes { id_tokens: true, access_tokens: false };

/// Such a service, configured.
#[derive(Debug)]
pub(super) struct Issuer {
    kind: LinkKind,
    client: Client,
    oidc: Oidc,
    groups: Option<Groups>,
    name_claim: String,
}

/// Groups of which a player must be in one.
#[derive(Debug)]
struct Groups {
    claim: String,
    allowed: Vec<String>,
}

impl Issuer {
    /// Okta or Auth0; their settings are alike, their sign-in pages are not at the same place.
    pub fn known(
        kind: LinkKind,
        config: &IssuerConfig,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        let page = sign_in_page(kind, &config.issuer);
        let settings = with_page(config.registration(), &page);
        let from = (config.issuer.as_str(), config.algorithms.as_slice());
        let made = Self::new(kind, kind.name(), from, &settings, common)?;
        let groups = Groups::new(&config.allowed_groups, &config.groups_claim);
        Ok(made.map(|made| Self { groups, ..made }))
    }

    /// One of the studio's own; `section` names it in errors.
    pub fn studio(
        kind: LinkKind,
        section: &str,
        config: &OidcConfig,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        let from = (config.issuer.as_str(), config.algorithms.as_slice());
        let made = Self::new(kind, section, from, &config.registration(), common)?;
        Ok(made.map(|made| Self { name_claim: config.name_claim.clone(), ..made }))
    }

    fn new(
        kind: LinkKind,
        section: &str,
        (issuer, algorithms): (&str, &[crate::config::identity::Algorithm]),
        settings: &Registration<'_>,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        if issuer.is_empty() {
            return Ok(None);
        }
        let key = format!("{section}.issuer");
        common.outbound.url(&key, issuer)?;
        let client = Client::new(kind, section, settings, common, TAKES, Credentials::Form)?;
        let Some(client) = client else { return Ok(None) };
        let oidc = Oidc::published(kind, common, client.ids(), algorithms, (&key, issuer))?;
        Ok(Some(Self { kind, client, oidc, groups: None, name_claim: "name".to_owned() }))
    }

    fn told(&self, claims: &Claims) -> Result<Verified, IdentityError> {
        if let Some(groups) = &self.groups {
            let theirs = claims.texts(&groups.claim);
            if !groups.allowed.iter().any(|allowed| theirs.contains(&allowed.as_str())) {
                return Err(IdentityError::Refused(self.kind, "in no group that is let in"));
            }
        }
        let link = facts::link(self.kind, claims.text("sub").unwrap_or_default())?;
        let name = claims.text(&self.name_claim);
        let name = name.or(facts::local_part(claims.text("email")));
        let email = facts::email(claims.text("email"), claims.is_true("email_verified"));
        let profile = Profile { email, ..facts::profile(name, claims.text("picture")) };
        Ok(Verified { profile, shown: facts::shown(name, None), ..Verified::of(link) })
    }
}

impl Groups {
    fn new(allowed: &[String], claim: &str) -> Option<Self> {
        let allowed = super::named(allowed);
        (!allowed.is_empty()).then(|| Self { claim: claim.to_owned(), allowed })
    }
}

/// Where the sign-in page of Okta or Auth0 is.
fn sign_in_page(kind: LinkKind, issuer: &str) -> String {
    let issuer = issuer.trim_end_matches('/');
    let page = match kind {
        LinkKind::Auth0 => "authorize",
        // An organization's own server has no path; the others are below /oauth2/.
        _ if issuer.contains("/oauth2/") => "v1/authorize",
        _ => "oauth2/v1/authorize",
    };
    format!("{issuer}/{page}")
}

/// The page, unless the settings name another.
fn with_page<'a>(settings: Registration<'a>, page: &'a str) -> Registration<'a> {
    let is_named = !settings.authorize_url.is_empty();
    Registration { authorize_url: if is_named { settings.authorize_url } else { page }, ..settings }
}

impl Door for Issuer {
    fn client(&self) -> &Client {
        &self.client
    }

    fn ceremony(&self) -> Option<Ceremony> {
        Some(Ceremony::Oidc)
    }

    async fn id_token(&self, token: &str) -> Result<Verified, IdentityError> {
        self.told(&self.oidc.claims(token).await?)
    }

    async fn access_token(&self, _token: &str) -> Result<Verified, IdentityError> {
        Err(IdentityError::NotConfigured(self.kind))
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        if tokens.id_token.is_empty() {
            let why = "it gives no id token for the code";
            return Err(IdentityError::Unavailable(self.kind, why));
        }
        self.id_token(&tokens.id_token).await
    }

    async fn token_url(&self) -> Result<Url, IdentityError> {
        self.oidc.token_url().await
    }
}
