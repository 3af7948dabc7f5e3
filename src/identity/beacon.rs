//! A public beacon: a value that nobody knew before its time, for a lottery.

use std::sync::Arc;

use serde::Deserialize;

use super::SetupError;
use super::figures::Figures;
use super::outbound::Outbound;
use crate::config::IdentityConfig;
use crate::domain::lottery::PublicSeed;

/// Fetches a beacon's values. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Beacon(Outbound);

/// What a beacon says of a round; the rest is skipped.
#[derive(Deserialize)]
struct Round {
    randomness: PublicSeed,
}

impl Beacon {
    /// With the limits of the one client that goes out.
    ///
    /// # Errors
    ///
    /// No client can be made.
    pub fn new(config: &IdentityConfig) -> Result<Self, SetupError> {
        Ok(Self(Outbound::new(config, Arc::new(Figures::new(&[])))?))
    }

    /// Whether a value may be fetched from there.
    ///
    /// # Errors
    ///
    /// As for the addresses of identity providers.
    pub fn check(&self, url: &str) -> Result<(), SetupError> {
        self.0.url("queue.opening.beacon_url", url).map(drop)
    }

    /// The value at this address: `randomness` in hex.
    ///
    /// # Errors
    ///
    /// Why there is none; asking again later may help.
    pub async fn fetch(&self, url: &str) -> Result<PublicSeed, &'static str> {
        let url = self.0.published(url).ok_or("its address cannot be used")?;
        let body = self.0.fetch(url).await?;
        let round: Round =
            serde_json::from_slice(&body).map_err(|_| "its answer has no randomness in hex")?;
        if round.randomness.is_empty() { Err("its answer is empty") } else { Ok(round.randomness) }
    }
}
