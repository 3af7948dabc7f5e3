//! Sign in with Apple: an identity token (protocol-nakama §2.10), and through OAuth an authorization
//! code, too (protocol-pragma §4.4).

use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::Url;
use zeroize::Zeroizing;

use super::oauth::{self, Brought, Portal};
use super::oidc::Oidc;
use super::{Common, IdentityError, SetupError, Verified, facts, jwt};
use crate::config::identity::{AppleConfig, TokenKind};
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Apple;
const ISSUER: &str = "https://appleid.apple.com";
/// How long our proof that we are the client is good, in seconds. Apple allows six months.
const PROOF_S: u64 = 300;
/// Longest code taken, in bytes.
const CODE_MAX: usize = 4_096;

/// Apple, configured.
#[derive(Debug)]
pub(super) struct Apple {
    common: Common,
    oidc: Oidc,
    token_kind: TokenKind,
    codes: Option<Codes>,
}

/// What it takes to redeem codes.
struct Codes {
    key: EncodingKey,
    key_id: String,
    team_id: String,
    client_id: String,
    redirect_uri: String,
    token_url: Url,
    portal: Option<Portal>,
}

impl Apple {
    pub fn new(config: &AppleConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let bundle_ids = super::named(&config.bundle_ids);
        let Some(first) = bundle_ids.first() else { return Ok(None) };
        let keys = ("apple.jwks_url", config.jwks_url.as_str());
        let codes = Codes::new(config, first, common)?;
        if config.token_kind == TokenKind::Code && codes.is_none() {
            let key = "apple.token_kind".to_owned();
            return Err(SetupError::Needs { key, needs: "private_key" });
        }
        Ok(Some(Self {
            common: common.clone(),
            oidc: Oidc::known(KIND, common, &bundle_ids, &[ISSUER], keys)?,
            token_kind: config.token_kind,
            codes,
        }))
    }

    /// An identity token.
    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        let claims = self.oidc.claims(token).await?;
        let mut verified = facts::nameless(KIND, claims.text("sub").unwrap_or_default())?;
        verified.profile.email =
            facts::email(claims.text("email"), claims.is_true("email_verified"));
        Ok(verified)
    }

    /// What was brought through OAuth; `None`: nothing that is taken.
    pub fn brought(&self, text: &str) -> Option<Brought> {
        let code = self.codes.as_ref().map(|_| Brought::Code);
        match self.token_kind {
            TokenKind::IdToken => Some(Brought::IdToken),
            TokenKind::Auto if jwt::is_token(text) => Some(Brought::IdToken),
            TokenKind::Auto | TokenKind::Code => code,
            TokenKind::AccessToken => None,
        }
    }

    /// An identity token or a code, through OAuth.
    pub async fn verify_oauth(&self, text: &str) -> Result<Verified, IdentityError> {
        let off = IdentityError::NotConfigured(KIND);
        match (self.brought(text), &self.codes) {
            (Some(Brought::IdToken), _) => self.verify(text).await,
            (Some(_), Some(codes)) => {
                let token = codes.redeem(&self.common, text).await?;
                self.verify(&token).await
            }
            _ => Err(off),
        }
    }

    /// What a sign-in page needs.
    pub fn portal(&self) -> Option<&Portal> {
        self.codes.as_ref()?.portal.as_ref()
    }
}

impl Codes {
    fn new(config: &AppleConfig, first: &str, common: &Common) -> Result<Option<Self>, SetupError> {
        let file = config.private_key_file.as_deref();
        let pem = super::secret("apple.private_key", &config.private_key, file)?;
        if pem.is_empty() {
            return Ok(None);
        }
        let needs = |needs| SetupError::Needs { key: "apple.private_key".to_owned(), needs };
        if config.team_id.is_empty() {
            return Err(needs("team_id"));
        }
        if config.key_id.is_empty() {
            return Err(needs("key_id"));
        }
        let no_key = |_| SetupError::PrivateKey("apple.private_key");
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).map_err(no_key)?;
        // A key of another curve is found out when it signs.
        jsonwebtoken::crypto::sign(b"", &key, Algorithm::ES256).map_err(no_key)?;
        let client_id = match config.client_id.as_str() {
            "" => first.to_owned(),
            id => id.to_owned(),
        };
        let redirect_uri = config.redirect_uri.clone();
        let portal = if redirect_uri.is_empty() || !oauth::takes_codes_of(config.token_kind) {
            None
        } else {
            let page = &config.authorize_url;
            Some(oauth::page(common, "apple.authorize_url", page, &client_id, &redirect_uri)?)
        };
        Ok(Some(Self {
            key,
            key_id: config.key_id.clone(),
            team_id: config.team_id.clone(),
            client_id,
            redirect_uri,
            token_url: common.outbound.url("apple.token_url", &config.token_url)?,
            portal,
        }))
    }

    /// The identity token behind a code.
    async fn redeem(
        &self,
        common: &Common,
        code: &str,
    ) -> Result<Zeroizing<String>, IdentityError> {
        if code.is_empty() || code.len() > CODE_MAX {
            return Err(IdentityError::Refused(KIND, "the code is empty or too long"));
        }
        let proof = self.proof(common.clock.now().as_secs());
        let broken = |_| IdentityError::Unavailable(KIND, "our own key signs nothing");
        let proof = proof.map_err(broken)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.client_id),
            ("client_secret", &proof),
        ];
        if !self.redirect_uri.is_empty() {
            form.push(("redirect_uri", &self.redirect_uri));
        }
        let tokens = oauth::redeem_with(common, KIND, self.token_url.clone(), &form).await?;
        let none = IdentityError::Unavailable(KIND, "it gives no id token for the code");
        Some(tokens.id_token).filter(|token| !token.is_empty()).ok_or(none)
    }

    /// That we are the client: a token signed with the team's key.
    fn proof(&self, now_s: u64) -> Result<Zeroizing<String>, jsonwebtoken::errors::Error> {
        let mut header = jsonwebtoken::Header::new(Algorithm::ES256);
        header.kid = Some(self.key_id.clone());
        let claims = serde_json::json!({
            "iss": self.team_id, "iat": now_s, "exp": now_s + PROOF_S,
            "aud": ISSUER, "sub": self.client_id,
        });
        jsonwebtoken::encode(&header, &claims, &self.key).map(Zeroizing::new)
    }
}

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codes").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
