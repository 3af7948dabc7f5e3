//! Tokens whose signature is known to be good, because it was made or checked here a while ago.
//!
//! Checking an Ed25519 signature costs some 60 µs and a player brings the same token again and again:
//! to two sockets right after signing in, to every call over HTTP. A digest of the whole text says
//! the same in about one. Only signatures are remembered; life and revocation are looked at each time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

/// So that threads do not wait for each other; a power of two.
const SHARDS: usize = 16;
/// Tokens of one shard before its older half is forgotten: 131,072 in all, about 8 MB.
const YOUNG_MAX: usize = 4_096;

type Digest = [u8; 32];

/// The memory.
pub(super) struct Proven([Mutex<Shard>; SHARDS]);

#[derive(Default)]
struct Shard {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
}

impl Proven {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// Whether exactly this text was noted, and not too many since.
    pub(super) fn has(&self, token: &str) -> bool {
        let digest = of(token);
        let shard = self.shard(&digest);
        shard.young.contains(&digest) || shard.old.contains(&digest)
    }

    /// Notes a token with a good signature.
    pub(super) fn note(&self, token: &str) {
        let digest = of(token);
        let mut shard = self.shard(&digest);
        if shard.young.len() >= YOUNG_MAX {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(digest);
    }

    fn shard(&self, digest: &Digest) -> MutexGuard<'_, Shard> {
        let at = usize::from(digest[0]) % SHARDS;
        // A shard is two sets: whatever a panic interrupted, what is in them was proven.
        self.0[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(token: &str) -> Digest {
    let mut out = Digest::default();
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_to_the_letter() {
        let proven = Proven::new();
        proven.note("a.b.c");
        assert!(proven.has("a.b.c"));
        assert!(!proven.has("a.b.d") && !proven.has("a.b.") && !proven.has(""));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest_first() {
        let proven = Proven::new();
        let name = |n: usize| n.to_string();
        let noted = 4 * SHARDS * YOUNG_MAX;
        (0..noted).for_each(|n| proven.note(&name(n)));
        let held: usize =
            proven.0.iter().map(|s| s.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held <= 2 * SHARDS * YOUNG_MAX, "{held}");
        assert!(proven.has(&name(noted - 1)) && !proven.has(&name(0)));
    }
}
