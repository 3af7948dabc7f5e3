//! The only door to the machine's dice. Seeded in tests and simulations, so that a run can be
//! repeated: `clippy.toml` bans other sources.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use uuid::Uuid;

/// Rolls ids, names and secrets. Cheap to clone.
///
/// One cryptographic generator (`ChaCha20`, seeded by the operating system) behind a lock that is held
/// for some tens of nanoseconds: session ids, token ids and keys come from it.
#[derive(Clone, Debug)]
pub struct Dice(Arc<Mutex<ChaCha20Rng>>);

impl Dice {
    /// Dice seeded by the operating system.
    ///
    /// # Errors
    ///
    /// When the operating system gives no randomness; nothing safe can be done without.
    #[expect(clippy::disallowed_methods, reason = "this is the door to the machine's dice")]
    pub fn machine() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed)))))
    }

    /// Dice that always fall the same way for the same `seed`. For tests only.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    /// A random version 4 UUID.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.lock().fill_bytes(&mut bytes);
        bytes
    }

    /// A random number of 64 bits.
    pub fn number(&self) -> u64 {
        self.lock().next_u64()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ChaCha20Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers that are each given once in this run, in no order that anybody could read anything from.
/// One atomic each: for what is needed with every request.
#[derive(Debug)]
pub struct Scattered {
    start: u64,
    given: AtomicU64,
}

impl Scattered {
    /// Beginning somewhere that only this run knows.
    pub fn new(dice: &Dice) -> Self {
        Self { start: dice.number(), given: AtomicU64::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> u64 {
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        mixed(given.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.start))
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): one number for each.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_numbers_are_given_once_and_run_by_run_others() {
        let (one, other) = (Scattered::new(&Dice::seeded(1)), Scattered::new(&Dice::seeded(2)));
        let mut given: Vec<u64> = (0..2_000).map(|_| one.next()).collect();
        assert!(!given.is_sorted(), "nobody reads an order from them");
        given.extend((0..2_000).map(|_| other.next()));
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 4_000);
    }
}
