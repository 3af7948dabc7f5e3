//! Nakama's session tokens: compact JWTs, HS256, one key for access and another for refresh tokens
//! (protocol-nakama §3.1). The key is what separates the two kinds, not a claim.
//!
//! The payload is written by hand: ASCII only, a multiple of three bytes long and without the
//! characters that base64url writes as `-` or `_`, because Swift's SDK crashes on those (§13.3).

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::time::UnixMicros;

/// `{"alg":"HS256","typ":"JWT"}` and the dot after it: the head of every token given.
const HEAD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";

/// Session variables: text to text, given by the client, never to be trusted (§3.8).
pub type Vars = BTreeMap<String, String>;

/// Which of the two tokens of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The short-lived one, sent with every call.
    Access,
    /// The long-lived one, good for a new pair only.
    Refresh,
}

/// What a token says (§3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `tid`: the same in both tokens of a sign-in and kept by refreshes; nil when a token of
    /// another server has none.
    pub token: Uuid,
    /// `uid`: the account.
    pub account: Uuid,
    /// `usn`: the user name when the token was issued.
    pub username: String,
    /// `vrs`: session variables.
    pub vars: Vars,
    /// `exp`: when it expires, in seconds since the epoch.
    pub expires_at: u64,
    /// `iat`: when the player signed in, in seconds since the epoch; refreshes keep it.
    pub signed_in_at: u64,
    /// `itu`, ours: when this token was issued, in microseconds since the epoch. Revocation
    /// compares it. A token without it counts as issued at `iat`.
    pub issued_at_us: u64,
    /// `gen`, ours: which descendant of the sign-in's refresh token this is; 0, and left out, for
    /// the first and with rotation off (§3.4).
    pub generation: u32,
}

/// Why a token is not good. Callers are told one text for all of them (§1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not three unpadded base64url segments with JSON in them.
    #[error("not a token")]
    Malformed,
    /// Signed by another algorithm than HS256, or by none.
    #[error("wrong algorithm")]
    Algorithm,
    /// Signed by somebody else, with the key of the other kind, or changed.
    #[error("wrong signature")]
    Signature,
    /// A claim is missing or of the wrong type.
    #[error("claims missing or of the wrong type")]
    Claims,
    /// Its time is over.
    #[error("expired")]
    Expired,
}

/// Why two keys will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysRefused {
    /// A key is empty: anybody could sign.
    #[error("a session key is empty")]
    Empty,
    /// Equal keys: a refresh token would pass as an access token.
    #[error("the access key and the refresh key are equal")]
    Equal,
}

/// The keys of both kinds. Never shown by `Debug`.
#[derive(Clone)]
pub struct NakamaKeys {
    access: hmac::Key,
    refresh: hmac::Key,
}

impl std::fmt::Debug for NakamaKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NakamaKeys(…)")
    }
}

impl NakamaKeys {
    /// Keys from their raw bytes.
    ///
    /// # Errors
    ///
    /// [`KeysRefused`] when one is empty or both are equal (§3.1).
    pub fn new(access: &[u8], refresh: &[u8]) -> Result<Self, KeysRefused> {
        if access.is_empty() || refresh.is_empty() {
            return Err(KeysRefused::Empty);
        }
        if access == refresh {
            return Err(KeysRefused::Equal);
        }
        let key = |bytes| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Ok(Self { access: key(access), refresh: key(refresh) })
    }

    /// Signs a token. About a microsecond.
    pub fn sign(&self, kind: Kind, claims: &Claims) -> String {
        let payload = payload(claims);
        let mut token = String::with_capacity(HEAD.len() + payload.len() / 3 * 4 + 48);
        token.push_str(HEAD);
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        let tag = hmac::sign(self.key(kind), token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag.as_ref(), &mut token);
        token
    }

    /// Checks form, algorithm, signature, claims and expiry (no leeway), in this order.
    ///
    /// # Errors
    ///
    /// [`TokenRefused`]; the caller tells the client nothing of which.
    pub fn verify(&self, kind: Kind, token: &str, now: UnixMicros) -> Result<Claims, TokenRefused> {
        let (signed, tag) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
        let payload = match signed.strip_prefix(HEAD) {
            Some(payload) => payload,
            None => foreign_head(signed)?,
        };
        if payload.contains('.') {
            return Err(TokenRefused::Malformed);
        }
        let mut expected = [0; 33];
        let length = URL_SAFE_NO_PAD
            .decode_slice(tag, &mut expected)
            .map_err(|_| TokenRefused::Malformed)?;
        let tag = expected.get(..length).ok_or(TokenRefused::Malformed)?;
        hmac::verify(self.key(kind), signed.as_bytes(), tag)
            .map_err(|_| TokenRefused::Signature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenRefused::Malformed)?;
        let claims = read(&payload)?;
        if now.as_secs() >= claims.expires_at {
            return Err(TokenRefused::Expired);
        }
        Ok(claims)
    }

    const fn key(&self, kind: Kind) -> &hmac::Key {
        match kind {
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
        }
    }
}

/// The payload segment of a token whose header is written in another way than ours, provided the
/// header names our algorithm.
fn foreign_head(signed: &str) -> Result<&str, TokenRefused> {
    #[derive(Deserialize)]
    struct Header<'a> {
        alg: &'a str,
    }
    let (header, payload) = signed.split_once('.').ok_or(TokenRefused::Malformed)?;
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenRefused::Malformed)?;
    match serde_json::from_slice::<Header>(&header) {
        Ok(Header { alg: "HS256" }) => Ok(payload),
        Ok(_) => Err(TokenRefused::Algorithm),
        Err(_) => Err(TokenRefused::Malformed),
    }
}

/// The claims of a payload whose signature is good.
fn read(payload: &[u8]) -> Result<Claims, TokenRefused> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        tid: Uuid,
        uid: Uuid,
        #[serde(default)]
        usn: String,
        #[serde(default)]
        vrs: Vars,
        exp: u64,
        #[serde(default)]
        iat: u64,
        itu: Option<u64>,
        #[serde(default, rename = "gen")]
        generation: u32,
    }
    let wire: Wire = serde_json::from_slice(payload).map_err(|_| TokenRefused::Claims)?;
    Ok(Claims {
        token: wire.tid,
        account: wire.uid,
        username: wire.usn,
        vars: wire.vrs,
        expires_at: wire.exp,
        signed_in_at: wire.iat,
        issued_at_us: wire.itu.unwrap_or(UnixMicros::from_secs(wire.iat).0),
        generation: wire.generation,
    })
}

/// The JSON of the claims, in Nakama's order, empty values left out, fit for Swift.
fn payload(claims: &Claims) -> Vec<u8> {
    let vars: usize = claims.vars.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    let mut out = Vec::with_capacity(192 + claims.username.len() + vars);
    let mut id = Uuid::encode_buffer();
    out.extend_from_slice(b"{\"tid\":\"");
    out.extend_from_slice(claims.token.hyphenated().encode_lower(&mut id).as_bytes());
    out.extend_from_slice(b"\",\"uid\":\"");
    out.extend_from_slice(claims.account.hyphenated().encode_lower(&mut id).as_bytes());
    out.extend_from_slice(b"\",\"usn\":");
    push_text(&mut out, &claims.username);
    if !claims.vars.is_empty() {
        out.extend_from_slice(b",\"vrs\":");
        for (i, (name, value)) in claims.vars.iter().enumerate() {
            out.push(if i == 0 { b'{' } else { b',' });
            push_text(&mut out, name);
            out.push(b':');
            push_text(&mut out, value);
        }
        out.push(b'}');
    }
    push_number(&mut out, b",\"exp\":", claims.expires_at);
    push_number(&mut out, b",\"iat\":", claims.signed_in_at);
    push_number(&mut out, b",\"itu\":", claims.issued_at_us);
    if claims.generation != 0 {
        push_number(&mut out, b",\"gen\":", claims.generation.into());
    }
    // A whole number of base64 groups: Swift reads only segments that need no padding.
    while !(out.len() + 1).is_multiple_of(3) {
        out.push(b' ');
    }
    out.push(b'}');
    out
}

fn push_number(out: &mut Vec<u8>, name: &[u8], mut number: u64) {
    out.extend_from_slice(name);
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A JSON string in ASCII. Besides what JSON wants escaped, `>`, `?`, `~` and DEL are: of all ASCII
/// they alone end in six bits that base64url writes as `-` or `_`.
fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            ' '..='=' | '@'..='}' => out.push(c as u8),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    push_unit(out, *unit);
                }
            }
        }
    }
    out.push(b'"');
}

fn push_unit(out: &mut Vec<u8>, unit: u16) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(HEX[usize::from(unit >> shift & 15)]);
    }
}

#[cfg(test)]
mod tests;
