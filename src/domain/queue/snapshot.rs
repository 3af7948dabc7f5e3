//! The line as plain data, for the disk.

use serde::{Deserialize, Serialize};

use super::amnesty::Amnesty;
use super::eta::Measured;
use super::ledger::Kind;
use super::line::{BLOCK, Mark, State};
use super::mode::Announcement;
use super::opening::Opening;
use super::packed::Packed;
use super::parties::SavedParty;
use super::recovery::Recovered;
use super::{Identity, Lane, Number, Player, Queue, UnixMicros};

/// A coarse picture of a [`Queue`]: enough to stand up again. Identities and leases of ordinary
/// waiting tickets are not in it; their owners bring them along.
///
/// About a bit and a bit per number in the window, some 40 bytes per slot, 30 per pass or parked
/// ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub(super) epoch: u32,
    pub(super) taken_at: UnixMicros,
    /// The next number to give.
    pub(super) next: Number,
    pub(super) dials: Dials,
    pub(super) tat_ns: u64,
    pub(super) owed: f64,
    /// Number of the first bit of the bitmaps.
    pub(super) first: Number,
    /// Who waits, by lane.
    pub(super) waiting: [Packed; Lane::COUNT],
    /// Who had not been heard of since an earlier restart when his turn came.
    pub(super) skipped: Packed,
    /// Numbers that may never have been given, because of earlier restarts.
    pub(super) presumed: Vec<(Number, Number)>,
    /// Passes from before a crash that may still turn up.
    pub(super) honours: Honours,
    /// Passes out and parked tickets.
    pub(super) apart: Vec<Apart>,
    pub(super) parties: Vec<SavedParty>,
    pub(super) slots: Vec<SavedSlot>,
    /// Longest interval anybody was told to stay silent for, in milliseconds.
    pub(super) longest_ms: u64,
    pub(super) measured: Measured,
    pub(super) opening: Opening,
    pub(super) amnesty: Option<Amnesty>,
}

/// What operators set while running, beside what the configuration said at that time: a changed
/// configuration wins over an old dial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Dials {
    pub(super) rate: f64,
    pub(super) configured_rate: f64,
    pub(super) cap: u64,
    pub(super) configured_cap: u64,
    pub(super) announced: Announcement,
}

/// After a crash: passes below `upto` are honoured until then, unless they came to an end since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Honours {
    pub(super) upto: Number,
    pub(super) until: UnixMicros,
    pub(super) ended: Vec<Number>,
}

/// A pass or a parked ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Apart {
    pub(super) number: Number,
    pub(super) identity: Identity,
    pub(super) lane: Lane,
    pub(super) entered_s: u32,
    pub(super) until_s: u32,
    /// By how much the lease outlasts a pass.
    pub(super) longer_s: u16,
    pub(super) is_pass: bool,
    pub(super) had_pass: bool,
}

/// A slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedSlot {
    pub(super) player: Player,
    pub(super) identity: Identity,
    pub(super) kind: Kind,
}

impl Snapshot {
    /// Lifetime of the line it is of.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How far the opening was.
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// When it was taken.
    pub const fn taken_at(&self) -> UnixMicros {
        self.taken_at
    }

    /// The next number the line would have given.
    pub const fn next_number(&self) -> Number {
        self.next
    }

    /// How many slots it holds.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Tells the numbers whose ticket may still be good from those that are over for certain. Numbers
    /// given after the snapshot may be good. Takes two bits per number in the window.
    pub fn may_be_good(&self) -> impl Fn(Number) -> bool + use<> {
        let (first, next) = (self.first, self.next);
        let mut words: Vec<u64> = Vec::new();
        for packed in &self.waiting {
            for (at, word) in packed.words().enumerate() {
                match words.get_mut(at) {
                    Some(all) => *all |= word,
                    None => words.push(word),
                }
            }
        }
        let mut apart: Vec<Number> = self.apart.iter().map(|apart| apart.number).collect();
        apart.sort_unstable();
        move |number| {
            let waits = || {
                let at = number.0.checked_sub(first.0)?;
                words.get(usize::try_from(at / 64).ok()?).map(|word| word >> (at % 64) & 1 == 1)
            };
            number >= next || waits() == Some(true) || apart.binary_search(&number).is_ok()
        }
    }
}

impl Queue {
    /// The picture at this moment. Takes about a millisecond per million numbers in the window and
    /// per ten thousand slots.
    pub fn snapshot(&self, now: UnixMicros) -> Snapshot {
        let now = self.time.now.max(now);
        let window = self.line.blocks();
        let (first, past) = (window.start * BLOCK, window.end * BLOCK);
        let waiting = Lane::ALL.map(|lane| {
            Packed::pack((first..past).step_by(64).map(|at| self.line.word(at, lane as usize)))
        });
        let skipped = |at: u64| {
            let lanes =
                Lane::ALL.iter().fold(0, |all, &lane| all | self.line.word(at, lane as usize));
            self.line.word(at, Mark::Unheard as usize) & !lanes
        };
        let slots = self.ledger.sorted().into_iter();
        Snapshot {
            epoch: self.epoch,
            taken_at: now,
            next: self.line.next(),
            dials: Dials {
                rate: self.throttle.ceiling(),
                configured_rate: self.configured.0,
                cap: self.settings.cap,
                configured_cap: self.configured.1,
                announced: self.announced.clone(),
            },
            tat_ns: self.gate.tat_at(now, self.throttle.ceiling()),
            owed: self.gate.owed(now),
            first: Number(first),
            waiting,
            skipped: Packed::pack((first..past).step_by(64).map(skipped)),
            presumed: self.recovered.as_ref().map(Recovered::presumed).unwrap_or_default(),
            honours: self.recovered.as_ref().map(Recovered::honours).unwrap_or_default(),
            apart: self.saved_apart(),
            slots: slots
                .map(|(player, slot)| SavedSlot {
                    player,
                    identity: slot.identity,
                    kind: match slot.kind {
                        // After a restart all of them are in grace anyway.
                        Kind::InWorld { until } => Kind::Reserved { until },
                        // Held on when its own time is over; see `massdrop`.
                        Kind::Grace { until } => {
                            let held = self.mass_drop.held_until(now).unwrap_or(until);
                            Kind::Grace { until: until.max(held) }
                        }
                        kind => kind,
                    },
                })
                .collect(),
            parties: self.parties.saved(),
            longest_ms: self.longest_ms,
            measured: self.eta.measured(),
            opening: self.opening.clone(),
            amnesty: self.amnesty.clone(),
        }
    }

    /// Passes and parked tickets in the order they run out; stale timer entries are left out.
    fn saved_apart(&self) -> Vec<Apart> {
        let late = self.in_use.keys();
        let numbers = self.passes.iter().chain(&self.parked).map(|(_, number)| number).chain(late);
        let mut apart: Vec<Apart> = numbers.filter_map(|&number| self.saved(number)).collect();
        apart.sort_unstable_by_key(|saved| (saved.until_s, saved.number));
        apart.dedup();
        apart
    }

    fn saved(&self, number: Number) -> Option<Apart> {
        let is_pass = match self.line.state(number) {
            State::Pass => true,
            State::Parked => false,
            _ => return None,
        };
        let record = self.line.record(number)?;
        Some(Apart {
            number,
            identity: record.identity(),
            lane: record.lane(),
            entered_s: record.entered_s,
            until_s: record.seen_s,
            longer_s: if is_pass { record.quoted_s } else { 0 },
            is_pass,
            had_pass: record.had_pass(),
        })
    }
}
