//! What is kept: certificate and key where the settings have them, the account beside the key.

use std::fs;
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use rcgen::{CertificateParams, KeyPair};

use super::AcmeError;
use super::order::Issued;
use crate::config::{TlsConfig, durable};

/// The account's key is worth as much as the certificate's, and has the same folder.
const ACCOUNT: &str = "acme-account.json";

/// Writes a pair. A crash between the two leaves one that does not go together: at the next start that
/// is as good as none, and another is fetched.
pub(super) fn write(config: &TlsConfig, issued: &Issued) -> Result<(), AcmeError> {
    put(&config.key, issued.key.as_bytes(), 0o600)?;
    put(&config.certificate, issued.chain.as_bytes(), 0o644)
}

/// The account at the authority of the settings; `None`: there is none yet, or it is another's.
pub(super) fn account(config: &TlsConfig) -> Result<Option<AccountCredentials>, AcmeError> {
    let path = account_path(config);
    let bytes = match fs::read(&path) {
        Ok(bytes) => zeroize::Zeroizing::new(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&path)(error)),
    };
    let broken = |error: serde_json::Error| failed(&path)(error.into());
    let kept: serde_json::Value = serde_json::from_slice(&bytes).map_err(broken)?;
    if kept["directory"] != config.acme.directory.as_str() {
        return Ok(None);
    }
    serde_json::from_value(kept).map(Some).map_err(broken)
}

/// Keeps a new account.
pub(super) fn keep_account(
    config: &TlsConfig,
    account: &AccountCredentials,
) -> Result<(), AcmeError> {
    let path = account_path(config);
    let bytes = serde_json::to_vec(account).map_err(|error| failed(&path)(error.into()))?;
    put(&path, &zeroize::Zeroizing::new(bytes), 0o600)
}

/// Until the first one comes: nobody trusts it, and the ports can be knocked at.
pub(in crate::tls) fn placeholder(names: &[String]) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn account_path(config: &TlsConfig) -> PathBuf {
    config.key.with_file_name(ACCOUNT)
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AcmeError> {
    durable::replace(path, bytes, mode).map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> AcmeError + '_ {
    |source| AcmeError::File { path: path.display().to_string(), source }
}
