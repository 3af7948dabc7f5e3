//! Operators who sign in with what they have here, a password and a code from their authenticator, or
//! at an identity provider that somebody who was let in has bound to them.
//! An operator is an account with a role ([`crate::domain::realm`]); what is here hangs on it and
//! goes with it. The password is not the account's: a player's door neither knows nor changes it.

mod attempts;
mod bindings;
pub mod codes;
mod credentials;
mod invitation;
mod seal;
mod sessions;
pub mod totp;

pub use attempts::{
    ATTEMPTS_MAX, Attempt, Attempts, Joining, Proven, Purpose, Seat, StartAgain, Told,
};
pub use bindings::{BINDINGS_MAX, Binding, Way, bindings_of};
pub use codes::SetupCode;
pub use credentials::{
    AutomationToken, Credentials, Factor, LISTED_MAX, OperatorAsk, OperatorRefusal,
    TOKEN_LIFE_MAX_MS, Totp, decide,
};
pub use invitation::{INVITATION_LIFE_MS, Invitation, Invited};
pub use seal::SealKey;
pub use sessions::{FRESH_S, OpenedBy, SESSIONS_MAX, Session, Sessions, proof_of_page};

use crate::domain::account::{Refusal, passwords};

/// Shortest password of an operator, in characters: the length that NIST SP 800-63B asks of a
/// password that may stand alone.
pub const PASSWORD_MIN: usize = 15;

/// Whether a password may be an operator's: long enough, at most `max` bytes, and none that
/// everybody tries first. No other rule: length is what counts.
///
/// # Errors
///
/// [`Refusal::PasswordShort`], [`Refusal::PasswordLong`], [`Refusal::PasswordCommon`].
pub fn password(text: &str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() < PASSWORD_MIN {
        return Err(Refusal::PasswordShort);
    }
    if text.len() > max {
        return Err(Refusal::PasswordLong);
    }
    passwords::uncommon(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_everybodys() {
        for (text, holds) in [
            ("fourteen chars", Err(Refusal::PasswordShort)),
            ("a sentence is fine", Ok(())),
            ("ёлка и снег зимой", Ok(())),
            ("111111111111111111", Err(Refusal::PasswordCommon)),
            ("abcabcabcabcabcabc", Err(Refusal::PasswordCommon)),
            ("qwertyuiopasdfghjkl", Err(Refusal::PasswordCommon)),
        ] {
            assert_eq!(password(text, 512), holds, "{text}");
        }
        assert_eq!(password(&"long ".repeat(200), 512), Err(Refusal::PasswordLong));
    }
}
