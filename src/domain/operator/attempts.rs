//! Operators who are away at an identity provider's page, and what came of it. Each attempt belongs to
//! the browser that began it, comes back once, and is over after a while. In memory: who is away when
//! the server restarts begins again.

use std::collections::HashMap;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::domain::account::{AccountId, Link, LinkKind};
use crate::domain::time::UnixMicros;
use crate::domain::token::oauth_state::LIFE_S;

/// Attempts at once; the oldest goes first.
pub const ATTEMPTS_MAX: usize = 4_096;

/// What somebody went to a provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To become the first operator.
    SetUp(Joining),
    /// To take an invitation up.
    Accept(Joining),
    /// To sign in by this provider, too, from then on.
    Bind(Seat),
    /// To prove again who is there.
    StepUp(Seat),
}

/// Somebody who becomes an operator.
#[derive(Clone, PartialEq, Eq)]
pub struct Joining {
    /// The setup code, or the invitation's.
    pub code: Zeroizing<String>,
    /// The address they typed; empty: the provider's.
    pub email: String,
}

/// The code is a secret.
impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joining(…)")
    }
}

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub account: AccountId,
    /// The hash of their session's token.
    pub session: [u8; 32],
}

/// Somebody on the way to a provider and back.
#[derive(Clone)]
pub struct Attempt {
    /// The provider.
    pub kind: LinkKind,
    /// What for.
    pub purpose: Purpose,
    /// Where the provider sends them back to.
    pub redirect_uri: String,
    /// What comes back beside the code: a random text.
    pub state: Zeroizing<String>,
    /// What the provider signs: another.
    pub nonce: Zeroizing<String>,
    /// What proves at the provider that the code is ours (PKCE): another.
    pub verifier: Zeroizing<String>,
    /// Since when.
    pub began: UnixMicros,
}

/// Nothing of it is for logs.
impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attempt({})", self.kind.name())
    }
}

/// An operator whom a provider knows, and whose code is asked for yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Who.
    pub account: AccountId,
    /// By which account there.
    pub link: Link,
}

/// What there is to say of an attempt that is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<E> {
    /// The authenticator's code is asked for.
    Code,
    /// It ended with this.
    Ended(E),
}

/// It was not begun in this browser, came back before, or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartAgain;

enum Stage<E> {
    Away(Attempt),
    /// The provider is being asked.
    Back,
    Proven(Proven),
    Ended(E),
}

/// All of them, by the hash of what the browser shows.
pub struct Attempts<E>(HashMap<[u8; 32], (UnixMicros, Stage<E>)>);

impl<E> Default for Attempts<E> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<E: Clone> Attempts<E> {
    /// Somebody goes.
    pub fn begin(&mut self, browser: [u8; 32], attempt: Attempt) {
        let now = attempt.began;
        if self.0.len() >= ATTEMPTS_MAX {
            self.0.retain(|_, (until, _)| *until > now);
        }
        if self.0.len() >= ATTEMPTS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, (until, _))| until.0);
            if let Some(oldest) = oldest.map(|(browser, _)| *browser) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(browser, (now.plus_secs(LIFE_S), Stage::Away(attempt)));
    }

    /// Somebody comes back from this provider with this state: once.
    ///
    /// # Errors
    ///
    /// [`StartAgain`]
    pub fn take(
        &mut self,
        browser: &[u8; 32],
        kind: LinkKind,
        state: &str,
        now: UnixMicros,
    ) -> Result<Attempt, StartAgain> {
        let (_, at) = self.known(browser, now).ok_or(StartAgain)?;
        let is_it = matches!(at, Stage::Away(attempt) if attempt.kind == kind
            && bool::from(attempt.state.as_bytes().ct_eq(state.as_bytes())));
        if !is_it {
            return Err(StartAgain);
        }
        match std::mem::replace(at, Stage::Back) {
            Stage::Away(attempt) => Ok(attempt),
            _ => Err(StartAgain),
        }
    }

    /// The provider knows them; the code is asked for yet.
    pub fn prove(&mut self, browser: &[u8; 32], proven: Proven) {
        if let Some((_, stage)) = self.0.get_mut(browser) {
            *stage = Stage::Proven(proven);
        }
    }

    /// Whose code is asked for.
    pub fn proven(&mut self, browser: &[u8; 32], now: UnixMicros) -> Option<Proven> {
        match self.known(browser, now)? {
            (_, Stage::Proven(proven)) => Some(proven.clone()),
            _ => None,
        }
    }

    /// It came to nothing, and this is why.
    pub fn end(&mut self, browser: &[u8; 32], why: E) {
        if let Some((_, stage)) = self.0.get_mut(browser) {
            *stage = Stage::Ended(why);
        }
    }

    /// It is done.
    pub fn forget(&mut self, browser: &[u8; 32]) {
        self.0.remove(browser);
    }

    /// What there is to say of it.
    pub fn told(&mut self, browser: &[u8; 32], now: UnixMicros) -> Option<Told<E>> {
        match self.known(browser, now)? {
            (_, Stage::Proven(_)) => Some(Told::Code),
            (_, Stage::Ended(why)) => Some(Told::Ended(why.clone())),
            (_, Stage::Away(_) | Stage::Back) => None,
        }
    }

    fn known(
        &mut self,
        browser: &[u8; 32],
        now: UnixMicros,
    ) -> Option<&mut (UnixMicros, Stage<E>)> {
        if self.0.get(browser)?.0 <= now {
            self.0.remove(browser);
        }
        self.0.get_mut(browser)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: UnixMicros = UnixMicros::from_secs(1_000);
    const HERE: [u8; 32] = [1; 32];

    fn attempt(began: UnixMicros) -> Attempt {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        Attempt {
            kind: LinkKind::Okta,
            purpose: Purpose::SignIn,
            redirect_uri: "https://console.example/back".into(),
            state: text("state"),
            nonce: text("nonce"),
            verifier: text("verifier"),
            began,
        }
    }

    fn away() -> Attempts<&'static str> {
        let mut attempts = Attempts::default();
        attempts.begin(HERE, attempt(NOW));
        attempts
    }

    #[test]
    fn who_comes_back_is_the_browser_that_went_from_the_same_provider_once_and_in_time() {
        let okta = LinkKind::Okta;
        for (browser, kind, state, at) in [
            ([2; 32], okta, "state", NOW),
            (HERE, LinkKind::Auth0, "state", NOW),
            (HERE, okta, "stat", NOW),
            (HERE, okta, "", NOW),
            (HERE, okta, "state", NOW.plus_secs(LIFE_S)),
        ] {
            let mut attempts = away();
            assert!(attempts.take(&browser, kind, state, at).is_err(), "{kind:?} {state} {at:?}");
            let is_over = at > NOW;
            assert_eq!(
                attempts.take(&HERE, okta, "state", NOW).is_err(),
                is_over,
                "others harm it"
            );
        }
        let mut attempts = away();
        let back = attempts.take(&HERE, okta, "state", NOW.plus_secs(LIFE_S - 1)).unwrap();
        assert_eq!((&**back.nonce, &**back.verifier), ("nonce", "verifier"));
        assert!(attempts.take(&HERE, okta, "state", NOW).is_err(), "it came back");
        assert_eq!(attempts.told(&HERE, NOW), None);
    }

    #[test]
    fn what_came_of_it_is_told_until_it_is_over() {
        let mut attempts = away();
        assert_eq!(attempts.told(&HERE, NOW), None);
        attempts.end(&HERE, "no");
        assert_eq!(attempts.told(&HERE, NOW), Some(Told::Ended("no")));
        assert!(attempts.proven(&HERE, NOW).is_none());
        assert!(attempts.take(&HERE, LinkKind::Okta, "state", NOW).is_err());
        let link = Link { kind: LinkKind::Okta, id: "ada".into() };
        let proven = Proven { account: AccountId(Uuid::nil()), link };
        attempts.prove(&HERE, proven.clone());
        assert_eq!(attempts.told(&HERE, NOW), Some(Told::Code));
        assert_eq!(attempts.proven(&HERE, NOW.plus_secs(LIFE_S - 1)), Some(proven));
        assert_eq!(attempts.proven(&HERE, NOW.plus_secs(LIFE_S)), None);
        assert_eq!(attempts.told(&HERE, NOW), None, "and gone");
    }

    #[test]
    fn they_are_few_and_the_oldest_gives_way() {
        let mut attempts = away();
        for n in 0..ATTEMPTS_MAX {
            let mut browser = [9; 32];
            browser[..8].copy_from_slice(&n.to_be_bytes());
            attempts.begin(browser, attempt(NOW.plus_secs(1)));
        }
        assert_eq!(attempts.0.len(), ATTEMPTS_MAX);
        assert!(attempts.take(&HERE, LinkKind::Okta, "state", NOW).is_err());
    }
}
