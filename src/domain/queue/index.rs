//! Identity → number, at five bytes a bucket: the table holds halves of numbers and looks the
//! identity up in the record.
//!
//! Cut into shards so that growing pauses for a sixty-fourth of the work, not for all of it.

use hashbrown::HashTable;

use super::Identity;

const SHARDS: usize = 64;

/// The index. Callers pass how to find the identity of an entry.
#[derive(Clone, Debug)]
pub(super) struct Index {
    shards: Vec<HashTable<u32>>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { shards: vec![HashTable::new(); SHARDS] }
    }

    /// The entry of `identity`.
    pub(super) fn find(
        &self,
        identity: Identity,
        identity_of: impl Fn(u32) -> Identity,
    ) -> Option<u32> {
        let hash = mix(identity.0);
        self.shards[shard(hash)].find(hash, |&low| identity_of(low) == identity).copied()
    }

    /// Adds an entry. The identity has none yet.
    pub(super) fn insert(
        &mut self,
        identity: Identity,
        low: u32,
        identity_of: impl Fn(u32) -> Identity,
    ) {
        let hash = mix(identity.0);
        self.shards[shard(hash)].insert_unique(hash, low, |&low| mix(identity_of(low).0));
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, identity: Identity, low: u32) {
        let hash = mix(identity.0);
        if let Ok(entry) = self.shards[shard(hash)].find_entry(hash, |&entry| entry == low) {
            entry.remove();
        }
    }
}

/// Spreads an identity over all bits. Identities are keyed fingerprints, so nobody can choose
/// colliding ones; this is for those of tests and of restarts.
pub(super) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

const fn shard(hash: u64) -> usize {
    (hash >> 50) as usize % SHARDS
}
