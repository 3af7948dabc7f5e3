//! The machine: one line, one gate, one ledger, and what a caller can do with them.
//!
//! Time is an argument. Every call first lets what is due by then happen (`begin`), does its own
//! part, and admits whoever may now come in (`done`), so the answer is true at that moment.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::adaptive::Adaptive;
use super::amnesty::Amnesty;
use super::eta::{Estimator, Measured};
use super::figures::Tally;
use super::gate::Gate;
use super::lanes::Lanes;
use super::ledger::{Holder, Ledger};
use super::line::{Line, Mark, State};
use super::massdrop::MassDrop;
use super::mode::Announcement;
use super::opening::{Opening, Redirect};
use super::parties::Parties;
use super::poll::Pace;
use super::record::Record;
use super::recovery::Recovered;
use super::redeemed::Redeemed;
use super::throttle::Throttle;
use super::{
    Closed, Identity, Lane, NUMBERS_RETRY_MS, Number, Reason, Settings, Standing, TicketRef,
    Tuning, UnixMicros,
};

/// What [`Queue::check`] says of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It stands somewhere.
    Standing(Standing),
    /// Its lease is over, it has left, it was redeemed and the slot given up, it contradicts what
    /// is known, or it belongs to another epoch. The caller decides whether to refuse it or to
    /// enter its owner anew.
    Forgotten,
}

/// Somebody came in by another lane than everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The ticket.
    pub number: Number,
    /// Its lane.
    pub lane: Lane,
    /// Whose it is.
    pub identity: Identity,
}

/// The login queue. See the module.
///
/// Costs with a million waiting, on one core: entering and asking well under half a microsecond,
/// an admission less; at most 40 bytes a waiting ticket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue {
    pub(super) settings: Settings,
    /// Rate and cap as configured; the live ones may differ.
    pub(super) configured: (f64, u64),
    pub(super) epoch: u32,
    pub(super) time: Time,
    /// Numbers below this may be given.
    pub(super) granted: Number,
    pub(super) line: Line,
    pub(super) gate: Gate,
    pub(super) lanes: Lanes,
    pub(super) parties: Parties,
    pub(super) ledger: Ledger,
    pub(super) eta: Estimator,
    pub(super) pace: Pace,
    /// Passes in the order they run out, in seconds; entries of redeemed ones are stale.
    pub(super) passes: VecDeque<(u32, Number)>,
    /// Parked tickets in the order they lapse; entries of returned ones are stale.
    pub(super) parked: VecDeque<(u32, Number)>,
    /// Passes being redeemed, and until when they do not expire.
    pub(super) in_use: BTreeMap<Number, UnixMicros>,
    pub(super) redeemed: Redeemed,
    pub(super) announced: Announcement,
    /// Since when admissions go on, or stand still.
    pub(super) mode_since: UnixMicros,
    /// Nobody's place lapses before this.
    pub(super) kept_until: UnixMicros,
    pub(super) opening: Opening,
    /// Where entrants of the last draw stand now.
    pub(super) redirect: Option<Redirect>,
    pub(super) throttle: Throttle,
    pub(super) adaptive: Adaptive,
    pub(super) mass_drop: MassDrop,
    /// When the rate in force changes next by itself.
    pub(super) throttle_at: Option<UnixMicros>,
    /// No admission before this: the server has just started.
    pub(super) settle_until: UnixMicros,
    pub(super) settings_changed_at: UnixMicros,
    pub(super) started_at: UnixMicros,
    /// Longest interval somebody was ever told to stay silent for, in milliseconds.
    pub(super) longest_ms: u64,
    pub(super) recovered: Option<Recovered>,
    pub(super) amnesty: Option<Amnesty>,
    /// The next block to look through for leases that are over, and when.
    pub(super) sweep_block: u64,
    pub(super) sweep_at: UnixMicros,
    /// When something is due; `None`: nothing until a call changes that.
    pub(super) alarm: Option<UnixMicros>,
    pub(super) tally: Tally,
    /// Admissions by other lanes than the standard one, for whoever watches.
    #[serde(skip)]
    pub(super) out_of_turn: Option<Vec<Admission>>,
}

/// The clock as the queue sees it: it never steps back.
///
/// When the machine's clock does, time here goes on from where it was, at the machine's pace, until
/// the machine has caught up: at a step forward, or when nobody waits. (Standing still instead would
/// stop admissions for as long.)
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Time {
    pub(super) now: UnixMicros,
    /// How far ahead of the machine's clock, in microseconds.
    pub(super) ahead_us: u64,
}

impl Time {
    /// Steps back shorter than this are callers out of order, not clocks: time stands still.
    const STEP_US: u64 = 1_000_000;
    /// While somebody waits the clock is read every second: a step forward of so much is one.
    const LEAP_US: u64 = 10_000_000;

    /// `idle`: nobody waits, so nobody comes in later for being ahead no more.
    fn read(&mut self, machine: UnixMicros, idle: bool) -> UnixMicros {
        let leaps = machine.since_us(self.now) + self.ahead_us >= Self::LEAP_US;
        if machine >= self.now && (idle || leaps || self.ahead_us == 0) {
            self.ahead_us = 0;
            self.now = machine;
            return machine;
        }
        let shifted = machine.plus_us(self.ahead_us);
        if shifted >= self.now {
            self.now = shifted;
        } else if self.now.since_us(shifted) >= Self::STEP_US {
            self.ahead_us = self.now.since_us(machine);
        }
        self.now
    }
}

impl Queue {
    /// An empty queue of `epoch`. It has no numbers to give until [`Queue::grant_numbers`].
    pub fn new(settings: Settings, epoch: u32, now: UnixMicros) -> Self {
        let gate = Gate::new(settings.rate, settings.burst);
        let mut line = Line::new(Number(0));
        // Number 0 is nobody's: a wire may use it for "no place".
        line.skip_to(Number(1));
        Self {
            lanes: Lanes::new(settings.grace_share, settings.lane_weights),
            pace: Pace::new(&settings, 0, gate.rate()),
            parties: Parties::default(),
            gate,
            epoch,
            time: Time { now, ahead_us: 0 },
            granted: Number(0),
            line,
            ledger: Ledger::default(),
            eta: Estimator::new(now, &Measured::default()),
            passes: VecDeque::new(),
            parked: VecDeque::new(),
            in_use: BTreeMap::new(),
            redeemed: Redeemed::default(),
            announced: Announcement::open(),
            mode_since: now,
            kept_until: UnixMicros(0),
            opening: Opening::None,
            redirect: None,
            throttle: Throttle::new(settings.rate, settings.slow_start),
            adaptive: Adaptive::new(settings.adaptive),
            mass_drop: MassDrop::new(settings.mass_drop),
            throttle_at: None,
            settle_until: UnixMicros(0),
            settings_changed_at: UnixMicros(0),
            started_at: now,
            longest_ms: 0,
            recovered: None,
            amnesty: None,
            sweep_block: 0,
            sweep_at: now,
            alarm: None,
            configured: (settings.rate, settings.cap),
            tally: Tally::default(),
            out_of_turn: None,
            settings,
        }
    }

    /// The lifetime of this line: tickets of another epoch mean nothing here.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Allows numbers below `until` to be given. The caller has made that durable: after a crash
    /// the line goes on from there, so that no number is given twice.
    pub fn grant_numbers(&mut self, until: Number) {
        self.granted = self.granted.max(until);
    }

    /// How many numbers may still be given before [`Queue::grant_numbers`] is needed.
    pub fn numbers_left(&self) -> u64 {
        self.granted.0.saturating_sub(self.line.next().0)
    }

    /// Asks to come in. One identity has one place: if it stands in line, has a pass or holds a
    /// slot, that is the answer, and asking again renews it. Nobody in particular
    /// ([`Identity::ANONYMOUS`]) gets a new ticket each time.
    ///
    /// With nobody waiting, the gate open and a slot free, the answer is a pass on the spot.
    pub fn enter(&mut self, now: UnixMicros, identity: Identity, lane: Lane) -> Standing {
        let now = self.begin(now);
        if self.ledger.holds(identity) {
            return self.put_off(now, identity).unwrap_or(Standing::HoldsSlot);
        }
        if let Some(number) = self.line.find(identity) {
            return self.known(now, number, false);
        }
        if let Some(refused) = self.refuse() {
            return refused;
        }
        let number = self.line.push(lane, Record::new(identity, lane, now));
        let admitted = self.tally.admitted;
        self.done(now);
        if admitted != self.tally.admitted && self.line.state(number) == State::Pass {
            return self.passed(number, true);
        }
        // The newest of a lane is its last: no need to count.
        let position = self.line.waiting()[lane as usize];
        Standing::Waiting(self.answer(now, number, lane, position, None))
    }

    /// Why nobody new gets a place at this moment.
    fn refuse(&mut self) -> Option<Standing> {
        if let Some(closed) = self.refuse_closed() {
            return Some(closed);
        }
        // Numbers that may never have been given keep nobody out.
        let presumed = self.recovered.as_ref().map_or(0, Recovered::presumed_count);
        let line_max = self.settings.line_max.saturating_add(presumed);
        if self.line.waiting_total() >= line_max || !self.line.has_room() {
            self.tally.refused_full += 1;
            let low = self.settings.poll_min_ms;
            let spread_ms = 15_000 + self.tally.refused_full % 16 * 1_000;
            let retry_after_ms = spread_ms.clamp(low, self.settings.poll_max_ms.max(low));
            return Some(Standing::Refused { why: Closed::Full, retry_after_ms });
        }
        if self.numbers_left() == 0 {
            self.tally.refused_full += 1;
            return Some(Standing::Refused { why: Closed::Full, retry_after_ms: NUMBERS_RETRY_MS });
        }
        None
    }

    /// Says where a ticket stands and renews its lease: this is a poll. Asking early costs nothing.
    ///
    /// A parked ticket comes back to the grace lane at the place its number gives it. After a
    /// restart a ticket re-presented here stands where it stood.
    pub fn check(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        let now = self.begin(now);
        let ticket = self.current(ticket);
        let number = ticket.number;
        if ticket.epoch != self.epoch {
            return self.welcome_back(now, ticket);
        }
        if number >= self.line.next() {
            return Checked::Forgotten;
        }
        if self.line.state(number) == State::Gone {
            return match self.check_gone(number) {
                Checked::Forgotten => self.take_back(now, ticket).unwrap_or(Checked::Forgotten),
                checked @ Checked::Standing(_) => checked,
            };
        }
        self.check_known(now, ticket)
    }

    /// The answer for a ticket that is in the window, if it is its owner's.
    pub(super) fn check_known(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        let number = ticket.number;
        if self.recovered.is_some() && self.line.has(number, Mark::Unheard) {
            return self.recognise(now, ticket);
        }
        if self.line.record(number).is_none_or(|record| record.identity() != ticket.identity) {
            return Checked::Forgotten;
        }
        Checked::Standing(self.known(now, number, false))
    }

    /// The same for somebody who watches the frame ([`Queue::frame`]) and so knows by himself when he
    /// is near: he need not ask again until about three minutes before his turn, or until the frame
    /// says that the line has restarted.
    pub fn watch(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        let mut checked = self.check(now, ticket);
        if let Checked::Standing(Standing::Waiting(waiting)) = &mut checked {
            self.leave_alone(waiting);
        }
        checked
    }

    pub(super) fn check_gone(&self, number: Number) -> Checked {
        match self.redeemed.player(number) {
            Some(player) if self.ledger.get(player).is_some() => {
                Checked::Standing(Standing::HoldsSlot)
            }
            _ => Checked::Forgotten,
        }
    }

    /// Leaves the line for good, at once; an unused pass frees its slot. Whether there was anything
    /// to leave. A pass that is being redeemed at this moment is not taken away.
    pub fn leave(&mut self, now: UnixMicros, ticket: Number) -> bool {
        let now = self.begin(now);
        let ticket = self.current_number(ticket);
        match self.line.state(ticket) {
            State::Gone => return false,
            State::Pass if self.in_use.contains_key(&ticket) => return false,
            State::Pass => self.note_end_of_pass(ticket, false),
            State::Waiting(_) => {
                self.note_presence(now, ticket);
                self.note_leaving(now, ticket);
            }
            State::Parked | State::Skipped => {}
        }
        self.end(ticket);
        self.tally.left += 1;
        self.done(now);
        true
    }

    /// The answer for a ticket that is in the window.
    pub(super) fn known(&mut self, now: UnixMicros, number: Number, recovered: bool) -> Standing {
        let mut reason = recovered.then_some(Reason::Restarted);
        match self.line.state(number) {
            State::Gone | State::Pass => return self.passed(number, false),
            State::Waiting(_) => {}
            State::Parked | State::Skipped => {
                self.bring_back(number);
                reason = Some(reason.unwrap_or(Reason::LaneChanged));
                // Whether he comes in at once is for the gate to say; he counts as heard of first.
                let waiting = self.touch(now, number, reason);
                self.done(now);
                if self.line.state(number) == State::Pass {
                    return self.passed(number, false);
                }
                return Standing::Waiting(waiting);
            }
        }
        Standing::Waiting(self.touch(now, number, reason))
    }

    /// A silent or lapsed ticket stands in line again, before those who have not had a turn.
    pub(super) fn bring_back(&mut self, number: Number) {
        self.line.clear(number, Mark::Parked);
        self.line.clear(number, Mark::Unheard);
        let Some(record) = self.line.record_mut(number) else { return };
        let lane = if record.lane() == Lane::Staff { Lane::Staff } else { Lane::Grace };
        record.set_shown(0);
        self.line.set_waiting(number, lane);
        self.tally.returned += 1;
    }

    /// Takes a number out of everything, for good.
    pub(super) fn end(&mut self, number: Number) {
        self.line.forget(number);
        self.parties.remove(number);
        self.in_use.remove(&number);
        if let Some(recovered) = &mut self.recovered {
            recovered.note_end(number);
        }
        if let Some(amnesty) = &mut self.amnesty {
            amnesty.note_end(number);
        }
    }

    /// Changes the rate, in admissions per second; 0 holds the line. What was admitted before still
    /// counts against the burst.
    pub fn set_rate(&mut self, now: UnixMicros, rate: f64) {
        let now = self.begin(now);
        self.throttle.set_ceiling(rate);
        self.apply_throttle(now);
        self.settings_changed_at = now;
        self.done(now);
    }

    /// Changes the number of slots; 0 holds the line. Lowered below what is held, nobody is thrown
    /// out: there are no admissions until enough have left.
    pub fn set_cap(&mut self, now: UnixMicros, cap: u64) {
        let now = self.begin(now);
        self.settings.cap = cap;
        self.settings_changed_at = now;
        self.done(now);
    }

    /// Changes the shares of the lanes and the polls the line may cause. Intervals that were given
    /// stand; new ones follow.
    pub fn tune(&mut self, now: UnixMicros, to: Tuning) {
        let now = self.begin(now);
        let Tuning { grace_share, lane_weights, poll_budget } = to;
        self.lanes = self.lanes.with(grace_share, lane_weights);
        self.settings =
            Settings { poll_budget, grace_share, lane_weights, ..self.settings.clone() };
        self.pace = Pace::new(&self.settings, self.line.waiting_total(), self.gate.rate());
        self.settings_changed_at = now;
        self.done(now);
    }

    /// Notes from now on who holds a slot, so that a copy can be kept of whom [`Queue::enter`] tells
    /// [`Standing::HoldsSlot`]. Who watches calls [`Queue::holders_changed`] after every change.
    pub fn watch_holders(&mut self) {
        self.ledger.watch();
    }

    /// Who came to hold a slot, for longer, or no more, since the last call, in the order it
    /// happened. The first call after [`Queue::watch_holders`] names everybody.
    pub fn holders_changed(&mut self) -> impl Iterator<Item = Holder> {
        self.ledger.changed()
    }

    /// Notes from now on whose turn comes. Who watches calls [`Queue::ceased_to_wait`] after every
    /// change.
    pub fn watch_turns(&mut self) {
        self.line.watch();
    }

    /// Numbers that have ceased to wait since the last call: admitted, left, lapsed, or moved to
    /// another lane.
    pub fn ceased_to_wait(&mut self) -> impl Iterator<Item = Number> {
        self.line.ceased()
    }

    /// Notes from now on who comes in by another lane than the standard one. Who watches calls
    /// [`Queue::admitted_out_of_turn`] after every change.
    pub fn watch_out_of_turn(&mut self) {
        self.out_of_turn.get_or_insert_default();
    }

    /// Who came in by another lane since the last call.
    pub fn admitted_out_of_turn(&mut self) -> impl Iterator<Item = Admission> {
        self.out_of_turn.iter_mut().flat_map(|admitted| admitted.drain(..))
    }

    /// Whether this ticket stands in line at this moment.
    pub fn waits(&self, ticket: TicketRef) -> bool {
        let number = self.current_number(ticket.number);
        ticket.epoch == self.epoch && matches!(self.line.state(number), State::Waiting(_))
    }

    /// Slots held: by players and by passes out.
    pub(super) fn used(&self) -> u64 {
        self.ledger.held() + self.line.count(Mark::Pass)
    }

    /// Slots nobody holds.
    pub(super) fn free(&self) -> u64 {
        self.settings.cap.saturating_sub(self.used())
    }

    /// Reads the clock and lets happen what is due.
    pub(super) fn begin(&mut self, machine: UnixMicros) -> UnixMicros {
        let now = self.time.read(machine, self.line.waiting_total() == 0);
        self.look_for_returns(now);
        if self.alarm.is_some_and(|due| due <= now) {
            self.run(now);
        }
        let (held, waiting) = (self.ledger.held(), self.line.waiting_total());
        let folded = self.eta.fold(now, held, waiting, self.lease_s());
        if folded || self.pace.is_stale(waiting, self.gate.rate()) {
            self.pace = Pace::new(&self.settings, waiting, self.gate.rate());
        }
        now
    }

    /// Admits whoever may come in after a change, and sets the alarm.
    pub(super) fn done(&mut self, now: UnixMicros) {
        let not_before = self.admit(now);
        self.alarm = self.next_due(not_before);
    }
}
