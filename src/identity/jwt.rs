//! Tokens that a provider signed: algorithms, issuer, audience and times pinned by us, whatever the
//! token says of itself (protocol-nakama §2.10, §2.11, §2.14, §17.2(5); protocol-pragma §4.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::IdentityError;
use super::jwks::Keys;
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

/// Longest token read, in bytes.
const TOKEN_MAX: usize = 16_384;

/// RSA signatures and no others: what all providers of Nakama's table use.
pub(super) const RS256: &[Algorithm] = &[Algorithm::RS256];

/// What a token must say.
pub(super) struct Rules<'a> {
    /// Whose it is.
    pub kind: LinkKind,
    /// How it may be signed.
    pub algorithms: &'a [Algorithm],
    /// Who may have made it.
    pub issuers: &'a [&'a str],
    /// Whom it may be for.
    pub audiences: &'a [String],
    /// The moment it is checked at.
    pub now: UnixMicros,
    /// How far the issuer's clock may be off, in seconds.
    pub leeway_s: u64,
}

/// What a token says, proven.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is true, or "true" as some providers write it.
    pub fn is_true(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// The texts of a claim that is a list of them, or one.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Seconds since the epoch, as a number or as text. `Err`: there, but neither.
    pub fn moment(&self, name: &str) -> Result<Option<u64>, ()> {
        let found = match self.0.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        found.map(Some).ok_or(())
    }
}

/// The whole seconds of a fractional moment.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn whole(seconds: f64) -> Option<u64> {
    (0.0..1e15).contains(&seconds).then_some(seconds as u64)
}

/// Whether a text has three parts between dots.
pub(super) fn has_three_parts(text: &str) -> bool {
    text.split('.').count() == 3
}

/// Whether a text is shaped like a signed token: three parts, the first a JSON object in base64url
/// (protocol-pragma §4.4).
pub(super) fn is_token(text: &str) -> bool {
    has_three_parts(text) && text.split('.').next().and_then(part).is_some()
}

fn part(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The claims of a token that [`verify`] has found good.
pub(super) fn checked_before(token: &str) -> Option<Claims> {
    part(token.split('.').nth(1)?).map(Claims)
}

/// Checks signature and claims of a token.
///
/// # Errors
///
/// [`IdentityError::Refused`], or [`IdentityError::Unavailable`] when no keys can be had.
pub(super) async fn verify(
    token: &str,
    keys: &Keys,
    rules: &Rules<'_>,
) -> Result<Claims, IdentityError> {
    let refused = |why| IdentityError::Refused(rules.kind, why);
    if token.len() > TOKEN_MAX {
        return Err(refused("the token is too long"));
    }
    let (message, signature) = token.rsplit_once('.').ok_or_else(|| refused("not a token"))?;
    let (header, payload) = message.split_once('.').ok_or_else(|| refused("not a token"))?;
    let header = part(header).ok_or_else(|| refused("the token's header makes no sense"))?;
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(algorithm);
    let algorithm = algorithm
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or_else(|| refused("not signed in a way that is taken"))?;
    if header.contains_key("crit") {
        return Err(refused("it asks for extensions we do not know"));
    }
    let id = header.get("kid").and_then(Value::as_str).ok_or_else(|| refused("no key id"))?;
    let key = keys.get(id).await?;
    if key.algorithm != algorithm {
        return Err(refused("its key is of another kind than its signature"));
    }
    let message = message.as_bytes();
    let checked = jsonwebtoken::crypto::verify(signature, message, &key.decoding, algorithm);
    if !matches!(checked, Ok(true)) {
        return Err(refused("the signature is wrong"));
    }
    let claims = Claims(part(payload).ok_or_else(|| refused("its claims make no sense"))?);
    check(&claims, rules).map_err(refused)?;
    Ok(claims)
}

/// The algorithm of a name. There are no others, "none" and HMAC least of all.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

fn check(claims: &Claims, rules: &Rules<'_>) -> Result<(), &'static str> {
    let (now, leeway) = (rules.now.as_secs(), rules.leeway_s);
    let odd = |()| "one of its times makes no sense";
    let expires = claims.moment("exp").map_err(odd)?.ok_or("it never expires")?;
    if expires.saturating_add(leeway) <= now {
        return Err("it is expired");
    }
    for (name, why) in [("nbf", "it is not good yet"), ("iat", "it was made in the future")] {
        if claims.moment(name).map_err(odd)?.is_some_and(|at| at > now.saturating_add(leeway)) {
            return Err(why);
        }
    }
    let issuer = claims.text("iss").unwrap_or_default();
    if !rules.issuers.contains(&issuer) {
        return Err("it is of another issuer");
    }
    let is_for_us = |one: &&str| rules.audiences.iter().any(|ours| ours == one);
    if !claims.texts("aud").iter().any(is_for_us) {
        return Err("it is for another app");
    }
    if claims.text("sub").unwrap_or_default().is_empty() {
        return Err("it says of nobody");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn checked(claims: Value) -> Result<(), &'static str> {
        let audiences = ["us".to_owned(), String::new()];
        let rules = Rules {
            kind: LinkKind::Apple,
            algorithms: RS256,
            issuers: &["them"],
            audiences: &audiences[..1],
            now: UnixMicros::from_secs(NOW),
            leeway_s: 30,
        };
        let Value::Object(claims) = claims else { panic!("an object") };
        check(&Claims(claims), &rules)
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]
    fn with(changes: Value) -> Value {
        let mut claims = json!({"iss": "them", "aud": "us", "sub": "p", "exp": NOW + 60});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    #[test]
    fn times_are_checked_to_the_second() {
        for good in [
            json!({}),
            json!({"exp": NOW - 29}),
            json!({"exp": (NOW + 1).to_string()}),
            json!({"exp": 1_800_000_000.5}),
            json!({"nbf": NOW + 30, "iat": NOW + 30}),
        ] {
            assert_eq!(checked(with(good.clone())), Ok(()), "{good}");
        }
        for bad in [
            json!({"exp": NOW - 30}),
            json!({"exp": "soon"}),
            json!({"exp": -1}),
            json!({"exp": null}),
            json!({"nbf": NOW + 31}),
            json!({"iat": NOW + 31}),
        ] {
            assert!(checked(with(bad.clone())).is_err(), "{bad}");
        }
        let mut endless = with(json!({}));
        endless.as_object_mut().unwrap().remove("exp");
        assert_eq!(checked(endless), Err("it never expires"));
    }

    #[test]
    fn issuer_audience_and_subject_are_ours() {
        assert_eq!(checked(with(json!({"aud": ["others", "us"]}))), Ok(()));
        for bad in [
            json!({"aud": "others"}),
            json!({"aud": ["others"]}),
            json!({"aud": []}),
            json!({"aud": ""}),
            json!({"aud": null}),
            json!({"iss": "THEM"}),
            json!({"iss": null}),
            json!({"sub": ""}),
            json!({"sub": 7}),
        ] {
            assert!(checked(with(bad.clone())).is_err(), "{bad}");
        }
    }

    #[test]
    fn shapes_are_told_apart() {
        assert!(has_three_parts("a.b.c") && !has_three_parts("a.b") && !has_three_parts("EAAB"));
        // Only a header of JSON makes a token: Epic's access tokens have three parts, too.
        assert!(is_token("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"));
        for code in ["a.b.c", "eg1~eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "eyJhbGciOiJSUzI1NiJ9", ""] {
            assert!(!is_token(code), "{code}");
        }
    }
}
