//! The line: who waits, in the order of their numbers, whoever leaves in between.
//!
//! A window over the numbers, cut into blocks of 4096. A block has a bitmap per mark and a record
//! per number; a Fenwick tree counts each lane over the blocks. So a position under abandonment is
//! exact and costs well under a microsecond, and a ticket costs 24 bytes, a few bits, and its
//! share of the identity index. Blocks nobody is in are given back, wherever they are.

mod exact;

use std::collections::VecDeque;

pub(super) use super::block::{BLOCK, Mark, ones};
use super::block::{Block, LANES, MARKS, STRIDE, WORDS};
use super::fenwick::Counts;
use super::index::Index;
use super::record::Record;
use super::{Identity, Lane, Number};

/// Empty blocks kept for reuse.
const SPARE_MAX: usize = 16;

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting(Lane),
    Parked,
    Pass,
    /// Presumed present after a restart, was not heard of when its turn came.
    Skipped,
    /// Not here: never given, left, lapsed or redeemed.
    Gone,
}

/// The line. See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Line {
    window: VecDeque<Option<Box<Block>>>,
    /// Block number of the window's front.
    base: u64,
    /// The next number to give.
    next: u64,
    counts: Counts,
    /// Nobody waits in the lane below this number.
    heads: [u64; LANES],
    apart: [u64; MARKS - LANES],
    index: Index,
    /// Numbers that ceased to wait, for whoever watches.
    ceased: Option<Vec<Number>>,
    #[expect(clippy::vec_box, reason = "boxes go back into the window as they are")]
    spare: Vec<Box<Block>>,
}

impl Line {
    /// An empty line whose first number is `next`.
    pub(super) fn new(next: Number) -> Self {
        Self {
            window: VecDeque::new(),
            base: next.0 / BLOCK,
            next: next.0,
            counts: Counts::new(64),
            heads: [next.0; LANES],
            apart: [0; MARKS - LANES],
            index: Index::new(),
            ceased: None,
            spare: Vec::new(),
        }
    }

    /// The next number to give.
    pub(super) const fn next(&self) -> Number {
        Number(self.next)
    }

    /// Skips numbers: the next one given is `next`, if that is later.
    pub(super) fn skip_to(&mut self, next: Number) {
        let last = self.next / BLOCK;
        self.next = self.next.max(next.0);
        self.give_back(last);
        self.trim();
    }

    /// Makes room for a number before the window: a pass from before a crash. Whether it may: it
    /// must have been given, and not aeons ago.
    pub(super) fn reach_back(&mut self, number: Number) -> bool {
        const REACH_MAX: u64 = 1 << 16;
        let block = number.0 / BLOCK;
        if number.0 >= self.next || self.base.saturating_sub(block) > REACH_MAX {
            return false;
        }
        while self.base > block {
            self.window.push_front(None);
            self.base -= 1;
            if self.window.len() >= self.counts.capacity() {
                self.grow_counts();
            }
        }
        true
    }

    /// Numbers in the window, as a range of block numbers.
    pub(super) fn blocks(&self) -> std::ops::Range<u64> {
        self.base..self.base + self.window.len() as u64
    }

    /// How many wait, by lane.
    pub(super) const fn waiting(&self) -> [u64; LANES] {
        self.counts.total()
    }

    /// How many wait in all lanes.
    pub(super) const fn waiting_total(&self) -> u64 {
        self.counts.all()
    }

    /// How many numbers carry `mark`.
    pub(super) const fn count(&self, mark: Mark) -> u64 {
        self.apart[mark as usize - LANES]
    }

    /// Whether the window can take another number (it spans at most 2^32).
    pub(super) const fn has_room(&self) -> bool {
        self.has_room_for(1)
    }

    /// Whether it can take so many.
    pub(super) const fn has_room_for(&self, numbers: u64) -> bool {
        let span = self.next - self.base * BLOCK;
        span <= u32::MAX as u64 && numbers <= u32::MAX as u64 - span
    }

    /// Gives the next number. The caller has checked that it may be given.
    pub(super) fn push(&mut self, lane: Lane, record: Record) -> Number {
        let number = Number(self.next);
        self.next += 1;
        let (block, at) = split(number);
        self.block_made(block).records[at] = record;
        self.set_waiting(number, lane);
        // Last: the rest need not wait for this cache miss.
        self.index_number(number, record.identity());
        if self.next.is_multiple_of(BLOCK) {
            self.trim();
        }
        number
    }

    /// Writes the record of a number that is about to be marked, and indexes its identity.
    pub(super) fn put(&mut self, number: Number, record: Record) {
        let (block, at) = split(number);
        self.block_made(block).records[at] = record;
        self.index_number(number, record.identity());
    }

    /// Gives a ticket an identity it was not known by.
    pub(super) fn set_identity(&mut self, number: Number, identity: Identity) {
        if let Some(record) = self.record_mut(number) {
            record.set_identity(identity);
            self.index_number(number, identity);
        }
    }

    /// Gives a ticket to another owner, who has no other.
    pub(super) fn rebind(&mut self, number: Number, identity: Identity) {
        let before = self.record(number).map(Record::identity);
        if let Some(before) = before.filter(|&before| before != Identity::ANONYMOUS) {
            self.index.remove(before, low(number));
        }
        self.set_identity(number, identity);
    }

    fn index_number(&mut self, number: Number, identity: Identity) {
        if identity != Identity::ANONYMOUS {
            let (window, base) = (&self.window, self.base);
            self.index.insert(identity, low(number), |low| identity_at(window, base, low));
        }
    }

    /// The ticket of an identity, in whatever state.
    pub(super) fn find(&self, identity: Identity) -> Option<Number> {
        if identity == Identity::ANONYMOUS {
            return None;
        }
        let low = self.index.find(identity, |low| identity_at(&self.window, self.base, low))?;
        Some(full(self.base, low))
    }

    /// The record of a number in the window.
    pub(super) fn record(&self, number: Number) -> Option<&Record> {
        let (block, at) = split(number);
        Some(&self.block(block)?.records[at])
    }

    /// The same, to change.
    pub(super) fn record_mut(&mut self, number: Number) -> Option<&mut Record> {
        let (block, at) = split(number);
        Some(&mut self.block_mut(block)?.records[at])
    }

    /// Where a number stands.
    pub(super) fn state(&self, number: Number) -> State {
        let (block, at) = split(number);
        let Some(block) = self.block(block) else { return State::Gone };
        let has = |mark: usize| block.bits[mark][at / 64] >> (at % 64) & 1 == 1;
        let lane = block.records[at].lane();
        if has(lane as usize) {
            State::Waiting(lane)
        } else if has(Mark::Pass as usize) {
            State::Pass
        } else if has(Mark::Parked as usize) {
            State::Parked
        } else if has(Mark::Unheard as usize) {
            State::Skipped
        } else {
            State::Gone
        }
    }

    /// Whether a number carries `mark`.
    pub(super) fn has(&self, number: Number, mark: Mark) -> bool {
        let (block, at) = split(number);
        self.block(block)
            .is_some_and(|block| block.bits[mark as usize][at / 64] >> (at % 64) & 1 == 1)
    }

    /// Marks a number that has a record.
    pub(super) fn set(&mut self, number: Number, mark: Mark) {
        if self.flip(number, mark as usize, true) {
            self.apart[mark as usize - LANES] += 1;
        }
    }

    /// Takes a mark off. The block is given back by [`Line::forget`], not here.
    pub(super) fn clear(&mut self, number: Number, mark: Mark) {
        if self.flip(number, mark as usize, false) {
            self.apart[mark as usize - LANES] -= 1;
        }
    }

    /// Puts a number that has a record into a lane, at the place its number gives it.
    pub(super) fn set_waiting(&mut self, number: Number, lane: Lane) {
        if self.flip(number, lane as usize, true) {
            let (block, at) = split(number);
            self.counts.add(block, lane as usize, 1);
            self.heads[lane as usize] = self.heads[lane as usize].min(number.0);
            if let Some(block) = self.block_mut(block) {
                block.subs[lane as usize][at / 64 / STRIDE] += 1;
                block.records[at].set_lane(lane);
            }
        }
    }

    /// Takes a number out of its lane.
    pub(super) fn clear_waiting(&mut self, number: Number, lane: Lane) {
        if self.flip(number, lane as usize, false) {
            let (block, at) = split(number);
            self.counts.add(block, lane as usize, -1);
            if let Some(ceased) = &mut self.ceased {
                ceased.push(number);
            }
            if let Some(block) = self.block_mut(block) {
                block.subs[lane as usize][at / 64 / STRIDE] -= 1;
            }
        }
    }

    /// Notes from now on who ceases to wait. Who watches calls [`Line::ceased`] after every change.
    pub(super) fn watch(&mut self) {
        self.ceased.get_or_insert_default();
    }

    /// Who has ceased to wait since the last call.
    pub(super) fn ceased(&mut self) -> impl Iterator<Item = Number> {
        self.ceased.iter_mut().flat_map(|ceased| ceased.drain(..))
    }

    /// Place within the lane, from 1, of a number that waits there.
    pub(super) fn position(&self, number: Number, lane: Lane) -> u64 {
        let (block, at) = split(number);
        let before = self.counts.before(self.base, block, lane as usize);
        before + self.block(block).map_or(0, |block| block.rank(lane as usize, at))
    }

    /// The first number waiting in `lane`; the next look begins there.
    pub(super) fn first(&mut self, lane: Lane) -> Option<Number> {
        let first = self.front(lane);
        if first.is_some() || self.counts.total()[lane as usize] == 0 {
            self.heads[lane as usize] = first.map_or(self.next, |first| first.0);
        }
        first
    }

    /// The first number waiting in `lane`.
    pub(super) fn front(&self, lane: Lane) -> Option<Number> {
        let lane = lane as usize;
        if self.counts.total()[lane] == 0 {
            return None;
        }
        let mut number = self.heads[lane].max(self.base * BLOCK);
        loop {
            let (block, at) = split(Number(number));
            if block >= self.base + self.window.len() as u64 {
                return None;
            }
            if let Some(at) = self.block(block).and_then(|found| found.first(lane, at)) {
                return Some(Number(block * BLOCK + at as u64));
            }
            number = (block + 1) * BLOCK;
        }
    }

    /// The blocks somebody is in, from that of `from` on.
    pub(super) fn blocks_from(&self, from: Number) -> impl Iterator<Item = u64> {
        let first = split(from).0.max(self.base);
        (first..self.base + self.window.len() as u64).filter(|&block| self.block(block).is_some())
    }

    /// The first number waiting in `lane` after this one.
    pub(super) fn first_after(&self, lane: Lane, number: Number) -> Option<Number> {
        let (start, at) = split(Number(number.0 + 1));
        let lane = lane as usize;
        let from = |block: u64| if block == start { at } else { 0 };
        (start..self.base + self.window.len() as u64).find_map(|block| {
            let found = self.block(block)?.first(lane, from(block))?;
            Some(Number(block * BLOCK + found as u64))
        })
    }

    /// Takes a number out of everything.
    pub(super) fn forget(&mut self, number: Number) {
        if let State::Waiting(lane) = self.state(number) {
            self.clear_waiting(number, lane);
        }
        for mark in [Mark::Parked, Mark::Pass, Mark::Unheard] {
            self.clear(number, mark);
        }
        if let Some(identity) = self.record(number).map(Record::identity)
            && identity != Identity::ANONYMOUS
        {
            self.index.remove(identity, low(number));
        }
        self.give_back(split(number).0);
    }

    /// Numbers of a block that wait or are unheard of, for the sweep.
    pub(super) fn swept(&self, block: u64) -> Vec<Number> {
        let Some(found) = self.block(block) else { return Vec::new() };
        let kinds = || (0..LANES).chain([Mark::Unheard as usize]);
        let word = |at: usize| kinds().fold(0, |all, mark| all | found.bits[mark][at]);
        (0..WORDS)
            .flat_map(|at| ones(word(at)).map(move |bit| at as u64 * 64 + bit))
            .map(|at| Number(block * BLOCK + at))
            .collect()
    }

    /// One word of a mark's bitmap, for a snapshot: 64 numbers from `number` on.
    pub(super) fn word(&self, number: u64, mark: usize) -> u64 {
        let (block, at) = split(Number(number));
        self.block(block).map_or(0, |block| block.bits[mark][at / 64])
    }

    fn block(&self, block: u64) -> Option<&Block> {
        let at = usize::try_from(block.checked_sub(self.base)?).ok()?;
        self.window.get(at)?.as_deref()
    }

    fn block_mut(&mut self, block: u64) -> Option<&mut Block> {
        let at = usize::try_from(block.checked_sub(self.base)?).ok()?;
        self.window.get_mut(at)?.as_deref_mut()
    }

    /// The block, made if it is not there. Callers never ask below the window.
    #[expect(clippy::cast_possible_truncation, reason = "the window is in memory")]
    fn block_made(&mut self, block: u64) -> &mut Block {
        let at = block.saturating_sub(self.base) as usize;
        while self.window.len() <= at {
            self.window.push_back(None);
        }
        if self.window.len() >= self.counts.capacity() {
            self.grow_counts();
        }
        let spare = &mut self.spare;
        self.window[at].get_or_insert_with(|| spare.pop().unwrap_or_else(|| Box::new(Block::new())))
    }

    fn grow_counts(&mut self) {
        self.count_anew(self.window.len() * 2);
    }

    fn count_anew(&mut self, room: usize) {
        let mut counts = Counts::new(room);
        for (block, found) in (self.base..).zip(&self.window) {
            let Some(found) = found else { continue };
            for (lane, subs) in found.subs.iter().enumerate() {
                counts.add(block, lane, subs.iter().map(|&count| i32::from(count)).sum());
            }
        }
        self.counts = counts;
    }

    /// Sets or clears one bit; whether that changed anything.
    fn flip(&mut self, number: Number, mark: usize, on: bool) -> bool {
        let (block, at) = split(number);
        let Some(block) = self.block_mut(block) else { return false };
        let (word, bit) = (&mut block.bits[mark][at / 64], 1_u64 << (at % 64));
        if (*word & bit != 0) == on {
            return false;
        }
        *word ^= bit;
        if on {
            block.marks += 1;
        } else {
            block.marks -= 1;
        }
        true
    }

    /// Frees a block nobody is in, unless numbers of it are still to be given.
    fn give_back(&mut self, block: u64) {
        if block >= self.next / BLOCK || self.block(block).is_none_or(|found| found.marks > 0) {
            return;
        }
        let at = usize::try_from(block - self.base).unwrap_or(usize::MAX);
        if let Some(freed) = self.window.get_mut(at).and_then(Option::take)
            && self.spare.len() < SPARE_MAX
        {
            self.spare.push(freed);
        }
        self.slide();
    }

    /// Gives back the block before the next number's, if nobody is in it.
    fn trim(&mut self) {
        if let Some(block) = (self.next / BLOCK).checked_sub(1) {
            self.give_back(block);
        }
        self.slide();
    }

    fn slide(&mut self) {
        while self.base < self.next / BLOCK && self.window.front().is_none_or(Option::is_none) {
            if self.window.pop_front().is_none() {
                self.base = self.next / BLOCK;
                return;
            }
            self.base += 1;
        }
    }
}

const fn split(number: Number) -> (u64, usize) {
    (number.0 / BLOCK, (number.0 % BLOCK) as usize)
}

#[expect(clippy::cast_possible_truncation, reason = "the window is shorter than 2^32")]
const fn low(number: Number) -> u32 {
    number.0 as u32
}

/// The number in the window whose lower half is `low`.
fn full(base: u64, low_half: u32) -> Number {
    let start = base * BLOCK;
    Number(start + u64::from(low_half.wrapping_sub(low(Number(start)))))
}

fn identity_at(window: &VecDeque<Option<Box<Block>>>, base: u64, low_half: u32) -> Identity {
    let (block, at) = split(full(base, low_half));
    let slot = usize::try_from(block - base).unwrap_or(usize::MAX);
    match window.get(slot) {
        Some(Some(block)) => block.records[at].identity(),
        _ => Identity::ANONYMOUS,
    }
}
