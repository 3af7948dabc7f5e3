//! A certificate and its key, as they are in files.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use crate::config::TlsConfig;
use crate::domain::checkup::Certificate;
use crate::domain::time::UnixMicros;

/// Larger files are no certificates.
const FILE_MAX: u64 = 1 << 20;

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds nothing of the kind.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The two do not go together, or are of a kind that is not spoken.
    #[error("the certificate and its key: {0}")]
    Pair(#[from] rustls::Error),
}

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Pair {
    pub key: Arc<CertifiedKey>,
    pub facts: Certificate,
    /// It only stands where one is to come.
    pub is_placeholder: bool,
}

impl Pair {
    /// Reads the pair of the settings.
    pub fn read(config: &TlsConfig) -> Result<Self, PairError> {
        Self::of(config, &bytes(&config.certificate)?, &bytes(&config.key)?)
    }

    /// One of our own making, which nobody trusts.
    pub fn placeholder(config: &TlsConfig) -> Result<Self, PairError> {
        let (certificate, key) = super::acme::placeholder(&config.acme.domains)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut pair = Self::of(config, certificate.as_bytes(), key.as_bytes())?;
        // It is good for nobody, and looks so where operators look.
        pair.facts.not_after = pair.facts.not_before;
        pair.is_placeholder = true;
        Ok(pair)
    }

    fn of(config: &TlsConfig, certificate: &[u8], key: &[u8]) -> Result<Self, PairError> {
        let path = &config.certificate;
        let content = |problem: String| PairError::Content { path: path.clone(), problem };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|error| content(error.to_string()))?;
        let first = chain.first().ok_or_else(|| content("no certificate in PEM".to_owned()))?;
        let facts = facts(first).ok_or_else(|| content("not a certificate".to_owned()))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            let problem = match error {
                pem::Error::NoItemsFound => "no key in PEM".to_owned(),
                error => error.to_string(),
            };
            PairError::Content { path: config.key.clone(), problem }
        })?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?;
        Ok(Self { key: Arc::new(key), facts, is_placeholder: false })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, PairError> {
    let failed = |source| PairError::File { path: path.to_owned(), source };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_MAX {
        let problem = format!("{length} bytes are too many");
        return Err(PairError::Content { path: path.to_owned(), problem });
    }
    fs::read(path).map_err(failed)
}

fn facts(certificate: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let at = |seconds: i64| UnixMicros::from_secs(u64::try_from(seconds).unwrap_or(0));
    let validity = certificate.validity();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    Some(Certificate {
        not_before: at(validity.not_before.timestamp()),
        not_after: at(validity.not_after.timestamp()),
        names: names.collect(),
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from));
    address.ok().map(|address| address.to_string())
}

/// How both files look from outside: another stamp, perhaps other contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([(u64, u64, i64, i64); 2]);

impl Stamp {
    /// As they are now; `None`: one is missing.
    pub fn of(config: &TlsConfig) -> Option<Self> {
        let of = |path: &Path| {
            fs::metadata(path).ok().map(|found: Metadata| {
                (found.ino(), found.len(), found.mtime(), found.mtime_nsec())
            })
        };
        Some(Self([of(&config.certificate)?, of(&config.key)?]))
    }
}
