//! `[[identity.studio]]`: identity services of the studio's own, by configuration alone
//! (protocol-pragma §5).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::oauth::registration;
use super::{Algorithm, Secret, TokenKind};

/// One provider: `oidc` or `http` says how it is asked, and exactly one of them must be there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudioConfig {
    /// Its number in Pragma's table: 102 to 255, nobody else's. Stored with every account: never
    /// give it to another service.
    pub number: u8,
    /// Its name: capitals, digits and `_`, beginning with a capital, at most 32; nobody else's.
    pub name: String,
    /// What stands between a name and its discriminator: `"#"`, or nothing. At most 4 bytes.
    pub separator: String,
    /// An `OpenID` Connect service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcConfig>,
    /// A service that is handed the token and says whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpConfig>,
}

/// An `OpenID` Connect service: what is published at its issuer, id tokens and codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// The issuer; keys and endpoints are read from `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// Our client ids there: whom a token may be for. The first is the one that codes are redeemed
    /// with.
    pub client_ids: Vec<String>,
    /// The secret of the first client. Empty: codes are not taken.
    pub client_secret: Secret,
    /// A file with the secret, instead of `client_secret`.
    pub client_secret_file: Option<PathBuf>,
    /// The redirect address the codes are made for.
    pub redirect_uri: String,
    /// What clients bring. Access tokens are not taken: nothing says for whom they are.
    pub token_kind: TokenKind,
    /// How id tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// What sign-in pages ask the player's consent for, between spaces.
    pub scopes: String,
    /// Where the sign-in page is. Empty: pages do not offer this provider.
    pub authorize_url: String,
    /// Where codes are redeemed. Empty: as the issuer publishes it.
    pub token_url: String,
    /// The claim with the name the player is shown by. Empty: none.
    pub name_claim: String,
}

registration!(OidcConfig);

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_ids: Vec::new(),
            client_secret: Secret::default(),
            client_secret_file: None,
            redirect_uri: String::new(),
            token_kind: TokenKind::Auto,
            algorithms: vec![Algorithm::RS256],
            scopes: "openid".into(),
            authorize_url: String::new(),
            token_url: String::new(),
            name_claim: "name".into(),
        }
    }
}

/// A service that is handed the token and answers 200 with JSON, or 401, 403 or 404.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where it is.
    pub url: String,
    /// `"POST"` or `"GET"`.
    pub method: Method,
    /// Time for its whole answer, in milliseconds; `identity.timeout_ms`, if that is shorter. 50 to
    /// 60000.
    pub timeout_ms: u64,
    /// Headers sent along, an API key for example.
    pub headers: BTreeMap<String, Secret>,
    /// Headers whose values are in files.
    pub header_files: BTreeMap<String, PathBuf>,
    /// Where the token goes: `"body"` (a JSON object, POST only), `"header"` or `"query"`.
    pub token_in: TokenPlace,
    /// What it is called there.
    pub token_name: String,
    /// What stands before it there, e.g. `"Bearer "` in a header.
    pub token_prefix: String,
    /// Where the account's id is in the answer (a JSON pointer, RFC 6901): text or a whole number.
    pub account_id_pointer: String,
    /// Where the name is. Empty: there is none.
    pub display_name_pointer: String,
    /// Where the discriminator is. Empty: there is none.
    pub discriminator_pointer: String,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            method: Method::Post,
            timeout_ms: 5_000,
            headers: BTreeMap::new(),
            header_files: BTreeMap::new(),
            token_in: TokenPlace::Body,
            token_name: "providerToken".into(),
            token_prefix: String::new(),
            account_id_pointer: "/accountId".into(),
            display_name_pointer: "/displayName".into(),
            discriminator_pointer: "/discriminator".into(),
        }
    }
}

/// How a service is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// With a body.
    #[default]
    Post,
    /// Without.
    Get,
}

/// Where a service wants the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenPlace {
    /// In a JSON object.
    #[default]
    Body,
    /// In a header.
    Header,
    /// In the query.
    Query,
}
