//! All providers, and which of them a proof goes to.

use std::sync::Arc;

use super::apple::Apple;
use super::facebook::Facebook;
use super::figures::Figures;
use super::gamecenter::GameCenter;
use super::google::Google;
use super::instant::Instant;
use super::nintendo::Nintendo;
use super::playstation::PlayStation;
use super::remembered::Remembered;
use super::steam::Steam;
use super::xbox::Xbox;
use super::{Common, IdentityError, Proof, SetupError, Shown, Verified};
use crate::clock::Clock;
use crate::config::IdentityConfig;
use crate::domain::account::{Link, LinkKind};
use crate::ids::Dice;

/// Every provider. Cheap to clone. Its futures need a tokio runtime with time and network.
#[derive(Clone, Debug)]
pub struct Providers {
    all: Arc<All>,
    remembered: Remembered,
    figures: Arc<Figures>,
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
}

impl Providers {
    /// The providers as configured.
    ///
    /// # Errors
    ///
    /// [`SetupError`]: settings of a configured provider cannot be used.
    pub fn new(config: &IdentityConfig, clock: Clock, dice: &Dice) -> Result<Self, SetupError> {
        let figures = Arc::<Figures>::default();
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
        };
        Ok(Self { all: Arc::new(all), remembered, figures })
    }

    /// Whether the settings let this provider verify anybody.
    pub fn is_configured(&self, kind: LinkKind) -> bool {
        match kind {
            LinkKind::Apple => self.all.apple.is_some(),
            LinkKind::Facebook => self.all.facebook.is_some(),
            LinkKind::FacebookInstantGame => self.all.instant.is_some(),
            LinkKind::GameCenter => self.all.gamecenter.is_some(),
            LinkKind::Google => self.all.google.is_some(),
            LinkKind::Steam => self.all.steam.is_some(),
            LinkKind::Xbox => self.all.xbox.is_some(),
            LinkKind::PlayStation => self.all.playstation.is_some(),
            LinkKind::Nintendo => self.all.nintendo.is_some(),
            _ => false,
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
        let result = match proof.costly() {
            Some(token) if self.is_configured(kind) => {
                let (all, proof) = (Arc::clone(&self.all), proof.clone());
                let ask = async move { all.verify(&proof).await };
                self.remembered.or_ask(kind, token, ask).await
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

    /// The name a verified player goes by at the provider: asked for where the check did not tell.
    /// Nothing depends on it, so an outage is an empty name.
    pub async fn shown(&self, verified: &Verified) -> Shown {
        verified.shown.clone()
    }

    /// What came of it so far.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    fn note(&self, kind: LinkKind, result: &Result<Verified, IdentityError>) {
        self.figures.count(kind, result);
        match result {
            Err(error @ IdentityError::Unavailable(..)) => {
                tracing::info!(provider = kind.name(), %error, "a player could not be verified");
            }
            Err(error) => {
                tracing::debug!(provider = kind.name(), %error, "a player was not verified");
            }
            Ok(_) => {}
        }
    }
}

impl All {
    async fn verify(&self, proof: &Proof) -> Result<Verified, IdentityError> {
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
            _ => Err(off),
        }
    }
}

impl Proof {
    /// The token, if to check it costs a request or can be done only once.
    fn costly(&self) -> Option<&str> {
        match self {
            Self::Facebook(token) if Facebook::is_access_token(token) => Some(token),
            Self::Google(code) if Google::is_code(code) => Some(code),
            Self::Steam(token) | Self::Xbox(token) | Self::PlayStation(token) => Some(token),
            _ => None,
        }
    }
}
