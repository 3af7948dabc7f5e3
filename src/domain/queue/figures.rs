//! What the queue counts, for metrics and for the bench.

use serde::{Deserialize, Serialize};

use super::ledger::Kind;
use super::line::Mark;
use super::{Lane, Mode, Number, Queue, Tuning, UnixMicros};

/// Everything worth watching. Totals count since this run started.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Waiting tickets by lane, in the order of [`Lane::ALL`].
    pub waiting: [u64; Lane::COUNT],
    /// Silent tickets that keep their number.
    pub parked: u64,
    /// Players online.
    pub live: u64,
    /// Players signed in whose first socket is awaited, and those in a game server's world.
    pub reserved: u64,
    /// Passes not yet redeemed.
    pub passes_out: u64,
    /// Slots held for players who dropped.
    pub grace: u64,
    /// Slots in all.
    pub cap: u64,
    /// Shares of the lanes, and what polls may come.
    pub tuning: Tuning,
    /// Admissions per second the operators allow.
    pub rate: f64,
    /// Admissions per second in force: less after a standstill, or by what is measured.
    pub rate_in_force: f64,
    /// What the measured signals allow, in admissions per second; `None`: all the operators do.
    pub measured_limit: Option<f64>,
    /// Health game servers told last, 0 to 1; `None`: nothing lately.
    pub health: Option<f64>,
    /// How often the line held itself.
    pub held_total: u64,
    /// Slots lost at once whose players are on their way back; `None`: no mass drop goes on.
    pub mass_drop: Option<u64>,
    /// Mass drops so far.
    pub mass_drops_total: u64,
    /// Sign-ins of players on their way back that were told to come a little later.
    pub returns_put_off_total: u64,
    /// What the line does.
    pub mode: Mode,
    /// Tickets that take part in a draw that is still to come.
    pub entrants: u64,
    /// Admitted by lane.
    pub admitted_total: [u64; Lane::COUNT],
    /// What those waited together who were admitted, by lane, in seconds.
    pub waited_s_total: [u64; Lane::COUNT],
    /// Parties admitted together.
    pub parties_total: u64,
    /// What ran out.
    pub expired_total: Expired,
    /// Left the line by themselves.
    pub left_total: u64,
    /// Parked tickets that came back.
    pub returned_total: u64,
    /// Passes given back because the sign-in failed.
    pub given_back_total: u64,
    /// Entries refused because the line was full.
    pub refused_full_total: u64,
    /// Entries refused while draining or in maintenance.
    pub refused_closed_total: u64,
    /// Sockets refused because no slot was free.
    pub refused_socket_total: u64,
    /// Waiters who give up, per waiter and second.
    pub abandon_hazard: f64,
    /// Slots that come free, per slot and second.
    pub departure_rate: f64,
    /// Median of the relative error of recent estimates; `None` before the first is scored.
    pub eta_error_median: Option<f64>,
    /// 90th percentile of the same.
    pub eta_error_p90: Option<f64>,
    /// Estimates scored.
    pub eta_scored_total: u64,
    /// Answers whose position came out worse than the one before without a reason; the old one was
    /// shown instead. Must stay 0.
    pub position_reversals: u64,
    /// Numbers that may still be given.
    pub numbers_left: u64,
}

/// What ran out, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Passes nobody redeemed.
    pub pass: u64,
    /// Waiting tickets silent for longer than their lease.
    pub lease: u64,
    /// Parked tickets whose owner did not come back.
    pub parked: u64,
    /// Slots of players who did not reconnect.
    pub grace: u64,
    /// Slots of players who never opened a socket.
    pub reserved: u64,
}

/// The running totals.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) admitted: [u64; Lane::COUNT],
    pub(super) waited_s: [u64; Lane::COUNT],
    pub(super) parties: u64,
    pub(super) expired: Expired,
    pub(super) left: u64,
    pub(super) returned: u64,
    pub(super) given_back: u64,
    pub(super) refused_full: u64,
    pub(super) refused_closed: u64,
    pub(super) refused_socket: u64,
    pub(super) held: u64,
    pub(super) put_off: u64,
    pub(super) reversals: u64,
}

impl Tally {
    pub(super) const fn expired_slot(&mut self, kind: Kind) {
        match kind {
            Kind::Grace { .. } => self.expired.grace += 1,
            Kind::InWorld { .. } | Kind::Reserved { .. } | Kind::Live { .. } => {
                self.expired.reserved += 1;
            }
        }
    }
}

impl Queue {
    /// The figures at this moment.
    pub fn figures(&self) -> Figures {
        let [reserved, live, grace] = self.ledger.counts();
        let (eta_error_median, eta_error_p90, eta_scored_total) = self.eta.error();
        let Tally { admitted, parties, expired, left, returned, given_back, .. } = self.tally;
        Figures {
            waiting: self.line.waiting(),
            parked: self.line.count(Mark::Parked),
            live,
            reserved,
            passes_out: self.line.count(Mark::Pass),
            grace,
            cap: self.settings.cap,
            tuning: self.settings.tuning(),
            rate: self.throttle.ceiling(),
            rate_in_force: self.gate.rate(),
            measured_limit: self.adaptive.limit(),
            health: self.adaptive.health(self.time.now),
            held_total: self.tally.held,
            mass_drop: self.mass_drop.dropped(),
            mass_drops_total: self.mass_drop.count(),
            returns_put_off_total: self.tally.put_off,
            mode: self.announced.mode,
            entrants: self.entrants_now(),
            admitted_total: admitted,
            waited_s_total: self.tally.waited_s,
            parties_total: parties,
            expired_total: expired,
            left_total: left,
            returned_total: returned,
            given_back_total: given_back,
            refused_full_total: self.tally.refused_full,
            refused_closed_total: self.tally.refused_closed,
            refused_socket_total: self.tally.refused_socket,
            abandon_hazard: self.eta.hazard(),
            departure_rate: self.eta.departure_rate(),
            eta_error_median,
            eta_error_p90,
            eta_scored_total,
            position_reversals: self.tally.reversals,
            numbers_left: self.numbers_left(),
        }
    }

    /// The moment of the last call, by the queue's own clock, which never steps back: what
    /// `lease_until` and `pass_until` are counted from.
    pub fn now(&self) -> UnixMicros {
        self.time.now
    }

    /// The next number the line gives.
    pub fn next_number(&self) -> Number {
        self.line.next()
    }

    /// Until when admissions wait after a restart; in the past: they do not.
    pub fn settles_until(&self) -> UnixMicros {
        self.settle_until
    }
}
