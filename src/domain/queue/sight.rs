//! What is to be seen of one ticket, and what keeps the line from moving at this moment: for whoever
//! looks back at it (`crate::domain::why`).

use serde::{Deserialize, Serialize};

use super::ledger::Kind;
use super::line::{Mark, State};
use super::record::Record;
use super::{Identity, Lane, Mode, Number, Player, Queue, UnixMicros};

/// Where a ticket stands, without any effect on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In line.
    Waiting {
        /// Its lane.
        lane: Lane,
        /// Its place there, from 1.
        position: u64,
    },
    /// Silent when its turn came; its number is kept for a while.
    Parked,
    /// Admitted, and not signed in yet.
    Pass,
    /// Not in line: never was, or not any more.
    Gone,
}

/// What keeps who waits from coming in at this moment: the first of these that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Nobody is admitted: operators have paused the line.
    Paused,
    /// Nobody is admitted: the line is held, for sign-ins fail.
    Held,
    /// Nobody is admitted: maintenance.
    Maintenance,
    /// Nobody is admitted: the doors open later.
    Prequeue,
    /// Nobody is admitted: places are being drawn.
    Drawing,
    /// The server has just started and lets those who were in come back first.
    Settling,
    /// Operators have set no slots.
    NoSlots,
    /// Operators have set a rate of nought.
    NoRate,
    /// Every slot is held.
    Full,
    /// A party at the head gathers slots.
    Party,
    /// The rate is lower than set: it grows again after a standstill.
    SlowStart,
    /// The rate is lower than set, by what is measured of sign-ins or told by game servers.
    Measured,
    /// The rate, as set.
    Rate,
}

/// Everything that is to be seen of one player, without any effect on them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Their ticket's number; `None`: they have none.
    pub number: Option<Number>,
    /// Where it stands.
    pub place: Place,
    /// When it was taken, in whole seconds.
    pub entered_at: Option<UnixMicros>,
    /// Seconds until it comes in; `None`: it does not wait, or nobody can say.
    pub expected_s: Option<f64>,
    /// What keeps who waits from coming in at this moment.
    pub bound: Bound,
    /// What their slot is doing; `None`: they hold none.
    pub slot: Option<SlotState>,
}

/// What a slot is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Signed in, no socket yet.
    Reserved,
    /// Online.
    Live,
    /// Held for a player who dropped.
    Grace,
    /// In a game server's world.
    InWorld,
}

impl SlotState {
    /// The word for wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Live => "live",
            Self::Grace => "grace",
            Self::InWorld => "in_world",
        }
    }
}

impl Queue {
    /// What is to be seen of a player who may stand in line as any of these owners.
    pub fn see(&self, player: Player, owners: &[Identity]) -> Seen {
        let number = owners.iter().find_map(|&owner| self.number_of(owner));
        let slot = self.ledger.get(player).map(|slot| match slot.kind {
            Kind::Reserved { .. } => SlotState::Reserved,
            Kind::Live { .. } => SlotState::Live,
            Kind::Grace { .. } => SlotState::Grace,
            Kind::InWorld { .. } => SlotState::InWorld,
        });
        Seen {
            number,
            place: number.map_or(Place::Gone, |number| self.place(number)),
            entered_at: number.and_then(|number| self.entered_at(number)),
            expected_s: number.and_then(|number| self.expected_s(number)),
            bound: self.bound(),
            slot,
        }
    }

    /// Where a ticket stands. An entrant's old number is that of the place it drew.
    pub fn place(&self, number: Number) -> Place {
        let number = self.current_number(number);
        match self.line.state(number) {
            State::Waiting(lane) => {
                let position = self.line.position(number, lane).max(1);
                Place::Waiting { lane, position }
            }
            State::Parked | State::Skipped => Place::Parked,
            State::Pass => Place::Pass,
            State::Gone => Place::Gone,
        }
    }

    /// Seconds until a ticket comes in, as far as anybody can say; `None`: it does not wait, or the
    /// line stands.
    pub fn expected_s(&self, number: Number) -> Option<f64> {
        let Place::Waiting { lane, position } = self.place(number) else { return None };
        let waited_s = self.waited_s(self.time.now, self.current_number(number));
        Some(self.seconds(lane, position, waited_s)?.value())
    }

    /// The number this one has been exchanged for in a draw, or itself.
    pub fn number_now(&self, number: Number) -> Number {
        self.current_number(number)
    }

    /// The number of an owner who stands in line or has a pass.
    pub fn number_of(&self, owner: Identity) -> Option<Number> {
        self.line.find(owner)
    }

    /// Whose a ticket is; nobody's when it has left.
    pub fn owner_of(&self, number: Number) -> Identity {
        let record = self.line.record(self.current_number(number));
        record.map_or(Identity::ANONYMOUS, Record::identity)
    }

    /// The lane of a ticket.
    pub fn lane_of(&self, number: Number) -> Lane {
        self.line.record(self.current_number(number)).map_or(Lane::Standard, Record::lane)
    }

    /// When a ticket that has not left was taken, in whole seconds.
    pub fn entered_at(&self, number: Number) -> Option<UnixMicros> {
        let number = self.current_number(number);
        let stands = self.line.state(number) != State::Gone;
        let record = self.line.record(number).filter(|_| stands)?;
        Some(UnixMicros::from_secs(record.entered_s.into()))
    }

    /// What keeps who waits from coming in at this moment.
    pub fn bound(&self) -> Bound {
        match self.announced.mode {
            Mode::Paused => return Bound::Paused,
            Mode::Held => return Bound::Held,
            Mode::Maintenance => return Bound::Maintenance,
            Mode::Prequeue => return Bound::Prequeue,
            Mode::Drawing => return Bound::Drawing,
            Mode::Open | Mode::Draining => {}
        }
        let (now, rate) = (self.time.now, self.gate.rate());
        if now < self.settle_until {
            Bound::Settling
        } else if self.settings.cap == 0 {
            Bound::NoSlots
        } else if rate <= 0.0 {
            Bound::NoRate
        } else if self.free() == 0 {
            Bound::Full
        } else if self.gate.is_open(now) && self.parties.any() {
            Bound::Party
        } else if rate >= self.throttle.ceiling() {
            Bound::Rate
        } else if self.adaptive.limit().is_some_and(|limit| limit <= rate) {
            Bound::Measured
        } else {
            Bound::SlowStart
        }
    }

    /// Admissions so far, by lane, in the order of [`Lane::ALL`].
    pub const fn admitted(&self) -> [u64; Lane::COUNT] {
        self.tally.admitted
    }

    /// Leases that ran out so far.
    pub const fn leases_over(&self) -> u64 {
        self.tally.expired.lease
    }

    /// Slots held, and how many there are.
    pub fn slots(&self) -> (u64, u64) {
        (self.used(), self.settings.cap)
    }

    /// Admissions per second: as set, and in force.
    pub const fn rates(&self) -> (f64, f64) {
        (self.throttle.ceiling(), self.gate.rate())
    }

    /// Who waits, by lane; who is parked.
    pub const fn in_line(&self) -> ([u64; Lane::COUNT], u64) {
        (self.line.waiting(), self.line.count(Mark::Parked))
    }
}
