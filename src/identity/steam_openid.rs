//! Steam's `OpenID` assertion: what its web sign-in appends to the redirect, shown to Steam again
//! (protocol-pragma §4.4). Good once, for five minutes, for web sites of ours only.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use reqwest::Url;
use serde::Deserialize;

use super::{Common, IdentityError, SetupError};
use crate::config::identity::SteamConfig;
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

const KIND: LinkKind = LinkKind::Steam;
/// Longest assertion taken, in bytes.
const ASSERTION_MAX: usize = 8_192;
/// How far an assertion's time may be from now, in seconds.
const AGE_MAX_S: u64 = 300;
/// Nonces remembered at once: of players who signed in within the last minutes.
const NONCES_MAX: usize = 200_000;
/// Longest nonce, in bytes (`OpenID` 2.0 §10.1).
const NONCE_MAX: usize = 255;
const NAMESPACE: &str = "http://specs.openid.net/auth/2.0";
const CLAIMED_ID: &str = "https://steamcommunity.com/openid/id/";
/// What the signature must cover.
const SIGNED: [&str; 7] = [
    "signed",
    "op_endpoint",
    "claimed_id",
    "identity",
    "return_to",
    "response_nonce",
    "assoc_handle",
];

/// Steam's web sign-in, configured.
pub(super) struct OpenId {
    common: Common,
    url: Url,
    /// The same as the settings write it.
    endpoint: String,
    return_to: ReturnTo,
    seen: Mutex<Seen>,
}

/// Which web sites assertions may be made for.
enum ReturnTo {
    Any,
    Origins(Vec<String>),
}

/// Nonces that were used, until they are too old anyway.
#[derive(Default)]
struct Seen {
    nonces: HashSet<String>,
    /// Oldest first.
    order: VecDeque<(UnixMicros, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    claimed_id: String,
    ns: String,
    mode: String,
    op_endpoint: String,
    identity: String,
    return_to: String,
    response_nonce: String,
    assoc_handle: String,
    signed: String,
    sig: String,
}

impl OpenId {
    pub fn new(config: &SteamConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let named = super::named(&config.openid_return_to);
        if named.is_empty() {
            return Ok(None);
        }
        let return_to = if named.iter().any(|origin| origin == "*") {
            tracing::warn!(
                "identity.steam.openid_return_to takes assertions made for any web site"
            );
            ReturnTo::Any
        } else {
            let odd = || SetupError::Address("steam.openid_return_to".to_owned());
            let origin = |text: &String| Url::parse(text).ok().and_then(|url| origin(&url));
            let all: Option<Vec<String>> = named.iter().map(origin).collect();
            ReturnTo::Origins(all.ok_or_else(odd)?)
        };
        Ok(Some(Self {
            common: common.clone(),
            url: common.outbound.url("steam.openid_url", &config.openid_url)?,
            endpoint: config.openid_url.clone(),
            return_to,
            seen: Mutex::default(),
        }))
    }

    /// The player's 64-bit id.
    pub async fn verify(&self, text: &str) -> Result<String, IdentityError> {
        let refused = |why| IdentityError::Refused(KIND, why);
        if text.len() > ASSERTION_MAX {
            return Err(refused("the assertion is too long"));
        }
        let assertion: Assertion =
            serde_json::from_str(text).map_err(|_| refused("not an assertion"))?;
        let now = self.common.clock.now();
        let id = self.read(&assertion, now).map_err(refused)?;
        let used = || refused("the assertion was used before");
        if self.is_seen(&assertion.response_nonce) {
            return Err(used());
        }
        self.ask(&assertion).await?;
        // Kept only now, so that nobody fills the memory with made-up ones; of two at once one wins.
        match self.keep(&assertion.response_nonce, now) {
            Kept::Yes => Ok(id),
            Kept::Used => Err(used()),
            Kept::Full => Err(IdentityError::Unavailable(KIND, "too many assertions at once")),
        }
    }

    /// What can be checked without Steam.
    fn read(&self, assertion: &Assertion, now: UnixMicros) -> Result<String, &'static str> {
        if assertion.ns != NAMESPACE || assertion.mode != "id_res" {
            return Err("not a good answer of Steam's");
        }
        if assertion.op_endpoint != self.endpoint {
            return Err("of another endpoint");
        }
        let id = assertion.claimed_id.strip_prefix(CLAIMED_ID).unwrap_or_default();
        let is_id = id.len() == 17 && id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id || assertion.identity != assertion.claimed_id {
            return Err("of no player of Steam");
        }
        let covered: Vec<&str> = assertion.signed.split(',').collect();
        if !SIGNED.iter().all(|field| covered.contains(field)) {
            return Err("its signature leaves out something");
        }
        let at_s = nonce_time(&assertion.response_nonce).ok_or("its nonce makes no sense")?;
        if at_s.abs_diff(now.as_secs()) > AGE_MAX_S {
            return Err("it is too old, or not good yet");
        }
        if !self.is_ours(&assertion.return_to) {
            return Err("it is for another web site");
        }
        Ok(id.to_owned())
    }

    fn is_ours(&self, return_to: &str) -> bool {
        match &self.return_to {
            ReturnTo::Any => true,
            ReturnTo::Origins(ours) => {
                let theirs = Url::parse(return_to).ok().and_then(|url| origin(&url));
                theirs.is_some_and(|theirs| ours.contains(&theirs))
            }
        }
    }

    /// Asks Steam whether it said so.
    async fn ask(&self, assertion: &Assertion) -> Result<(), IdentityError> {
        let form = BTreeMap::from([
            ("openid.ns", assertion.ns.as_str()),
            ("openid.mode", "check_authentication"),
            ("openid.op_endpoint", &assertion.op_endpoint),
            ("openid.claimed_id", &assertion.claimed_id),
            ("openid.identity", &assertion.identity),
            ("openid.return_to", &assertion.return_to),
            ("openid.response_nonce", &assertion.response_nonce),
            ("openid.assoc_handle", &assertion.assoc_handle),
            ("openid.signed", &assertion.signed),
            ("openid.sig", &assertion.sig),
        ]);
        let outbound = &self.common.outbound;
        let request = outbound.post(self.url.clone()).form(&form);
        let answer = outbound.send(KIND, request).await?.ok()?;
        let body = std::str::from_utf8(&answer.body).unwrap_or_default();
        let mut lines = body.lines().map(str::trim).filter(|line| line.starts_with("is_valid:"));
        match lines.next() {
            Some("is_valid:true") => Ok(()),
            Some("is_valid:false") => Err(IdentityError::Refused(KIND, "Steam did not say so")),
            _ => Err(IdentityError::Unavailable(KIND, "its answer makes no sense")),
        }
    }

    fn is_seen(&self, nonce: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).nonces.contains(nonce)
    }

    fn keep(&self, nonce: &str, now: UnixMicros) -> Kept {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).keep(nonce, now, NONCES_MAX)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kept {
    Yes,
    Used,
    /// None can be forgotten yet.
    Full,
}

impl Seen {
    fn keep(&mut self, nonce: &str, now: UnixMicros, most: usize) -> Kept {
        // A nonce from the future is good for twice as long.
        while let Some((at, oldest)) = self.order.front() {
            if now <= at.plus_secs(2 * AGE_MAX_S) {
                break;
            }
            self.nonces.remove(oldest);
            self.order.pop_front();
        }
        if self.nonces.contains(nonce) {
            return Kept::Used;
        }
        if self.nonces.len() >= most {
            return Kept::Full;
        }
        self.nonces.insert(nonce.to_owned());
        self.order.push_back((now, nonce.to_owned()));
        Kept::Yes
    }
}

/// Scheme, host and port of a web address.
fn origin(url: &Url) -> Option<String> {
    let is_web = ["https", "http"].contains(&url.scheme()) && url.username().is_empty();
    is_web.then(|| url.origin().ascii_serialization())
}

/// When a nonce was made: it begins with `2026-08-22T10:00:00Z`. Seconds since the epoch.
fn nonce_time(nonce: &str) -> Option<u64> {
    if nonce.len() > NONCE_MAX || !nonce.is_ascii() {
        return None;
    }
    let time = nonce.get(..20)?;
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if !punctuation.iter().all(|(at, mark)| time.as_bytes().get(*at) == Some(mark)) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = time.get(from..to)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| is_number)
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    fits.then(|| days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1 January 1970 to a date. Years are counted from March, so that the leap day is last.
const fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719 468 days lie between 1 March of year 0 and the epoch.
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_begins_with_its_time() {
        for (nonce, s) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-03-01T00:00:00Zx", 59 * 86_400),
            ("2000-02-29T12:34:56Zabc", 951_827_696),
            ("2026-08-22T10:00:00Zxyz", 1_787_392_800),
        ] {
            assert_eq!(nonce_time(nonce), Some(s), "{nonce}");
        }
        let long = format!("2026-08-22T10:00:00Z{}", "x".repeat(255));
        for odd in [
            "",
            "2026-08-22",
            "2026-08-22 10:00:00Z",
            "2026-13-22T10:00:00Z",
            "2026-00-22T10:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-08-22T24:00:00Z",
            "+026-08-22T10:00:00Z",
            "2026-08-22T10:00:00é",
            &long,
        ] {
            assert_eq!(nonce_time(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_nonce_is_good_once_and_forgotten_when_it_is_too_old_anyway() {
        let mut seen = Seen::default();
        let now = UnixMicros::from_secs(1_800_000_000);
        assert_eq!(seen.keep("a", now, 2), Kept::Yes);
        assert_eq!(seen.keep("a", now, 2), Kept::Used);
        assert_eq!(seen.keep("b", now.plus_secs(1), 2), Kept::Yes);
        assert_eq!(seen.keep("c", now.plus_secs(600), 2), Kept::Full, "none can be forgotten yet");
        assert_eq!(seen.keep("a", now.plus_secs(600), 2), Kept::Used);
        assert_eq!(seen.keep("c", now.plus_secs(601), 2), Kept::Yes);
        assert_eq!((seen.nonces.len(), seen.order.len()), (2, 2));
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        let of = |text: &str| Url::parse(text).ok().and_then(|url| origin(&url));
        assert_eq!(of("https://Game.example/back?x=1").as_deref(), Some("https://game.example"));
        assert_eq!(of("https://game.example:8443/").as_deref(), Some("https://game.example:8443"));
        for odd in ["https://game.example@evil.example/", "javascript:x", "game.example", ""] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
