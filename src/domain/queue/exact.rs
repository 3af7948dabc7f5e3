//! The whole state of the line as bytes, to the last bit: a line that is read from them goes on as the
//! one they were written from would have. For the journal, which replays; what a restart needs is far
//! less ([`super::Snapshot`]).
//!
//! Whatever is part of [`Queue`] is part of this, because both are derived. Only what follows from the
//! rest is left out: counts, the index of identities, records of numbers nobody has any more, and what
//! was noted for those who watch.

use super::Queue;

/// Bytes that are no state of a line, or that of another version of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of a line that this version of the program knows")]
pub struct NotExact;

impl Queue {
    /// The whole state, behind what `bytes` has already. Some ten milliseconds and 25 MB for a million
    /// waiting.
    pub fn write_exact(&self, bytes: Vec<u8>) -> Vec<u8> {
        // Writing to memory does not fail; half a state would be refused when it is read.
        postcard::to_extend(self, bytes).unwrap_or_default()
    }

    /// The line those bytes are of.
    ///
    /// # Errors
    ///
    /// [`NotExact`].
    pub fn read_exact(bytes: &[u8]) -> Result<Self, NotExact> {
        match postcard::take_from_bytes(bytes) {
            Ok((queue, [])) => Ok(queue),
            _ => Err(NotExact),
        }
    }
}

/// Tables without an order, in the order of their keys: the same state is the same bytes.
pub(super) mod sorted {
    pub(in crate::domain::queue) mod map {
        use std::hash::Hash;

        use hashbrown::HashMap;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(in crate::domain::queue) fn serialize<K, V, S>(
            map: &HashMap<K, V>,
            to: S,
        ) -> Result<S::Ok, S::Error>
        where
            K: Ord + Serialize,
            V: Serialize,
            S: Serializer,
        {
            let mut all: Vec<(&K, &V)> = map.iter().collect();
            all.sort_unstable_by_key(|(key, _)| *key);
            to.collect_seq(all)
        }

        pub(in crate::domain::queue) fn deserialize<'de, K, V, D>(
            from: D,
        ) -> Result<HashMap<K, V>, D::Error>
        where
            K: Eq + Hash + Deserialize<'de>,
            V: Deserialize<'de>,
            D: Deserializer<'de>,
        {
            Ok(Vec::deserialize(from)?.into_iter().collect())
        }
    }

    pub(in crate::domain::queue) mod set {
        use std::hash::Hash;

        use hashbrown::HashSet;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(in crate::domain::queue) fn serialize<K, S>(
            set: &HashSet<K>,
            to: S,
        ) -> Result<S::Ok, S::Error>
        where
            K: Ord + Serialize,
            S: Serializer,
        {
            let mut all: Vec<&K> = set.iter().collect();
            all.sort_unstable();
            to.collect_seq(all)
        }

        pub(in crate::domain::queue) fn deserialize<'de, K, D>(
            from: D,
        ) -> Result<HashSet<K>, D::Error>
        where
            K: Eq + Hash + Deserialize<'de>,
            D: Deserializer<'de>,
        {
            Ok(Vec::deserialize(from)?.into_iter().collect())
        }
    }
}
