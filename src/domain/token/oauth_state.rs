//! The `state` of a sign-in at a provider's web page (RFC 6749 §10.12): ours, for one browser, for one
//! provider, for a while.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::time::UnixMicros;

/// How long somebody may take at the provider's page, in seconds.
pub const LIFE_S: u64 = 600;
/// What a state of ours begins with.
const PREFIX: &str = "a1.";

/// The key of states. Made anew with each start: whoever is in the middle of a sign-in then starts it
/// again.
pub struct StateKey(hmac::Key);

/// Why a state is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sign-in was not started here, or too long ago")]
pub struct BadState;

impl StateKey {
    /// A key of these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A state for a provider's number, a browser (the value of its cookie), and the port at which a
    /// game on the same machine waits for the code; 0: nobody waits.
    pub fn sign(&self, provider: u32, browser: &str, port: u16, now: UnixMicros) -> String {
        let text = format!("{PREFIX}{provider}.{port}.{}", now.plus_secs(LIFE_S).as_secs());
        let tag = hmac::sign(&self.0, format!("{text}.{browser}").as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether a text claims to be a state of ours.
    pub fn is_ours(state: &str) -> bool {
        state.starts_with(PREFIX)
    }

    /// The port in a state that was signed for this provider and browser.
    ///
    /// # Errors
    ///
    /// [`BadState`]
    pub fn verify(
        &self,
        state: &str,
        provider: u32,
        browser: &str,
        now: UnixMicros,
    ) -> Result<u16, BadState> {
        let (text, tag) = state.rsplit_once('.').ok_or(BadState)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| BadState)?;
        hmac::verify(&self.0, format!("{text}.{browser}").as_bytes(), &tag)
            .map_err(|_| BadState)?;
        let mut parts = text.strip_prefix(PREFIX).ok_or(BadState)?.split('.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (of, port, until) = (number(), number(), number());
        if of != Some(u64::from(provider)) || until.is_none_or(|until| until <= now.as_secs()) {
            return Err(BadState);
        }
        port.and_then(|port| u16::try_from(port).ok()).ok_or(BadState)
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    #[test]
    fn a_state_is_good_for_its_provider_browser_and_time_only() {
        let key = StateKey::new(&[7; 32]);
        let state = key.sign(3, "cookie", 49_152, NOW);
        assert!(StateKey::is_ours(&state));
        assert_eq!(key.verify(&state, 3, "cookie", NOW), Ok(49_152));
        assert_eq!(key.verify(&state, 3, "cookie", NOW.plus_secs(LIFE_S - 1)), Ok(49_152));
        for bad in [
            key.verify(&state, 4, "cookie", NOW),
            key.verify(&state, 3, "another", NOW),
            key.verify(&state, 3, "cookie", NOW.plus_secs(LIFE_S)),
            StateKey::new(&[8; 32]).verify(&state, 3, "cookie", NOW),
            key.verify(&state.replace("49152", "80"), 3, "cookie", NOW),
            key.verify("a1.3.0.9999999999.", 3, "cookie", NOW),
            key.verify("", 3, "cookie", NOW),
        ] {
            assert_eq!(bad, Err(BadState));
        }
    }
}
