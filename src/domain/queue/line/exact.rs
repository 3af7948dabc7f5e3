//! The line as bytes, to the last bit (see `queue::exact`): which marks each number has, and the
//! records of those that have any. Counts and the index follow from that.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BLOCK, Block, Counts, Index, LANES, Line, MARKS, Number, Record, STRIDE, WORDS, ones};
use crate::domain::queue::packed::{Packed, raw};
use crate::domain::queue::record::RECORD;

/// Blocks a window spans at most: 2^32 numbers.
const BLOCKS_MAX: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
struct State {
    base: u64,
    next: u64,
    heads: [u64; LANES],
    window: Vec<Option<BlockState>>,
}

#[derive(Serialize, Deserialize)]
struct BlockState {
    /// The bitmaps of all marks, one behind the other.
    bits: Packed,
    /// Records of marked numbers, ascending.
    #[serde(with = "raw")]
    records: Vec<u8>,
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let of = |block: &Option<Box<Block>>| block.as_deref().map(BlockState::of);
        State {
            base: self.base,
            next: self.next,
            heads: self.heads,
            window: self.window.iter().map(of).collect(),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let state = State::deserialize(from)?;
        Self::rebuilt(state).ok_or_else(|| serde::de::Error::custom("not a line"))
    }
}

impl Line {
    /// `None`: the parts contradict each other.
    fn rebuilt(state: State) -> Option<Self> {
        let State { base, next, heads, window } = state;
        if window.len() > BLOCKS_MAX || base > u64::MAX / BLOCK / 2 {
            return None;
        }
        let blocks: Option<VecDeque<_>> = window
            .iter()
            .map(|found| found.as_ref().map_or(Some(None), |found| found.block().map(Some)))
            .collect();
        let mut line = Self {
            window: blocks?,
            base,
            next,
            counts: Counts::new(64),
            heads,
            apart: [0; MARKS - LANES],
            index: Index::new(),
            ceased: None,
            spare: Vec::new(),
        };
        if line.window.len() >= line.counts.capacity() {
            line.grow_counts();
        } else {
            line.count_anew(64);
        }
        line.index_anew();
        Some(line)
    }

    /// Counts marks, and indexes everybody who has one.
    fn index_anew(&mut self) {
        let mut known = Vec::new();
        for (block, found) in (self.base..).zip(&self.window) {
            let Some(found) = found else { continue };
            for (apart, bits) in self.apart.iter_mut().zip(&found.bits[LANES..]) {
                *apart += bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            }
            known.extend(
                found
                    .marked()
                    .map(|at| (Number(block * BLOCK + at as u64), found.records[at].identity())),
            );
        }
        for (number, identity) in known {
            self.index_number(number, identity);
        }
    }
}

impl Block {
    /// Offsets of numbers with any mark, ascending.
    fn marked(&self) -> impl Iterator<Item = usize> {
        (0..WORDS).flat_map(|word| {
            let any = self.bits.iter().fold(0, |all, bits| all | bits[word]);
            ones(any).map(move |bit| word * 64 + usize::try_from(bit).unwrap_or(0))
        })
    }
}

impl BlockState {
    fn of(block: &Block) -> Self {
        let mut records = Vec::with_capacity(RECORD * 64);
        for at in block.marked() {
            records.extend_from_slice(&block.records[at].to_bytes());
        }
        Self { bits: Packed::pack(block.bits.iter().flatten().copied()), records }
    }

    /// `None`: not as many words or records as there have to be.
    fn block(&self) -> Option<Box<Block>> {
        let mut block = Box::new(Block::new());
        let mut words = self.bits.words();
        for word in block.bits.iter_mut().flatten() {
            *word = words.next()?;
        }
        let marks: u32 = block.bits.iter().flatten().map(|word| word.count_ones()).sum();
        block.marks = marks;
        for (subs, bits) in block.subs.iter_mut().zip(&block.bits) {
            for (sub, words) in subs.iter_mut().zip(bits.chunks(STRIDE)) {
                *sub =
                    u16::try_from(words.iter().map(|word| word.count_ones()).sum::<u32>()).ok()?;
            }
        }
        let (records, rest) = self.records.as_chunks::<RECORD>();
        let marked: Vec<usize> = block.marked().collect();
        if !rest.is_empty() || records.len() != marked.len() {
            return None;
        }
        for (at, record) in marked.into_iter().zip(records) {
            block.records[at] = Record::from_bytes(record);
        }
        Some(block)
    }
}
