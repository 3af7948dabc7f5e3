//! Sections of the providers that are asked by OAuth (protocol-pragma §4.4, §4.5). They share most
//! keys, so one macro writes them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Secret;

/// What a client brings (protocol-pragma §4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Told by its shape: three parts in base64url with a JSON header are an id token; anything else
    /// is a code, and an access token if no such code is known.
    #[default]
    Auto,
    /// An authorization code.
    Code,
    /// An access token.
    AccessToken,
    /// An id token.
    IdToken,
}

/// How an id token may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA, PKCS#1 v1.5, SHA-256.
    RS256,
    /// ECDSA on P-256, SHA-256.
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// The keys that all OAuth providers have.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// Our ids; the first redeems codes.
    pub client_ids: &'a [String],
    /// The secret.
    pub client_secret: &'a Secret,
    /// The file it is in.
    pub client_secret_file: Option<&'a Path>,
    /// Where codes are made for.
    pub redirect_uri: &'a str,
    /// What clients bring.
    pub token_kind: TokenKind,
    /// What consent is asked for.
    pub scopes: &'a str,
    /// The sign-in page; may be empty.
    pub authorize_url: &'a str,
    /// Where codes are redeemed; may be empty.
    pub token_url: &'a str,
}

/// Reads those keys of a section.
macro_rules! registration {
    ($name:ident) => {
        impl $name {
            /// The keys it shares with the other OAuth providers.
            pub fn registration(&self) -> $crate::config::identity::Registration<'_> {
                $crate::config::identity::Registration {
                    client_ids: &self.client_ids,
                    client_secret: &self.client_secret,
                    client_secret_file: self.client_secret_file.as_deref(),
                    redirect_uri: &self.redirect_uri,
                    token_kind: self.token_kind,
                    scopes: &self.scopes,
                    authorize_url: &self.authorize_url,
                    token_url: &self.token_url,
                }
            }
        }
    };
}
pub(super) use registration;

/// A section with the keys that all OAuth providers have, and its own.
macro_rules! section {
    (
        $(#[$doc:meta])* $name:ident;
        scopes = $scopes:expr;
        authorize_url = $authorize_url:expr;
        token_url = $token_url:expr;
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// Our client ids there: whom a token may be for. The first is the one that codes are
            /// redeemed with. Empty: the provider is not configured.
            pub client_ids: Vec<String>,
            /// The secret of the first client. Empty: codes are not taken.
            pub client_secret: Secret,
            /// A file with the secret, instead of `client_secret`.
            pub client_secret_file: Option<PathBuf>,
            /// The redirect address the codes are made for.
            pub redirect_uri: String,
            /// What clients bring: `auto` (told by its shape), `code`, `access_token` or `id_token`.
            pub token_kind: TokenKind,
            /// What sign-in pages ask the player's consent for, between spaces.
            pub scopes: String,
            /// Where the provider's sign-in page is. Empty: pages do not offer this provider.
            pub authorize_url: String,
            /// Where codes are redeemed. Empty, for Okta and Auth0: as the issuer publishes it.
            pub token_url: String,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        registration!($name);

        impl Default for $name {
            fn default() -> Self {
                Self {
                    client_ids: Vec::new(),
                    client_secret: Secret::default(),
                    client_secret_file: None,
                    redirect_uri: String::new(),
                    token_kind: TokenKind::Auto,
                    scopes: $scopes.into(),
                    authorize_url: $authorize_url.into(),
                    token_url: $token_url.into(),
                    $($field: $default,)*
                }
            }
        }
    };
}

section! {
    /// `[identity.epic]`: Epic Games.
    EpicConfig;
    scopes = "basic_profile";
    authorize_url = "https://www.epicgames.com/id/authorize";
    token_url = "https://api.epicgames.dev/epic/oauth/v2/token";
    /// Where Epic publishes its keys.
    jwks_url: String = "https://api.epicgames.dev/epic/oauth/v2/.well-known/jwks.json".into();
    /// Who the id tokens are from.
    issuers: Vec<String> = vec![
        "https://api.epicgames.dev/epic/oauth/v1".into(),
        "https://api.epicgames.dev/epic/oauth/v2".into(),
    ];
    /// Where Epic says whose an access token is.
    token_info_url: String = "https://api.epicgames.dev/epic/oauth/v2/tokenInfo".into();
    /// Where Epic tells names.
    accounts_url: String = "https://api.epicgames.dev/epic/id/v2/accounts".into();
}

section! {
    /// `[identity.discord]`: Discord.
    DiscordConfig;
    scopes = "identify";
    authorize_url = "https://discord.com/oauth2/authorize";
    token_url = "https://discord.com/api/oauth2/token";
    /// Discord's API.
    api_url: String = "https://discord.com/api".into();
    /// The server (guild) players must be members of. Empty: none.
    guild_id: String = String::new();
    /// The role they must have there. Empty: any.
    authorized_role_id: String = String::new();
    /// The token of a bot that is a member there; needed with `guild_id`.
    bot_token: Secret = Secret::default();
    /// A file with the token, instead of `bot_token`.
    bot_token_file: Option<PathBuf> = None;
}

section! {
    /// `[identity.twitch]`: Twitch.
    TwitchConfig;
    scopes = "";
    authorize_url = "https://id.twitch.tv/oauth2/authorize";
    token_url = "https://id.twitch.tv/oauth2/token";
    /// Where Twitch publishes its keys.
    jwks_url: String = "https://id.twitch.tv/oauth2/keys".into();
    /// Where Twitch says whose an access token is.
    validate_url: String = "https://id.twitch.tv/oauth2/validate".into();
    /// Where Twitch tells names.
    users_url: String = "https://api.twitch.tv/helix/users".into();
}

section! {
    /// `[identity.google_oauth]`: Google sign-in on web pages and through Pragma's protocol. The
    /// accounts are those of `[identity.google]`.
    GoogleOauthConfig;
    scopes = "openid";
    authorize_url = "https://accounts.google.com/o/oauth2/v2/auth";
    token_url = "https://oauth2.googleapis.com/token";
    /// Where Google publishes its keys.
    jwks_url: String = "https://www.googleapis.com/oauth2/v3/certs".into();
    /// Where Google says whose an access token is.
    token_info_url: String = "https://oauth2.googleapis.com/tokeninfo".into();
}

section! {
    /// `[identity.googleworkspace]`: Google sign-in for the people of Workspace domains.
    GoogleWorkspaceConfig;
    scopes = "openid email profile";
    authorize_url = "https://accounts.google.com/o/oauth2/v2/auth";
    token_url = "https://oauth2.googleapis.com/token";
    /// Where Google publishes its keys.
    jwks_url: String = "https://www.googleapis.com/oauth2/v3/certs".into();
    /// Domains whose people are let in. Empty: Google Workspace is not configured.
    allowed_domains: Vec<String> = Vec::new();
}

section! {
    /// `[identity.okta]` and `[identity.auth0]`: who publishes what they are at an issuer.
    IssuerConfig;
    scopes = "openid email profile";
    authorize_url = "";
    token_url = "";
    /// The issuer, e.g. `"https://example.okta.com/oauth2/default"` or
    /// `"https://example.eu.auth0.com/"`. Empty: the provider is not configured.
    issuer: String = String::new();
    /// How id tokens may be signed: `RS256`, `ES256`, `EdDSA`.
    algorithms: Vec<Algorithm> = vec![Algorithm::RS256];
    /// Groups of which players must be in one. Empty: any.
    allowed_groups: Vec<String> = Vec::new();
    /// The claim that lists a player's groups.
    groups_claim: String = "groups".into();
}
