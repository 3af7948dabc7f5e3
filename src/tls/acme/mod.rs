//! Certificates that the server fetches itself (ACME, RFC 8555), proven by TLS at its own ports
//! (TLS-ALPN-01, RFC 8737). Only where the program was built with the feature `acme`.
//!
//! `order` asks the authority, [`Challenges`] answers it, [`Keeper`] knows when, and puts what came into
//! the files of the settings, from where it is taken as any other renewal.

mod challenges;
mod files;
mod order;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(super) use challenges::{Challenges, PROTOCOL, is_challenge};
pub(super) use files::placeholder;

use super::Certificates;
use crate::clock::Clock;
use crate::config::TlsConfig;
use crate::domain::renewal::Renewal;

/// How long an authority may take, with all that it asks.
const WITHIN: Duration = Duration::from_mins(3);

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    /// The authority says no, or says nothing.
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    /// It refuses, and does not say why.
    #[error("the authority refuses the order")]
    Refused,
    /// It wants to be shown something else.
    #[error("the authority does not offer TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    /// It takes too long.
    #[error("the authority took longer than {} s", WITHIN.as_secs())]
    Late,
    /// A certificate cannot be made.
    #[error("{0}")]
    Making(#[from] rcgen::Error),
    /// A key cannot be used.
    #[error("{0}")]
    Key(#[from] rustls::Error),
    /// A file.
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
}

/// Sees to it that the certificate in the files is one of the authority's and does not lapse.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    config: TlsConfig,
    clock: Clock,
    certificates: Certificates,
    renewal: Mutex<Renewal>,
}

impl Keeper {
    /// `None`: certificates come by files.
    pub fn new(config: &TlsConfig, clock: &Clock, certificates: &Certificates) -> Option<Self> {
        config.acme.is_on().then(|| {
            Self(Arc::new(Inner {
                config: config.clone(),
                clock: clock.clone(),
                certificates: certificates.clone(),
                renewal: Mutex::default(),
            }))
        })
    }

    /// Fetches a certificate if it is time. One at a time is for the caller to see to.
    pub async fn look(&self) {
        let Inner { config, clock, certificates, .. } = &*self.0;
        let in_force = certificates.fetched();
        if !self.renewal().is_due(in_force.as_ref(), &config.acme.domains, clock.now()) {
            return;
        }
        tracing::info!(domains = ?config.acme.domains, "asking the authority for a certificate");
        let order = order::order(config, certificates.challenges());
        let done = tokio::time::timeout(WITHIN, order).await.unwrap_or(Err(AcmeError::Late));
        certificates.challenges().clear();
        match done.and_then(|issued| files::write(config, &issued)) {
            Ok(()) => {
                certificates.figures().count_order(true);
                // What was written is what the authority gave: a clock that is off may still refuse it.
                let renewed = certificates.renew();
                match renewed.problem {
                    None => self.renewal().succeeded(),
                    Some(_) => drop(self.renewal().failed(clock.now())),
                }
            }
            Err(error) => {
                certificates.figures().count_order(false);
                let again_s = self.renewal().failed(clock.now());
                tracing::error!(%error, again_s, "no certificate from the authority");
            }
        }
    }

    fn renewal(&self) -> std::sync::MutexGuard<'_, Renewal> {
        self.0.renewal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
