//! What happens by itself as time passes: admissions, and everything that runs out.

use std::collections::VecDeque;

use super::ledger::Kind;
use super::line::{Mark, State};
use super::parties::Turn;
use super::record::{secs, secs_up};
use super::{Admission, Identity, Lane, Number, Queue, UnixMicros};

/// Silent tickets skipped in one go; the rest at once after.
const SKIPS_MAX: u32 = 65_536;
/// Time between two looks for leases that are over, in milliseconds.
const SWEEP_EVERY_MS: u64 = 1_000;
/// Looks it takes to go through the whole window.
const SWEEP_ROUNDS: u64 = 30;
/// Stale timer entries tolerated beside the valid ones.
const STALE_MAX: usize = 4_096;

impl Queue {
    /// Lets everything happen that is due, and says when to call again. `None`: not before another
    /// call. Calling early or late is harmless, and never lets in more than the gate allows.
    pub fn tick(&mut self, now: UnixMicros) -> Option<UnixMicros> {
        let now = self.begin(now);
        self.run(now);
        self.next_wake()
    }

    /// When [`Queue::tick`] should be called next, by the clock the callers use. Every call that
    /// changes something may change it.
    pub fn next_wake(&self) -> Option<UnixMicros> {
        self.alarm.map(|due| UnixMicros(due.0.saturating_sub(self.time.ahead_us)))
    }

    /// Everything that is due by `now`.
    pub(super) fn run(&mut self, now: UnixMicros) {
        self.expire_announcement(now);
        self.open_doors(now);
        if self.throttle_at.is_some_and(|at| at <= now) {
            self.apply_throttle(now);
        }
        self.expire_passes(now);
        self.expire_in_use(now);
        self.expire_parked(now);
        self.expire_slots(now);
        self.redeemed.expire(now);
        if self.sweep_at <= now {
            self.sweep(now);
        }
        if self.recovered.as_ref().is_some_and(|r| r.is_over(now))
            && self.line.count(Mark::Unheard) == 0
        {
            self.recovered = None;
        }
        self.done(now);
    }

    /// When something is due next. Called after every change, so a running minimum and no array:
    /// copying one made every enqueue wait for its cache miss in the index.
    /// `not_before`: what stopped the last admissions.
    pub(super) fn next_due(&self, not_before: UnixMicros) -> Option<UnixMicros> {
        const NEVER: UnixMicros = UnixMicros(u64::MAX);
        let mut due = self.admission_due().map_or(NEVER, |at| at.max(not_before));
        let first = |timers: &VecDeque<(u32, Number)>| {
            timers.front().map(|&(until, _)| UnixMicros::from_secs(until.into()))
        };
        if let Some(until) = first(&self.passes) {
            due = due.min(until);
        }
        if let (Some(until), Some(kept_until)) = (first(&self.parked), self.keeps_until()) {
            due = due.min(until.max(kept_until));
        }
        if let Some(&until) = self.in_use.values().min() {
            due = due.min(until);
        }
        let others = [self.announced_until(), self.doors_due(), self.throttle_at];
        for at in others.into_iter().flatten() {
            due = due.min(at);
        }
        if let Some(until) = self.ledger.next_due() {
            due = due.min(until);
        }
        if self.line.waiting_total() > 0 || self.line.count(Mark::Unheard) > 0 {
            due = due.min(self.sweep_at);
        }
        (due < NEVER).then_some(due)
    }

    /// When the next admission can happen if nothing changes.
    fn admission_due(&self) -> Option<UnixMicros> {
        if !self.announced.mode.admits() || self.free() == 0 || self.line.waiting_total() == 0 {
            return None;
        }
        Some(self.gate.opens_at()?.max(self.settle_until))
    }

    /// Admits as many as gate and slots allow (I1, I2, I8). The moment before which calling again
    /// is of no use while nothing else changes; in the past: gate and slots alone say when.
    pub(super) fn admit(&mut self, now: UnixMicros) -> UnixMicros {
        const AT_ONCE: UnixMicros = UnixMicros(0);
        if !self.announced.mode.admits() || now < self.settle_until {
            return AT_ONCE;
        }
        let mut skips = SKIPS_MAX;
        while self.gate.is_open(now) && self.free() > 0 {
            let Some(lane) = self.lanes.choose(self.line.waiting()) else { return AT_ONCE };
            let Some(number) = self.line.first(lane) else { return AT_ONCE };
            if self.is_silent(now, number) {
                self.park_silent(now, number, lane);
                skips -= 1;
                if skips == 0 {
                    return AT_ONCE;
                }
                continue;
            }
            match self.turn(now, number) {
                Turn::Alone => self.admit_one(now, number, lane),
                Turn::Together(members) => self.admit_party(now, members),
                Turn::Until(at) => return at,
                Turn::PassBy(at) => match self.behind(now, lane, number) {
                    Some(other) => self.admit_one(now, other, lane),
                    None => return at,
                },
            }
        }
        AT_ONCE
    }

    fn admit_one(&mut self, now: UnixMicros, number: Number, lane: Lane) {
        self.gate.take(now, 1.0);
        self.note_admission(now);
        self.lanes.took(lane, self.line.waiting());
        self.pass(now, number, lane);
    }

    fn admit_party(&mut self, now: UnixMicros, members: Vec<Number>) {
        self.tally.parties += 1;
        for member in members {
            if let State::Waiting(lane) = self.line.state(member) {
                self.admit_one(now, member, lane);
            }
        }
    }

    /// Turns a waiting ticket into a pass.
    fn pass(&mut self, now: UnixMicros, number: Number, lane: Lane) {
        self.eta.at_head(false, self.waited_s(now, number), self.lease_s());
        self.note_presence(now, number);
        self.tally.admitted[lane as usize] += 1;
        self.tally.waited_s[lane as usize] += u64::from(self.waited_s(now, number));
        let until = secs_up(now.plus_ms(self.settings.pass_ttl_ms));
        let lease_until = self.lease_until(number);
        if let Some(record) = self.line.record_mut(number) {
            let (quoted, entered) = (record.quoted_s, record.entered_s);
            record.turn_to_pass(until, lease_until);
            self.eta.score(quoted, secs_up(now).saturating_sub(entered));
        }
        if lane != Lane::Standard
            && let Some(admitted) = &mut self.out_of_turn
        {
            let record = self.line.record(number);
            let identity = record.map_or(Identity::ANONYMOUS, super::record::Record::identity);
            admitted.push(Admission { number, lane, identity });
        }
        self.line.clear_waiting(number, lane);
        self.parties.remove(number);
        if self.recovered.is_some() {
            self.line.clear(number, Mark::Unheard);
        }
        self.line.set(number, Mark::Pass);
        self.passes.push_back((until, number));
        if self.passes.len() > 2 * self.pass_count() + STALE_MAX {
            let here = &self.line;
            self.passes.retain(|&(until, number)| is_due(here, number, State::Pass, until));
        }
    }

    /// Slots whose time is over. A server that falls silent has its players dropped, not gone: a gap
    /// in its reports must not let others in on top of them. What a mass drop holds is held on.
    fn expire_slots(&mut self, now: UnixMicros) {
        while let Some((player, slot)) = self.ledger.free_due(now) {
            let held_until = match slot.kind {
                Kind::InWorld { .. } => self.note_drop(now),
                Kind::Grace { .. } => self.mass_drop.held_until(now),
                Kind::Reserved { .. } | Kind::Live { .. } => None,
            };
            if let Some(until) = held_until.filter(|&until| until > now) {
                self.ledger.put(player, Kind::Grace { until }, slot.identity);
            } else {
                self.tally.expired_slot(slot.kind);
                self.eta.departed();
            }
        }
    }

    fn pass_count(&self) -> usize {
        usize::try_from(self.line.count(Mark::Pass)).unwrap_or(usize::MAX / 4)
    }

    /// Whether the ticket at the head has missed its poll, or nobody knows that it exists.
    pub(super) fn is_silent(&self, now: UnixMicros, number: Number) -> bool {
        if let Some(recovered) = &self.recovered
            && self.line.has(number, Mark::Unheard)
            && recovered.is_presumed(number)
            && self.line.record(number).is_some_and(|r| r.identity().0 == 0)
        {
            return true;
        }
        self.line.record(number).is_none_or(|record| record.silent_from() <= now)
    }

    /// How long a ticket has waited, in seconds.
    pub(super) fn waited_s(&self, now: UnixMicros, number: Number) -> u32 {
        self.line.record(number).map_or(0, |record| secs(now).saturating_sub(record.entered_s))
    }

    /// Lets the estimates know that the owner of a waiting number gave up without a word.
    fn note_silence(&mut self, number: Number) {
        let Some(record) = self.line.record(number) else { return };
        let heard_s = record.seen_s.saturating_sub(record.entered_s);
        let interval_s = u32::try_from(record.interval_ms() / 1_000).unwrap_or(0);
        self.eta.fell_silent(heard_s, interval_s);
    }

    /// Lets the estimates know that the owner of a waiting number was there until now.
    pub(super) fn note_presence(&mut self, now: UnixMicros, number: Number) {
        let Some(record) = self.line.record(number) else { return };
        let waited_s = secs(now).saturating_sub(record.entered_s);
        self.eta.waited_on(waited_s, secs(now).saturating_sub(record.seen_s));
    }

    /// Lets the estimates know that the owner of a waiting number leaves.
    pub(super) fn note_leaving(&mut self, now: UnixMicros, number: Number) {
        let Some(record) = self.line.record(number) else { return };
        let waited_s = secs(now).saturating_sub(record.entered_s);
        let due = UnixMicros::from_secs(record.seen_s.into()).plus_ms(record.interval_ms());
        let heard = now.plus_us(due.since_us(now) / 2);
        self.eta.left(now, waited_s, secs_up(heard));
    }

    /// Takes a silent ticket out of the way; its owner may come back.
    fn park_silent(&mut self, now: UnixMicros, number: Number, lane: Lane) {
        self.line.clear_waiting(number, lane);
        // Not heard of since a restart: waits aside, unmarked, until a lease has passed. That says
        // nothing of how soon people give up.
        if !self.line.has(number, Mark::Unheard) {
            self.eta.at_head(true, self.waited_s(now, number), self.lease_s());
            self.note_silence(number);
            let lease_until = self.lease_until(number);
            self.park(now, number, lease_until);
        }
    }

    /// Keeps the number for `parked_ms`, and never shorter than its lease was promised to be.
    fn park(&mut self, now: UnixMicros, number: Number, lease_until: UnixMicros) {
        let until = now.plus_ms(self.settings.parked_ms).max(lease_until);
        if until <= now {
            self.tally.expired.parked += 1;
            self.end(number);
            return;
        }
        let until = secs_up(until);
        if let Some(record) = self.line.record_mut(number) {
            record.seen_s = until;
            record.quoted_s = 0;
        }
        self.line.set(number, Mark::Parked);
        self.parties.remove(number);
        // Leases differ, so this is only nearly in order: some lapse a little late.
        self.parked.push_back((until, number));
        let valid = usize::try_from(self.line.count(Mark::Parked)).unwrap_or(usize::MAX / 4);
        if self.parked.len() > 2 * valid + STALE_MAX {
            let here = &self.line;
            self.parked.retain(|&(until, number)| is_due(here, number, State::Parked, until));
        }
    }

    fn expire_passes(&mut self, now: UnixMicros) {
        while let Some(&(until, number)) = self.passes.front()
            && UnixMicros::from_secs(until.into()) <= now
        {
            self.passes.pop_front();
            if is_due(&self.line, number, State::Pass, until) && !self.in_use.contains_key(&number)
            {
                self.lapse_pass(now, number);
            }
        }
    }

    /// Lets the estimates know that somebody came with a pass, or that nobody will.
    pub(super) fn note_end_of_pass(&mut self, number: Number, used: bool) {
        if let Some(record) = self.line.record(number) {
            self.eta.pass_ended(used, secs_up(record.until()));
        }
    }

    /// Nobody came with the pass: its slot is free, its owner keeps his number for a while.
    pub(super) fn lapse_pass(&mut self, now: UnixMicros, number: Number) {
        self.line.clear(number, Mark::Pass);
        let mut lease = now;
        if let Some(record) = self.line.record_mut(number) {
            record.set_had_pass();
            lease = record.lease_of_pass();
        }
        self.note_end_of_pass(number, false);
        self.tally.expired.pass += 1;
        self.park(now, number, lease);
    }

    fn expire_in_use(&mut self, now: UnixMicros) {
        if self.in_use.values().all(|&until| until > now) {
            return;
        }
        let over: Vec<Number> =
            self.in_use.iter().filter(|&(_, &until)| until <= now).map(|(&n, _)| n).collect();
        for number in over {
            self.in_use.remove(&number);
            self.lapse_if_over(now, number);
        }
    }

    /// Lapses a pass whose time was over while it was in use.
    pub(super) fn lapse_if_over(&mut self, now: UnixMicros, number: Number) {
        let over = self.line.record(number).is_some_and(|record| record.until() <= now);
        if over && self.line.state(number) == State::Pass {
            self.lapse_pass(now, number);
        }
    }

    fn expire_parked(&mut self, now: UnixMicros) {
        if self.keeps_everybody(now) {
            return;
        }
        while let Some(&(until, number)) = self.parked.front()
            && UnixMicros::from_secs(until.into()) <= now
        {
            self.parked.pop_front();
            if is_due(&self.line, number, State::Parked, until) {
                self.tally.expired.parked += 1;
                self.end(number);
            }
        }
    }

    /// Looks through a part of the window for leases that are over: never through all of it.
    fn sweep(&mut self, now: UnixMicros) {
        self.sweep_at = now.plus_ms(SWEEP_EVERY_MS);
        self.forget_draw();
        self.end_amnesty(now);
        if self.keeps_everybody(now) {
            return;
        }
        let window = self.line.blocks();
        let blocks = (window.end - window.start).div_ceil(SWEEP_ROUNDS);
        for _ in 0..blocks {
            if !self.line.blocks().contains(&self.sweep_block) {
                self.sweep_block = self.line.blocks().start;
            }
            for number in self.line.swept(self.sweep_block) {
                if self.lease_until(number) <= now {
                    self.note_silence(number);
                    self.tally.expired.lease += 1;
                    self.end(number);
                }
            }
            self.sweep_block += 1;
        }
    }

    /// Until when a waiting ticket keeps its place in silence.
    fn lease_until(&self, number: Number) -> UnixMicros {
        if let Some(recovered) = &self.recovered
            && self.line.has(number, Mark::Unheard)
        {
            return recovered.lapses_at();
        }
        let lease_ms = self.settings.lease_ms;
        self.line.record(number).map_or(UnixMicros(0), |record| record.lease_until(lease_ms))
    }
}

/// Whether a timer entry still means something.
fn is_due(line: &super::line::Line, number: Number, state: State, until: u32) -> bool {
    line.state(number) == state && line.record(number).is_some_and(|r| r.seen_s == until)
}
