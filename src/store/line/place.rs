//! One place in the log: whose it is, which number, which lane.

use crate::domain::queue::{Identity, Lane, Number};

/// Bytes of a place in the log.
pub(super) const RECORD: usize = 21;

/// A place whose owner holds no ticket: only the log knows which number is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number.
    pub number: Number,
    /// Whose it is. Never [`Identity::ANONYMOUS`].
    pub identity: Identity,
    /// The lane it was taken in.
    pub lane: Lane,
}

impl Place {
    /// As it is written: number, identity, lane, CRC-32 of these; little-endian.
    pub(super) fn encode(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.number.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.identity.0.to_le_bytes());
        bytes[16] = self.lane as u8;
        let crc = crc32fast::hash(&bytes[..17]);
        bytes[17..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The place in these bytes; `None` when they are torn or damaged.
    pub(super) fn decode(bytes: &[u8; RECORD]) -> Option<Self> {
        let (data, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(data) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (number, rest) = data.split_first_chunk::<8>()?;
        let (identity, lane) = rest.split_first_chunk::<8>()?;
        let lane = Lane::ALL.into_iter().find(|known| lane == [*known as u8])?;
        Some(Self {
            number: Number(u64::from_le_bytes(*number)),
            identity: Identity(u64::from_le_bytes(*identity)),
            lane,
        })
    }
}

/// The places up to the first that is torn, and how many bytes they take.
pub(super) fn read_all(bytes: &[u8]) -> (Vec<Place>, usize) {
    let mut places = Vec::with_capacity(bytes.len() / RECORD);
    let (records, _) = bytes.as_chunks::<RECORD>();
    places.extend(records.iter().map_while(Place::decode));
    let good = places.len() * RECORD;
    (places, good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_torn_tail_costs_only_itself(
            numbers in proptest::collection::vec(any::<u64>(), 1..20),
            cut in 1_usize..RECORD,
        ) {
            let places: Vec<Place> = numbers.iter().map(|n| Place {
                number: Number(*n),
                identity: Identity(n.rotate_left(7) | 1),
                lane: Lane::ALL[usize::try_from(n % 5).unwrap()],
            }).collect();
            let bytes: Vec<u8> = places.iter().flat_map(|place| place.encode()).collect();
            let whole = places.len();
            prop_assert_eq!(read_all(&bytes), (places.clone(), bytes.len()));
            let (found, good) = read_all(&bytes[..bytes.len() - cut]);
            prop_assert_eq!(&found[..], &places[..whole - 1]);
            prop_assert_eq!(good, (whole - 1) * RECORD);
        }
    }
}
