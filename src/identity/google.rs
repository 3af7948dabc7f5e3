//! Google: an OpenID token, or a server auth code of Play Games (protocol-nakama §2.14). The shape of
//! the text says which; a token with a bad signature is not tried as a code.

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::jwks::{Format, Keys};
use super::jwt::{self, Rules};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::GoogleConfig;
use crate::domain::account::{LinkKind, Profile};

const KIND: LinkKind = LinkKind::Google;
const ISSUERS: [&str; 2] = ["accounts.google.com", "https://accounts.google.com"];
/// Longest code taken, in bytes.
const CODE_MAX: usize = 4_096;

/// Google, configured for tokens, codes or both.
#[derive(Debug)]
pub(super) struct Google {
    common: Common,
    tokens: Option<Tokens>,
    codes: Option<Codes>,
}

#[derive(Debug)]
struct Tokens {
    keys: Keys,
    client_ids: Vec<String>,
}

struct Codes {
    client: Client,
    token_url: Url,
    player_url: Url,
}

/// Google's client JSON: the client under the name of its kind.
#[derive(Deserialize)]
struct ClientFile {
    #[serde(alias = "installed")]
    web: Client,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Google's names")]
struct Client {
    client_id: String,
    client_secret: String,
    token_uri: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

impl Google {
    pub fn new(config: &GoogleConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let client_ids = super::named(&config.client_ids);
        let tokens = if client_ids.is_empty() {
            None
        } else {
            let url = &config.certs_url;
            let keys = common.keys(KIND, "google.certs_url", url, Format::Certificates)?;
            Some(Tokens { keys, client_ids })
        };
        let file = config.credentials_json_file.as_deref();
        let json = super::secret("google.credentials_json", &config.credentials_json, file)?;
        let codes = if json.is_empty() { None } else { Some(Codes::new(config, &json, common)?) };
        let is_configured = tokens.is_some() || codes.is_some();
        Ok(is_configured.then(|| Self { common: common.clone(), tokens, codes }))
    }

    /// Whether this text has to be redeemed, which can be done once.
    pub fn is_code(text: &str) -> bool {
        !jwt::has_three_parts(text)
    }

    pub async fn verify(&self, text: &str) -> Result<Verified, IdentityError> {
        let not_configured = IdentityError::NotConfigured(KIND);
        if Self::is_code(text) {
            self.codes.as_ref().ok_or(not_configured)?.redeem(&self.common, text).await
        } else {
            self.tokens.as_ref().ok_or(not_configured)?.verify(&self.common, text).await
        }
    }
}

impl Tokens {
    async fn verify(&self, common: &Common, token: &str) -> Result<Verified, IdentityError> {
        let rules = Rules {
            kind: KIND,
            algorithms: jwt::RS256,
            issuers: &ISSUERS,
            audiences: &self.client_ids,
            now: common.clock.now(),
            leeway_s: common.leeway_s,
        };
        let claims = jwt::verify(token, &self.keys, &rules).await?;
        let link = facts::link(KIND, claims.text("sub").unwrap_or_default())?;
        let email = facts::email(claims.text("email"), claims.is_true("email_verified"));
        let profile = facts::profile(claims.text("name"), claims.text("picture"));
        Ok(Verified { profile: Profile { email, ..profile }, ..Verified::of(link) })
    }
}

#[derive(Deserialize)]
struct Redeemed {
    access_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "Google's names")]
struct Player {
    #[serde(default)]
    player_id: String,
    display_name: Option<String>,
    avatar_image_url: Option<String>,
    original_player_id: Option<String>,
}

impl Codes {
    fn new(config: &GoogleConfig, json: &str, common: &Common) -> Result<Self, SetupError> {
        let key = "google.credentials_json";
        let client = serde_json::from_str::<ClientFile>(json)
            .map(|file| file.web)
            .map_err(|_| SetupError::Credentials(key))?;
        let token_url = common.outbound.url(key, &client.token_uri)?;
        let player = format!("{}/players/me", config.games_url.trim_end_matches('/'));
        let player_url = common.outbound.url("google.games_url", &player)?;
        Ok(Self { client, token_url, player_url })
    }

    async fn redeem(&self, common: &Common, code: &str) -> Result<Verified, IdentityError> {
        if code.is_empty() || code.len() > CODE_MAX {
            return Err(IdentityError::Refused(KIND, "the code is empty or too long"));
        }
        let redirect = self.client.redirect_uris.first().map_or("", String::as_str);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.client.client_id),
            ("client_secret", &self.client.client_secret),
            ("redirect_uri", redirect),
        ];
        let request = common.outbound.post(self.token_url.clone()).form(&form);
        let answer = common.outbound.send(KIND, request).await?;
        if answer.status() == 401 {
            return Err(IdentityError::Unavailable(KIND, "it does not take our credentials"));
        }
        let access_token = Zeroizing::new(answer.accepted()?.json::<Redeemed>()?.access_token);
        let request = common.outbound.get(self.player_url.clone());
        let request = request.bearer_auth(access_token.as_str());
        let player: Player = common.outbound.send(KIND, request).await?.accepted()?.json()?;
        let link = facts::link(KIND, &player.player_id)?;
        let formerly = player.original_player_id.filter(|id| !id.is_empty() && *id != link.id);
        Ok(Verified {
            formerly: formerly.map(|id| facts::link(KIND, &id)).transpose()?,
            profile: facts::profile(
                player.display_name.as_deref(),
                player.avatar_image_url.as_deref(),
            ),
            ..Verified::of(link)
        })
    }
}

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codes").finish_non_exhaustive()
    }
}
