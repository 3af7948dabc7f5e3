//! A block of the line: records and marks of 4,096 numbers.

use super::Lane;
use super::record::Record;

/// Numbers in a block.
pub(super) const BLOCK: u64 = 4096;
/// Words of a bitmap.
pub(super) const WORDS: usize = 64;
/// Words under one sub-count.
pub(super) const STRIDE: usize = 8;

/// What a number can be marked with. The first ones are the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Parked = 5,
    Pass = 6,
    /// Not heard of since a restart.
    Unheard = 7,
}

/// How many lanes there are.
pub(super) const LANES: usize = Lane::COUNT;
/// Bitmaps of a block: the lanes first.
pub(super) const MARKS: usize = LANES + 3;

const _: () = assert!(Mark::Parked as usize == LANES && Mark::Unheard as usize + 1 == MARKS);

/// One block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) records: Box<[Record]>,
    pub(super) bits: Box<[[u64; WORDS]]>,
    /// How many wait in each eighth of the block, by lane.
    pub(super) subs: [[u16; WORDS / STRIDE]; LANES],
    /// Marks set in this block, of all kinds.
    pub(super) marks: u32,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            records: vec![Record::default(); WORDS * 64].into_boxed_slice(),
            bits: vec![[0; WORDS]; MARKS].into_boxed_slice(),
            subs: [[0; WORDS / STRIDE]; LANES],
            marks: 0,
        }
    }

    /// Waiting in `lane` at offsets up to and including `at`.
    pub(super) fn rank(&self, lane: usize, at: usize) -> u64 {
        let word = at / 64;
        let sub = word / STRIDE;
        let mut sum: u32 = self.subs[lane][..sub].iter().map(|&count| u32::from(count)).sum();
        let bits = &self.bits[lane];
        sum += bits[sub * STRIDE..word].iter().map(|word| word.count_ones()).sum::<u32>();
        sum += (bits[word] << (63 - at % 64)).count_ones();
        u64::from(sum)
    }

    /// The first offset from `from` on that waits in `lane`.
    pub(super) fn first(&self, lane: usize, from: usize) -> Option<usize> {
        let bits = &self.bits[lane];
        let mut word = from / 64;
        let head = bits[word] & (u64::MAX << (from % 64));
        if head != 0 {
            return Some(word * 64 + head.trailing_zeros() as usize);
        }
        word += 1;
        while word < WORDS {
            if word.is_multiple_of(STRIDE) && self.subs[lane][word / STRIDE] == 0 {
                word += STRIDE;
                continue;
            }
            if bits[word] != 0 {
                return Some(word * 64 + bits[word].trailing_zeros() as usize);
            }
            word += 1;
        }
        None
    }
}

/// The positions of the ones in a word.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| u64::from(word.trailing_zeros()));
        word &= word.wrapping_sub(1);
        bit
    })
}
