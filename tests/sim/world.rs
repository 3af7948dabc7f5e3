//! The world around the queue: time, events, what is durable, crashes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anteroom::domain::queue::{
    AdaptiveSettings, Announcement, Costs, Identity, Input, Lane, MassDropSettings, Mode, Number,
    Output, Player, Queue, Recovery, Settings, Snapshot,
};
use anteroom::domain::time::UnixMicros;

use crate::checks::Checks;
use crate::crowd::Servers;
use crate::people::{Dice, Person, Stage};

pub const START: UnixMicros = UnixMicros::from_secs(1_000_000);
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
    pub joined: u64,
    pub parties: u64,
    pub redeemed_after_restart: u64,
    pub held: u64,
    pub mass_drops: u64,
    pub put_off: u64,
    pub silent_servers: u64,
    pub kept_through_silence: u64,
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
        self.joined += other.joined;
        self.parties += other.parties;
        self.redeemed_after_restart += other.redeemed_after_restart;
        self.held += other.held;
        self.mass_drops += other.mass_drops;
        self.put_off += other.put_off;
        self.silent_servers += other.silent_servers;
        self.kept_through_silence += other.kept_through_silence;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A person acts, if this is still the plan.
    Act(usize, u64),
    Save,
    Operator,
    Release,
    Stop,
    ClockBack,
    Report,
    Heartbeat,
    MassDrop,
}

/// What survives a crash.
pub struct Disk {
    snapshot: Vec<u8>,
    used_then: u64,
    reserved_until: Number,
    pub places: Vec<(Number, Identity, Lane)>,
    pub redeemed: Vec<(Number, Player)>,
}

pub struct World {
    traced: Option<String>,
    pub dice: Dice,
    pub settings: Settings,
    pub queue: Queue,
    pub checks: Checks,
    pub disk: Disk,
    /// True time; the machine's clock lags behind by `lag_us`.
    pub now: UnixMicros,
    lag_us: u64,
    events: BinaryHeap<Reverse<(UnixMicros, u64, Event)>>,
    events_planned: u64,
    pub people: Vec<Person>,
    pub servers: Servers,
    pub incarnation: u64,
    /// When the current run started, and how long the one before had been dead.
    pub restarted_at: UnixMicros,
    pub summary: Summary,
    /// Holds and mass drops counted so far.
    figures: (u64, u64),
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
        amnesty_ms: 0,
        poll_budget: 20,
        poll_min_ms: 2_000,
        poll_max_ms: 60_000,
        login_ms: 1_000,
        grace_share: 0.5,
        slow_start: if dice.chance(0.5) { 1.0 } else { 0.2 },
        party_max: 5,
        party_join_ms: 60_000,
        lane_weights: [8, 4, 1],
        costs: Costs { sign_in: [0.5 + dice.unit(), 1.0, 1.0 + dice.unit() * 2.0], refresh: 0.1 },
        adaptive: AdaptiveSettings { hold_failures: 5, ..AdaptiveSettings::default() },
        mass_drop: MassDropSettings { returns_per_s: 5, ..MassDropSettings::default() },
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let settings = settings(&mut dice);
        // Half of the launches have parties.
        let party_max = if dice.chance(0.5) { settings.party_max } else { 1 };
        let settings = Settings { party_max, ..settings };
        let queue = Queue::new(settings.clone(), 1, START);
        let checks = Checks::new(&settings, queue.figures(), START);
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
            servers: Servers::default(),
            incarnation: 0,
            restarted_at: START,
            summary: Summary::default(),
            figures: (0, 0),
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
        if self.dice.chance(0.5) {
            let at = START.plus_ms(self.dice.ms(20_000, 200_000));
            self.push(at, Event::MassDrop);
        }
        self.push(START.plus_secs(1), Event::Report);
        self.push(START.plus_secs(2), Event::Heartbeat);
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

    pub fn plan(&mut self, who: usize, ms: u64) {
        self.plan_at(who, self.now.plus_ms(ms));
    }

    fn machine(&self) -> UnixMicros {
        UnixMicros(self.now.0 - self.lag_us)
    }

    pub fn anybody_left(&self) -> bool {
        self.people.iter().any(|person| person.stage != Stage::Gone)
    }

    /// One input, and everything that must hold after it.
    #[expect(clippy::needless_pass_by_value, reason = "an input is used up")]
    pub fn ask(&mut self, input: Input) -> Output {
        if self.queue.numbers_left() < 8 {
            self.disk.reserved_until = Number(self.disk.reserved_until.0 + NUMBERS);
            self.queue.handle(self.machine(), Input::GrantNumbers(self.disk.reserved_until));
        }
        let output = self.queue.handle(self.machine(), input.clone());
        let (before, after) = (self.figures, self.queue.figures());
        self.summary.held += after.held_total.saturating_sub(before.0);
        self.summary.mass_drops += after.mass_drops_total.saturating_sub(before.1);
        self.figures = (after.held_total, after.mass_drops_total);
        self.checks.after(self.now, &input, after);
        self.trace(|| format!("{input:?} -> {output:?}"));
        self.summary.inputs += 1;
        self.summary.parties = self.summary.parties.max(self.queue.figures().parties_total);
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
        let can = figures.mode.admits() && used < figures.cap && figures.rate_in_force > 0.0;
        // A party may keep slots for itself, or wait for the gate to have room for all of it.
        if waits && can && self.settings.party_max == 1 {
            let wake = self.queue.next_wake().expect("I8: somebody may come in");
            // What is owed, and one.
            let owed = self.checks.level() + 5.0;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            let step = self.machine().plus_us((owed * 1e6 / figures.rate_in_force) as u64 + 2);
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
        self.ask(Input::Announce(Announcement::open()));
        for _ in 0..400 {
            self.now = self.now.plus_secs(30);
            self.ask(Input::Tick);
        }
        let figures = self.queue.figures();
        assert_eq!(figures.waiting, [0; Lane::COUNT], "{figures:?}");
        assert_eq!((figures.parked, figures.passes_out), (0, 0), "{figures:?}");
        assert_eq!((figures.live, figures.grace, figures.reserved), (0, 0, 0), "{figures:?}");
        self.summary
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act(who, plan) if self.people[who].plan == plan => self.act(who),
            Event::Act(..) => {}
            Event::Save => {
                if self.anybody_left() {
                    self.save();
                    self.push(self.now.plus_secs(5), Event::Save);
                }
            }
            Event::Operator => self.operate(),
            Event::Release => self.release(),
            Event::Stop => self.stop(),
            Event::Report => {
                self.report();
                if self.anybody_left() {
                    self.push(self.now.plus_secs(3), Event::Report);
                }
            }
            Event::Heartbeat => {
                self.heartbeats();
                if self.anybody_left() {
                    self.push(self.now.plus_secs(10), Event::Heartbeat);
                }
            }
            Event::MassDrop => self.drop_many(),
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
            2 => {
                let which = self.dice.below(Mode::ALL.len() as u64);
                let mode = Mode::ALL[usize::try_from(which).unwrap()];
                self.ask(Input::Announce(Announcement::new(mode, None, "")));
            }
            _ => drop(self.ask(Input::Announce(Announcement::open()))),
        }
        let figures = self.queue.figures();
        if figures.mode != Mode::Open || figures.rate == 0.0 || figures.cap == 0 {
            let at = self.now.plus_ms(self.dice.ms(5_000, 60_000));
            self.push(at, Event::Release);
        }
    }

    /// Nothing is held for ever.
    fn release(&mut self) {
        let figures = self.queue.figures();
        if figures.mode != Mode::Open {
            self.ask(Input::Announce(Announcement::open()));
        }
        if figures.rate == 0.0 {
            self.ask(Input::SetRate(self.settings.rate));
        }
        if figures.cap == 0 {
            self.ask(Input::SetCap(self.settings.cap));
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
            order: None,
        };
        self.queue = Queue::restore(self.settings.clone(), snapshot, recovery, self.machine());
        self.trace(|| format!("restart, clean: {clean}, {:?}", self.queue.figures()));
        self.incarnation += 1;
        self.restarted_at = self.now;
        self.checks.restarted(self.now, self.queue.figures(), self.disk.used_then);
        // The dials are those of the snapshot: they may say that the line is held.
        let at = self.now.plus_ms(self.dice.ms(1_000, 40_000));
        self.push(at, Event::Release);
        for who in 0..self.people.len() {
            self.survive(who, down_ms);
        }
    }
}
