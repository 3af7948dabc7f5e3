//! `[identity]`: which identity providers may say who a player is, and with what credentials.
//!
//! A provider without credentials or audience is not configured and verifies nobody.

mod oauth;
mod secret;
mod studio;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use oauth::{
    Algorithm, DiscordConfig, EpicConfig, GoogleOauthConfig, GoogleWorkspaceConfig, IssuerConfig,
    Registration, TokenKind, TwitchConfig,
};
pub use secret::Secret;
pub use studio::{HttpConfig, Method, OidcConfig, StudioConfig, TokenPlace};

/// Settings of the identity providers (protocol-nakama §2.10–§2.16). The common ones; each provider
/// has a section of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// Whether providers may be at private, loopback and link-local addresses, and at http:// ones.
    /// For tests and development only.
    pub allow_private: bool,
    /// Time for a whole answer of a provider, in milliseconds. 50 to 60000.
    pub timeout_ms: u64,
    /// Largest answer of a provider, in bytes. 1024 to 16777216.
    pub response_max_bytes: usize,
    /// Requests to one provider at once; more are told to try again. 1 to 10000.
    pub concurrency: usize,
    /// How far a provider's clock may be off when the times in its tokens are checked, in seconds.
    /// 0 to 300.
    pub leeway_s: u64,
    /// How long a good answer to a token that costs a request is remembered, in seconds: a player who
    /// waits in line sends the same token again, and some can be redeemed only once. 0: not at all; to
    /// 3600.
    pub remember_s: u64,
    /// Answers remembered at once; the oldest go. 1 to 1000000.
    pub remember_max: usize,
    /// Providers of the studio's own: in place of this key one section `[[identity.studio]]` each, see
    /// docs/identity-providers.md. At most 154.
    pub studio: Vec<StudioConfig>,
    /// `[identity.apple]`
    pub apple: AppleConfig,
    /// `[identity.facebook]`
    pub facebook: FacebookConfig,
    /// `[identity.facebook_instant_game]`
    pub facebook_instant_game: FacebookInstantGameConfig,
    /// `[identity.gamecenter]`
    pub gamecenter: GameCenterConfig,
    /// `[identity.google]`
    pub google: GoogleConfig,
    /// `[identity.steam]`
    pub steam: SteamConfig,
    /// `[identity.xbox]`
    pub xbox: XboxConfig,
    /// `[identity.playstation]`
    pub playstation: PlayStationConfig,
    /// `[identity.nintendo]`
    pub nintendo: NintendoConfig,
    /// `[identity.epic]`
    pub epic: EpicConfig,
    /// `[identity.discord]`
    pub discord: DiscordConfig,
    /// `[identity.twitch]`
    pub twitch: TwitchConfig,
    /// `[identity.google_oauth]`
    pub google_oauth: GoogleOauthConfig,
    /// `[identity.googleworkspace]`
    pub googleworkspace: GoogleWorkspaceConfig,
    /// `[identity.okta]`
    pub okta: IssuerConfig,
    /// `[identity.auth0]`
    pub auth0: IssuerConfig,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            timeout_ms: 5_000,
            response_max_bytes: 262_144,
            concurrency: 64,
            leeway_s: 30,
            remember_s: 120,
            remember_max: 10_000,
            studio: Vec::new(),
            apple: AppleConfig::default(),
            facebook: FacebookConfig::default(),
            facebook_instant_game: FacebookInstantGameConfig::default(),
            gamecenter: GameCenterConfig::default(),
            google: GoogleConfig::default(),
            steam: SteamConfig::default(),
            xbox: XboxConfig::default(),
            playstation: PlayStationConfig::default(),
            nintendo: NintendoConfig::default(),
            epic: EpicConfig::default(),
            discord: DiscordConfig::default(),
            twitch: TwitchConfig::default(),
            google_oauth: GoogleOauthConfig::default(),
            googleworkspace: GoogleWorkspaceConfig::default(),
            okta: IssuerConfig::default(),
            auth0: IssuerConfig::default(),
        }
    }
}

/// `[identity.apple]`: Sign in with Apple.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct AppleConfig {
    /// Bundle and services ids whose tokens are taken. Empty: Apple is not configured.
    pub bundle_ids: Vec<String>,
    /// Where Apple publishes its keys.
    pub jwks_url: String,
    /// The developer team's id. With `key_id` and `private_key` authorization codes are taken, too.
    pub team_id: String,
    /// The id of the private key.
    pub key_id: String,
    /// The private key (the `.p8` file's PEM). Empty: codes are not taken.
    pub private_key: Secret,
    /// A file with the private key, instead of `private_key`.
    pub private_key_file: Option<PathBuf>,
    /// The id that codes are redeemed with. Empty: the first of `bundle_ids`.
    pub client_id: String,
    /// The redirect address the codes are made for. Empty: codes of native apps, which have none.
    pub redirect_uri: String,
    /// What clients bring through OAuth: `auto`, `code` or `id_token`.
    pub token_kind: TokenKind,
    /// Where Apple's sign-in page is.
    pub authorize_url: String,
    /// Where Apple redeems codes.
    pub token_url: String,
}

impl Default for AppleConfig {
    fn default() -> Self {
        Self {
            bundle_ids: Vec::new(),
            jwks_url: "https://appleid.apple.com/auth/keys".into(),
            team_id: String::new(),
            key_id: String::new(),
            private_key: Secret::default(),
            private_key_file: None,
            client_id: String::new(),
            redirect_uri: String::new(),
            token_kind: TokenKind::Auto,
            authorize_url: "https://appleid.apple.com/auth/authorize".into(),
            token_url: "https://appleid.apple.com/auth/token".into(),
        }
    }
}

/// `[identity.facebook]`: Facebook Login, limited and with access tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct FacebookConfig {
    /// The app's id. With the secret it is what access tokens are checked with; tokens of Limited
    /// Login may be for it, too.
    pub app_id: String,
    /// The app's secret. Empty: access tokens are not taken.
    pub app_secret: Secret,
    /// A file with the secret, instead of `app_secret`.
    pub app_secret_file: Option<PathBuf>,
    /// Further app ids whose Limited Login tokens are taken.
    pub limited_login_app_ids: Vec<String>,
    /// Facebook's Graph API, with its version.
    pub graph_url: String,
    /// Where Facebook publishes the keys of Limited Login.
    pub jwks_url: String,
}

impl Default for FacebookConfig {
    fn default() -> Self {
        Self {
            app_id: String::new(),
            app_secret: Secret::default(),
            app_secret_file: None,
            limited_login_app_ids: Vec::new(),
            graph_url: "https://graph.facebook.com/v22.0".into(),
            jwks_url: "https://limited.facebook.com/.well-known/oauth/openid/jwks/".into(),
        }
    }
}

/// `[identity.facebook_instant_game]`: Facebook Instant Games.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct FacebookInstantGameConfig {
    /// The app's secret. Empty: Facebook Instant Games is not configured.
    pub app_secret: Secret,
    /// A file with the secret, instead of `app_secret`.
    pub app_secret_file: Option<PathBuf>,
    /// Oldest signature taken, in seconds. 0: any; to 31536000.
    pub max_age_s: u64,
}

impl Default for FacebookInstantGameConfig {
    fn default() -> Self {
        Self { app_secret: Secret::default(), app_secret_file: None, max_age_s: 86_400 }
    }
}

/// `[identity.gamecenter]`: Apple's Game Center.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct GameCenterConfig {
    /// Bundle ids whose signatures are taken. Empty: Game Center is not configured.
    pub bundle_ids: Vec<String>,
    /// What the address of a certificate must start with; behind it only the name of a .cer file.
    pub public_key_urls: Vec<String>,
    /// Oldest signature taken, in seconds. 1 to 86400.
    pub max_age_s: u64,
    /// Organization the certificate must be for. Empty: any.
    pub organization: String,
    /// Root certificates (PEM) the certificate must lead to. Not set: those of this machine.
    pub roots_file: Option<PathBuf>,
    /// Issuing certificates (PEM) between certificate and root, so that none need be fetched.
    pub issuers_file: Option<PathBuf>,
    /// Hosts an issuing certificate may be fetched from when the certificate names its address
    /// there. Http is fine: what comes from there is believed only if a root vouches for it.
    pub issuer_hosts: Vec<String>,
}

impl Default for GameCenterConfig {
    fn default() -> Self {
        Self {
            bundle_ids: Vec::new(),
            public_key_urls: vec!["https://static.gc.apple.com/public-key/".into()],
            max_age_s: 600,
            organization: "Apple Inc.".into(),
            roots_file: None,
            issuers_file: None,
            issuer_hosts: vec!["cacerts.digicert.com".into()],
        }
    }
}

/// `[identity.google]`: Google sign-in and Play Games.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleConfig {
    /// OAuth client ids whose id tokens are taken. Empty: id tokens are not taken.
    pub client_ids: Vec<String>,
    /// Where Google publishes its certificates.
    pub certs_url: String,
    /// The text of Google's client JSON, to redeem server auth codes of Play Games. Empty: codes are
    /// not taken.
    pub credentials_json: Secret,
    /// A file with the client JSON, instead of `credentials_json`.
    pub credentials_json_file: Option<PathBuf>,
    /// Google's Play Games API.
    pub games_url: String,
}

impl Default for GoogleConfig {
    fn default() -> Self {
        Self {
            client_ids: Vec::new(),
            certs_url: "https://www.googleapis.com/oauth2/v1/certs".into(),
            credentials_json: Secret::default(),
            credentials_json_file: None,
            games_url: "https://www.googleapis.com/games/v1".into(),
        }
    }
}

/// `[identity.steam]`: Steam session tickets and sign-in through Steam's web pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct SteamConfig {
    /// The app's id. 0: tickets are not taken.
    pub app_id: u32,
    /// The publisher's Web API key; an ordinary one does not work. Empty: tickets are not taken.
    pub publisher_key: Secret,
    /// A file with the key, instead of `publisher_key`.
    pub publisher_key_file: Option<PathBuf>,
    /// Steam's partner API.
    pub api_url: String,
    /// The identity that tickets are made for with `GetAuthTicketForWebApi`. Empty: none.
    pub ticket_identity: String,
    /// Whether players with a VAC ban are refused.
    pub refuse_vac_banned: bool,
    /// Whether players with a ban of the publisher are refused. Steam tells it of tickets only.
    pub refuse_publisher_banned: bool,
    /// Whether players who do not own the app, or only try it for a while, are refused.
    pub restrict_by_app_ownership: bool,
    /// Web sites (origins, e.g. `"https://game.example"`) that Steam's OpenID assertions may be made
    /// for; `"*"`: any, which lets every web site that players sign in to sign in as them here.
    /// Empty: assertions are not taken.
    pub openid_return_to: Vec<String>,
    /// Steam's OpenID endpoint.
    pub openid_url: String,
}

impl Default for SteamConfig {
    fn default() -> Self {
        Self {
            app_id: 0,
            publisher_key: Secret::default(),
            publisher_key_file: None,
            api_url: "https://partner.steam-api.com".into(),
            ticket_identity: String::new(),
            refuse_vac_banned: false,
            refuse_publisher_banned: true,
            restrict_by_app_ownership: false,
            openid_return_to: Vec::new(),
            openid_url: "https://steamcommunity.com/openid/login".into(),
        }
    }
}

/// `[identity.xbox]`: Xbox Live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct XboxConfig {
    /// Whether XSTS tokens for `http://xboxlive.com` are taken. Such a token says who the player is,
    /// not which title it was made for: see docs/identity-providers.md before switching it on.
    pub enabled: bool,
    /// Xbox Live's profile service.
    pub profile_url: String,
}

impl Default for XboxConfig {
    fn default() -> Self {
        Self { enabled: false, profile_url: "https://profile.xboxlive.com".into() }
    }
}

/// `[identity.playstation]`: `PlayStation` Network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct PlayStationConfig {
    /// The client's id. Empty: `PlayStation` is not configured.
    pub client_id: String,
    /// The client's secret. Empty: `PlayStation` is not configured.
    pub client_secret: Secret,
    /// A file with the secret, instead of `client_secret`.
    pub client_secret_file: Option<PathBuf>,
    /// The redirect address the client's codes are made for.
    pub redirect_uri: String,
    /// `PlayStation`'s OAuth service: codes are redeemed at `/token` below it.
    pub oauth_url: String,
}

impl Default for PlayStationConfig {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_secret: Secret::default(),
            client_secret_file: None,
            redirect_uri: String::new(),
            oauth_url: "https://ca.account.sony.com/api/authz/v3/oauth".into(),
        }
    }
}

/// `[identity.nintendo]`: Nintendo service accounts. All three come with the developer's contract.
#[derive(
    Clone, Debug, Default, PartialEq, Serialize, Deserialize, documented::DocumentedFields,
)]
#[serde(default, deny_unknown_fields)]
pub struct NintendoConfig {
    /// Where Nintendo publishes its keys. Empty: Nintendo is not configured.
    pub jwks_url: String,
    /// Who the tokens are from. Empty: Nintendo is not configured.
    pub issuer: String,
    /// Whom the tokens are for. Empty: Nintendo is not configured.
    pub audiences: Vec<String>,
}
