//! What has to be read again and must not lie open in the store: an authenticator's secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::domain::account::AccountId;

/// Seals with AES-256-GCM under a key of its own that is derived from the server's identity key, so
/// that no new secret is needed and a copy of the store alone opens nothing.
pub struct SealKey(LessSafeKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Random bytes that sealing takes.
    pub const NONCE_BYTES: usize = NONCE_LEN;

    /// From the server's identity key. `None` never happens: the derived key has the right length.
    pub fn new(identity_key: &[u8]) -> Option<Self> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, identity_key);
        let derived = hmac::sign(&key, b"anteroom operator v1 seal\n");
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, derived.as_ref()).ok()?)))
    }

    /// Seals a secret of this account. `nonce`: random, another one each time.
    pub fn seal(
        &self,
        account: AccountId,
        nonce: [u8; Self::NONCE_BYTES],
        secret: &[u8],
    ) -> Option<Vec<u8>> {
        let mut sealed = Zeroizing::new(secret.to_vec());
        let bound = Aad::from(account.0.into_bytes());
        let with = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(with, bound, &mut *sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The secret again; `None`: it was sealed for another account, with another key, or changed.
    pub fn open(&self, account: AccountId, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut secret = Zeroizing::new(rest.to_vec());
        let bound = Aad::from(account.0.into_bytes());
        let with = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(with, bound, &mut secret).ok()?.len();
        secret.truncate(length);
        Some(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn only_the_same_key_opens_it_and_for_the_same_account() {
        let (ada, bob) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let (key, other) = (SealKey::new(&[1; 32]).unwrap(), SealKey::new(&[2; 32]).unwrap());
        let sealed = key.seal(ada, [7; 12], b"twenty bytes of this").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"twenty"));
        assert_eq!(key.open(ada, &sealed).unwrap().as_slice(), b"twenty bytes of this");
        assert!(key.open(bob, &sealed).is_none() && other.open(ada, &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(ada, &changed).is_none(), "byte {at}");
        }
        assert!(key.open(ada, &[]).is_none());
    }
}
