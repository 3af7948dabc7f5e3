//! A provider's public keys: fetched when needed, kept for a while, one fetch for all who wait.
//!
//! An unknown key id fetches early, at most once a minute, so that a rotation is noticed and nobody
//! can make us ask without end. When a fetch fails, keys up to a day old stay in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use x509_parser::pem::parse_x509_pem;

use super::IdentityError;
use super::outbound::{Answer, Outbound};
use crate::clock::Clock;
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

/// How long keys are fresh if the provider does not say, and the bounds of what it may say; seconds.
const FRESH_S: u64 = 3_600;
const FRESH_MIN_S: u64 = 300;
const FRESH_MAX_S: u64 = 86_400;
/// How long keys stay in use while no others can be had; seconds.
const STALE_MAX_S: u64 = 86_400;
/// Between early fetches, and between attempts while stale keys are in use; seconds.
const EARLY_S: u64 = 60;
const RETRY_S: u64 = 30;
/// Keys kept of one answer.
const KEYS_MAX: usize = 64;

/// How a provider publishes its keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    /// A JSON Web Key Set.
    Jwks,
    /// An object of key ids and X.509 certificates in PEM (protocol-nakama §2.14).
    Certificates,
}

/// One key.
#[derive(Clone)]
pub(super) struct Key {
    /// The key itself.
    pub decoding: DecodingKey,
    /// What it signs with: it follows from the kind of key, so no header can choose another.
    pub algorithm: Algorithm,
    /// When it is good, in seconds since the epoch: from, until (both inclusive).
    valid: (u64, u64),
}

impl Key {
    fn is_valid(&self, now: UnixMicros) -> bool {
        (self.valid.0..=self.valid.1).contains(&now.as_secs())
    }
}

/// The keys of one provider.
pub(super) struct Keys {
    kind: LinkKind,
    url: Url,
    format: Format,
    outbound: Outbound,
    clock: Clock,
    state: Mutex<State>,
    /// Held by the one who fetches.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, Arc<Key>>,
    fetched_at: UnixMicros,
    fresh_until: UnixMicros,
    /// When a fetch for an unknown key id or in place of stale keys may be tried again.
    next_try: UnixMicros,
    /// Whether, and why, the last attempt failed.
    failure: Option<IdentityError>,
    attempts: u64,
}

enum Look {
    Found(Arc<Key>),
    /// Fetch, unless somebody has since this many attempts.
    Fetch(u64),
    Error(IdentityError),
}

impl Keys {
    pub fn new(kind: LinkKind, url: Url, format: Format, outbound: Outbound, clock: Clock) -> Self {
        let (state, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { kind, url, format, outbound, clock, state, turn }
    }

    /// The key with this id.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Refused`]: the provider has no such key; [`IdentityError::Unavailable`]: it
    /// cannot be asked.
    pub async fn get(&self, id: &str) -> Result<Arc<Key>, IdentityError> {
        let seen = match self.look(id) {
            Look::Found(key) => return Ok(key),
            Look::Error(error) => return Err(error),
            Look::Fetch(seen) => seen,
        };
        let turn = self.turn.lock().await;
        if self.lock().attempts == seen {
            let fetched = self.fetch().await;
            self.keep(fetched);
        }
        drop(turn);
        let now = self.clock.now();
        let state = self.lock();
        match (state.usable(id, now), &state.failure) {
            (Some(key), _) => Ok(key),
            (None, Some(failure)) => Err(failure.clone()),
            (None, None) => Err(self.unknown()),
        }
    }

    fn look(&self, id: &str) -> Look {
        let now = self.clock.now();
        let state = self.lock();
        let is_fresh = now < state.fresh_until;
        let may_try = now >= state.next_try;
        match state.usable(id, now) {
            Some(key) if is_fresh || !may_try => Look::Found(key),
            // Nothing to use, or time to look again. Without any keys there is nothing to wait for.
            _ if may_try || !state.any_usable(now) => Look::Fetch(state.attempts),
            _ => Look::Error(state.failure.clone().unwrap_or_else(|| self.unknown())),
        }
    }

    const fn unknown(&self) -> IdentityError {
        IdentityError::Refused(self.kind, "no key of the provider has the token's key id")
    }

    async fn fetch(&self) -> Result<(HashMap<String, Key>, Option<u64>), IdentityError> {
        let request = self.outbound.get(self.url.clone());
        let answer = self.outbound.send(self.kind, request).await?.ok()?;
        let now = self.clock.now();
        let mut keys = match self.format {
            Format::Jwks => from_jwks(&answer)?,
            Format::Certificates => from_certificates(&answer)?,
        };
        keys.retain(|_, key| key.is_valid(now));
        if keys.is_empty() {
            return Err(IdentityError::Unavailable(self.kind, "it publishes no usable keys"));
        }
        Ok((keys, answer.max_age_s))
    }

    fn keep(&self, fetched: Result<(HashMap<String, Key>, Option<u64>), IdentityError>) {
        let now = self.clock.now();
        let mut state = self.lock();
        let was_fresh = now < state.fresh_until;
        state.attempts += 1;
        match fetched {
            Ok((keys, max_age_s)) => {
                // A fetch that was due anyway leaves the early one unused.
                state.next_try = if was_fresh { now.plus_secs(EARLY_S) } else { UnixMicros(0) };
                state.fetched_at = now;
                state.fresh_until = now.plus_secs(fresh_s(&keys, max_age_s, now));
                state.keys = keys.into_iter().map(|(id, key)| (id, Arc::new(key))).collect();
                state.failure = None;
            }
            Err(error) => {
                state.next_try = now.plus_secs(RETRY_S);
                tracing::info!(provider = self.kind.name(), %error, "no keys of an identity provider");
                state.failure = Some(error);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self, id: &str, now: UnixMicros) -> Option<Arc<Key>> {
        if now > self.fetched_at.plus_secs(STALE_MAX_S) {
            return None;
        }
        self.keys.get(id).filter(|key| key.is_valid(now)).cloned()
    }

    fn any_usable(&self, now: UnixMicros) -> bool {
        self.keys.keys().any(|id| self.usable(id, now).is_some())
    }
}

/// As the provider says, within bounds, and an hour less than the first key to lapse.
fn fresh_s(keys: &HashMap<String, Key>, max_age_s: Option<u64>, now: UnixMicros) -> u64 {
    let soonest = keys.values().map(|key| key.valid.1).min().unwrap_or(u64::MAX);
    let left = soonest.saturating_sub(now.as_secs()).saturating_sub(3_600);
    max_age_s.unwrap_or(FRESH_S).min(left).clamp(FRESH_MIN_S, FRESH_MAX_S)
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The key and what it signs with; `None`: of a kind we do not use, or broken.
    fn read(&self) -> Option<(DecodingKey, Algorithm)> {
        let x = || self.x.as_deref();
        let (decoding, algorithm, name) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (self.n.as_deref()?, self.e.as_deref()?);
                (DecodingKey::from_rsa_components(n, e), Algorithm::RS256, "RS256")
            }
            ("EC", Some("P-256")) => {
                let key = DecodingKey::from_ec_components(x()?, self.y.as_deref()?);
                (key, Algorithm::ES256, "ES256")
            }
            ("OKP", Some("Ed25519")) => {
                (DecodingKey::from_ed_components(x()?), Algorithm::EdDSA, "EdDSA")
            }
            _ => return None,
        };
        let signs = self.usage.as_ref().is_none_or(|usage| usage == "sig")
            && self.alg.as_ref().is_none_or(|alg| alg == name);
        Some((decoding.ok().filter(|_| signs)?, algorithm))
    }
}

/// The keys of a set that sign with RS256, ES256 or `EdDSA`; others are passed over.
fn from_jwks(answer: &Answer) -> Result<HashMap<String, Key>, IdentityError> {
    let set: Jwks = answer.json()?;
    let read = |value: Value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let (decoding, algorithm) = jwk.read()?;
        Some((jwk.kid, Key { decoding, algorithm, valid: (0, u64::MAX) }))
    };
    Ok(set.keys.into_iter().filter_map(read).take(KEYS_MAX).collect())
}

/// The keys of certificates that hold an RSA key; others are passed over.
fn from_certificates(answer: &Answer) -> Result<HashMap<String, Key>, IdentityError> {
    let set: HashMap<String, Value> = answer.json()?;
    let read = |(id, value): (String, Value)| {
        let (_, pem) = parse_x509_pem(value.as_str()?.as_bytes()).ok()?;
        let certificate = pem.parse_x509().ok()?;
        let spki = certificate.public_key();
        if spki.algorithm.algorithm != x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION {
            return None;
        }
        let validity = certificate.validity();
        let valid = (
            u64::try_from(validity.not_before.timestamp()).unwrap_or(0),
            u64::try_from(validity.not_after.timestamp()).ok()?,
        );
        let decoding = DecodingKey::from_rsa_der(&spki.subject_public_key.data);
        Some((id, Key { decoding, algorithm: Algorithm::RS256, valid }))
    };
    Ok(set.into_iter().filter_map(read).take(KEYS_MAX).collect())
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("kind", &self.kind).finish_non_exhaustive()
    }
}
