//! From a secret, the entrants and a public value to an order. The formulas are those of
//! `docs/lottery.md`; changing one is a new version of the record.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{LotteryError, PUBLIC_SEED_MAX};
use crate::domain::digest::{Digest, from_hex, hex};

/// What is hashed before the server seed for the commitment.
const COMMITMENT: &[u8] = b"anteroom lottery v1 commitment\n";
/// What is hashed first for the seed of the order.
const SEED: &[u8] = b"anteroom lottery v1 seed\n";

/// 32 random bytes that the server keeps secret until the draw. Wiped when dropped; `Debug` shows
/// nothing of it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ServerSeed([u8; 32]);

impl ServerSeed {
    /// From bytes of a cryptographic generator.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// From 64 lower-case hex digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text)?.try_into().ok().map(Self)
    }

    /// What is published before anybody may know the seed: SHA-256 of a prefix and the seed. A
    /// server that published it can't choose another seed later.
    pub fn commitment(&self) -> Digest {
        Digest::of(&[COMMITMENT, &self.0])
    }

    /// For the secret file, and for everybody after the draw: 64 hex digits.
    pub fn reveal(&self) -> String {
        hex(&self.0)
    }
}

impl std::fmt::Debug for ServerSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSeed(…)")
    }
}

/// The value of the beacon that was named in advance; empty without one. Written as hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicSeed(Vec<u8>);

impl PublicSeed {
    /// From the beacon's bytes.
    ///
    /// # Errors
    ///
    /// [`LotteryError::PublicSeedForm`] beyond [`PUBLIC_SEED_MAX`] bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, LotteryError> {
        if bytes.len() > PUBLIC_SEED_MAX {
            return Err(LotteryError::PublicSeedForm);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::str::FromStr for PublicSeed {
    type Err = LotteryError;

    fn from_str(text: &str) -> Result<Self, LotteryError> {
        from_hex(text).ok_or(LotteryError::PublicSeedForm).and_then(|bytes| Self::new(&bytes))
    }
}

impl TryFrom<String> for PublicSeed {
    type Error = LotteryError;

    fn try_from(text: String) -> Result<Self, LotteryError> {
        text.parse()
    }
}

impl From<PublicSeed> for String {
    fn from(seed: PublicSeed) -> Self {
        hex(&seed.0)
    }
}

/// What the order follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(Digest);

impl Seed {
    /// SHA-256 of a prefix, the server seed, the root of entrants and the public value. Only the
    /// last has a length of its own, so nothing can be moved from one to the next.
    pub fn new(server: &ServerSeed, root: Digest, public: &PublicSeed) -> Self {
        Self(Digest::of(&[SEED, &server.0, &root.0, &public.0]))
    }
}

/// The order of the entrants, as indices into them: ascending by the first 16 bytes of
/// HMAC-SHA256(seed, number in 8 bytes, big-endian), equal ones by number. The entrants ascend and
/// are at most [`super::ENTRANTS_MAX`]. 28 bytes an entrant while it sorts.
pub fn draw(seed: Seed, entrants: &[u64]) -> Vec<u32> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.0.0);
    let mut tagged: Vec<(u64, u64, u32)> = (0_u32..)
        .zip(entrants)
        .map(|(index, number)| {
            let tag = hmac::sign(&key, &number.to_be_bytes());
            let mut halves =
                tag.as_ref().as_chunks().0.iter().map(|half| u64::from_be_bytes(*half));
            (halves.next().unwrap_or(0), halves.next().unwrap_or(0), index)
        })
        .collect();
    // The index ascends with the number.
    tagged.sort_unstable();
    tagged.into_iter().map(|(_, _, index)| index).collect()
}
