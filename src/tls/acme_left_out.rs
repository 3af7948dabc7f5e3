//! What stands where certificates are fetched, in a program built without the feature `acme`: the
//! settings refuse it then.

use std::convert::Infallible;
use std::sync::Arc;

use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;

use super::Certificates;
use crate::clock::Clock;
use crate::config::TlsConfig;

/// Nobody speaks it.
pub(super) const PROTOCOL: &[u8] = b"acme-tls/1";

pub(super) const fn is_challenge(_: &ClientHello<'_>) -> bool {
    false
}

#[derive(Clone, Debug, Default)]
pub(super) struct Challenges;

impl Challenges {
    pub const fn answer(&self, _: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

pub(super) const fn placeholder(_: &[String]) -> Result<(String, String), Infallible> {
    Ok((String::new(), String::new()))
}

/// Fetches nothing.
#[derive(Clone)]
pub struct Keeper(Infallible);

impl Keeper {
    /// There is none.
    pub const fn new(_: &TlsConfig, _: &Clock, _: &Certificates) -> Option<Self> {
        None
    }

    /// Nobody calls it.
    pub async fn look(&self) {
        match self.0 {}
    }
}
