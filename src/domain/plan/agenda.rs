//! What happens next, to whom: a calendar of moments and people.
//!
//! Everybody has one moment in it at most, so it is bounded by the number of people. Moments are
//! kept by the second they fall into and put in order only when that second begins: a push is an
//! append, and nothing is allocated for one. What is more than an hour off waits aside.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bits of a moment that say who.
const WHO_BITS: u32 = 24;
/// Most people a calendar can tell apart.
pub(super) const PEOPLE_MAX: u32 = 1 << WHO_BITS;
/// Milliseconds in a page: 1.024 s.
const PAGE_BITS: u32 = 10;
/// Pages that lie open, as a power of two: 70 minutes.
const PAGES: usize = 4_096;
/// Emptied pages kept for reuse.
const SPARE_MAX: usize = 64;

/// A moment in milliseconds and who it is about, in order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(u64);

impl Moment {
    fn new(at_ms: u32, who: u32) -> Self {
        Self(u64::from(at_ms) << WHO_BITS | u64::from(who))
    }

    #[expect(clippy::cast_possible_truncation, reason = "as it was packed")]
    const fn at_ms(self) -> u32 {
        (self.0 >> WHO_BITS) as u32
    }

    const fn who(self) -> u32 {
        (self.0 & ((1 << WHO_BITS) - 1)) as u32
    }

    const fn page(self) -> u32 {
        self.at_ms() >> PAGE_BITS
    }
}

/// The calendar.
#[derive(Debug)]
pub(super) struct Agenda {
    /// The page that is open.
    page: u32,
    /// What is left of it, the next moment last.
    open: Vec<Moment>,
    /// Came in for the open page after it was put in order.
    late: BinaryHeap<Reverse<Moment>>,
    pages: Vec<Vec<Moment>>,
    /// Pages from this one on are looked for in `far`.
    far_from: u32,
    far: Vec<Moment>,
    spare: Vec<Vec<Moment>>,
    len: usize,
}

impl Agenda {
    pub(super) fn new() -> Self {
        Self {
            page: 0,
            open: Vec::new(),
            late: BinaryHeap::new(),
            pages: (0..PAGES).map(|_| Vec::new()).collect(),
            far_from: u32::try_from(PAGES).unwrap_or(u32::MAX),
            far: Vec::new(),
            spare: Vec::new(),
            len: 0,
        }
    }

    /// Notes a moment. One that is past comes next.
    pub(super) fn push(&mut self, at_ms: u32, who: u32) {
        let moment = Moment::new(at_ms, who);
        self.len += 1;
        if moment.page() <= self.page {
            self.late.push(Reverse(moment));
        } else {
            self.file(moment);
        }
    }

    fn file(&mut self, moment: Moment) {
        if moment.page() >= self.far_from {
            self.far.push(moment);
            return;
        }
        let page = &mut self.pages[moment.page() as usize % PAGES];
        if page.capacity() == 0 {
            *page = self.spare.pop().unwrap_or_default();
        }
        page.push(moment);
    }

    /// The next moment, if it is at or before `until_ms`.
    pub(super) fn pop(&mut self, until_ms: u32) -> Option<(u32, u32)> {
        loop {
            let late = self.late.peek().map(|late| late.0);
            let next = match (self.open.last().copied(), late) {
                (Some(open), Some(late)) => open.min(late),
                (Some(moment), None) | (None, Some(moment)) => moment,
                (None, None) => {
                    if self.len == 0 || self.page >= until_ms >> PAGE_BITS {
                        return None;
                    }
                    self.turn();
                    continue;
                }
            };
            if next.at_ms() > until_ms {
                return None;
            }
            if late == Some(next) {
                self.late.pop();
            } else {
                self.open.pop();
            }
            self.len -= 1;
            return Some((next.at_ms(), next.who()));
        }
    }

    /// Opens the next page.
    fn turn(&mut self) {
        self.page += 1;
        if self.page == self.far_from {
            self.far_from += u32::try_from(PAGES).unwrap_or(u32::MAX);
            for moment in std::mem::take(&mut self.far) {
                self.file(moment);
            }
        }
        let next = std::mem::take(&mut self.pages[self.page as usize % PAGES]);
        let empty = std::mem::replace(&mut self.open, next);
        if empty.capacity() > 0 && self.spare.len() < SPARE_MAX {
            self.spare.push(empty);
        }
        self.open.sort_unstable_by_key(|&moment| Reverse(moment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_order_however_they_were_noted() {
        let mut agenda = Agenda::new();
        let mut bits = 7_u64;
        let mut noted = Vec::new();
        for who in 0..5_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            // Up to four hours off: three times as far as pages lie open.
            let at = u32::try_from(bits >> 40).unwrap() % 14_400_000;
            agenda.push(at, who);
            noted.push((at, who));
        }
        noted.sort_unstable();
        let mut heard = Vec::new();
        while let Some(next) = agenda.pop(u32::MAX) {
            heard.push(next);
        }
        assert_eq!(heard, noted);
    }

    #[test]
    fn what_is_noted_for_now_comes_before_what_was_noted_for_later() {
        let mut agenda = Agenda::new();
        agenda.push(5_000, 1);
        agenda.push(5_010, 2);
        assert_eq!(agenda.pop(4_999), None, "not before its time");
        assert_eq!(agenda.pop(5_000), Some((5_000, 1)));
        agenda.push(5_005, 3);
        agenda.push(4_000, 4);
        assert_eq!(agenda.pop(9_000), Some((4_000, 4)), "past: next");
        assert_eq!(agenda.pop(9_000), Some((5_005, 3)));
        assert_eq!(agenda.pop(9_000), Some((5_010, 2)));
        assert_eq!(agenda.pop(u32::MAX), None);
    }
}
