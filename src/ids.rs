//! The only door to the machine's dice. Seeded in tests and simulations, so that a run can be
//! repeated: `clippy.toml` bans other sources.

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
