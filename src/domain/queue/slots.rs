//! After admission: passes are redeemed, slots are held, given back, and kept for a while.

use super::ledger::Kind;
use super::line::{Mark, State};
use super::record::{Record, secs, secs_up};
use super::{
    Departure, IN_USE_MS, Identity, Number, PassRefused, Player, Queue, TicketRef, UnixMicros, Work,
};

/// The world is full and the cap is strict: this socket gets no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no slot is free")]
pub struct NoSlot {
    /// When to try again, in milliseconds: 1,000 to 30,000.
    pub retry_after_ms: u64,
}

impl Queue {
    /// Starts redeeming a pass; for the next 30 s it does not expire. The caller has checked the
    /// token and goes on with [`Queue::finish_redeem`] or [`Queue::abandon_redeem`].
    ///
    /// A pass redeemed a moment ago is accepted again: the retry of a sign-in gets the same answer,
    /// and it is the registry that refuses another account.
    ///
    /// After a crash a pass the snapshot does not know is honoured, since its token proves that it
    /// was given: it takes a free slot, or that of the recovered player who was to lapse first. At
    /// the moment of the crash everything fitted, so an excess means that one of the recovered
    /// slots is nobody's. With neither, its owner is put first in line.
    ///
    /// # Errors
    ///
    /// [`PassRefused`]; the pass is as it was before.
    pub fn begin_redeem(&mut self, now: UnixMicros, ticket: TicketRef) -> Result<(), PassRefused> {
        let now = self.begin(now);
        let ticket = self.current(ticket);
        let number = ticket.number;
        if ticket.epoch != self.epoch || number >= self.line.next() {
            return Err(PassRefused::Unknown);
        }
        if self.redeemed.renew(number, now.plus_ms(IN_USE_MS)) {
            return Ok(());
        }
        match self.line.state(number) {
            State::Pass => {}
            state if self.may_honour(now, number, state) => self.honour(now, ticket)?,
            State::Waiting(_) | State::Skipped => return Err(PassRefused::StillWaiting),
            State::Parked => {
                let had = self.line.record(number).is_some_and(Record::had_pass);
                return Err(if had { PassRefused::Expired } else { PassRefused::StillWaiting });
            }
            State::Gone => return Err(PassRefused::Unknown),
        }
        if self.in_use.contains_key(&number) {
            return Err(PassRefused::InUse);
        }
        self.in_use.insert(number, now.plus_ms(IN_USE_MS));
        self.done(now);
        Ok(())
    }

    /// Whether this may be a pass given just before a crash.
    fn may_honour(&self, now: UnixMicros, number: Number, state: State) -> bool {
        let Some(recovered) = &self.recovered else { return false };
        let unknown = match state {
            // The snapshot may be from before a parked owner returned and was admitted.
            State::Gone | State::Parked => true,
            State::Waiting(_) | State::Skipped => self.line.has(number, Mark::Unheard),
            State::Pass => false,
        };
        unknown && recovered.may_honour(now, number)
    }

    fn honour(&mut self, now: UnixMicros, ticket: TicketRef) -> Result<(), PassRefused> {
        let number = ticket.number;
        if !self.line.reach_back(number) {
            return Err(PassRefused::Unknown);
        }
        if self.free() == 0
            && let Some(phantom) = self.ledger.oldest_recovered()
        {
            self.ledger.free(phantom);
        }
        let fits = self.free() > 0;
        self.line.forget(number);
        self.free_identity(ticket.identity);
        // Forgetting may have given the block back.
        self.line.reach_back(number);
        let mut record = Record::new(ticket.identity, ticket.lane, now);
        record.entered_s = secs(ticket.issued_at);
        if !fits {
            self.line.put(number, record);
            self.line.set(number, Mark::Unheard);
            self.bring_back(number);
            self.done(now);
            return Err(PassRefused::StillWaiting);
        }
        let until = secs_up(now.plus_ms(self.settings.pass_ttl_ms));
        record.seen_s = until;
        self.line.put(number, record);
        self.line.set(number, Mark::Pass);
        self.passes.push_back((until, number));
        Ok(())
    }

    /// One identity has one place: whatever else it has in line goes.
    fn free_identity(&mut self, identity: Identity) {
        if let Some(other) = self.line.find(identity) {
            if self.line.state(other) == State::Pass {
                self.note_end_of_pass(other, false);
            }
            self.end(other);
        }
    }

    /// The sign-in is durable: the pass's slot is the player's, reserved until his first socket. If
    /// he holds a slot already, that one stays and the pass's is free.
    ///
    /// A pass that lapsed meanwhile (the sign-in took longer than 30 s) takes a free slot if there
    /// is one; if not, the player has none, and [`Queue::connect`] decides.
    ///
    /// `true`: this was the pass's first redemption, so what it cost is to be settled
    /// ([`Queue::settle`]).
    pub fn finish_redeem(
        &mut self,
        now: UnixMicros,
        ticket: Number,
        player: Player,
        identity: Identity,
    ) -> bool {
        let now = self.begin(now);
        let ticket = self.current_number(ticket);
        let was_pass = self.line.state(ticket) == State::Pass;
        let repeated = self.redeemed.player(ticket).is_some();
        let holds = self.ledger.get(player).is_some();
        let takes = !holds && (was_pass || !repeated && self.free() > 0);
        if was_pass {
            self.note_end_of_pass(ticket, !holds);
            self.end(ticket);
        }
        if holds {
            self.refresh(now, player, identity);
            self.free_identity(identity);
        } else if takes {
            self.end(ticket);
            let until = now.plus_ms(self.settings.connect_window_ms);
            self.ledger.put(player, Kind::Reserved { until }, identity);
            self.free_identity(identity);
        }
        if was_pass || takes {
            let until = now.plus_ms(self.settings.pass_ttl_ms);
            self.redeemed.note(ticket, player, until);
        }
        self.done(now);
        !repeated
    }

    /// What a sign-in that passed the gate turned out to be. The gate took 1 for it; if it cost more,
    /// the next admission comes later, if less, sooner.
    pub fn settle(&mut self, now: UnixMicros, work: Work) {
        let now = self.begin(now);
        let difference = self.settings.costs.sign_in[work as usize] - 1.0;
        if difference.total_cmp(&0.0).is_ne() {
            self.gate.settle(now, difference);
        }
        self.done(now);
    }

    /// The sign-in did not happen. `give_back`: its slot is free at once (it was admitted on the
    /// spot and its owner holds no token); otherwise the pass stays as it was.
    pub fn abandon_redeem(&mut self, now: UnixMicros, ticket: Number, give_back: bool) {
        let now = self.begin(now);
        let ticket = self.current_number(ticket);
        if self.line.state(ticket) != State::Pass {
            return;
        }
        self.in_use.remove(&ticket);
        if give_back {
            self.note_end_of_pass(ticket, false);
            self.tally.given_back += 1;
            self.end(ticket);
        } else {
            self.lapse_if_over(now, ticket);
        }
        self.done(now);
    }

    /// Signed in without the line (bypass, gate off, or because he holds a slot): if he does, it is
    /// kept for him for another connect window. No slot is taken.
    pub fn admit_exempt(&mut self, now: UnixMicros, player: Player, identity: Identity) {
        let now = self.begin(now);
        if self.ledger.get(player).is_some() {
            self.refresh(now, player, identity);
            self.free_identity(identity);
        }
        self.done(now);
    }

    fn refresh(&mut self, now: UnixMicros, player: Player, identity: Identity) {
        let Some(slot) = self.ledger.get(player) else { return };
        let fresh = now.plus_ms(self.settings.connect_window_ms);
        let kind = match slot.kind {
            Kind::Live { sockets } => Kind::Live { sockets },
            Kind::InWorld { until } => Kind::InWorld { until: until.max(fresh) },
            Kind::Reserved { until } | Kind::Grace { until } => {
                Kind::Reserved { until: until.max(fresh) }
            }
        };
        self.ledger.put(player, kind, identity);
    }

    /// A socket of the player opens. Further sockets cost nothing. Without a slot he takes a free
    /// one.
    ///
    /// # Errors
    ///
    /// [`NoSlot`] when none is free and the cap is strict; otherwise he is counted above the cap.
    pub fn connect(&mut self, now: UnixMicros, player: Player) -> Result<(), NoSlot> {
        let now = self.begin(now);
        let sockets = match self.ledger.get(player).map(|slot| slot.kind) {
            Some(Kind::Live { sockets }) => sockets.saturating_add(1),
            Some(_) => 1,
            None if self.free() > 0 || !self.settings.strict_cap => 1,
            None => {
                self.tally.refused_socket += 1;
                return Err(NoSlot { retry_after_ms: self.slot_retry_ms(now) });
            }
        };
        self.ledger.put(player, Kind::Live { sockets }, Identity::ANONYMOUS);
        self.done(now);
        Ok(())
    }

    /// When a slot may be free, as far as is known.
    fn slot_retry_ms(&self, now: UnixMicros) -> u64 {
        let due = self.ledger.next_due().map_or(5_000, |due| due.since_ms(now));
        due.clamp(1_000, 30_000)
    }

    /// A socket of the player closed. With his last one his slot is held for grace or free, as
    /// `how` and the settings say. Somebody without a slot changes nothing.
    pub fn disconnect(&mut self, now: UnixMicros, player: Player, how: Departure) {
        let now = self.begin(now);
        if self.ledger.was_orphan(now, player) {
            return;
        }
        let Some(Kind::Live { sockets }) = self.ledger.get(player).map(|slot| slot.kind) else {
            return;
        };
        let frees = match how {
            Departure::Ended => true,
            Departure::Clean => self.settings.clean_close_frees,
            Departure::Dropped => false,
        };
        if sockets > 1 {
            let kind = Kind::Live { sockets: sockets - 1 };
            self.ledger.put(player, kind, Identity::ANONYMOUS);
        } else {
            let held_until = match how {
                Departure::Dropped => self.note_drop(now),
                _ if frees => None,
                _ => self.grace_until(now),
            };
            if let Some(until) = held_until {
                self.ledger.put(player, Kind::Grace { until }, Identity::ANONYMOUS);
            } else {
                self.ledger.free(player);
                self.eta.departed();
            }
        }
        self.done(now);
    }

    /// Until when a slot is held that goes into grace now; `None`: not at all.
    pub(super) fn grace_until(&self, now: UnixMicros) -> Option<UnixMicros> {
        (self.settings.grace_ms > 0).then(|| now.plus_ms(self.settings.grace_ms))
    }

    /// The player signed out or was thrown out: his slot is free at once. His sockets are closed by
    /// others; when they say so, nothing more happens.
    pub fn sign_out(&mut self, now: UnixMicros, player: Player) {
        let now = self.begin(now);
        if let Some(slot) = self.ledger.free(player) {
            if let Kind::Live { sockets } = slot.kind {
                self.ledger.orphan(now, player, sockets);
            }
            self.eta.departed();
        }
        self.done(now);
    }
}
