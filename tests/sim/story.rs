//! What people do, step by step, and what each was promised.

use anteroom::domain::queue::{
    Checked, Departure, Identity, Input, NotTransferred, Number, Output, PassRefused, Reason,
    Standing, TicketRef,
};
use anteroom::domain::time::UnixMicros;

use crate::people::Stage;
use crate::wire::{Late, standing_in};
use crate::world::{START, World};

impl World {
    /// What a crash is to a person: promises are longer by the downtime, sockets are gone.
    pub fn survive(&mut self, who: usize, down_ms: u64) {
        let grace_ms = self.settings.grace_ms;
        let usual_ms = self.settings.lease_ms.max(3 * self.settings.poll_max_ms);
        let person = &mut self.people[who];
        // Who watches the frame hears there that the line has restarted, and has a usual lease's time.
        let latest = self.now.plus_ms(usual_ms);
        person.lease_until = person.lease_until.plus_ms(down_ms).min(latest);
        match person.stage {
            Stage::Online if self.dice.chance(0.8) => {
                person.stage = Stage::Connecting { until: self.now, sure: false };
                let ms = self.dice.ms(100, grace_ms);
                self.plan(who, ms);
            }
            Stage::Online => self.go(who),
            Stage::Connecting { until, .. } => {
                person.stage = Stage::Connecting { until, sure: false };
                let ms = self.dice.ms(100, 5_000);
                self.plan(who, ms);
            }
            // Their game server is another program.
            Stage::Gone | Stage::InWorld => {}
            // Out of reach anyway.
            Stage::Waiting if person.was_silent => {}
            _ => {
                // Calls during the downtime fail and are repeated soon after.
                let ms = self.dice.ms(50, 8_000);
                self.plan(who, ms);
            }
        }
    }

    pub fn go(&mut self, who: usize) {
        self.people[who].stage = Stage::Gone;
        if let Some(number) = self.people[who].number() {
            self.checks.forget(number);
        }
    }

    pub fn act(&mut self, who: usize) {
        match self.people[who].stage {
            Stage::Outside => self.enter(who),
            Stage::Waiting => self.poll(who),
            Stage::Passed { on_the_spot } => self.begin(who, on_the_spot),
            Stage::SigningIn { on_the_spot, incarnation } => {
                self.sign_in(who, on_the_spot, incarnation);
            }
            Stage::Connecting { until, sure } => self.connect(who, until, sure),
            Stage::Online => self.end(who),
            Stage::InWorld => self.leave_world(who),
            Stage::Returning { until } => self.come_back(who, until),
            Stage::Switching { to } => self.switch(who, to),
            Stage::Gone => {}
        }
    }

    fn enter(&mut self, who: usize) {
        let person = self.people[who].clone();
        if let Some(first) = self.friend(who) {
            match self.call(who, Input::Join(person.identity, person.lane, first)) {
                None => return,
                Some(Output::Joined(Ok(standing))) => {
                    let waits = matches!(standing, Standing::Waiting(_));
                    self.summary.add("joined", u64::from(waits));
                    return self.hear(who, standing);
                }
                Some(_) => {}
            }
        }
        if let Some(Output::Entered(standing)) =
            self.call(who, Input::Enter(person.identity, person.lane))
        {
            self.hear(who, standing);
        }
    }

    /// Somebody who waits, to come in together with.
    fn friend(&mut self, who: usize) -> Option<TicketRef> {
        if self.settings.party_max == 1 || !self.dice.chance(0.3) {
            return None;
        }
        let near = who.checked_sub(usize::try_from(1 + self.dice.below(5)).ok()?)?;
        let friend = &self.people[near];
        friend.ticket.filter(|_| friend.stage == Stage::Waiting)
    }

    fn poll(&mut self, who: usize) {
        let person = self.people[who].clone();
        let Some(ticket) = person.ticket else { return self.enter(who) };
        if self.now > person.patience {
            return self.give_up(who, ticket.number);
        }
        if !person.was_silent && self.dice.chance(0.02) {
            // Out of reach for a while: the place must be there if this is within the lease.
            self.people[who].was_silent = true;
            self.checks.forget(ticket.number);
            let ms = self.dice.ms(5_000, 200_000);
            return self.plan(who, ms);
        }
        if self.switches && self.dice.chance(0.04) {
            self.devices += 1;
            let to = Identity(1_000_000 + self.devices);
            self.people[who].stage = Stage::Switching { to };
            return self.switch(who, to);
        }
        self.check_old(who);
        // Whoever's call failed while the server was down does not come when told.
        if !person.was_silent && self.now > self.restarted_at.plus_secs(10) {
            self.books.polls(self.now);
        }
        let input = match self.dice.chance(0.2) {
            _ if !person.has_token => Input::Enter(person.identity, person.lane),
            true => Input::Watch(ticket),
            false => Input::Check(ticket),
        };
        self.people[who].was_silent = false;
        let Some(output) = self.call(who, input) else { return };
        let standing = standing_in(&output);
        let same = self.has_kept(who, ticket, standing);
        self.summary.add("returned", u64::from(same && person.was_silent));
        self.summary.add("forgotten", u64::from(!same));
        if let Some(standing) = standing {
            return self.hear(who, standing);
        }
        self.checks.forget(ticket.number);
        self.people[who].stage = Stage::Outside;
        self.people[who].ticket = None;
        self.plan(who, 500);
    }

    /// I4: whoever comes in time has the place that was promised.
    fn has_kept(&self, who: usize, ticket: TicketRef, standing: Option<Standing>) -> bool {
        let person = &self.people[who];
        let number = self.doors.current(ticket.number);
        let same = match standing {
            Some(Standing::Waiting(waiting)) => waiting.ticket.number == number,
            Some(Standing::Passed { ticket: pass, .. }) => pass.number == number,
            Some(Standing::HoldsSlot) => true,
            Some(Standing::Refused { .. }) | None => false,
        };
        let promised = self.now <= person.lease_until;
        assert!(same || !promised, "I4, I7, I11: {person:?} had a place, now {standing:?}");
        same
    }

    /// The place goes to another device.
    fn switch(&mut self, who: usize, to: Identity) {
        let Some(ticket) = self.people[who].ticket else { return self.enter(who) };
        let Some(output) = self.call(who, Input::Transfer(ticket, to)) else { return };
        match output {
            Output::Transferred(Ok(standing)) => {
                self.has_kept(who, ticket, Some(standing));
                self.summary.count("switched devices");
                self.hear(who, standing);
            }
            Output::Transferred(Err(NotTransferred::Admitted)) => {
                self.people[who].stage = Stage::Waiting;
                return self.plan(who, 1);
            }
            // It may be the other device's already: only the answer was lost.
            _ => {
                let enters = Input::Enter(to, self.people[who].lane);
                let Some(Output::Entered(standing)) = self.call(who, enters) else { return };
                self.has_kept(who, ticket, Some(standing));
                self.people[who].identity = to;
                self.hear(who, standing);
            }
        }
        if self.dice.chance(0.03) {
            self.summary.count("crashes after a switch");
            self.disk.stops = true;
        }
    }

    /// I7: with the old device nobody gets the place.
    fn check_old(&mut self, who: usize) {
        let person = &self.people[who];
        let stands = person.ticket.is_some_and(|ticket| self.queue.waits(ticket));
        if let Some(old) = person.old.filter(|_| stands && self.dice.chance(0.3)) {
            let answer = self.ask(Input::Check(old));
            assert_eq!(answer, Output::Checked(Checked::Forgotten), "I7: {old:?}");
        }
    }

    fn give_up(&mut self, who: usize, number: Number) {
        self.summary.count("gave up");
        if self.dice.chance(0.5) {
            if self.dice.chance(self.weather) {
                self.send_late(Late::Request(Input::Leave(number)));
            } else {
                self.ask(Input::Leave(number));
                let Output::Left(again) = self.ask(Input::Leave(number)) else { unreachable!() };
                assert!(!again, "leaving twice is leaving once");
            }
        }
        self.go(who);
    }

    /// A ticket of this name is what the client has now.
    fn take(&mut self, who: usize, ticket: TicketRef) {
        let moved = self.people[who].ticket.filter(|old| {
            old.identity != ticket.identity && self.queue.current(*old).number == ticket.number
        });
        let person = &mut self.people[who];
        person.old = moved.or(person.old);
        person.identity = ticket.identity;
        person.ticket = Some(ticket);
    }

    pub fn hear(&mut self, who: usize, standing: Standing) {
        match standing {
            Standing::Waiting(waiting) => {
                let restarted = waiting.reason == Some(Reason::Restarted);
                self.summary.add("recovered places", u64::from(restarted));
                self.take(who, waiting.ticket);
                // The queue's clock may run ahead of the machine's; spans are what is promised.
                let span_us = waiting.lease_until.since_us(self.queue.now());
                let person = &mut self.people[who];
                person.stage = Stage::Waiting;
                person.lease_until = self.now.plus_us(span_us);
                self.plan(who, waiting.poll_after_ms);
            }
            Standing::Passed { ticket, pass_until, on_the_spot } => {
                self.take(who, ticket);
                let span_us = pass_until.since_us(self.queue.now());
                let person = &mut self.people[who];
                person.pass_until = self.now.plus_us(span_us);
                person.stage = Stage::Passed { on_the_spot };
                let ms = if on_the_spot { 1 } else { self.dice.ms(100, 12_000) };
                self.plan(who, ms);
            }
            Standing::HoldsSlot => {
                let person = &self.people[who];
                self.ask(Input::AdmitExempt(person.player, person.identity));
                self.signed_in(who, false);
            }
            Standing::Refused { retry_after_ms, .. } => {
                self.people[who].ticket = None;
                self.people[who].stage = Stage::Outside;
                self.plan(who, retry_after_ms);
            }
        }
    }

    /// Brings the pass. Its token is good until `pass_until`.
    fn begin(&mut self, who: usize, on_the_spot: bool) {
        let person = self.people[who].clone();
        let Some(ticket) = person.ticket else { return self.enter(who) };
        if self.now >= person.pass_until {
            self.people[who].stage = Stage::Waiting;
            self.people[who].lease_until = UnixMicros(0);
            return self.poll(who);
        }
        let Output::Redeem(begun) = self.ask(Input::BeginRedeem(ticket)) else { unreachable!() };
        let after_restart = begun.is_ok() && self.restarted_at > START;
        self.summary.add("redeemed after a restart", u64::from(after_restart));
        match begun {
            Ok(()) => {
                let incarnation = self.incarnation;
                self.people[who].stage = Stage::SigningIn { on_the_spot, incarnation };
                let ms = self.dice.ms(10, 3_000);
                self.plan(who, ms);
            }
            Err(PassRefused::InUse) => self.plan(who, 1_000),
            Err(PassRefused::StillWaiting) => {
                assert!(self.incarnation > 0, "I4: a pass became a place again");
                self.people[who].stage = Stage::Waiting;
                self.plan(who, 500);
            }
            Err(refused) => panic!("I4: a good pass was refused: {refused:?} {person:?}"),
        }
    }

    fn sign_in(&mut self, who: usize, on_the_spot: bool, incarnation: u64) {
        let person = self.people[who].clone();
        let Some(number) = person.number() else { return self.enter(who) };
        if incarnation != self.incarnation {
            // The server died meanwhile, before anything was durable: the client tries again.
            self.people[who].stage = Stage::Passed { on_the_spot };
            return self.begin(who, on_the_spot);
        }
        if self.dice.chance(0.05) {
            self.ask(Input::AbandonRedeem(number, on_the_spot));
            self.people[who].stage =
                if on_the_spot { Stage::Outside } else { Stage::Passed { on_the_spot } };
            if on_the_spot {
                self.people[who].ticket = None;
            }
            return self.plan(who, 1_000);
        }
        let Some(ticket) = person.ticket else { return self.enter(who) };
        let first = self.redeem(ticket, person.player);
        if self.disk.stops {
            return;
        }
        if self.dice.chance(0.1) {
            // The answer was lost, the same sign-in comes again: nothing changes.
            let used = self.queue.figures();
            assert_eq!(self.ask(Input::BeginRedeem(ticket)), Output::Redeem(Ok(())), "I5");
            let again = self.ask(Input::FinishRedeem(number, person.player, person.identity));
            assert_eq!(again, Output::Redeemed(false), "I5: paid for once");
            let after = self.queue.figures();
            assert_eq!((used.reserved, used.live), (after.reserved, after.live), "I5");
        }
        if self.dice.chance(self.weather) {
            self.send_late(Late::SignIn(ticket, person.player));
        }
        if self.dice.chance(self.weather) {
            // The answer was lost, and it takes the client a while to try again.
            self.people[who].stage = Stage::Passed { on_the_spot };
            let ms = self.dice.ms(500, 20_000);
            return self.plan(who, ms);
        }
        self.signed_in(who, first);
    }

    fn signed_in(&mut self, who: usize, sure: bool) {
        let until = self.now.plus_ms(self.settings.connect_window_ms);
        self.people[who].stage = Stage::Connecting { until, sure };
        self.people[who].bound = true;
        let ms = self.dice.ms(50, 8_000);
        self.plan(who, ms);
    }

    fn connect(&mut self, who: usize, until: UnixMicros, sure: bool) {
        let player = self.people[who].player;
        if sure && self.dice.chance(0.2) {
            return self.enter_world(who);
        }
        if self.dice.chance(self.weather) {
            return self.try_again(who);
        }
        let Output::Connect(connected) = self.ask(Input::Connect(player)) else { unreachable!() };
        if connected.is_err() {
            assert!(!sure || self.now >= until, "I2: a reserved slot was given away");
            // Back to the line, as somebody new.
            self.people[who].ticket = None;
            self.people[who].stage = Stage::Outside;
            return self.plan(who, 1_000);
        }
        self.summary.count("came in");
        self.people[who].bound &= sure && self.now < until;
        self.people[who].stage = Stage::Online;
        let ms = 1_000 + self.dice.spread_ms(40.0);
        self.plan(who, ms);
    }

    fn end(&mut self, who: usize) {
        let player = self.people[who].player;
        match self.dice.below(4) {
            0 => {
                self.ask(Input::SignOut(player));
                self.ask(Input::Disconnect(player, Departure::Ended));
                self.go(who);
            }
            1 => {
                self.ask(Input::Disconnect(player, Departure::Dropped));
                let until = self.now.plus_ms(self.settings.grace_ms);
                self.people[who].stage = Stage::Connecting { until, sure: true };
                let ms = self.dice.ms(100, self.settings.grace_ms * 3 / 2);
                self.plan(who, ms);
            }
            2 => {
                self.ask(Input::Disconnect(player, Departure::Dropped));
                self.go(who);
            }
            _ => {
                self.ask(Input::Disconnect(player, Departure::Clean));
                self.go(who);
            }
        }
    }
}
