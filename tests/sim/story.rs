//! What people do, step by step, and what each was promised.

use anteroom::domain::queue::{
    Checked, Departure, Input, Number, Output, PassRefused, Reason, Standing, TicketRef, Work,
};
use anteroom::domain::time::UnixMicros;

use crate::people::Stage;
use crate::world::{START, World};

impl World {
    /// What a crash is to a person: promises are longer by the downtime, sockets are gone.
    pub fn survive(&mut self, who: usize, down_ms: u64) {
        let grace_ms = self.settings.grace_ms;
        let person = &mut self.people[who];
        person.lease_until = person.lease_until.plus_ms(down_ms);
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
            Stage::Gone => {}
        }
    }

    fn enter(&mut self, who: usize) {
        let person = self.people[who].clone();
        if let Some(first) = self.friend(who)
            && let Output::Joined(Ok(standing)) =
                self.ask(Input::Join(person.identity, person.lane, first))
        {
            if let Standing::Waiting(waiting) = &standing {
                self.checks.join([first.number, waiting.ticket.number]);
                self.summary.joined += 1;
            }
            return self.hear(who, standing);
        }
        if let Output::Entered(standing) = self.ask(Input::Enter(person.identity, person.lane)) {
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
            let ms = self.dice.ms(5_000, 150_000);
            return self.plan(who, ms);
        }
        let promised = self.now <= person.lease_until;
        let standing = if person.has_token() {
            let watches = self.dice.chance(0.2);
            match self.ask(if watches { Input::Watch(ticket) } else { Input::Check(ticket) }) {
                Output::Checked(Checked::Standing(standing)) => Some(standing),
                _ => None,
            }
        } else {
            match self.ask(Input::Enter(person.identity, person.lane)) {
                Output::Entered(standing) => Some(standing),
                _ => None,
            }
        };
        let same = match standing {
            Some(Standing::Waiting(waiting)) => waiting.ticket.number == ticket.number,
            Some(Standing::Passed { ticket: pass, .. }) => pass.number == ticket.number,
            Some(Standing::HoldsSlot) => true,
            Some(Standing::Refused { .. }) | None => false,
        };
        assert!(same || !promised, "I4, I7, I11: {person:?} had a place, now {standing:?}");
        self.summary.returned += u64::from(same && person.was_silent);
        self.summary.forgotten += u64::from(!same);
        self.people[who].was_silent = false;
        if let Some(standing) = standing {
            return self.hear(who, standing);
        }
        self.checks.forget(ticket.number);
        self.people[who].stage = Stage::Outside;
        self.people[who].ticket = None;
        self.plan(who, 500);
    }

    fn give_up(&mut self, who: usize, number: Number) {
        self.summary.gave_up += 1;
        if self.dice.chance(0.5) {
            self.ask(Input::Leave(number));
            let Output::Left(again) = self.ask(Input::Leave(number)) else { unreachable!() };
            assert!(!again, "leaving twice is leaving once");
        }
        self.go(who);
    }

    pub fn hear(&mut self, who: usize, standing: Standing) {
        match standing {
            Standing::Waiting(waiting) => {
                self.checks.waits(self.now, &waiting);
                let person = &mut self.people[who];
                let number = waiting.ticket.number;
                // A place without a token is logged the first time it is told, whichever that is.
                let logged = self.disk.places.iter().any(|&(known, _, _)| known == number);
                if !person.has_token() && !logged {
                    self.disk.places.push((number, person.identity, waiting.ticket.lane));
                }
                self.summary.recovered_places +=
                    u64::from(waiting.reason == Some(Reason::Restarted));
                person.stage = Stage::Waiting;
                person.ticket = Some(waiting.ticket);
                // The queue's clock may run ahead of the machine's; spans are what is promised.
                let span_us = waiting.lease_until.since_us(self.queue.now());
                person.lease_until = self.now.plus_us(span_us);
                self.plan(who, waiting.poll_after_ms);
            }
            Standing::Passed { ticket, pass_until, on_the_spot } => {
                self.checks.passes(ticket.number, ticket.lane);
                let span_us = pass_until.since_us(self.queue.now());
                let person = &mut self.people[who];
                person.ticket = Some(ticket);
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
        self.summary.redeemed_after_restart +=
            u64::from(begun.is_ok() && self.restarted_at > START);
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
        // I5: the registry has one redemption for a pass.
        assert!(self.disk.redeemed.iter().all(|&(n, p)| n != number || p == person.player), "I5");
        self.disk.redeemed.push((number, person.player));
        let first = self.ask(Input::FinishRedeem(number, person.player, person.identity));
        if first == Output::Redeemed(true) {
            let work = match self.dice.below(3) {
                0 => Work::Known,
                1 => Work::Password,
                _ => Work::NewAccount,
            };
            self.ask(Input::Settle(work));
        }
        if self.dice.chance(0.1) {
            // The answer was lost, the same sign-in comes again: nothing changes.
            let used = self.queue.figures();
            let ticket = person.ticket.unwrap();
            assert_eq!(self.ask(Input::BeginRedeem(ticket)), Output::Redeem(Ok(())), "I5");
            let again = self.ask(Input::FinishRedeem(number, person.player, person.identity));
            assert_eq!(again, Output::Redeemed(false), "I5: paid for once");
            let after = self.queue.figures();
            assert_eq!((used.reserved, used.live), (after.reserved, after.live), "I5");
        }
        self.signed_in(who, true);
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
        let Output::Connect(connected) = self.ask(Input::Connect(player)) else { unreachable!() };
        if connected.is_err() {
            assert!(!sure || self.now >= until, "I2: a reserved slot was given away");
            // Back to the line, as somebody new.
            self.people[who].ticket = None;
            self.people[who].stage = Stage::Outside;
            return self.plan(who, 1_000);
        }
        self.summary.came_in += 1;
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
