//! The world around the queue: time, events, what is durable, crashes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anteroom::domain::queue::{
    Checked, Departure, Identity, Input, Lane, Number, Output, PassRefused, Player, Queue,
    Recovery, Settings, Snapshot, Standing,
};
use anteroom::domain::time::UnixMicros;

use crate::checks::Checks;
use crate::people::{Dice, Person, Stage};

const START: UnixMicros = UnixMicros::from_secs(1_000_000);
const NUMBERS: u64 = 64;
/// A launch that is not over after this long is stuck.
const LIMIT_S: u64 = 20_000;

/// What happened in a launch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    pub inputs: u64,
    pub crashes: u64,
    pub clean_stops: u64,
    pub clock_steps: u64,
    pub came_in: u64,
    pub gave_up: u64,
    pub returned: u64,
    pub forgotten: u64,
    pub recovered_places: u64,
    pub honoured: u64,
}

impl Summary {
    pub fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.crashes += other.crashes;
        self.clean_stops += other.clean_stops;
        self.clock_steps += other.clock_steps;
        self.came_in += other.came_in;
        self.gave_up += other.gave_up;
        self.returned += other.returned;
        self.forgotten += other.forgotten;
        self.recovered_places += other.recovered_places;
        self.honoured += other.honoured;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A person acts, if this is still the plan.
    Act(usize, u64),
    Save,
    Operator,
    Stop,
    ClockBack,
}

/// What survives a crash.
struct Disk {
    snapshot: Vec<u8>,
    used_then: u64,
    reserved_until: Number,
    places: Vec<(Number, Identity, Lane)>,
    redeemed: Vec<(Number, Player)>,
}

pub struct World {
    traced: Option<String>,
    dice: Dice,
    settings: Settings,
    queue: Queue,
    checks: Checks,
    disk: Disk,
    /// True time; the machine's clock lags behind by `lag_us`.
    now: UnixMicros,
    lag_us: u64,
    events: BinaryHeap<Reverse<(UnixMicros, u64, Event)>>,
    events_planned: u64,
    people: Vec<Person>,
    incarnation: u64,
    /// When the current run started, and how long the one before had been dead.
    restarted_at: UnixMicros,
    summary: Summary,
}

fn settings(dice: &mut Dice) -> Settings {
    Settings {
        rate: 1.0 + dice.unit() * 20.0,
        burst: u32::try_from(1 + dice.below(4)).unwrap(),
        cap: 30 + dice.below(100),
        strict_cap: dice.chance(0.8),
        line_max: 10_000,
        lease_ms: dice.ms(30_000, 120_000),
        parked_ms: dice.ms(20_000, 120_000),
        pass_ttl_ms: dice.ms(15_000, 60_000),
        connect_window_ms: dice.ms(10_000, 30_000),
        grace_ms: dice.ms(10_000, 60_000),
        clean_close_frees: dice.chance(0.7),
        settle_ms: dice.ms(1_000, 15_000),
        poll_budget: 20,
        poll_min_ms: 2_000,
        poll_max_ms: 60_000,
        login_ms: 1_000,
        grace_share: 0.5,
        lane_weights: [4, 1],
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let settings = settings(&mut dice);
        let queue = Queue::new(settings.clone(), 1, START);
        let checks = Checks::new(settings.burst, settings.strict_cap, queue.figures(), START);
        let disk = Disk {
            snapshot: postcard::to_stdvec(&queue.snapshot(START)).unwrap(),
            used_then: 0,
            reserved_until: Number(0),
            places: Vec::new(),
            redeemed: Vec::new(),
        };
        let mut world = Self {
            traced: std::env::var("TRACE").ok(),
            dice,
            settings,
            queue,
            checks,
            disk,
            now: START,
            lag_us: 0,
            events: BinaryHeap::new(),
            events_planned: 0,
            people: Vec::new(),
            incarnation: 0,
            restarted_at: START,
            summary: Summary::default(),
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        let count = 150 + self.dice.below(250);
        let mean_s = 30.0 + self.dice.unit() * 90.0;
        for id in 0..count {
            let at = START.plus_ms(self.dice.spread_ms(mean_s));
            let person = Person::new(id, at, &mut self.dice);
            self.people.push(person);
            let who = self.people.len() - 1;
            self.plan_at(who, at);
        }
        self.push(START.plus_secs(5), Event::Save);
        for _ in 0..self.dice.below(4) {
            let at = START.plus_ms(self.dice.ms(1_000, 400_000));
            self.push(at, Event::Stop);
        }
        for _ in 0..self.dice.below(6) {
            let at = START.plus_ms(self.dice.ms(1_000, 300_000));
            self.push(at, Event::Operator);
        }
        if self.dice.chance(0.3) {
            let at = START.plus_ms(self.dice.ms(1_000, 300_000));
            self.push(at, Event::ClockBack);
        }
    }

    fn push(&mut self, at: UnixMicros, event: Event) {
        self.events_planned += 1;
        self.events.push(Reverse((at, self.events_planned, event)));
    }

    fn plan_at(&mut self, who: usize, at: UnixMicros) {
        self.people[who].plan += 1;
        let plan = self.people[who].plan;
        self.push(at, Event::Act(who, plan));
    }

    fn plan(&mut self, who: usize, ms: u64) {
        self.plan_at(who, self.now.plus_ms(ms));
    }

    fn machine(&self) -> UnixMicros {
        UnixMicros(self.now.0 - self.lag_us)
    }

    /// One input, and everything that must hold after it.
    fn ask(&mut self, input: Input) -> Output {
        if self.queue.numbers_left() < 8 {
            self.disk.reserved_until = Number(self.disk.reserved_until.0 + NUMBERS);
            self.queue.handle(self.machine(), Input::GrantNumbers(self.disk.reserved_until));
        }
        let output = self.queue.handle(self.machine(), input.clone());
        self.checks.after(self.now, &input, self.queue.figures());
        self.trace(|| format!("{input:?} -> {output:?}"));
        self.summary.inputs += 1;
        self.check_work_conservation();
        output
    }

    /// With `TRACE="Number(7)"` in the environment, tells what concerns that number, and restarts.
    fn trace(&self, tell: impl Fn() -> String) {
        if let Some(wanted) = &self.traced {
            let told = tell();
            if told.contains(wanted.as_str()) || told.starts_with("restart") {
                eprintln!("{:?} {told}", self.now);
            }
        }
    }

    /// I8: whoever may come in comes in within a step of the gate.
    fn check_work_conservation(&self) {
        let figures = self.queue.figures();
        let used = figures.live + figures.reserved + figures.passes_out + figures.grace;
        let waits = figures.waiting.iter().sum::<u64>() > 0;
        let can = !figures.paused && used < figures.cap && figures.rate > 0.0;
        if waits && can {
            let wake = self.queue.next_wake().expect("I8: somebody may come in");
            let step = UnixMicros(self.machine().0).plus_us((1e6 / figures.rate) as u64 * 5 + 2);
            let settled = self.queue.settles_until();
            assert!(wake <= step.max(settled), "I8: {wake:?} is late");
        }
    }

    pub fn play(mut self) -> Summary {
        while let Some(&Reverse((at, _, _))) = self.events.peek() {
            let wake = self.queue.next_wake().map(|wake| wake.plus_us(self.lag_us));
            if let Some(wake) = wake.filter(|&wake| wake <= at) {
                self.now = self.now.max(wake);
                self.ask(Input::Tick);
                continue;
            }
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = self.now.max(at);
            self.happen(event);
            assert!(self.now < START.plus_secs(LIMIT_S), "I9: somebody never comes in");
        }
        self.finish()
    }

    /// Everybody has gone: nothing may be left but what lapses by itself.
    fn finish(mut self) -> Summary {
        for person in &self.people {
            assert_eq!(person.stage, Stage::Gone);
        }
        self.ask(Input::Resume);
        for _ in 0..400 {
            self.now = self.now.plus_secs(5);
            self.ask(Input::Tick);
        }
        let figures = self.queue.figures();
        assert_eq!(figures.waiting, [0; 4], "{figures:?}");
        assert_eq!((figures.parked, figures.passes_out), (0, 0), "{figures:?}");
        assert_eq!((figures.live, figures.grace, figures.reserved), (0, 0, 0), "{figures:?}");
        self.summary
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act(who, plan) if self.people[who].plan == plan => self.act(who),
            Event::Act(..) => {}
            Event::Save => {
                if self.people.iter().any(|person| person.stage != Stage::Gone) {
                    self.save();
                    self.push(self.now.plus_secs(5), Event::Save);
                }
            }
            Event::Operator => self.operate(),
            Event::Stop => self.stop(),
            Event::ClockBack => {
                self.lag_us += self.dice.ms(10, 3_600_000) * 1_000;
                self.summary.clock_steps += 1;
            }
        }
    }

    fn save(&mut self) {
        let figures = self.queue.figures();
        self.disk.used_then = figures.live + figures.reserved + figures.passes_out + figures.grace;
        self.disk.snapshot = postcard::to_stdvec(&self.queue.snapshot(self.machine())).unwrap();
    }

    fn operate(&mut self) {
        match self.dice.below(4) {
            0 => {
                let rate = self.dice.unit() * 20.0;
                self.ask(Input::SetRate(if rate < 2.0 { 0.0 } else { rate }));
            }
            1 => {
                let cap = self.dice.below(120);
                self.ask(Input::SetCap(if cap < 20 { 0 } else { cap }));
            }
            2 => drop(self.ask(Input::Pause)),
            _ => drop(self.ask(Input::Resume)),
        }
        // Nothing is held for ever.
        let at = self.now.plus_ms(self.dice.ms(5_000, 60_000));
        let figures = self.queue.figures();
        if figures.paused || figures.rate == 0.0 || figures.cap < 20 {
            self.ask(Input::Resume);
            self.push(at, Event::Operator);
        }
    }

    /// The server stops: in order, or killed at this very moment.
    fn stop(&mut self) {
        let clean = self.dice.chance(0.3);
        if clean {
            self.save();
            self.summary.clean_stops += 1;
        } else {
            self.summary.crashes += 1;
        }
        let snapshot: Snapshot = postcard::from_bytes(&self.disk.snapshot).unwrap();
        let down_ms = self.dice.ms(100, 60_000);
        self.now = self.now.plus_ms(down_ms);
        let recovery = Recovery {
            clean,
            reserved_until: self.disk.reserved_until,
            places: self.disk.places.clone(),
            redeemed: self.disk.redeemed.clone(),
        };
        self.queue = Queue::restore(self.settings.clone(), snapshot, recovery, self.machine());
        self.trace(|| format!("restart, clean: {clean}, {:?}", self.queue.figures()));
        self.incarnation += 1;
        self.restarted_at = self.now;
        self.checks.restarted(self.now, self.queue.figures(), self.disk.used_then);
        for who in 0..self.people.len() {
            self.survive(who, down_ms);
        }
    }

    /// What a crash is to a person: promises are longer by the downtime, sockets are gone.
    fn survive(&mut self, who: usize, down_ms: u64) {
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
            Stage::Gone => {}
            _ => {
                // Calls during the downtime fail and are repeated soon after.
                let ms = self.dice.ms(50, 8_000);
                self.plan(who, ms);
            }
        }
    }

    fn go(&mut self, who: usize) {
        self.people[who].stage = Stage::Gone;
        if let Some(number) = self.people[who].number() {
            self.checks.forget(number);
        }
    }

    fn act(&mut self, who: usize) {
        match self.people[who].stage {
            Stage::Outside => self.enter(who),
            Stage::Waiting => self.poll(who),
            Stage::Passed { on_the_spot } => self.begin(who, on_the_spot),
            Stage::SigningIn { on_the_spot, incarnation } => {
                self.sign_in(who, on_the_spot, incarnation);
            }
            Stage::Connecting { until, sure } => self.connect(who, until, sure),
            Stage::Online => self.end(who),
            Stage::Gone => {}
        }
    }

    fn enter(&mut self, who: usize) {
        let person = &self.people[who];
        let input = Input::Enter(person.identity, person.lane);
        if let Output::Entered(standing) = self.ask(input) {
            self.hear(who, standing);
        }
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
            match self.ask(Input::Check(ticket)) {
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
            Some(Standing::Full { .. }) | None => false,
        };
        assert!(same || !promised, "I4, I7, I11: {person:?} had a place, now {standing:?}");
        self.summary.returned += u64::from(same && person.was_silent);
        self.summary.forgotten += u64::from(!same);
        self.people[who].was_silent = false;
        match standing {
            Some(standing) => self.hear(who, standing),
            None => {
                self.checks.forget(ticket.number);
                self.people[who].stage = Stage::Outside;
                self.people[who].ticket = None;
                self.plan(who, 500);
            }
        }
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

    fn hear(&mut self, who: usize, standing: Standing) {
        match standing {
            Standing::Waiting(waiting) => {
                self.checks.waits(self.now, &waiting);
                let person = &mut self.people[who];
                if person.number() != Some(waiting.ticket.number) && !person.has_token() {
                    let place = (waiting.ticket.number, person.identity, waiting.ticket.lane);
                    self.disk.places.push(place);
                }
                self.summary.recovered_places +=
                    u64::from(waiting.reason == Some(anteroom::domain::queue::Reason::Restarted));
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
            Standing::Full { retry_after_ms } => {
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
        self.summary.honoured += u64::from(begun.is_ok() && self.restarted_at > START);
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
        self.ask(Input::FinishRedeem(number, person.player, person.identity));
        if self.dice.chance(0.1) {
            // The answer was lost, the same sign-in comes again: nothing changes.
            let used = self.queue.figures();
            let ticket = person.ticket.unwrap();
            assert_eq!(self.ask(Input::BeginRedeem(ticket)), Output::Redeem(Ok(())), "I5");
            self.ask(Input::FinishRedeem(number, person.player, person.identity));
            let after = self.queue.figures();
            assert_eq!((used.reserved, used.live), (after.reserved, after.live), "I5");
        }
        self.signed_in(who, true);
    }

    fn signed_in(&mut self, who: usize, sure: bool) {
        let until = self.now.plus_ms(self.settings.connect_window_ms);
        self.people[who].stage = Stage::Connecting { until, sure };
        let ms = self.dice.ms(50, 8_000);
        self.plan(who, ms);
    }

    fn connect(&mut self, who: usize, until: UnixMicros, sure: bool) {
        let player = self.people[who].player;
        let Output::Connect(connected) = self.ask(Input::Connect(player)) else { unreachable!() };
        if connected.is_err() {
            assert!(!sure || self.now >= until, "I2: a reserved slot was given away");
            // Back to the line, as somebody new.
            self.people[who].ticket = None;
            self.people[who].stage = Stage::Outside;
            return self.plan(who, 1_000);
        }
        self.summary.came_in += 1;
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
