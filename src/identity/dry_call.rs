//! Asking every configured provider with a proof that was made up: one that can be asked says no. What
//! cannot say no (no connection, credentials it does not know) is broken for players, too.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::providers::Providers;
use super::{IdentityError, Proof};

/// What came of asking a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryCall {
    /// The provider's word.
    pub provider: String,
    /// Whether it refused, as it should, or why it could not; `None`: it did not have to be asked.
    pub answer: Option<Result<(), IdentityError>>,
}

impl Providers {
    /// Asks each configured provider in each way it is set up for, one after the other.
    pub async fn dry_calls(&self) -> Vec<DryCall> {
        let studio = self.studio().iter().map(|studio| studio.number);
        let studio = studio.map(|number| Proof::Studio(number, text(&token())));
        let mut calls = Vec::new();
        for proof in made_up().into_iter().chain(studio).filter(|proof| self.takes(proof)) {
            let kind = proof.kind();
            let asked = || {
                let figures = self.figures().of(kind);
                figures.map_or(0, |figures| figures.calls.load(Ordering::Relaxed))
            };
            let before = asked();
            let answer = match self.verify(&proof).await {
                // Not set up for this sort of proof.
                Err(IdentityError::NotConfigured(_)) => continue,
                Err(error @ IdentityError::Unavailable(..)) => Some(Err(error)),
                Ok(_) | Err(IdentityError::Refused(..) | IdentityError::Unverified(..)) => {
                    (asked() > before).then_some(Ok(()))
                }
            };
            calls.push(DryCall { provider: self.figures().word(kind).to_owned(), answer });
        }
        merged(calls)
    }
}

/// A provider that is asked in several ways is broken when one of them is.
fn merged(calls: Vec<DryCall>) -> Vec<DryCall> {
    let mut merged: Vec<DryCall> = Vec::new();
    for call in calls {
        match merged.iter_mut().find(|known| known.provider == call.provider) {
            Some(known) => {
                let is_broken = matches!(known.answer, Some(Err(_)));
                if !is_broken && call.answer.is_some() {
                    known.answer = call.answer;
                }
            }
            None => merged.push(call),
        }
    }
    merged
}

fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// A signed token of a key that nobody has: whoever checks it has to look at the provider's keys.
fn token() -> String {
    let head = URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","typ":"JWT","kid":"made-up"}"#);
    format!("{head}.{}.{}", URL_SAFE_NO_PAD.encode(b"{}"), URL_SAFE_NO_PAD.encode(b"made-up"))
}

/// A proof of each sort. Game Center and Instant Games are not asked without a player's.
fn made_up() -> Vec<Proof> {
    let token = token();
    let code = "made-up-code";
    vec![
        Proof::Apple(text(&token)),
        Proof::AppleOauth(text(code)),
        Proof::Facebook(text("made-up-access-token")),
        Proof::Google(text(&token)),
        Proof::GoogleOauth(text(code)),
        Proof::GoogleOauth(text(&token)),
        Proof::Steam(text("14000000deadbeef")),
        Proof::Xbox(text("XBL3.0 x=0;made-up")),
        Proof::PlayStation(text(code)),
        Proof::Nintendo(text(&token)),
        Proof::GoogleWorkspace(text(&token)),
        Proof::Epic(text(code)),
        Proof::Epic(text(&token)),
        Proof::Discord(text(code)),
        Proof::Twitch(text(code)),
        Proof::Twitch(text(&token)),
        Proof::Okta(text(&token)),
        Proof::Auth0(text(&token)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::LinkKind;

    #[test]
    fn a_provider_is_as_good_as_its_worst_door() {
        let call = |answer| DryCall { provider: "epic".to_owned(), answer };
        let down = IdentityError::Unavailable(LinkKind::Epic, "no connection");
        let broken = Some(Err(down));
        for (calls, worst) in [
            (vec![Some(Ok(())), broken.clone()], broken.clone()),
            (vec![broken.clone(), Some(Ok(()))], broken),
            (vec![None, Some(Ok(()))], Some(Ok(()))),
            (vec![Some(Ok(())), None], Some(Ok(()))),
        ] {
            let merged = merged(calls.into_iter().map(call).collect());
            assert_eq!(merged, [call(worst)]);
        }
    }
}
