//! Admissions that were not plain first come, first served, on their way to the audit chain: one by
//! one for staff and paying players while they are few, counted for a second otherwise.

use crate::actors::Audit;
use crate::domain::audit::{OutOfTurn, What};
use crate::domain::queue::{Admission, Identity, Lane, Number};
use crate::domain::time::UnixMicros;

/// Records of single admissions in a second.
const SINGLE_MAX: u32 = 32;
/// Time between two counts, in microseconds.
const EVERY_US: u64 = 1_000_000;

/// What came in since the last count.
#[derive(Debug)]
pub(super) struct Clerk {
    audit: Audit,
    epoch: u32,
    /// When the count is due; `None`: nothing is counted.
    due: Option<UnixMicros>,
    since: UnixMicros,
    single: u32,
    counted: [Option<Count>; Lane::COUNT],
}

#[derive(Clone, Copy, Debug)]
struct Count {
    tickets: u64,
    first: Number,
    last: Number,
}

impl Clerk {
    pub(super) const fn new(audit: Audit, epoch: u32) -> Self {
        let (due, since) = (None, UnixMicros(0));
        Self { audit, epoch, due, since, single: 0, counted: [None; Lane::COUNT] }
    }

    /// Takes the admissions of this moment, and writes what is due.
    pub(super) fn take(&mut self, now: UnixMicros, admitted: impl Iterator<Item = Admission>) {
        if now.since_us(self.since) >= EVERY_US {
            (self.since, self.single) = (now, 0);
        }
        for Admission { number, lane, identity } in admitted {
            let singly = matches!(lane, Lane::Staff | Lane::Paying) && self.single < SINGLE_MAX;
            if let Some(why) = OutOfTurn::lane(lane).filter(|_| singly) {
                self.single += 1;
                let named = identity != Identity::ANONYMOUS;
                let player = named.then(|| self.audit.pseudonyms().identity(identity));
                let epoch = self.epoch;
                self.audit.note(What::Admitted { epoch, number: Some(number), player, why });
                continue;
            }
            self.due.get_or_insert(now.plus_us(EVERY_US));
            let fresh = Count { tickets: 0, first: number, last: number };
            let count = self.counted[lane as usize].get_or_insert(fresh);
            count.tickets += 1;
            count.first = count.first.min(number);
            count.last = count.last.max(number);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.finish();
        }
    }

    /// Writes what is counted.
    pub(super) fn finish(&mut self) {
        self.due = None;
        for lane in Lane::ALL {
            if let Some(Count { tickets: count, first, last }) = self.counted[lane as usize].take()
            {
                let lane = lane.name().into();
                self.audit.note(What::AdmittedMany { epoch: self.epoch, lane, count, first, last });
            }
        }
    }
}
