//! `[operators]`: how operators sign in to the console.

use serde::{Deserialize, Serialize};

use super::IdentityConfig;
use super::identity::{Registration, TokenKind};
use crate::domain::account::LinkKind;

/// Sessions of operators, and what they sign in with: a password and an authenticator, or a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorsConfig {
    /// Whether an operator without an authenticator may only look, until one is set up. With `--dev`
    /// it is not asked for.
    pub require_totp: bool,
    /// Longest life of a session, in hours. 1 to 168.
    pub session_h: u64,
    /// A session that is not used for so long ends, in minutes. 1 to 1440.
    pub idle_min: u64,
    /// Providers of `[identity]` that operators may sign in by: `"google"`, `"googleworkspace"`,
    /// `"okta"`, `"auth0"`, `"discord"`, and the studio's own with `oidc` by their names. Each needs
    /// client id, secret and sign-in page there, and this address at the provider:
    /// `https://<the console>/v1/operator/session/providers/<name>/callback`. At most 8.
    pub providers: Vec<String>,
    /// Whether a sign-in by a provider stands for the second factor, too: no code is asked for after
    /// it, and no authenticator needed. Only where the provider itself asks for one.
    pub trust_provider_mfa: bool,
}

impl Default for OperatorsConfig {
    fn default() -> Self {
        Self {
            require_totp: true,
            session_h: 12,
            idle_min: 60,
            providers: Vec::new(),
            trust_provider_mfa: false,
        }
    }
}

/// Kinds that can send operators to a page and back, with what they are called on a button.
const PAGES: [(LinkKind, &str); 5] = [
    (LinkKind::Google, "Google"),
    (LinkKind::GoogleWorkspace, "Google Workspace"),
    (LinkKind::Okta, "Okta"),
    (LinkKind::Auth0, "Auth0"),
    (LinkKind::Discord, "Discord"),
];

/// A provider that operators may sign in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorProvider {
    /// What it is called in addresses, in lower case.
    pub name: String,
    /// What it is called on a button.
    pub title: String,
    /// Its kind of link.
    pub kind: LinkKind,
}

impl OperatorsConfig {
    /// The providers that operators may sign in by.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them, in words.
    pub fn offered(&self, identity: &IdentityConfig) -> Result<Vec<OperatorProvider>, String> {
        let mut offered: Vec<OperatorProvider> = Vec::new();
        for name in &self.providers {
            let provider = find(name, identity)?;
            if offered.iter().any(|known| known.kind == provider.kind) {
                return Err(format!("names \"{name}\" twice"));
            }
            offered.push(provider);
        }
        Ok(offered)
    }
}

fn find(name: &str, identity: &IdentityConfig) -> Result<OperatorProvider, String> {
    let of = |name: &str, title: &str, kind| OperatorProvider {
        name: name.to_ascii_lowercase(),
        title: title.to_owned(),
        kind,
    };
    if let Some((kind, title)) =
        PAGES.into_iter().find(|(kind, _)| kind.name().eq_ignore_ascii_case(name))
    {
        if let Some(missing) = missing(kind, identity) {
            return Err(format!("names \"{name}\", which needs {missing}"));
        }
        return Ok(of(kind.name(), title, kind));
    }
    let mut studio = identity.studio.iter();
    if let Some(own) = studio.find(|own| own.name.eq_ignore_ascii_case(name)) {
        let section = format!("[[identity.studio]] {}", own.name);
        let Some(oidc) = &own.oidc else {
            return Err(format!(
                "names \"{name}\", but {section} has no oidc: there is no page to send anybody to"
            ));
        };
        let has_issuer = !oidc.issuer.is_empty();
        let missing = lacks(&oidc.registration(), has_issuer.then_some(()).ok_or("issuer"), true);
        return match missing {
            Some(key) => Err(format!("names \"{name}\", which needs {key} in {section}")),
            None => Ok(of(&own.name, &own.name, LinkKind::Studio(own.number))),
        };
    }
    let known = LinkKind::ALL.into_iter().any(|kind| kind.name().eq_ignore_ascii_case(name));
    let names: Vec<_> = PAGES.iter().map(|(kind, _)| kind.name()).collect();
    let names = names.join(", ");
    Err(if known {
        format!(
            "names \"{name}\", which operators cannot sign in by: {names}, or the studio's own with oidc"
        )
    } else {
        format!(
            "names \"{name}\", which is no provider: {names}, or the name of one of [[identity.studio]]"
        )
    })
}

/// The key that one of the built-in providers lacks.
fn missing(kind: LinkKind, identity: &IdentityConfig) -> Option<String> {
    let there = |key: &'static str, is_there: bool| is_there.then_some(()).ok_or(key);
    let (section, registration, own, needs_page) = match kind {
        LinkKind::Google => ("google_oauth", identity.google_oauth.registration(), Ok(()), true),
        LinkKind::GoogleWorkspace => {
            let workspace = &identity.googleworkspace;
            let domains = there("allowed_domains", !workspace.allowed_domains.is_empty());
            ("googleworkspace", workspace.registration(), domains, true)
        }
        LinkKind::Discord => ("discord", identity.discord.registration(), Ok(()), true),
        // Where their pages are follows from the issuer.
        LinkKind::Okta | LinkKind::Auth0 => {
            let is_okta = kind == LinkKind::Okta;
            let settings = if is_okta { &identity.okta } else { &identity.auth0 };
            let issuer = there("issuer", !settings.issuer.is_empty());
            (kind.name(), settings.registration(), issuer, false)
        }
        _ => return None,
    };
    lacks(&registration, own, needs_page).map(|key| format!("{key} in [identity.{section}]"))
}

/// The first key that a code needs and that is not there.
fn lacks(
    settings: &Registration<'_>,
    own: Result<(), &'static str>,
    needs_page: bool,
) -> Option<&'static str> {
    if let Err(key) = own {
        return Some(key);
    }
    if settings.client_ids.iter().all(String::is_empty) {
        return Some("client_ids");
    }
    if settings.client_secret.is_empty() && settings.client_secret_file.is_none() {
        return Some("client_secret or client_secret_file");
    }
    if !matches!(settings.token_kind, TokenKind::Auto | TokenKind::Code) {
        return Some("token_kind \"auto\" or \"code\"");
    }
    (needs_page && settings.authorize_url.is_empty()).then_some("authorize_url")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::identity::{HttpConfig, OidcConfig, StudioConfig};

    fn offered(names: &[&str], identity: &IdentityConfig) -> Result<Vec<OperatorProvider>, String> {
        let providers = names.iter().map(|name| (*name).to_owned()).collect();
        OperatorsConfig { providers, ..OperatorsConfig::default() }.offered(identity)
    }

    fn identity() -> IdentityConfig {
        let mut identity = IdentityConfig::default();
        identity.okta.issuer = "https://studio.okta.example".into();
        identity.okta.client_ids = vec!["console".into()];
        identity.okta.client_secret = "hush".into();
        let oidc = OidcConfig {
            issuer: "https://club.example".into(),
            client_ids: vec!["console".into()],
            client_secret: "hush".into(),
            authorize_url: "https://club.example/authorize".into(),
            ..OidcConfig::default()
        };
        let own = |number, name: &str| StudioConfig {
            number,
            name: name.into(),
            ..StudioConfig::default()
        };
        identity.studio = vec![
            StudioConfig { oidc: Some(oidc), ..own(102, "CLUB") },
            StudioConfig { http: Some(HttpConfig::default()), ..own(103, "ACME") },
        ];
        identity
    }

    #[test]
    fn a_provider_that_cannot_be_used_is_named_with_what_it_lacks() {
        let good = offered(&["Okta", "club"], &identity()).unwrap();
        let told: Vec<_> = good.iter().map(|it| (&*it.name, &*it.title, it.kind)).collect();
        let studio = LinkKind::Studio(102);
        assert_eq!(told, [("okta", "Okta", LinkKind::Okta), ("club", "CLUB", studio)]);
        let mut no_secret = identity();
        no_secret.okta.client_secret = "".into();
        let mut tokens = identity();
        tokens.okta.token_kind = TokenKind::IdToken;
        let mut no_page = identity();
        no_page.studio[0].oidc.as_mut().unwrap().authorize_url = String::new();
        for (names, identity, words) in vec![
            (&["okta", "OKTA"][..], identity(), "twice"),
            (&["google"], identity(), "client_ids in [identity.google_oauth]"),
            (&["googleworkspace"], identity(), "allowed_domains in [identity.googleworkspace]"),
            (&["auth0"], identity(), "issuer in [identity.auth0]"),
            (&["okta"], no_secret, "client_secret or client_secret_file in [identity.okta]"),
            (&["okta"], tokens, "token_kind"),
            (&["club"], no_page, "authorize_url in [[identity.studio]] CLUB"),
            (&["acme"], identity(), "no oidc"),
            (&["steam"], identity(), "cannot sign in by"),
            (&["nobody"], identity(), "no provider"),
            (&[""], identity(), "no provider"),
        ] {
            let problem = offered(names, &identity).unwrap_err();
            assert!(problem.contains(words), "{names:?}: {problem}");
        }
    }
}
