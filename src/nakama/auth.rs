//! Who is asking: the server key of the game, or the bearer of a session (protocol-nakama §1).

use actix_http::header::{self, HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::App;
use super::errors::Failure;
use crate::domain::account::AccountId;
use crate::domain::token::nakama::{Claims, Kind};

/// The key every game client carries: an identifier rather than a secret, yet not shown.
#[derive(Clone)]
pub struct ServerKey {
    key: Zeroizing<Vec<u8>>,
    /// The header as nearly every client writes it.
    usual: Zeroizing<String>,
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

impl ServerKey {
    /// The key from its bytes.
    pub fn new(key: &[u8]) -> Self {
        let usual = format!("Basic {}", STANDARD.encode([key, b":"].concat()));
        Self { key: Zeroizing::new(key.to_vec()), usual: Zeroizing::new(usual) }
    }

    /// Checks the `Authorization` of an authenticate or refresh call (§1.2).
    ///
    /// # Errors
    ///
    /// 16/401 `Server key required` when there is not exactly one, else `Server key invalid`.
    pub fn check(&self, authorization: Authorization<'_>) -> Result<(), Failure> {
        match authorization {
            Authorization::One(value) if self.opens(value) => Ok(()),
            Authorization::One(_) => Err(Failure::unauthenticated(INVALID)),
            Authorization::None | Authorization::Several => {
                Err(Failure::unauthenticated("Server key required"))
            }
        }
    }

    fn opens(&self, value: &[u8]) -> bool {
        if bool::from(value.ct_eq(self.usual.as_bytes())) {
            return true;
        }
        let Some(encoded) = value.strip_prefix(b"Basic ") else { return false };
        let Ok(pair) = STANDARD.decode(encoded).map(Zeroizing::new) else { return false };
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { return false };
        let key = pair.get(..colon).unwrap_or_default();
        bool::from(key.ct_eq(&self.key))
    }
}

const INVALID: &str = "Server key invalid";

/// The `Authorization` of a request: the header over HTTP, the metadata over gRPC.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// There is none.
    None,
    /// There is one, with this value.
    One(&'a [u8]),
    /// There are several, which is as good as a wrong one.
    Several,
}

impl<'a> Authorization<'a> {
    /// From every value there is.
    pub fn of(mut values: impl Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (Some(value), None) => Self::One(value),
            (None, _) => Self::None,
            (Some(_), Some(_)) => Self::Several,
        }
    }

    /// From the headers of a request over HTTP.
    pub fn in_headers(headers: &'a HeaderMap) -> Self {
        Self::of(headers.get_all(header::AUTHORIZATION).map(HeaderValue::as_bytes))
    }

    /// Whether it is a bearer: refresh then looks at its body first (§1.5).
    pub fn is_bearer(self) -> bool {
        matches!(self, Self::One(value) if value.starts_with(b"Bearer "))
    }
}

/// Checks the bearer token of a session call (§1.3).
///
/// # Errors
///
/// 16/401 `Auth token required` without the header, `Auth token invalid` for everything else.
pub fn bearer(app: &App, authorization: Authorization<'_>) -> Result<Claims, Failure> {
    let value = match authorization {
        Authorization::None => return Err(Failure::unauthenticated("Auth token required")),
        Authorization::One(value) => std::str::from_utf8(value).ok(),
        Authorization::Several => None,
    };
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(|token| access(app, token))
        .ok_or_else(|| Failure::unauthenticated("Auth token invalid"))
}

/// The claims of an access token that is good now and not revoked.
pub fn access(app: &App, token: &str) -> Option<Claims> {
    let claims = app.keys.verify(Kind::Access, token, app.door.clock.now()).ok()?;
    (!is_revoked(app, &claims, Kind::Access)).then_some(claims)
}

/// Whether a token whose signature is good has been revoked since.
pub fn is_revoked(app: &App, claims: &Claims, kind: Kind) -> bool {
    let account = AccountId(claims.account);
    app.door.is_revoked(account, claims.token, kind == Kind::Refresh, claims.issued_at_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(key: &ServerKey, values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        key.check(Authorization::in_headers(&headers)).err().map(|failure| {
            assert_eq!((failure.code, failure.status), (16, 401));
            failure.message.into_owned()
        })
    }

    #[test]
    fn the_server_key_is_the_user_name_of_exactly_one_basic_header() {
        let key = ServerKey::new(b"defaultkey");
        for value in ["Basic ZGVmYXVsdGtleTo=", "Basic ZGVmYXVsdGtleTphbnl0aGluZzp4"] {
            assert_eq!(message(&key, &[value]), None, "{value}");
        }
        assert_eq!(message(&key, &[]).as_deref(), Some("Server key required"));
        let good = "Basic ZGVmYXVsdGtleTo=";
        assert_eq!(message(&key, &[good, good]).as_deref(), Some("Server key required"));
        for value in [
            "basic ZGVmYXVsdGtleTo=",
            "Basic  ZGVmYXVsdGtleTo=",
            "Basic ZGVmYXVsdGtleTo",
            "Basic ZGVmYXVsdGtleQ==",
            "Basic b3RoZXI6",
            "Basic ZGVmYXVsdGtleXg6",
            "Basic Og==",
            "Basic ",
            "Basic *",
            "Bearer ZGVmYXVsdGtleTo=",
            "",
        ] {
            assert_eq!(message(&key, &[value]).as_deref(), Some("Server key invalid"), "{value}");
        }
        assert_eq!(format!("{key:?}"), "ServerKey(…)");
    }

    #[test]
    fn a_bearer_is_told_from_other_credentials() {
        let is_bearer = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            Authorization::in_headers(&headers).is_bearer()
        };
        assert!(is_bearer(&["Bearer x"]));
        assert!(!is_bearer(&["bearer x"]));
        assert!(!is_bearer(&["Basic x"]));
        assert!(!is_bearer(&["Bearer x", "Bearer x"]));
        assert!(!is_bearer(&[]));
    }
}
