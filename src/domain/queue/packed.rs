//! A bitmap over numbers, packed for a snapshot: runs of empty and of full words, and plain words
//! between them. Ten million waiting take 1.25 MB at worst.

use serde::{Deserialize, Serialize};

/// Words, packed as (empty words, full words, plain words, those words) again and again; counts are
/// variable-length numbers, words little-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packed(#[serde(with = "raw")] Vec<u8>);

impl Packed {
    /// Packs words.
    pub(super) fn pack(words: impl Iterator<Item = u64>) -> Self {
        let (mut bytes, mut empty, mut full, mut plain) = (Vec::new(), 0, 0, Vec::new());
        for word in words {
            let is_run = word == 0 || word == u64::MAX;
            if is_run && !plain.is_empty() || word == 0 && full > 0 {
                flush(&mut bytes, empty, full, &plain);
                (empty, full) = (0, 0);
                plain.clear();
            }
            match word {
                0 => empty += 1,
                u64::MAX => full += 1,
                _ => plain.push(word),
            }
        }
        flush(&mut bytes, empty, full, &plain);
        Self(bytes)
    }

    /// The words again. A damaged packing gives fewer words, never a panic; whoever stores it
    /// keeps a checksum.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (empty, full, plain) =
                (take_number(&mut rest)?, take_number(&mut rest)?, take_number(&mut rest)?);
            let size = usize::try_from(plain).ok()?.checked_mul(8)?;
            let (here, later) = rest.split_at_checked(size)?;
            rest = later;
            Some(run(0, empty).chain(run(u64::MAX, full)).chain(plain_words(here)))
        })
        .flatten()
    }
}

/// Longest run believed: no line is longer.
const RUN_MAX: u64 = 1 << 32;

fn run(word: u64, times: u64) -> impl Iterator<Item = u64> {
    (0..times.min(RUN_MAX)).map(move |_| word)
}

fn plain_words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
}

fn flush(bytes: &mut Vec<u8>, empty: u64, full: u64, plain: &[u64]) {
    if empty == 0 && full == 0 && plain.is_empty() {
        return;
    }
    for count in [empty, full, plain.len() as u64] {
        put_number(bytes, count);
    }
    bytes.extend(plain.iter().flat_map(|word| word.to_le_bytes()));
}

/// Appends a variable-length number: seven bits a byte, the lowest first.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        bytes.push(number.to_le_bytes()[0] | 128);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Takes such a number from the front; `None`: there is none.
pub(super) fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let (&byte, later) = rest.split_first()?;
        *rest = later;
        value |= u64::from(byte & 127).checked_shl(shift)?;
        if byte < 128 {
            return Some(value);
        }
        shift += 7;
    }
}

/// As bytes, not as a list of numbers.
pub(super) mod raw {
    use serde::de::{Deserializer, Visitor};
    use serde::ser::Serializer;

    pub(in crate::domain::queue) fn serialize<S: Serializer>(
        bytes: &[u8],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(in crate::domain::queue) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = seq.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
}
