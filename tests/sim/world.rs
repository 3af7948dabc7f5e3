//! The world around the queue: time, events, what is durable, crashes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anteroom::domain::queue::{
    AdaptiveSettings, Announcement, Costs, Figures, Input, Lane, MassDropSettings, Mode, Output,
    Queue, Settings, Standing, Waiting,
};
use anteroom::domain::time::UnixMicros;

use crate::books::{Books, used};
use crate::checks::Checks;
use crate::crowd::Servers;
use crate::disk::Disk;
use crate::doors::Doors;
use crate::people::{Dice, Person, Stage};
use crate::summary::Summary;
use crate::wire::{Late, standing_in};

pub const START: UnixMicros = UnixMicros::from_secs(1_000_000);
/// A launch that is not over after this long is stuck.
const LIMIT_S: u64 = 20_000;
/// Nor one that has taken so many inputs.
const INPUTS_MAX: u64 = 1_000_000;
/// I8: an admission that is possible happens within this time, in milliseconds.
const AT_ONCE_MS: u64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A person acts, if this is still the plan.
    Act(usize, u64),
    Save,
    Operator,
    Release,
    Stop,
    Clock,
    Report,
    Heartbeat,
    MassDrop,
    PollStorm,
    /// The line's log is synced.
    Sync,
    /// The disk becomes slow, or fast again.
    DiskSlow(bool),
    /// The next write fails.
    DiskFails,
    /// The next step of an opening.
    Doors,
    /// Something arrives long after it was sent.
    Late(usize),
}

pub struct World {
    traced: Option<String>,
    pub dice: Dice,
    pub settings: Settings,
    pub queue: Queue,
    pub checks: Checks,
    pub books: Books,
    pub disk: Disk,
    pub doors: Doors,
    /// How much of what is sent gets lost, doubled or late: a share of each.
    pub weather: f64,
    pub late: Vec<Late>,
    /// Whether people switch devices, and how many did.
    pub switches: bool,
    pub devices: u64,
    /// True time. The machine's clock is off by so many microseconds.
    pub now: UnixMicros,
    clock_off_us: i64,
    events: BinaryHeap<Reverse<(UnixMicros, u64, Event)>>,
    events_planned: u64,
    pub people: Vec<Person>,
    pub servers: Servers,
    pub incarnation: u64,
    /// When the current run started, and how long the one before had been dead.
    pub restarted_at: UnixMicros,
    pub summary: Summary,
    /// Holds, mass drops and parties counted so far.
    figures: (u64, u64, u64),
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
        let mut queue = Queue::new(settings.clone(), 1, START);
        let weather = if dice.chance(0.4) { 0.08 * dice.unit() } else { 0.0 };
        let mut world = Self {
            traced: std::env::var("TRACE").ok(),
            checks: Checks::new(&settings, queue.figures(), START),
            books: Books::new(&settings, &mut queue, START),
            disk: Disk::new(&queue.snapshot(START)),
            doors: Doors::default(),
            weather,
            late: Vec::new(),
            switches: dice.chance(0.3),
            devices: 0,
            dice,
            settings,
            queue,
            now: START,
            clock_off_us: 0,
            events: BinaryHeap::new(),
            events_planned: 0,
            people: Vec::new(),
            servers: Servers::default(),
            incarnation: 0,
            restarted_at: START,
            summary: Summary::default(),
            figures: (0, 0, 0),
        };
        world.populate();
        world.brew();
        world
    }

    fn populate(&mut self) {
        let count = 90 + self.dice.below(170);
        let mean_s = 30.0 + self.dice.unit() * 90.0;
        for id in 0..count {
            let at = START.plus_ms(self.dice.spread_ms(mean_s));
            let person = Person::new(id, at, &mut self.dice);
            self.people.push(person);
            let who = self.people.len() - 1;
            self.plan_at(who, at);
        }
        self.push(START.plus_secs(5), Event::Save);
        self.push(START.plus_secs(1), Event::Report);
        self.push(START.plus_secs(2), Event::Heartbeat);
    }

    /// What will go wrong, and when.
    fn brew(&mut self) {
        self.some(3, 400_000, |_| Event::Stop);
        self.some(5, 300_000, |_| Event::Operator);
        if self.dice.chance(0.3) {
            self.some(2, 300_000, |_| Event::Clock);
        }
        if self.dice.chance(0.5) {
            let at = START.plus_ms(self.dice.ms(15_000, 90_000));
            self.push(at, Event::MassDrop);
        }
        if self.dice.chance(0.2) {
            self.some(2, 200_000, |_| Event::PollStorm);
        }
        if self.dice.chance(0.3) {
            self.some(3, 200_000, |dice| Event::DiskSlow(dice.chance(0.7)));
        }
        if self.dice.chance(0.2) {
            self.some(2, 300_000, |_| Event::DiskFails);
        }
        if self.dice.chance(0.3) {
            let opens_at = START.plus_ms(self.dice.ms(20_000, 90_000));
            self.doors = Doors::new(Some((opens_at, self.dice.chance(0.7))));
            let at = START.plus_ms(self.dice.ms(1, 5_000));
            self.push(at, Event::Doors);
        }
    }

    /// None or some of them, at any time within so many milliseconds.
    fn some(&mut self, most: u64, within_ms: u64, what: impl Fn(&mut Dice) -> Event) {
        for _ in 0..self.dice.below(most + 1) {
            let at = START.plus_ms(self.dice.ms(1_000, within_ms));
            let event = what(&mut self.dice);
            self.push(at, event);
        }
    }

    pub fn push(&mut self, at: UnixMicros, event: Event) {
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

    pub fn machine(&self) -> UnixMicros {
        UnixMicros(self.now.0.saturating_add_signed(self.clock_off_us))
    }

    /// When the machine's clock will show this.
    fn true_time(&self, machine: UnixMicros) -> UnixMicros {
        UnixMicros(machine.0.saturating_add_signed(-self.clock_off_us))
    }

    pub fn anybody_left(&self) -> bool {
        self.people.iter().any(|person| person.stage != Stage::Gone)
    }

    /// One input, and everything that must hold after it.
    #[expect(clippy::needless_pass_by_value, reason = "an input is used up")]
    pub fn ask(&mut self, input: Input) -> Output {
        self.reserve(0);
        self.books.numbers_granted(&self.queue);
        let left = self.queue.numbers_left();
        let output = self.queue.handle(self.machine(), input.clone());
        let is_new = self.queue.numbers_left() < left;
        let (before, after) = (self.figures, self.queue.figures());
        self.summary.add("held", after.held_total.saturating_sub(before.0));
        self.summary.add("mass drops", after.mass_drops_total.saturating_sub(before.1));
        self.summary.add("parties", after.parties_total.saturating_sub(before.2));
        self.figures = (after.held_total, after.mass_drops_total, after.parties_total);
        self.trace(|| format!("{input:?} -> {output:?}"));
        self.checks.after(self.now, &input, after.clone());
        self.books.after(self.now, (&input, &output), after.clone(), &mut self.queue);
        self.follow(&input, &output);
        self.log_place(&input, &output, is_new);
        self.summary.count("inputs");
        assert!(self.summary.of("inputs") < INPUTS_MAX, "I9: it never comes to an end");
        self.check_work_conservation(&after);
        output
    }

    /// What was said to whom, in the order it was said.
    fn follow(&mut self, input: &Input, output: &Output) {
        let standing = standing_in(output);
        if let (Input::Join(_, _, first), Some(Standing::Waiting(waiting))) = (input, &standing) {
            let first = self.queue.current(*first).number;
            self.checks.join([first, waiting.ticket.number]);
        }
        if let (Input::Transfer(ticket, to), Some(standing)) = (input, &standing) {
            self.checks.moves(ticket.identity);
            if let Standing::Waiting(Waiting { ticket: moved, .. })
            | Standing::Passed { ticket: moved, .. } = standing
            {
                assert_eq!(moved.identity, *to, "I7: {ticket:?} was not handed on");
            }
        }
        match standing {
            Some(Standing::Waiting(waiting)) => {
                self.checks.waits(self.now, &waiting);
                self.checks.stands(waiting.ticket, &self.queue);
            }
            Some(Standing::Passed { ticket, .. }) => {
                self.checks.passes(ticket.number, ticket.lane);
                self.checks.stands(ticket, &self.queue);
            }
            _ => {}
        }
    }

    /// With `TRACE="Number(7)"` in the environment, tells what concerns that number, and restarts.
    pub fn trace(&self, tell: impl Fn() -> String) {
        if let Some(wanted) = &self.traced {
            let told = tell();
            if told.contains(wanted.as_str()) || told.starts_with("restart") {
                eprintln!("{:?} {told}", self.now);
            }
        }
    }

    /// I8: whoever may come in comes in as soon as the rate allows.
    fn check_work_conservation(&self, figures: &Figures) {
        let waits = figures.waiting.iter().sum::<u64>() > 0;
        let can = figures.mode.admits() && used(figures) < figures.cap;
        // A party may keep slots for itself, or wait for the gate to have room for all of it.
        if !waits || !can || self.settings.party_max > 1 {
            return;
        }
        let Some(opens_in_s) = self.checks.opens_in_s() else { return };
        let wake = self.queue.next_wake().expect("I8: somebody may come in");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let opens = self.machine().plus_us((opens_in_s * 1e6) as u64).plus_ms(AT_ONCE_MS);
        let latest = opens.plus_us(self.checks.stands_us()).max(self.queue.settles_until());
        assert!(wake <= latest, "I8: {wake:?} is later than {latest:?}");
    }

    pub fn play(mut self) -> Summary {
        while let Some(&Reverse((at, _, _))) = self.events.peek() {
            let wake = self.queue.next_wake().map(|wake| self.true_time(wake));
            if let Some(wake) = wake.filter(|&wake| wake <= at) {
                self.now = self.now.max(wake);
                self.ask(Input::Tick);
                self.restart_if_dead();
                continue;
            }
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = self.now.max(at);
            self.happen(event);
            self.restart_if_dead();
            assert!(self.now < START.plus_secs(LIMIT_S), "I9: somebody never comes in");
        }
        self.finish()
    }

    /// Everybody has gone: nothing may be left but what lapses by itself.
    fn finish(mut self) -> Summary {
        for person in &self.people {
            assert_eq!(person.stage, Stage::Gone);
        }
        self.disk.fails = false;
        self.ask(Input::Announce(Announcement::open()));
        for _ in 0..400 {
            self.now = self.now.plus_secs(30);
            self.ask(Input::Tick);
        }
        let figures = self.queue.figures();
        assert_eq!(figures.waiting, [0; Lane::COUNT], "I2, at the end: {figures:?}");
        assert_eq!((figures.parked, figures.passes_out), (0, 0), "I2, at the end: {figures:?}");
        assert_eq!(
            (figures.live, figures.grace, figures.reserved),
            (0, 0, 0),
            "I2, at the end: {figures:?}"
        );
        self.books.finish();
        self.summary
    }

    fn restart_if_dead(&mut self) {
        if self.disk.stops {
            self.restart(false);
        }
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
            Event::Clock => self.set_clock(),
            Event::PollStorm => self.storm(),
            Event::Sync => self.sync_places(),
            Event::DiskSlow(is_slow) => self.disk.is_slow = is_slow,
            Event::DiskFails => {
                self.summary.count("failed writes");
                self.disk.fails = true;
            }
            Event::Doors => self.mind_the_doors(),
            Event::Late(late) => self.arrive(late),
        }
    }

    /// Somebody sets the machine's clock, back or forward.
    fn set_clock(&mut self) {
        let most_ms = if self.is_gathering() { 120_000 } else { 3_600_000 };
        let step_us = self.dice.ms(10, most_ms) * 1_000;
        let signed_us = i64::try_from(step_us).unwrap();
        self.ask(Input::Tick);
        if self.dice.chance(0.5) {
            self.summary.count("clock steps back");
            self.clock_off_us -= signed_us;
            self.checks.stepped_back(step_us);
            // The line's time goes on from the first call after the step.
            self.ask(Input::Tick);
            return;
        }
        self.summary.count("clock jumps forward");
        let before = self.queue.now();
        self.clock_off_us += signed_us;
        self.checks.jumped(step_us);
        self.ask(Input::Tick);
        // What runs out runs out by the machine's clock: nobody can tell a jump from a long wait.
        let sooner_us = self.queue.now().since_us(before);
        for person in &mut self.people {
            person.age(self.now, sooner_us);
        }
        self.restarted_at = self.now;
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
}
