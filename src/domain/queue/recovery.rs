//! What survives a restart: a snapshot, the block of numbers, the line's log of implicit tickets,
//! the registry's redemptions, and the tickets their owners bring back.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::eta::Estimator;
use super::exact::sorted;
use super::ledger::Kind;
use super::line::{Line, Mark, State, ones};
use super::parties::Parties;
use super::queue::Time;
use super::record::{Record, secs, secs_up};
use super::snapshot::{Apart, Dials, Honours, SavedSlot};
use super::{
    Checked, Identity, Lane, Number, Player, Queue, Settings, Snapshot, Standing, TicketRef,
    UnixMicros,
};

/// Most numbers presumed present after a crash: what was reserved beyond the snapshot is at most a
/// few blocks; this is a bound against nonsense.
const PRESUMED_MAX: u64 = 1 << 24;

/// What is known beside the snapshot when a line stands up again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Stopped in order: nothing happened after the snapshot.
    pub clean: bool,
    /// End of the block of numbers reserved last: no number from here on was ever given.
    pub reserved_until: Number,
    /// The line's log, in its order: implicit tickets, which have no token, and tickets that were
    /// handed on. Whose number is whose must survive. Tickets that are known to be over are ignored.
    pub places: Vec<(Number, Identity, Lane)>,
    /// Passes the registry has redeemed, and for whom. Older ones than the snapshot are ignored
    /// where it knows better.
    pub redeemed: Vec<(Number, Player)>,
    /// The published order of the lottery the snapshot speaks of, once it is drawn: the entrants'
    /// numbers, first place first.
    pub order: Option<Vec<Number>>,
}

/// What is still different because of a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recovered {
    /// Numbers that may have been given after a snapshot: those of this restart last, and of the
    /// ones before while those were not over.
    presumed: Vec<Range<u64>>,
    /// Passes that may have been given after a snapshot, before a crash, are below this. 0: none.
    upto: Number,
    /// Tickets not heard of by then lapse: a lease, or three of the longest intervals given.
    lapses_at: UnixMicros,
    /// Until when a pass given before the crash can still be good.
    honours_until: UnixMicros,
    /// Numbers that were brought to an end since.
    #[serde(with = "sorted::set")]
    ended: HashSet<Number>,
}

impl Recovered {
    /// Notes that a number came to an end, so that its pass is not honoured any more.
    pub(super) fn note_end(&mut self, number: Number) {
        if number < self.upto {
            self.ended.insert(number);
        }
    }

    /// Whether a number may never have been given.
    pub(super) fn is_presumed(&self, number: Number) -> bool {
        self.presumed.iter().any(|range| range.contains(&number.0))
    }

    /// How many those are.
    pub(super) fn presumed_count(&self) -> u64 {
        self.presumed.iter().map(|range| range.end - range.start).sum()
    }

    /// The same as numbers, for a snapshot.
    pub(super) fn presumed(&self) -> Vec<(Number, Number)> {
        self.presumed.iter().map(|range| (Number(range.start), Number(range.end))).collect()
    }

    /// After a draw: the numbers that may never have been given have gone into this range.
    pub(super) fn presume_instead(&mut self, range: Range<u64>) {
        self.presumed = vec![range];
    }

    /// Until when a ticket that has not been heard of keeps its place: nobody knows what it was
    /// promised.
    pub(super) const fn lapses_at(&self) -> UnixMicros {
        self.lapses_at
    }

    /// What is still to be honoured, for a snapshot.
    pub(super) fn honours(&self) -> Honours {
        let mut ended: Vec<Number> = self.ended.iter().copied().collect();
        ended.sort_unstable();
        Honours { upto: self.upto, until: self.honours_until, ended }
    }

    pub(super) fn may_honour(&self, now: UnixMicros, number: Number) -> bool {
        now < self.honours_until && number < self.upto && !self.ended.contains(&number)
    }

    /// Whether nothing is different any more.
    pub(super) fn is_over(&self, now: UnixMicros) -> bool {
        self.lapses_at <= now && self.honours_until <= now
    }
}

impl Queue {
    /// Stands the line up again after a restart.
    ///
    /// Rate, cap and pause are as operators left them, unless the configuration changed since.
    /// Everybody in the snapshot waits where he waited, and every reserved number after it is
    /// presumed present in the standard lane until a lease has passed; owners are recognised as
    /// they come back ([`Queue::check`] with their ticket, [`Queue::enter`] with a logged
    /// identity). Whoever had a slot has it in grace. Leases, passes and grace are longer by the
    /// downtime. If anybody held a slot, there are no admissions for `settle_ms`.
    ///
    /// Numbers go on from `reserved_until` (after a clean stop, from the snapshot's next one).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "both are used up: the line is built from them"
    )]
    pub fn restore(
        settings: Settings,
        saved: Snapshot,
        recovery: Recovery,
        now: UnixMicros,
    ) -> Self {
        let machine = now;
        let now = machine.max(saved.taken_at);
        let mut queue = Self::new(settings, saved.epoch, now);
        queue.time = Time { now, ahead_us: now.since_us(machine) };
        queue.restore_dials(&saved, recovery.clean, now);
        queue.eta = Estimator::new(now, &saved.measured);
        queue.restore_slots(&saved, now);
        queue.line = Line::new(saved.first);
        queue.restore_line(&saved, &recovery, now);
        queue.restore_opening(&saved, &recovery);
        queue.follow_opening(now);
        let held = queue.used();
        queue.restore_redeemed(&recovery, now);
        queue.restore_places(&recovery);
        queue.displace_down_to(queue.settings.cap.max(held));
        // The first call admits: whoever watches who comes in can only say so after this.
        queue.alarm = queue.next_due(now);
        queue
    }

    fn restore_dials(&mut self, saved: &Snapshot, clean: bool, now: UnixMicros) {
        let Dials { rate, configured_rate, cap, configured_cap, announced } = saved.dials.clone();
        self.announced = announced;
        #[expect(clippy::float_cmp, reason = "the same configured value, not a computed one")]
        if configured_rate == self.settings.rate && rate != self.throttle.ceiling() {
            self.throttle.set_ceiling(rate);
            self.apply_throttle(now);
        }
        if configured_cap == self.settings.cap {
            self.settings.cap = cap;
        }
        #[expect(clippy::float_cmp, reason = "the same value, stored and read")]
        if rate == self.gate.rate() {
            self.gate.restore_tat(saved.tat_ns, saved.owed);
        } else {
            self.gate.owe(now, saved.owed);
        }
        if !clean {
            // Nobody knows what was admitted after the snapshot: grant no burst.
            #[expect(clippy::cast_precision_loss, reason = "a burst is at most a few thousand")]
            let owed = self.gate.owed(now).max(self.gate.burst() as f64);
            self.gate.owe(now, owed);
        }
    }

    fn restore_slots(&mut self, saved: &Snapshot, now: UnixMicros) {
        let hold = now.plus_ms(self.settings.grace_ms.max(self.settings.settle_ms));
        for &SavedSlot { player, identity, kind } in &saved.slots {
            let until = match kind {
                Kind::Live { .. } | Kind::Reserved { .. } | Kind::InWorld { .. } => hold,
                Kind::Grace { until } => now.plus_us(until.since_us(saved.taken_at)),
            };
            self.ledger.put_recovered(player, until, identity);
        }
        if !saved.slots.is_empty() {
            self.settle_until = now.plus_ms(self.settings.settle_ms);
        }
    }

    fn restore_line(&mut self, saved: &Snapshot, recovery: &Recovery, now: UnixMicros) {
        // Nobody is silent, or late, before the line can move again.
        let heard = now.max(self.settle_until);
        let mut blank = Record::new(Identity::ANONYMOUS, Lane::Standard, heard);
        blank.entered_s = secs(saved.taken_at);
        for (lane, packed) in Lane::ALL.into_iter().zip(&saved.waiting) {
            for (start, word) in (saved.first.0..saved.next.0).step_by(64).zip(packed.words()) {
                for number in ones(word).map(|bit| Number(start + bit)) {
                    self.presume(number, lane, blank);
                }
            }
        }
        for (start, word) in (saved.first.0..saved.next.0).step_by(64).zip(saved.skipped.words()) {
            for number in ones(word).map(|bit| Number(start + bit)) {
                self.line.put(number, blank);
                self.line.set(number, Mark::Unheard);
            }
        }
        let down_us = now.since_us(saved.taken_at);
        self.longest_ms = saved.longest_ms;
        let longest_ms = self.settings.poll_max_ms.max(saved.longest_ms);
        let lease_ms = self.settings.lease_ms.max(longest_ms.saturating_mul(3));
        let lapses_at = heard.plus_ms(lease_ms);
        // After a crash the owner may have been heard of since the snapshot.
        let promised = if recovery.clean { UnixMicros(0) } else { lapses_at };
        for apart in &saved.apart {
            self.restore_apart(apart, down_us, promised);
        }
        self.parties = Parties::restored(&saved.parties);
        self.amnesty = saved.amnesty.clone().map(|amnesty| amnesty.longer(down_us));
        self.restore_presumed(saved, recovery, blank, lapses_at);
    }

    /// What may have happened after the snapshot, and what that means for a while.
    fn restore_presumed(
        &mut self,
        saved: &Snapshot,
        recovery: &Recovery,
        blank: Record,
        lapses_at: UnixMicros,
    ) {
        let end = if recovery.clean { saved.next } else { saved.next.max(recovery.reserved_until) };
        let start = saved.next.0.max(end.0.saturating_sub(PRESUMED_MAX));
        for number in start..end.0 {
            self.presume(Number(number), Lane::Standard, blank);
        }
        self.line.skip_to(end);
        self.granted = end.max(recovery.reserved_until);
        let before = saved.presumed.iter().map(|&(start, end)| start.0..end.0);
        // A crash before this restart may still be honoured, whatever kind this one was.
        let Honours { upto, until, ended } = saved.honours.clone();
        let now = self.time.now;
        let mut honours_until = now.plus_us(until.since_us(saved.taken_at));
        if !recovery.clean {
            honours_until = honours_until.max(now.plus_ms(self.settings.pass_ttl_ms));
        }
        self.recovered = Some(Recovered {
            presumed: before.chain(std::iter::once(start..end.0)).collect(),
            upto: if recovery.clean { upto } else { end },
            lapses_at,
            honours_until,
            ended: ended.into_iter().collect(),
        });
    }

    /// Puts a number in its lane without knowing whose it is.
    fn presume(&mut self, number: Number, lane: Lane, blank: Record) {
        self.line.put(number, blank);
        self.line.set(number, Mark::Unheard);
        self.line.set_waiting(number, lane);
    }

    /// Puts back a pass or a parked ticket, which keeps its place until `promised` at least.
    fn restore_apart(&mut self, apart: &Apart, down_us: u64, promised: UnixMicros) {
        let longer = |until_s: u32| secs_up(UnixMicros::from_secs(until_s.into()).plus_us(down_us));
        let mut record = Record::new(apart.identity, apart.lane, UnixMicros(0));
        record.entered_s = apart.entered_s;
        record.seen_s = longer(apart.until_s);
        record.quoted_s = apart.longer_s;
        if apart.had_pass {
            record.set_had_pass();
        }
        let mark = if apart.is_pass {
            let lease_until = record.lease_of_pass().max(promised);
            record.turn_to_pass(record.seen_s, lease_until);
            self.passes.push_back((record.seen_s, apart.number));
            Mark::Pass
        } else {
            record.seen_s = record.seen_s.max(secs_up(promised));
            self.parked.push_back((record.seen_s, apart.number));
            Mark::Parked
        };
        self.line.put(apart.number, record);
        self.line.set(apart.number, mark);
    }

    /// Passes that the registry knows as redeemed: their slot is the player's, if the snapshot
    /// does not yet say so. Redemptions older than the snapshot change nothing.
    fn restore_redeemed(&mut self, recovery: &Recovery, now: UnixMicros) {
        let until = now.plus_ms(self.settings.pass_ttl_ms);
        let hold_ms = self.settings.grace_ms.max(self.settings.settle_ms);
        // A trifle later than those of the snapshot: should one be displaced, it is one of those.
        let hold = now.plus_ms(hold_ms).plus_us(1);
        let logged: HashMap<Number, Identity> = recovery
            .places
            .iter()
            .map(|&(n, identity, _)| (self.current_number(n), identity))
            .collect();
        for &(number, player) in &recovery.redeemed {
            let number = self.current_number(number);
            if number >= self.line.next() {
                continue;
            }
            if self.line.state(number) != State::Gone {
                let saved = self.line.record(number).map_or(Identity::ANONYMOUS, Record::identity);
                let identity = logged.get(&number).copied().unwrap_or(saved);
                self.end(number);
                if self.ledger.get(player).is_none() {
                    self.ledger.put_recovered(player, hold, identity);
                }
                self.settle_until = self.settle_until.max(now.plus_ms(self.settings.settle_ms));
            }
            self.redeemed.note(number, player, until);
        }
    }

    /// Tickets of the line's log get their owner back. What was logged last of a ticket counts: it
    /// may have been handed on, even since the snapshot. And the last place of an owner counts: they
    /// would not have got another without giving up the one before.
    fn restore_places(&mut self, recovery: &Recovery) {
        let (mut owners, mut numbers) = (HashSet::new(), HashSet::new());
        for &(logged, identity, lane) in recovery.places.iter().rev() {
            let number = self.current_number(logged);
            let (is_last, stands) = (owners.insert(identity), numbers.insert(number));
            let unheard = self.line.has(number, Mark::Unheard);
            let stands = stands && self.line.state(number) != State::Gone;
            if !stands || identity == Identity::ANONYMOUS {
                continue;
            }
            if !is_last {
                if unheard {
                    self.end(number);
                }
                continue;
            }
            match self.line.find(identity) {
                Some(same) if same == number => continue,
                Some(before) => self.end(before),
                None => {}
            }
            self.line.rebind(number, identity);
            if let State::Waiting(stands) = self.line.state(number)
                && stands != lane
                && self.is_presumed(number)
            {
                self.line.clear_waiting(number, stands);
                self.line.set_waiting(number, lane);
            }
        }
    }

    /// Frees recovered slots until no more than `most` are held: at the crash everything fitted, so
    /// what is too many belongs to nobody.
    fn displace_down_to(&mut self, most: u64) {
        while self.used() > most {
            let Some(phantom) = self.ledger.oldest_recovered() else { return };
            self.ledger.free(phantom);
        }
    }

    /// Somebody comes back with a ticket from before a restart.
    pub(super) fn recognise(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        let number = ticket.number;
        let known = self.line.record(number).map_or(Identity::ANONYMOUS, Record::identity);
        if known != Identity::ANONYMOUS && known != ticket.identity {
            return Checked::Forgotten;
        }
        if self.ledger.holds(ticket.identity) {
            return Checked::Standing(Standing::HoldsSlot);
        }
        if known == Identity::ANONYMOUS && ticket.identity != Identity::ANONYMOUS {
            match self.line.find(ticket.identity) {
                Some(other) if other > number && self.line.state(other) == State::Pass => {
                    self.end(number);
                    return Checked::Standing(self.known(now, other, false));
                }
                Some(other) => self.end(other),
                None => {}
            }
            self.line.set_identity(number, ticket.identity);
        }
        if let Some(record) = self.line.record_mut(number) {
            record.entered_s = secs(ticket.issued_at);
        }
        self.trust_lane(ticket);
        Checked::Standing(self.known(now, number, true))
    }

    /// The ticket knows its lane better than a presumption does; and one that says "grace" was
    /// given after the snapshot.
    fn trust_lane(&mut self, ticket: TicketRef) {
        let State::Waiting(stands) = self.line.state(ticket.number) else { return };
        let trusted = ticket.lane == Lane::Grace || self.is_presumed(ticket.number);
        if stands != ticket.lane && trusted {
            self.line.clear_waiting(ticket.number, stands);
            self.line.set_waiting(ticket.number, ticket.lane);
        }
    }

    fn is_presumed(&self, number: Number) -> bool {
        self.recovered.as_ref().is_some_and(|recovered| recovered.is_presumed(number))
    }
}
