//! A sign-in at a provider's page by somebody who comes back with a code that is for us alone: operators.
//! Beside what holds for players' codes, the code is bound to who began (PKCE, RFC 7636), and an id
//! token to this one sign-in by a nonce.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use subtle::ConstantTimeEq as _;

use super::oauth::{self, Door, Redeeming};
use super::{IdentityError, Verified, jwt};
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;

/// One way to a provider and back.
#[derive(Clone, Copy)]
pub struct Trip<'a> {
    /// Where the provider sends them back to.
    pub redirect_uri: &'a str,
    /// What comes back with them.
    pub state: &'a str,
    /// What an id token has to say.
    pub nonce: &'a str,
    /// The secret behind the code's challenge: 43 to 128 letters and digits, `-`, `.`, `_`, `~`.
    pub verifier: &'a str,
    /// Whether they have to show there anew who they are, even if they are signed in.
    pub anew: bool,
}

/// Secrets are not for logs.
impl std::fmt::Debug for Trip<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trip(…)")
    }
}

/// Who came back.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Who.
    pub verified: Verified,
    /// When they last showed there who they are; `None`: the provider does not say.
    pub signed_in: Option<UnixMicros>,
}

/// How a provider's page takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// By `OpenID` Connect: an id token with our nonce, and when its owner signed in if that is asked.
    Oidc,
    /// The same, but nobody is asked anew and it does not say when its owner signed in.
    SilentOidc,
    /// By PKCE alone: no id token.
    Pkce,
}

/// A sign-in page, without what belongs to one trip.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub url: Url,
    pub client_id: String,
    pub scopes: String,
}

impl Page {
    /// Where to send somebody.
    pub fn address(&self, ceremony: Ceremony, trip: &Trip<'_>) -> String {
        let mut url = self.url.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.client_id)
                .append_pair("redirect_uri", trip.redirect_uri)
                .append_pair("state", trip.state)
                .append_pair("code_challenge", &challenge(trip.verifier))
                .append_pair("code_challenge_method", "S256");
            if !self.scopes.is_empty() {
                query.append_pair("scope", &self.scopes);
            }
            if ceremony != Ceremony::Pkce {
                query.append_pair("nonce", trip.nonce);
            }
            if trip.anew && ceremony == Ceremony::Oidc {
                query.append_pair("prompt", "login").append_pair("max_age", "0");
            }
        }
        url.into()
    }
}

/// What is told of a verifier before the code is redeemed (RFC 7636, S256).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// How to send somebody to this provider; `None`: it is not configured for that.
pub(super) fn page_of<D: Door>(door: Option<&D>) -> Option<(Page, Ceremony)> {
    let door = door?;
    Some((door.client().page()?.clone(), door.ceremony()?))
}

/// Redeems the code somebody came back with, and asks who they are.
pub(super) async fn returned<D: Door>(
    door: Option<&D>,
    kind: LinkKind,
    code: &str,
    trip: &Trip<'_>,
) -> Result<Returned, IdentityError> {
    let off = IdentityError::NotConfigured(kind);
    let door = door.ok_or(off.clone())?;
    let ceremony = door.ceremony().ok_or(off)?;
    let ask = Redeeming { code, redirect_uri: trip.redirect_uri, verifier: Some(trip.verifier) };
    let tokens = oauth::redeemed_code(door, ask).await?;
    let id_token = tokens.id_token.clone();
    let verified = door.redeemed(tokens).await?;
    if ceremony == Ceremony::Pkce {
        return Ok(Returned { verified, signed_in: None });
    }
    // Its signature was checked above, and it is the same text.
    let refused = |why| IdentityError::Refused(kind, why);
    let claims = jwt::checked_before(&id_token).ok_or(refused("its claims make no sense"))?;
    let nonce = claims.text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(trip.nonce.as_bytes())) {
        return Err(refused("the id token is of another sign-in"));
    }
    let signed_in = claims.moment("auth_time").map_err(|()| refused("a time makes no sense"))?;
    Ok(Returned { verified, signed_in: signed_in.map(UnixMicros::from_secs) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_rfcs() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_page_is_asked_for_no_more_than_its_provider_knows() {
        let page = Page {
            url: "https://okta.example/authorize?tenant=a".parse().unwrap(),
            client_id: "console".into(),
            scopes: "openid email".into(),
        };
        let mut trip = Trip {
            redirect_uri: "https://console.example/back",
            state: "s",
            nonce: "n",
            verifier: "v",
            anew: false,
        };
        let asked = |trip: &Trip<'_>, ceremony, wanted: &str| {
            let address: Url = page.address(ceremony, trip).parse().unwrap();
            let found = address.query_pairs().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        assert_eq!(asked(&trip, Ceremony::Oidc, "tenant").as_deref(), Some("a"));
        assert_eq!(asked(&trip, Ceremony::Oidc, "scope").as_deref(), Some("openid email"));
        assert_eq!(asked(&trip, Ceremony::Oidc, "nonce").as_deref(), Some("n"));
        assert_eq!(asked(&trip, Ceremony::Pkce, "nonce"), None);
        assert_eq!(asked(&trip, Ceremony::Pkce, "code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(asked(&trip, Ceremony::Oidc, "prompt"), None);
        trip.anew = true;
        assert_eq!(asked(&trip, Ceremony::Oidc, "prompt").as_deref(), Some("login"));
        assert_eq!(asked(&trip, Ceremony::Oidc, "max_age").as_deref(), Some("0"));
        assert_eq!(asked(&trip, Ceremony::SilentOidc, "prompt"), None);
    }
}
