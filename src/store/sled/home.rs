//! Homes: the id that belongs to a link by a keyed hash.
//!
//! An account made for a link gets the link's home as its id, so that the link is found without
//! an index entry. The key is random and never leaves the store: an id says nothing about the
//! device. When the home is taken (the link was unlinked there and is used anew) the account gets
//! any id and the link an index entry.

use aws_lc_rs::hmac;

use crate::domain::account::{AccountId, Link};

/// Bytes of the key.
pub const SALT_BYTES: usize = 32;

/// Finds homes.
#[derive(Clone)]
pub struct Home(hmac::Key);

impl Home {
    pub fn new(salt: &[u8; SALT_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, salt))
    }

    /// The home of a link: a version 4 UUID like any other.
    pub fn of(&self, link: &Link) -> AccountId {
        let mut hash = hmac::Context::with_key(&self.0);
        hash.update(&[link.kind.number()]);
        hash.update(link.id.as_bytes());
        let tag = hash.sign();
        let bytes = tag.as_ref().first_chunk().copied().unwrap_or_default();
        AccountId(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}
