//! Who is meant, for those who hold the key, and nobody for those who don't.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use crate::domain::account::AccountId;
use crate::domain::digest::hex;
use crate::domain::queue::Identity;

/// A keyed hash of an account or a credential: 32 hex digits. The same one is meant by the same
/// hash; who it is can only be found by trying, and only with the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// Its 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes pseudonyms. With another key everybody is a stranger to the records before.
pub struct Pseudonyms(hmac::Key);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(…)")
    }
}

impl Pseudonyms {
    /// From the server's identity key: one of its own is derived from it, so that these hashes say
    /// nothing about the line's fingerprints.
    pub fn new(identity_key: &[u8]) -> Self {
        let derived = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, identity_key),
            b"anteroom audit v1 pseudonyms\n",
        );
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// An account: a player's or an operator's.
    pub fn account(&self, account: AccountId) -> Pseudonym {
        self.of(b'a', account.0.as_bytes())
    }

    /// Whoever stands in line under this fingerprint.
    pub fn identity(&self, identity: Identity) -> Pseudonym {
        self.of(b'i', &identity.0.to_be_bytes())
    }

    fn of(&self, kind: u8, bytes: &[u8]) -> Pseudonym {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[kind]);
        context.update(bytes);
        let tag = context.sign();
        Pseudonym(hex(tag.as_ref().split_at(16).0))
    }
}
