//! Identity providers: who says so? One file for each, one way to ask.
//!
//! A provider gets a [`Proof`] that a client brought and answers with a [`Verified`] link, or not
//! at all. An outage is [`IdentityError::Unavailable`], never a yes. `docs/identity-providers.md`
//! says what each checks.
//!
//! [`outbound`] is the only way out; [`jwks`] and [`jwt`] are what most providers share, [`oauth`] and
//! [`oidc`] what those of Pragma's table do, [`ceremony`] how operators sign in by some of them; [`studio`] are the studio's own;
//! [`remembered`] keeps a token from being asked about twice. [`webhook`] goes the same way out to the
//! studio's hooks.

mod address;
mod apple;
mod beacon;
mod ceremony;
mod chain;
mod discord;
mod discovery;
mod dry_call;
mod epic;
mod facebook;
mod facts;
pub mod figures;
mod gamecenter;
mod google;
mod google_oauth;
mod graph;
mod http_service;
mod instant;
mod issuer;
mod jwks;
mod jwt;
mod nintendo;
mod oauth;
mod oidc;
mod outbound;
mod own;
mod playstation;
mod providers;
mod remembered;
mod setup;
mod steam;
mod steam_openid;
mod studio;
mod twitch;
pub mod webhook;
mod xbox;

pub use beacon::Beacon;
pub use ceremony::{Returned, Trip};
pub use dry_call::DryCall;
pub use oauth::Portal;
pub use outbound::collector_client;
pub use own::{BoxFuture, OwnAccount, OwnError, OwnProvider};
pub use providers::Providers;
pub use setup::SetupError;
pub use studio::StudioName;

use setup::{Common, named, secret};
use zeroize::Zeroizing;

use crate::domain::account::{Link, LinkKind, Profile};
use crate::domain::digest::hex;

/// What a client brings to prove who they are at a provider. Never logged, wiped when dropped.
#[derive(Clone)]
pub enum Proof {
    /// Apple's identity token.
    Apple(Zeroizing<String>),
    /// Facebook: a Limited Login token or a Graph access token.
    Facebook(Zeroizing<String>),
    /// Facebook Instant Games: signed player info.
    FacebookInstantGame(Zeroizing<String>),
    /// Apple's Game Center.
    GameCenter(GameCenterProof),
    /// Google: an OpenID token or a server auth code of Play Games.
    Google(Zeroizing<String>),
    /// Steam: a session ticket in hex.
    Steam(Zeroizing<String>),
    /// Xbox: an XSTS token.
    Xbox(Zeroizing<String>),
    /// `PlayStation`: an authorization code.
    PlayStation(Zeroizing<String>),
    /// Nintendo: an NSA id token.
    Nintendo(Zeroizing<String>),
    /// Apple through OAuth: an identity token or an authorization code (protocol-pragma §4.4).
    AppleOauth(Zeroizing<String>),
    /// Google through OAuth: an id token, an access token or an authorization code.
    GoogleOauth(Zeroizing<String>),
    /// Google for the people of a Workspace domain, as [`Self::GoogleOauth`].
    GoogleWorkspace(Zeroizing<String>),
    /// Steam's OpenID assertion: a JSON object as text.
    SteamOpenId(Zeroizing<String>),
    /// Epic: an id token, an access token or an authorization code.
    Epic(Zeroizing<String>),
    /// Discord: an access token or an authorization code.
    Discord(Zeroizing<String>),
    /// Twitch: an id token, an access token or an authorization code.
    Twitch(Zeroizing<String>),
    /// Okta: an id token, an access token or an authorization code.
    Okta(Zeroizing<String>),
    /// Auth0: an id token, an access token or an authorization code.
    Auth0(Zeroizing<String>),
    /// A studio's own provider, by its number: whatever that takes.
    Studio(u8, Zeroizing<String>),
}

/// The fields of a Game Center sign-in (protocol-nakama §2.13), all present.
#[derive(Clone)]
pub struct GameCenterProof {
    /// Player id.
    pub player_id: String,
    /// The app's bundle id.
    pub bundle_id: String,
    /// When it was signed; milliseconds, whatever its name says.
    pub timestamp: i64,
    /// Base64.
    pub salt: String,
    /// Base64.
    pub signature: String,
    /// Where the certificate is.
    pub public_key_url: String,
}

impl Proof {
    /// The kind of link it proves.
    pub const fn kind(&self) -> LinkKind {
        match self {
            Self::Apple(_) | Self::AppleOauth(_) => LinkKind::Apple,
            Self::Facebook(_) => LinkKind::Facebook,
            Self::FacebookInstantGame(_) => LinkKind::FacebookInstantGame,
            Self::GameCenter(_) => LinkKind::GameCenter,
            Self::Google(_) | Self::GoogleOauth(_) => LinkKind::Google,
            Self::Steam(_) | Self::SteamOpenId(_) => LinkKind::Steam,
            Self::Xbox(_) => LinkKind::Xbox,
            Self::PlayStation(_) => LinkKind::PlayStation,
            Self::Nintendo(_) => LinkKind::Nintendo,
            Self::GoogleWorkspace(_) => LinkKind::GoogleWorkspace,
            Self::Epic(_) => LinkKind::Epic,
            Self::Discord(_) => LinkKind::Discord,
            Self::Twitch(_) => LinkKind::Twitch,
            Self::Okta(_) => LinkKind::Okta,
            Self::Auth0(_) => LinkKind::Auth0,
            Self::Studio(number, _) => LinkKind::Studio(*number),
        }
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({})", self.kind().name())
    }
}

/// A player as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The link that is proven.
    pub link: Link,
    /// Where the same player's link was kept before the provider gave them a new id
    /// (protocol-nakama §2.14): an account that holds only this one moves to the new id.
    pub formerly: Option<Link>,
    /// What else the provider says.
    pub profile: Profile,
    /// The name the player goes by there; empty: it is not told (see [`Providers::shown`]).
    pub shown: Shown,
}

/// A player's name at a provider (protocol-pragma §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The name.
    pub name: String,
    /// What tells it from the same name of others; empty: the provider has no such thing.
    pub discriminator: String,
}

impl Verified {
    /// A link that proves itself, with nothing beside it.
    pub fn of(link: Link) -> Self {
        Self { link, formerly: None, profile: Profile::default(), shown: Shown::default() }
    }
}

/// Why a proof was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The settings name no credentials or audience for this provider.
    #[error("{} is not configured", .0.name())]
    NotConfigured(LinkKind),
    /// The proof is wrong, expired, of another app, or the provider does not know it. The reason is
    /// for logs, never for the caller; it holds nothing secret.
    #[error("{} refused: {}", .0.name(), .1)]
    Refused(LinkKind, &'static str),
    /// The player is known there, but has yet to be verified: an e-mail address, mostly.
    #[error("{} has not verified: {}", .0.name(), .1)]
    Unverified(LinkKind, &'static str),
    /// The provider could not be asked, answered garbage, or too many wait for it: try again.
    #[error("{} is unavailable: {}", .0.name(), .1)]
    Unavailable(LinkKind, &'static str),
}
