//! Game Center: a signature by Apple, checked with a certificate the client names (protocol-nakama
//! §2.13). The client's address is only followed where the settings say certificates are, and the
//! certificate must lead to a root of this machine.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::chain::{self, Broken, Issuers, Vouched};
use super::{Common, GameCenterProof, IdentityError, SetupError, Verified, facts};
use crate::config::identity::GameCenterConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::GameCenter;
/// Certificates kept.
const CERTIFICATES_MAX: usize = 64;
/// Issuing certificates fetched for one certificate.
const ISSUERS_MAX: usize = 3;
/// Longest field read, in bytes.
const FIELD_MAX: usize = 2_048;
/// Where systems keep the roots they trust.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Game Center, configured.
pub(super) struct GameCenter {
    common: Common,
    config: GameCenterConfig,
    issuers: Issuers,
    /// Certificates that lead to a root, oldest first.
    known: Mutex<VecDeque<(String, Vouched)>>,
}

impl GameCenter {
    pub fn new(config: &GameCenterConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        if super::named(&config.bundle_ids).is_empty() {
            return Ok(None);
        }
        for prefix in &config.public_key_urls {
            common.outbound.url("gamecenter.public_key_urls", prefix)?;
        }
        let roots = match &config.roots_file {
            Some(file) => read("gamecenter.roots_file", file)?,
            None => system_roots()?,
        };
        let between = match &config.issuers_file {
            Some(file) => read("gamecenter.issuers_file", file)?,
            None => Vec::new(),
        };
        Ok(Some(Self {
            common: common.clone(),
            config: config.clone(),
            issuers: Issuers { roots, between },
            known: Mutex::default(),
        }))
    }

    pub async fn verify(&self, proof: &GameCenterProof) -> Result<Verified, IdentityError> {
        let refused = |why| IdentityError::Refused(KIND, why);
        self.is_ours_and_fresh(proof).map_err(refused)?;
        let salt = decoded(&proof.salt).ok_or_else(|| refused("the salt is not base64"))?;
        let signature =
            decoded(&proof.signature).ok_or_else(|| refused("the signature is not base64"))?;
        let url = self.certificate_url(&proof.public_key_url);
        let url = url.ok_or_else(|| refused("the certificate is elsewhere"))?;
        let certificate = self.certificate(url).await?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &certificate.rsa_key)
            .verify(&signed_bytes(proof, &salt), &signature)
            .map_err(|_| refused("the signature is wrong"))?;
        facts::nameless(KIND, &proof.player_id)
    }

    fn is_ours_and_fresh(&self, proof: &GameCenterProof) -> Result<(), &'static str> {
        let is_ours = |ours: &String| !ours.is_empty() && *ours == proof.bundle_id;
        if !self.config.bundle_ids.iter().any(is_ours) {
            return Err("it is for another app");
        }
        let at = u64::try_from(proof.timestamp).map_err(|_| "its time makes no sense")?;
        let now = self.common.clock.now().as_millis();
        if at.saturating_add(self.config.max_age_s.saturating_mul(1_000)) < now {
            return Err("it is too old");
        }
        if at > now.saturating_add(self.common.leeway_s.saturating_mul(1_000)) {
            return Err("it is from the future");
        }
        Ok(())
    }

    /// The address, if it is that of a certificate where certificates are: one of the prefixes, and
    /// the name of a .cer file.
    fn certificate_url(&self, text: &str) -> Option<Url> {
        let is_plain = |name: &str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            name.strip_suffix(".cer").is_some_and(|stem| !stem.is_empty())
                && !name.starts_with('.')
                && name.len() <= 64
                && name.bytes().all(letters)
        };
        let prefixes = &self.config.public_key_urls;
        let fits = |prefix: &String| text.strip_prefix(prefix.as_str()).is_some_and(is_plain);
        if prefixes.iter().any(fits) { Url::parse(text).ok() } else { None }
    }

    async fn certificate(&self, url: Url) -> Result<Vouched, IdentityError> {
        let now_s = self.common.clock.now().as_secs();
        let address = url.as_str().to_owned();
        if let Some(vouched) = self.kept(&address, now_s) {
            return Ok(vouched);
        }
        let leaf = self.fetch(url).await?;
        let vouched = self.vouched(&leaf, now_s).await?;
        let mut known = self.lock();
        known.retain(|(at, _)| *at != address);
        if known.len() >= CERTIFICATES_MAX {
            known.pop_front();
        }
        known.push_back((address, vouched.clone()));
        Ok(vouched)
    }

    fn kept(&self, address: &str, now_s: u64) -> Option<Vouched> {
        let known = self.lock();
        let found = known.iter().find(|(at, vouched)| at == address && now_s <= vouched.until_s);
        found.map(|(_, vouched)| vouched.clone())
    }

    /// Checks the certificate; issuers nobody gave us are fetched from where it says they are.
    async fn vouched(&self, leaf: &[u8], now_s: u64) -> Result<Vouched, IdentityError> {
        let mut issuers = self.issuers.clone();
        let mut fetches = ISSUERS_MAX;
        loop {
            let address = match chain::check(leaf, &issuers, &self.config.organization, now_s) {
                Ok(vouched) => return Ok(vouched),
                Err(Broken::Bad(why)) => return Err(IdentityError::Refused(KIND, why)),
                Err(Broken::NoIssuer(address)) => address,
            };
            let url = address.as_deref().and_then(|address| self.issuer_url(address));
            let Some(url) = url.filter(|_| fetches > 0) else {
                return Err(IdentityError::Refused(KIND, "no trusted root vouches for it"));
            };
            fetches -= 1;
            issuers.between.push(self.fetch(url).await?);
        }
    }

    fn issuer_url(&self, address: &str) -> Option<Url> {
        let url =
            Url::parse(address).ok().filter(|url| ["http", "https"].contains(&url.scheme()))?;
        let host = url.host_str()?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        self.config.issuer_hosts.contains(&host).then_some(url)
    }

    async fn fetch(&self, url: Url) -> Result<Vec<u8>, IdentityError> {
        let outbound = &self.common.outbound;
        let answer = outbound.send(KIND, outbound.get(url)).await?.accepted()?;
        let odd = IdentityError::Unavailable(KIND, "its answer makes no sense");
        chain::from_either(&answer.body).ok_or(odd)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Vouched)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What Apple signs.
fn signed_bytes(proof: &GameCenterProof, salt: &[u8]) -> Vec<u8> {
    let timestamp = proof.timestamp.to_be_bytes();
    [proof.player_id.as_bytes(), proof.bundle_id.as_bytes(), &timestamp, salt].concat()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() <= FIELD_MAX)
}

fn read(key: &'static str, file: &Path) -> Result<Vec<Vec<u8>>, SetupError> {
    let text =
        std::fs::read(file).map_err(|source| SetupError::File { key: key.to_owned(), source })?;
    let found = chain::from_pem(&text);
    if found.is_empty() { Err(SetupError::NoCertificates(key)) } else { Ok(found) }
}

fn system_roots() -> Result<Vec<Vec<u8>>, SetupError> {
    let file = SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
    read("gamecenter.roots_file", file.ok_or(SetupError::NoCertificates("gamecenter.roots_file"))?)
}

impl std::fmt::Debug for GameCenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GameCenter")
            .field("roots", &self.issuers.roots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_vector_of_the_protocol() {
        let proof = GameCenterProof {
            player_id: "G:1234567890".into(),
            bundle_id: "com.example.game".into(),
            timestamp: 1_767_225_600_000,
            salt: "ABEiMw==".into(),
            signature: String::new(),
            public_key_url: String::new(),
        };
        let expected = "473a31323334353637383930636f6d2e6578616d706c652e67616d65\
                        0000019b76daa80000112233";
        let bytes = signed_bytes(&proof, &decoded(&proof.salt).unwrap());
        assert_eq!((bytes.len(), super::super::hex(&bytes).as_str()), (40, expected));
    }
}
