//! All providers, and which of them a proof goes to.

use std::sync::Arc;

use super::apple::Apple;
use super::ceremony::{self, Ceremony, Page, Returned, Trip};
use super::discord::Discord;
use super::epic::Epic;
use super::facebook::Facebook;
use super::figures::Figures;
use super::gamecenter::GameCenter;
use super::google::Google;
use super::google_oauth::{GoogleOauth, GoogleWorkspace};
use super::instant::Instant;
use super::issuer::Issuer;
use super::nintendo::Nintendo;
use super::oauth::{self, Brought, Door, Portal};
use super::own::OwnProvider;
use super::playstation::PlayStation;
use super::remembered::Remembered;
use super::steam::Steam;
use super::studio::{self, Studio, StudioName};
use super::twitch::Twitch;
use super::xbox::Xbox;
use super::{Common, IdentityError, Proof, SetupError, Shown, Verified};
use crate::clock::Clock;
use crate::config::IdentityConfig;
use crate::domain::account::{Link, LinkKind};
use crate::ids::Dice;

type Outcome = Result<Verified, IdentityError>;

/// Every provider. Cheap to clone. Its futures need a tokio runtime with time and network.
#[derive(Clone, Debug)]
pub struct Providers {
    all: Arc<All>,
    remembered: Remembered,
    figures: Arc<Figures>,
    studio: Arc<[StudioName]>,
}

/// Those that are configured.
#[derive(Debug)]
struct All {
    apple: Option<Apple>,
    facebook: Option<Facebook>,
    instant: Option<Instant>,
    gamecenter: Option<GameCenter>,
    google: Option<Google>,
    steam: Option<Steam>,
    xbox: Option<Xbox>,
    playstation: Option<PlayStation>,
    nintendo: Option<Nintendo>,
    google_oauth: Option<GoogleOauth>,
    workspace: Option<GoogleWorkspace>,
    epic: Option<Epic>,
    discord: Option<Discord>,
    twitch: Option<Twitch>,
    okta: Option<Issuer>,
    auth0: Option<Issuer>,
    studio: Studio,
}

impl Providers {
    /// The providers as configured, and those that a studio compiled in.
    ///
    /// # Errors
    ///
    /// [`SetupError`]: settings of a configured provider cannot be used, or two have one number or
    /// name.
    pub fn new(
        config: &IdentityConfig,
        clock: Clock,
        dice: &Dice,
        own: Vec<Arc<dyn OwnProvider>>,
    ) -> Result<Self, SetupError> {
        let names = studio::names(&config.studio, &own)?;
        let figures = Arc::new(Figures::new(&names));
        let remembered =
            Remembered::new(clock.clone(), dice, config.remember_s, config.remember_max);
        let common = Common::new(config, clock, Arc::clone(&figures))?;
        let all = All {
            apple: Apple::new(&config.apple, &common)?,
            facebook: Facebook::new(&config.facebook, &common)?,
            instant: Instant::new(&config.facebook_instant_game, &common)?,
            gamecenter: GameCenter::new(&config.gamecenter, &common)?,
            google: Google::new(&config.google, &common)?,
            steam: Steam::new(&config.steam, &common)?,
            xbox: Xbox::new(&config.xbox, &common)?,
            playstation: PlayStation::new(&config.playstation, &common)?,
            nintendo: Nintendo::new(&config.nintendo, &common)?,
            google_oauth: GoogleOauth::new(&config.google_oauth, &common)?,
            workspace: GoogleWorkspace::new(&config.googleworkspace, &common)?,
            epic: Epic::new(&config.epic, &common)?,
            discord: Discord::new(&config.discord, &common)?,
            twitch: Twitch::new(&config.twitch, &common)?,
            okta: Issuer::known(LinkKind::Okta, &config.okta, &common)?,
            auth0: Issuer::known(LinkKind::Auth0, &config.auth0, &common)?,
            studio: Studio::new(config, own, &common)?,
        };
        Ok(Self { all: Arc::new(all), remembered, figures, studio: names.into() })
    }

    /// Whether the settings let this provider verify anybody, whatever they bring.
    pub fn is_configured(&self, kind: LinkKind) -> bool {
        let all = &self.all;
        match kind {
            LinkKind::Google => all.google.is_some() || all.google_oauth.is_some(),
            LinkKind::Steam => all.steam.is_some(),
            LinkKind::Facebook => all.facebook.is_some(),
            LinkKind::FacebookInstantGame => all.instant.is_some(),
            LinkKind::GameCenter => all.gamecenter.is_some(),
            LinkKind::Xbox => all.xbox.is_some(),
            LinkKind::PlayStation => all.playstation.is_some(),
            LinkKind::Nintendo => all.nintendo.is_some(),
            LinkKind::Apple => all.apple.is_some(),
            LinkKind::Epic => all.epic.is_some(),
            LinkKind::Discord => all.discord.is_some(),
            LinkKind::Twitch => all.twitch.is_some(),
            LinkKind::Okta => all.okta.is_some(),
            LinkKind::Auth0 => all.auth0.is_some(),
            LinkKind::GoogleWorkspace => all.workspace.is_some(),
            LinkKind::Studio(number) => all.studio.has(number),
            LinkKind::Device | LinkKind::Custom | LinkKind::Email | LinkKind::Unsafe => false,
        }
    }

    /// Whether the settings let anybody be verified by a proof of this sort: Google, Steam and Apple
    /// have several, each configured on its own.
    pub fn takes(&self, proof: &Proof) -> bool {
        let all = &self.all;
        match proof {
            Proof::Google(_) => all.google.is_some(),
            Proof::GoogleOauth(_) => all.google_oauth.is_some(),
            Proof::Steam(_) => all.steam.as_ref().is_some_and(Steam::takes_tickets),
            Proof::SteamOpenId(_) => all.steam.as_ref().is_some_and(Steam::takes_assertions),
            other => self.is_configured(other.kind()),
        }
    }

    /// The studio's own providers, by number.
    pub fn studio(&self) -> &[StudioName] {
        &self.studio
    }

    /// What a sign-in page needs to send a player to this provider; `None`: it is not configured for
    /// codes, or has no such page. A code that comes back is a proof through OAuth.
    pub fn portal(&self, kind: LinkKind) -> Option<Portal> {
        fn of<D: Door>(door: Option<&D>) -> Option<&Portal> {
            door?.client().portal()
        }
        let all = &self.all;
        let portal = match kind {
            LinkKind::Apple => all.apple.as_ref()?.portal(),
            LinkKind::Google => of(all.google_oauth.as_ref()),
            LinkKind::Epic => of(all.epic.as_ref()),
            LinkKind::Discord => of(all.discord.as_ref()),
            LinkKind::Twitch => of(all.twitch.as_ref()),
            LinkKind::Okta => of(all.okta.as_ref()),
            LinkKind::Auth0 => of(all.auth0.as_ref()),
            LinkKind::GoogleWorkspace => of(all.workspace.as_ref()),
            LinkKind::Studio(number) => return all.studio.portal(number),
            _ => None,
        };
        portal.cloned()
    }

    /// Where to send an operator who signs in by this provider; `None`: it is not configured for that.
    pub fn address(&self, kind: LinkKind, trip: &Trip<'_>) -> Option<String> {
        let (page, ceremony) = self.page(kind)?;
        Some(page.address(ceremony, trip))
    }

    /// Whether this provider asks its people anew who they are, and says when they showed it.
    pub fn asks_anew(&self, kind: LinkKind) -> bool {
        self.page(kind).is_some_and(|(_, ceremony)| ceremony == Ceremony::Oidc)
    }

    /// Asks the provider which operator came back from its page with this code. Nothing is remembered:
    /// the code is good once.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub async fn returned(
        &self,
        kind: LinkKind,
        code: &str,
        trip: &Trip<'_>,
    ) -> Result<Returned, IdentityError> {
        let all = &self.all;
        let back = match kind {
            LinkKind::Google => {
                ceremony::returned(all.google_oauth.as_ref(), kind, code, trip).await
            }
            LinkKind::GoogleWorkspace => {
                ceremony::returned(all.workspace.as_ref(), kind, code, trip).await
            }
            LinkKind::Discord => ceremony::returned(all.discord.as_ref(), kind, code, trip).await,
            LinkKind::Okta => ceremony::returned(all.okta.as_ref(), kind, code, trip).await,
            LinkKind::Auth0 => ceremony::returned(all.auth0.as_ref(), kind, code, trip).await,
            LinkKind::Studio(number) => {
                ceremony::returned(all.studio.issuer(number), kind, code, trip).await
            }
            _ => Err(IdentityError::NotConfigured(kind)),
        };
        self.note(kind, &back.as_ref().map(|back| back.verified.clone()).map_err(Clone::clone));
        back
    }

    fn page(&self, kind: LinkKind) -> Option<(Page, Ceremony)> {
        let all = &self.all;
        match kind {
            LinkKind::Google => ceremony::page_of(all.google_oauth.as_ref()),
            LinkKind::GoogleWorkspace => ceremony::page_of(all.workspace.as_ref()),
            LinkKind::Discord => ceremony::page_of(all.discord.as_ref()),
            LinkKind::Okta => ceremony::page_of(all.okta.as_ref()),
            LinkKind::Auth0 => ceremony::page_of(all.auth0.as_ref()),
            LinkKind::Studio(number) => ceremony::page_of(all.studio.issuer(number)),
            _ => None,
        }
    }

    /// Asks the provider who brought this proof. Tokens that cost a request are asked about once,
    /// and their good answers remembered for a while.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub async fn verify(&self, proof: &Proof) -> Result<Verified, IdentityError> {
        let kind = proof.kind();
        let result = match self.all.costly(proof) {
            Some(token) if self.takes(proof) => {
                let (all, door, ours) = (Arc::clone(&self.all), proof.door(), proof.clone());
                let ask = async move { all.verify(&ours).await };
                self.remembered.or_ask(kind, door, token, ask).await
            }
            _ => self.all.verify(proof).await,
        };
        self.note(kind, &result);
        result
    }

    /// The player's friends at the provider, as links of the same kind (Facebook and Steam,
    /// protocol-nakama §6.7). A private list is an empty one.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub async fn friends(&self, proof: &Proof) -> Result<Vec<Link>, IdentityError> {
        let kind = proof.kind();
        // Facebook's check of the token's app and Steam's of the ticket come first.
        let verified = self.verify(proof).await?;
        let result = match (proof, &self.all.facebook, &self.all.steam) {
            (Proof::Facebook(token), Some(facebook), _) => facebook.friends(token).await,
            (Proof::Steam(_), _, Some(steam)) => steam.friends(&verified.link).await,
            _ => Err(IdentityError::Refused(kind, "it tells no friends")),
        };
        if let Err(error) = &result {
            tracing::info!(provider = kind.name(), %error, "no friends of an identity provider");
        }
        result
    }

    /// The name a verified player goes by at the provider: asked for where the check did not tell,
    /// which is Steam. Nothing depends on it, so an outage is an empty name. Google's and Apple's
    /// players stay without one (protocol-pragma §4.4).
    pub async fn shown(&self, verified: &Verified) -> Shown {
        match (&self.all.steam, verified.link.kind) {
            (Some(steam), LinkKind::Steam) if verified.shown.name.is_empty() => {
                steam.shown(&verified.link.id).await
            }
            _ => verified.shown.clone(),
        }
    }

    /// What came of it so far.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    fn note(&self, kind: LinkKind, result: &Result<Verified, IdentityError>) {
        self.figures.count(kind, result);
        let provider = self.figures.word(kind);
        match result {
            Err(error @ IdentityError::Unavailable(..)) => {
                tracing::info!(provider, %error, "a player could not be verified");
            }
            Err(error) => {
                tracing::debug!(provider, %error, "a player was not verified");
            }
            Ok(_) => {}
        }
    }
}

/// Asks a provider that is asked by OAuth.
async fn oauth<D: Door>(door: Option<&D>, proof: &Proof, text: &str) -> Outcome {
    oauth::verify(door.ok_or(IdentityError::NotConfigured(proof.kind()))?, text).await
}

/// Whether what was brought has to be asked about.
fn is_asked<D: Door>(door: Option<&D>, text: &str) -> bool {
    let brought = door.and_then(|door| door.client().brought(text));
    brought.is_some_and(|brought| brought != Brought::IdToken)
}

impl All {
    async fn verify(&self, proof: &Proof) -> Outcome {
        let off = IdentityError::NotConfigured(proof.kind());
        match proof {
            Proof::Apple(token) => self.apple.as_ref().ok_or(off)?.verify(token).await,
            Proof::Facebook(token) => self.facebook.as_ref().ok_or(off)?.verify(token).await,
            Proof::FacebookInstantGame(info) => self.instant.as_ref().ok_or(off)?.verify(info),
            Proof::GameCenter(proof) => self.gamecenter.as_ref().ok_or(off)?.verify(proof).await,
            Proof::Google(token) => self.google.as_ref().ok_or(off)?.verify(token).await,
            Proof::Steam(ticket) => self.steam.as_ref().ok_or(off)?.verify(ticket).await,
            Proof::Xbox(token) => self.xbox.as_ref().ok_or(off)?.verify(token).await,
            Proof::PlayStation(code) => self.playstation.as_ref().ok_or(off)?.verify(code).await,
            Proof::Nintendo(token) => self.nintendo.as_ref().ok_or(off)?.verify(token).await,
            Proof::AppleOauth(text) => self.apple.as_ref().ok_or(off)?.verify_oauth(text).await,
            Proof::SteamOpenId(text) => self.steam.as_ref().ok_or(off)?.verify_openid(text).await,
            Proof::GoogleOauth(text) => oauth(self.google_oauth.as_ref(), proof, text).await,
            Proof::GoogleWorkspace(text) => oauth(self.workspace.as_ref(), proof, text).await,
            Proof::Epic(text) => oauth(self.epic.as_ref(), proof, text).await,
            Proof::Discord(text) => oauth(self.discord.as_ref(), proof, text).await,
            Proof::Twitch(text) => oauth(self.twitch.as_ref(), proof, text).await,
            Proof::Okta(text) => oauth(self.okta.as_ref(), proof, text).await,
            Proof::Auth0(text) => oauth(self.auth0.as_ref(), proof, text).await,
            Proof::Studio(number, text) => self.studio.verify(*number, text).await,
        }
    }

    /// The text, if to check it costs a request or can be done only once.
    fn costly<'a>(&self, proof: &'a Proof) -> Option<&'a str> {
        let (text, is_costly) = match proof {
            Proof::Facebook(text) => (text, Facebook::is_access_token(text)),
            Proof::Google(text) => (text, Google::is_code(text)),
            Proof::Steam(text)
            | Proof::Xbox(text)
            | Proof::PlayStation(text)
            | Proof::SteamOpenId(text) => (text, true),
            Proof::AppleOauth(text) => {
                let brought = self.apple.as_ref().and_then(|apple| apple.brought(text));
                (text, brought == Some(Brought::Code))
            }
            Proof::GoogleOauth(text) => (text, is_asked(self.google_oauth.as_ref(), text)),
            Proof::GoogleWorkspace(text) => (text, is_asked(self.workspace.as_ref(), text)),
            Proof::Epic(text) => (text, is_asked(self.epic.as_ref(), text)),
            Proof::Discord(text) => (text, is_asked(self.discord.as_ref(), text)),
            Proof::Twitch(text) => (text, is_asked(self.twitch.as_ref(), text)),
            Proof::Okta(text) => (text, is_asked(self.okta.as_ref(), text)),
            Proof::Auth0(text) => (text, is_asked(self.auth0.as_ref(), text)),
            Proof::Studio(number, text) => (text, self.studio.is_costly(*number, text)),
            Proof::Apple(_)
            | Proof::FacebookInstantGame(_)
            | Proof::GameCenter(_)
            | Proof::Nintendo(_) => return None,
        };
        is_costly.then_some(text.as_str())
    }
}

impl Proof {
    /// Tells apart the ways to prove a link of one kind: the same text may be something else there.
    const fn door(&self) -> u8 {
        match self {
            Self::AppleOauth(_) | Self::GoogleOauth(_) | Self::SteamOpenId(_) => 1,
            _ => 0,
        }
    }
}
