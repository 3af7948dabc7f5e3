//! A copy of everything a store holds, taken while its owner goes on writing.

use super::StoreError;

/// A way to copy a store, for any thread.
pub trait Copies: Send + Sync {
    /// Begins a copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] while another copy is being made.
    fn begin(&self) -> Result<Box<dyn Copying>, StoreError>;
}

/// A copy that is being made. Dropped before its end, it leaves nothing behind.
pub trait Copying: Send {
    /// The next piece; `None`: that was all.
    ///
    /// All pieces put in their order into an empty store make it what the copied one was between two
    /// commits, at one moment since the first call: of every commit there is all or nothing.
    ///
    /// # Errors
    ///
    /// The store cannot be read; or more was written meanwhile than a copy holds in memory, because
    /// whoever takes the pieces is too slow.
    fn next_piece(&mut self) -> Result<Option<Piece>, StoreError>;

    /// How many accounts there are in it, once all pieces were given.
    fn accounts(&self) -> u64;
}

/// Some records of a store, as its engine keeps them: keys and values, or keys that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece(Vec<u8>);

/// What stands for the length of a value when the key is gone.
const GONE: u32 = u32::MAX;

impl Piece {
    /// A piece as it was written down.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be written down.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a record; `None`: the key is gone.
    pub fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(GONE - 1);
        self.0.extend(length(key).to_le_bytes());
        self.0.extend(value.map_or(GONE, length).to_le_bytes());
        self.0.extend(key);
        self.0.extend(value.unwrap_or_default());
    }

    /// The records in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where the bytes are no records.
    pub fn records(&self) -> impl Iterator<Item = Result<(&[u8], Option<&[u8]>), StoreError>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let taken = take(&mut rest);
            if taken.is_none() {
                rest = &[];
            }
            Some(taken.ok_or(StoreError::Corrupt("a piece of a copy that is not whole")))
        })
    }
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let (key, behind) = rest.split_first_chunk()?;
    let (value, behind) = behind.split_first_chunk()?;
    let (key, value) = (u32::from_le_bytes(*key), u32::from_le_bytes(*value));
    let (key, behind) = behind.split_at_checked(usize::try_from(key).ok()?)?;
    let length = if value == GONE { 0 } else { usize::try_from(value).ok()? };
    let (bytes, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some((key, (value != GONE).then_some(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Vec<(Vec<u8>, Option<Vec<u8>>)>;

    fn read(piece: &Piece) -> Result<Records, StoreError> {
        let owned =
            |(key, value): (&[u8], Option<&[u8]>)| (key.to_vec(), value.map(<[u8]>::to_vec));
        piece.records().map(|record| record.map(owned)).collect()
    }

    proptest! {
        #[test]
        fn what_is_put_is_read(records: Records, cut in 1_usize..8) {
            let mut piece = Piece::default();
            for (key, value) in &records {
                piece.put(key, value.as_deref());
            }
            prop_assert_eq!(read(&piece).unwrap(), records);
            let short = piece.bytes().len().saturating_sub(cut);
            if short > 0 {
                let cut = Piece::from_bytes(piece.bytes()[..short].to_vec());
                prop_assert!(read(&cut).is_err(), "records take eight bytes and more");
            }
        }
    }
}
