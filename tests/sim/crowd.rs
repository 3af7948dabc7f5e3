//! What concerns many at once: what is measured, game servers that speak and fall silent, mass drops.

use anteroom::domain::queue::{
    Announcement, Closed, Departure, Identity, Input, Mode, Output, Signals, Standing,
};
use anteroom::domain::time::UnixMicros;

use crate::people::Stage;
use crate::wire::Late;
use crate::world::{Event, World};

/// Most clients of a poll storm.
const GREEDY_MAX: u32 = 8;
/// Longer than three heartbeats.
const LEASE_MS: u64 = 35_000;

/// The game's own servers. They outlive ours.
#[derive(Default)]
pub struct Servers {
    /// Until when they say nothing.
    silent_until: UnixMicros,
    spoke_at: UnixMicros,
    /// Whether they have just been silent for longer than a lease.
    were_silent: bool,
}

impl World {
    /// Mostly all is well; sometimes it is slow, and sometimes it fails.
    pub fn report(&mut self) {
        let count = u32::try_from(self.dice.below(8)).unwrap();
        let mut signals = Signals {
            done: [count, 1, 1],
            refreshes: count,
            p95_ms: Some(50),
            ..Signals::default()
        };
        match self.dice.below(200) {
            0..=5 => signals.p95_ms = Some(5_000),
            6 => signals.failed = 10,
            7 => signals.health = Some(self.dice.unit()),
            8..=40 => signals = Signals::default(),
            _ => {}
        }
        let before = self.queue.announcement().clone();
        self.ask(Input::Report(signals));
        let after = self.queue.announcement();
        let figures = self.queue.figures();
        assert!(figures.rate_in_force <= figures.rate, "never above the operators': {figures:?}");
        let was_over = before.until.is_some_and(|until| until <= self.queue.now());
        let was_open = before.mode == Mode::Open || was_over;
        let is_held = was_open && after.mode == Mode::Held;
        // What was said for a time may just be over.
        let is_over = *after == Announcement::open();
        assert!(*after == before || is_held || is_over, "{before:?} became {after:?}");
    }

    pub fn enter_world(&mut self, who: usize) {
        self.people[who].stage = Stage::InWorld;
        let player = self.people[who].player;
        self.ask(Input::Keep(player, LEASE_MS));
        if self.dice.chance(self.weather) {
            self.ask(Input::Keep(player, LEASE_MS));
        }
        self.summary.count("came in");
        let ms = 5_000 + self.dice.spread_ms(80.0);
        self.plan(who, ms);
    }

    pub fn leave_world(&mut self, who: usize) {
        let how = if self.dice.chance(0.5) { Departure::Ended } else { Departure::Dropped };
        self.ask(Input::GiveUp(self.people[who].player, how));
        if self.dice.chance(self.weather) {
            self.ask(Input::GiveUp(self.people[who].player, how));
        }
        self.go(who);
    }

    /// Every ten seconds. A server that falls silent has its players dropped, not gone.
    pub fn heartbeats(&mut self) {
        if self.now < self.servers.silent_until {
            return;
        }
        let silence_ms = self.now.since_ms(self.servers.spoke_at);
        let in_time = silence_ms < LEASE_MS + self.settings.grace_ms;
        let is_sure = in_time && self.servers.spoke_at > self.restarted_at;
        let was_silent = std::mem::take(&mut self.servers.were_silent);
        let in_world: Vec<_> = (0..self.people.len())
            .filter(|&who| self.people[who].stage == Stage::InWorld)
            .map(|who| self.people[who].player)
            .collect();
        for &player in &in_world {
            let kept = self.ask(Input::Keep(player, LEASE_MS));
            assert!(!is_sure || kept == Output::Kept(true), "a silent server lost {player:?}");
            self.summary.add("kept through silence", u64::from(is_sure && was_silent));
        }
        self.servers.spoke_at = self.now;
        if !in_world.is_empty() && self.dice.chance(0.1) {
            let ms = self.dice.ms(LEASE_MS, LEASE_MS + 60_000);
            self.servers.silent_until = self.now.plus_ms(ms);
            self.servers.were_silent = true;
            self.summary.count("silent servers");
        }
    }

    /// Many of those online, or most, are cut off within a moment, and will be back.
    pub fn drop_many(&mut self) {
        let share = if self.dice.chance(0.4) { 0.3 } else { 0.9 };
        self.summary.count("drops of many");
        for who in 0..self.people.len() {
            if self.people[who].stage != Stage::Online || !self.dice.chance(share) {
                continue;
            }
            self.ask(Input::Disconnect(self.people[who].player, Departure::Dropped));
            let until = self.now.plus_ms(self.settings.grace_ms);
            let person = &self.people[who];
            let signs_in = person.identity != Identity::ANONYMOUS && person.bound;
            self.people[who].stage = if signs_in {
                Stage::Returning { until }
            } else {
                Stage::Connecting { until, sure: true }
            };
            let ms = self.dice.ms(100, self.settings.grace_ms);
            self.plan(who, ms);
        }
    }

    /// Some of those who wait ask a hundred times as often as they were told to. They gain nothing,
    /// and nobody else loses anything: what must hold after every input holds after these.
    pub fn storm(&mut self) {
        self.summary.count("poll storms");
        let mut greedy = 0;
        for who in 0..self.people.len() {
            let person = &self.people[who];
            let Some(ticket) = person.ticket else { continue };
            if person.stage != Stage::Waiting || greedy >= GREEDY_MAX || !self.dice.chance(0.2) {
                continue;
            }
            greedy += 1;
            let person = &self.people[who];
            let poll = if person.has_token {
                Input::Check(ticket)
            } else {
                Input::Enter(person.identity, person.lane)
            };
            for _ in 0..100 {
                let at = self.now.plus_ms(self.dice.ms(0, 5_000));
                self.late.push(Late::Request(poll.clone()));
                self.push(at, Event::Late(self.late.len() - 1));
            }
        }
    }

    /// Signs in again. Told to come later or let in, the slot is there.
    pub fn come_back(&mut self, who: usize, until: UnixMicros) {
        let person = &self.people[who];
        let input = Input::Enter(person.identity, person.lane);
        let Output::Entered(standing) = self.ask(input) else { unreachable!() };
        match standing {
            Standing::Refused { why: Closed::Returning, retry_after_ms } => {
                self.summary.count("put off");
                // Who obeys is still within the time the slot is held.
                let until = until.max(self.now.plus_ms(retry_after_ms + 1));
                self.people[who].stage = Stage::Returning { until };
                self.plan(who, retry_after_ms);
            }
            other => {
                // After a crash nobody may know whose slot it is until they have signed in.
                let is_sure = self.now < until && self.incarnation == 0;
                assert!(!is_sure || other == Standing::HoldsSlot, "a slot was lost: {other:?}");
                self.hear(who, other);
            }
        }
    }
}
