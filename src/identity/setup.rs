//! What every provider is built from, and why one cannot be.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::figures::Figures;
use super::jwks::{Format, Keys};
use super::outbound::Outbound;
use crate::clock::Clock;
use crate::config::IdentityConfig;
use crate::config::identity::Secret;
use crate::domain::account::LinkKind;

/// Settings of a provider that cannot be used. Names the key below `identity`, never a value.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The HTTP client cannot be made.
    #[error("identity: the HTTP client cannot be made")]
    Client,
    /// An https:// address cannot be asked: nobody vouches for it.
    #[error("identity.{0} cannot be trusted: there are no root certificates on this machine")]
    NoRoots(String),
    /// Not an address that may be asked.
    #[error("identity.{0} must be an https:// address (http:// only with identity.allow_private)")]
    Address(String),
    /// A file cannot be read.
    #[error("the file of identity.{key} cannot be read: {source}")]
    File {
        /// The key that names it.
        key: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not Google's client JSON.
    #[error("identity.{0} is not Google's client JSON (\"web\" or \"installed\")")]
    Credentials(&'static str),
    /// A file without certificates.
    #[error("identity.{0} leads to no certificates in PEM")]
    NoCertificates(&'static str),
    /// Not a private key.
    #[error("identity.{0} is no private key for ES256 in PEM (PKCS #8)")]
    PrivateKey(&'static str),
    /// A key that is worth nothing without another.
    #[error("identity.{key} needs {needs}")]
    Needs {
        /// The key.
        key: String,
        /// The other.
        needs: &'static str,
    },
    /// Not a header's name or value.
    #[error("identity.{0} is not a header")]
    Header(String),
    /// A provider of the studio's own with a number that is not for it.
    #[error("identity provider {name}: number {number} is not one of 102 to 255")]
    Number {
        /// Its name.
        name: String,
        /// The number.
        number: u8,
    },
    /// Two providers with one number.
    #[error("identity provider {name}: number {number} is already that of {other}")]
    SameNumber {
        /// The later one's name.
        name: String,
        /// The number.
        number: u8,
        /// Whose it is.
        other: String,
    },
    /// A provider of the studio's own with a name nobody could write.
    #[error("identity provider {number}: its name must be capitals, digits and _, at most 32")]
    Name {
        /// Its number.
        number: u8,
    },
    /// Two providers with one name, or one with the name of a built-in.
    #[error("identity provider {number}: the name {name} is already taken")]
    SameName {
        /// The later one's number.
        number: u8,
        /// The name.
        name: String,
    },
}

/// What every provider needs. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// The way out.
    pub outbound: Outbound,
    /// The time.
    pub clock: Clock,
    /// How far a provider's clock may be off, in seconds.
    pub leeway_s: u64,
}

impl Common {
    pub fn new(
        config: &IdentityConfig,
        clock: Clock,
        figures: Arc<Figures>,
    ) -> Result<Self, SetupError> {
        let outbound = Outbound::new(config, figures)?;
        Ok(Self { outbound, clock, leeway_s: config.leeway_s })
    }

    /// The keys published at an address of the settings.
    pub fn keys(
        &self,
        kind: LinkKind,
        key: &str,
        url: &str,
        format: Format,
    ) -> Result<Keys, SetupError> {
        let url = self.outbound.url(key, url)?;
        Ok(Keys::new(kind, url, format, self.outbound.clone(), self.clock.clone()))
    }
}

/// The entries of a list that are not empty: an empty audience is nobody's.
pub(super) fn named(list: &[String]) -> Vec<String> {
    list.iter().filter(|entry| !entry.is_empty()).cloned().collect()
}

/// A secret of the settings, or of the file they name.
pub(super) fn secret(
    key: &str,
    inline: &Secret,
    file: Option<&Path>,
) -> Result<Zeroizing<String>, SetupError> {
    inline.or_file(file).map_err(|source| SetupError::File { key: key.to_owned(), source })
}
