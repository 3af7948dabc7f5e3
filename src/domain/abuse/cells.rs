//! A number for each address, in a fixed number of cells: what it is about fades, and many addresses
//! cost no memory.
//!
//! Two addresses that fall into one cell are told apart. The one that is there stays until the other has
//! been seen as often, and the other counts as nothing so far: a collision is never held against anybody.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher as _;

use super::rate::faded;
use crate::domain::time::UnixMicros;

/// The numbers.
pub(super) struct Cells {
    /// Packed into numbers: a box of zeros takes no memory until it is written to.
    all: Box<[Packed]>,
    hasher: DefaultHashBuilder,
    window_s: f64,
}

#[derive(Clone, Copy)]
struct Cell {
    /// Tells those apart who share the cell.
    tag: u32,
    value: f32,
    at: UnixMicros,
}

/// A cell's tag and the bits of its value, then its time.
type Packed = [u64; 2];

impl Cell {
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    const fn of([both, at]: Packed) -> Self {
        let (tag, value) = ((both >> 32) as u32, f32::from_bits(both as u32));
        Self { tag, value, at: UnixMicros(at) }
    }

    const fn packed(self) -> Packed {
        [(self.tag as u64) << 32 | self.value.to_bits() as u64, self.at.0]
    }
}

/// Below this a cell is free.
const NOTHING: f64 = 0.5;

impl Cells {
    /// So many cells; a number fades to a third in `window_s` seconds. The hasher is keyed by whoever
    /// makes it, so that nobody can aim at a cell.
    pub(super) fn new(cells: usize, window_s: f64, hasher: DefaultHashBuilder) -> Self {
        Self { all: vec![[0, 0]; cells.max(1)].into(), hasher, window_s }
    }

    /// The number of `key`, 0 if nothing is known of it.
    pub(super) fn get(&self, key: u64, now: UnixMicros) -> f64 {
        let (at, tag) = self.find(key);
        let cell = Cell::of(self.all[at]);
        if cell.tag == tag { self.value(cell, now) } else { 0.0 }
    }

    /// Adds to the number of `key`, within these bounds.
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    pub(super) fn add(&mut self, key: u64, now: UnixMicros, change: f64, bounds: (f64, f64)) {
        let (at, tag) = self.find(key);
        let cell = Cell::of(self.all[at]);
        let value = self.value(cell, now);
        let (tag, value) = if cell.tag == tag {
            (tag, (value + change).clamp(bounds.0, bounds.1))
        } else if value.abs() < NOTHING {
            (tag, change.clamp(bounds.0, bounds.1))
        } else {
            (cell.tag, value - value.signum().min(value.abs()))
        };
        self.all[at] = Cell { tag, value: value as f32, at: cell.at.max(now) }.packed();
    }

    fn value(&self, cell: Cell, now: UnixMicros) -> f64 {
        faded(cell.value.into(), now.since_us(cell.at), self.window_s)
    }

    #[expect(clippy::cast_possible_truncation, reason = "two halves of a hash")]
    fn find(&self, key: u64) -> (usize, u32) {
        let hash = self.hasher.hash_one(key);
        (hash as usize % self.all.len(), (hash >> 32) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const BOUNDS: (f64, f64) = (-100.0, 100.0);

    #[test]
    fn a_number_grows_fades_and_stays_within_its_bounds() {
        let mut cells = Cells::new(64, 10.0, DefaultHashBuilder::default());
        (0..5).for_each(|_| cells.add(7, NOW, 1.0, BOUNDS));
        assert!((cells.get(7, NOW) - 5.0).abs() < 1e-3);
        assert!((cells.get(7, NOW.plus_secs(10)) - 5.0 / std::f64::consts::E).abs() < 1e-3);
        cells.add(7, NOW, 1_000.0, BOUNDS);
        assert!((cells.get(7, NOW) - 100.0).abs() < 1e-3);
        cells.add(7, NOW, -1_000.0, BOUNDS);
        assert!((cells.get(7, NOW) + 100.0).abs() < 1e-3);
    }

    #[test]
    fn who_shares_a_cell_is_not_blamed_and_the_one_seen_most_keeps_it() {
        let mut cells = Cells::new(1, 1e9, DefaultHashBuilder::default());
        (0..50).for_each(|_| cells.add(1, NOW, 1.0, BOUNDS));
        assert!(cells.get(2, NOW).abs() < 1e-9, "another key, the same cell");
        (0..10).for_each(|_| cells.add(2, NOW, 1.0, BOUNDS));
        assert!(cells.get(2, NOW).abs() < 1e-9 && cells.get(1, NOW) > 39.0);
        (0..45).for_each(|_| cells.add(2, NOW, 1.0, BOUNDS));
        assert!(cells.get(1, NOW).abs() < 1e-9 && cells.get(2, NOW) > 0.0);
    }
}
