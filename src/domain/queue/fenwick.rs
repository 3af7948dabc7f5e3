//! How many wait in the blocks before a block: a Fenwick tree over a ring of blocks, one count per
//! lane in each node, so that a sliding window needs no rebuilding.

use super::Lane;

/// Counts per block and lane.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// One-based Fenwick tree over `block % capacity`.
    tree: Vec<[u32; Lane::COUNT]>,
    total: [u64; Lane::COUNT],
    /// Sum of `total`, kept apart: adding it up right after a change stalls the processor, which
    /// cannot forward one narrow store to a wide load (measured: a quarter of an enqueue).
    all: u64,
}

impl Counts {
    /// Room for `capacity` blocks, a power of two.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            tree: vec![[0; Lane::COUNT]; capacity.next_power_of_two() + 1],
            total: [0; Lane::COUNT],
            all: 0,
        }
    }

    /// Blocks that fit.
    pub(super) const fn capacity(&self) -> usize {
        self.tree.len() - 1
    }

    /// All that wait, by lane.
    pub(super) const fn total(&self) -> [u64; Lane::COUNT] {
        self.total
    }

    /// All that wait, in all lanes.
    pub(super) const fn all(&self) -> u64 {
        self.all
    }

    /// Adds to a block's count, or takes away: `delta` is added with wrapping.
    pub(super) fn add(&mut self, block: u64, lane: usize, delta: i32) {
        self.total[lane] = self.total[lane].wrapping_add_signed(i64::from(delta));
        self.all = self.all.wrapping_add_signed(i64::from(delta));
        let mut at = self.slot(block) + 1;
        while at < self.tree.len() {
            self.tree[at][lane] = self.tree[at][lane].wrapping_add_signed(delta);
            at += at & at.wrapping_neg();
        }
    }

    /// How many wait in the blocks from `base` up to, not including, `block`. The window between
    /// them is shorter than the capacity.
    pub(super) fn before(&self, base: u64, block: u64, lane: usize) -> u64 {
        let (from, to) = (self.slot(base), self.slot(block));
        let (below_from, below_to) = (self.prefix(from, lane), self.prefix(to, lane));
        if to >= from { below_to - below_from } else { self.total[lane] - below_from + below_to }
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked to the capacity")]
    const fn slot(&self, block: u64) -> usize {
        (block as usize) & (self.capacity() - 1)
    }

    fn prefix(&self, mut at: usize, lane: usize) -> u64 {
        let mut sum = 0_u64;
        while at > 0 {
            sum += u64::from(self.tree[at][lane]);
            at &= at - 1;
        }
        sum
    }
}
