//! A launch played through the queue itself: its people ask, poll, give up, sign in, play and leave.
//!
//! Everybody has one next moment; what happens then depends on where they are. The queue is asked
//! as a server asks it, and is woken exactly when it wants to be.

use super::agenda::Agenda;
use super::crowd::{Person, Stage, player};
use super::draw::unit;
use super::launch::{Launch, Polling, Unplayable};
use super::outcome::Outcome;
use super::tally::{People, Tally, Wait};
use crate::domain::queue::{Checked, Departure, Identity, Lane, Number, Queue, Standing};
use crate::domain::time::UnixMicros;

/// When it all begins. Any moment will do that is a whole second.
const START: UnixMicros = UnixMicros::from_secs(1_000_000);
const EPOCH: u32 = 1;
/// How long somebody who finds no slot waits before asking to come in, in milliseconds.
const AGAIN_MS: u32 = 1_000;
/// Time between samples at first, in seconds.
const STEP_S: u32 = 1;
/// The same for a recorded day, which is compared by the minute.
const RECORDED_STEP_S: u32 = 60;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Seconds played.
    pub at_s: u32,
    /// People who have come, and who will.
    pub arrived: (u64, u64),
    /// People who wait or sign in.
    pub in_line: u64,
    /// Players online.
    pub online: u64,
}

/// A launch that is being played. `D` rolls 64 random bits; the same rolls, the same launch.
#[derive(Debug)]
pub struct Run<D> {
    launch: Launch,
    dice: D,
    queue: Queue,
    arrivals: Vec<u32>,
    next_arrival: usize,
    people: Vec<Person>,
    agenda: Agenda,
    in_line: u64,
    now_ms: u32,
    tally: Tally,
}

/// A moment of the plan by the queue's clock.
fn at(ms: u32) -> UnixMicros {
    START.plus_ms(ms.into())
}

impl<D: FnMut() -> u64> Run<D> {
    /// A launch about to begin.
    ///
    /// # Errors
    ///
    /// [`Unplayable`]: a part of it is out of bounds.
    pub fn new(launch: Launch, mut dice: D) -> Result<Self, Unplayable> {
        launch.check()?;
        let arrivals = launch.curve.arrivals_ms(launch.players, &mut dice);
        let recorded = matches!(launch.curve, super::Curve::Recorded { .. });
        let step_s = if recorded { RECORDED_STEP_S } else { STEP_S };
        let people = u32::try_from(arrivals.len()).unwrap_or(u32::MAX) + launch.online_at_start;
        let mut queue = Queue::new(launch.settings.clone(), EPOCH, START);
        queue.grant_numbers(Number(u64::MAX / 2));
        let mut run = Self {
            dice,
            queue,
            next_arrival: 0,
            people: Vec::with_capacity(people as usize),
            arrivals,
            agenda: Agenda::new(),
            in_line: 0,
            now_ms: 0,
            tally: Tally::new(people, step_s, launch.polling),
            launch,
        };
        for who in 0..run.launch.online_at_start {
            run.people.push(Person::arriving(0, &run.launch.crowd, &mut run.dice));
            run.in_line += 1;
            run.go_online(0, who);
        }
        // They signed in before it began.
        run.tally.people = People::default();
        Ok(run)
    }

    /// Plays until the next sample; whether there is more to play.
    pub fn advance(&mut self) -> bool {
        let step_ms = self.tally.step_s.saturating_mul(1_000);
        let limit_ms = self.launch.limit_s.saturating_mul(1_000);
        self.play(self.now_ms.saturating_add(step_ms).min(limit_ms));
        self.tally.sample(self.now_ms / 1_000, &self.queue.figures());
        let over = self.next_arrival == self.arrivals.len() && self.in_line == 0;
        let enough = self.now_ms / 1_000 >= self.launch.at_least_s;
        !(over && enough) && self.now_ms < limit_ms
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            at_s: self.now_ms / 1_000,
            arrived: (self.next_arrival as u64, self.arrivals.len() as u64),
            in_line: self.in_line,
            online: self.tally.samples.last().map_or(0, |sample| sample.online),
        }
    }

    /// What came of it.
    pub fn outcome(self) -> Outcome {
        Outcome::new(&self.launch, &self.arrivals, self.in_line, self.tally)
    }

    fn play(&mut self, until_ms: u32) {
        loop {
            let arrival = self.arrivals.get(self.next_arrival).copied();
            let arrival = arrival.filter(|&ms| ms <= until_ms);
            if let Some((now, who)) = self.agenda.pop(arrival.unwrap_or(until_ms)) {
                self.wake(now);
                self.turn(now, who);
            } else if let Some(now) = arrival {
                self.wake(now);
                self.arrive(now);
            } else {
                break;
            }
        }
        self.wake(until_ms);
        self.now_ms = until_ms;
    }

    /// Lets the queue do what is due by then, each thing at its own moment.
    fn wake(&mut self, now: u32) {
        while let Some(wake) = self.queue.next_wake().filter(|&wake| wake <= at(now)) {
            self.queue.tick(wake);
        }
    }

    fn arrive(&mut self, now: u32) {
        self.next_arrival += 1;
        let who = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.people.push(Person::arriving(now, &self.launch.crowd, &mut self.dice));
        self.tally.people.arrived += 1;
        self.in_line += 1;
        self.enter(now, who);
    }

    /// It is somebody's moment.
    fn turn(&mut self, now: u32, who: u32) {
        let person = self.people[who as usize];
        match person.stage {
            Stage::Outside if now >= person.until_ms => {
                self.tally.people.turned_away += 1;
                self.go(who);
            }
            Stage::Outside => self.enter(now, who),
            Stage::Waiting if now >= person.until_ms => self.give_up(now, who),
            Stage::Waiting => self.poll(now, who),
            Stage::SigningIn => self.sign_in(now, who),
            Stage::Shaky => self.drop_out(now, who),
            Stage::Online => {
                self.queue.disconnect(at(now), player(who), Departure::Clean);
                self.people[who as usize].stage = Stage::Gone;
            }
            Stage::Away => self.come_back(now, who),
            Stage::Gone => {}
        }
    }

    fn enter(&mut self, now: u32, who: u32) {
        let lane =
            if self.people[who as usize].lane == Lane::Low { Lane::Low } else { Lane::Standard };
        self.tally.asked(who, now);
        let heard = self.queue.enter(at(now), Identity::ANONYMOUS, lane);
        self.hear(now, who, heard);
    }

    fn poll(&mut self, now: u32, who: u32) {
        self.tally.asked(who, now);
        let ticket = self.people[who as usize].ticket(EPOCH);
        let watches = match self.launch.polling {
            Polling::Full => false,
            Polling::Front => !self.tally.is_followed(who),
            Polling::Watch => true,
        };
        let checked = if watches {
            self.queue.watch(at(now), ticket)
        } else {
            self.queue.check(at(now), ticket)
        };
        match checked {
            Checked::Standing(heard) => self.hear(now, who, heard),
            Checked::Forgotten => {
                self.tally.people.forgotten += 1;
                self.tally.forget_told(who);
                self.enter(now, who);
            }
        }
    }

    fn hear(&mut self, now: u32, who: u32, heard: Standing) {
        let person = &mut self.people[who as usize];
        match heard {
            Standing::Waiting(waiting) => {
                person.stage = Stage::Waiting;
                (person.number, person.lane) = (waiting.ticket.number, waiting.ticket.lane);
                person.told_ms = now;
                let until = person.until_ms;
                let next = now.saturating_add(whole_ms(waiting.poll_after_ms));
                self.agenda.push(next.min(until), who);
                if let Some(eta) = waiting.eta {
                    let login_ms = self.launch.settings.login_ms;
                    self.tally.told(who, now, eta.mid_ms.saturating_sub(login_ms));
                }
            }
            Standing::Passed { ticket, pass_until, on_the_spot } => {
                (person.number, person.lane) = (ticket.number, ticket.lane);
                let wait = Wait {
                    came_ms: person.came_ms,
                    waited_ms: now - person.came_ms,
                    lane: ticket.lane,
                };
                let given = if on_the_spot { now } else { self.given_at(now, who, pass_until) };
                self.tally.waited(wait);
                self.tally.turn_came(who, given);
                self.admitted(now, who);
            }
            Standing::HoldsSlot => self.go_online(now, who),
            Standing::Refused { retry_after_ms, .. } => {
                person.stage = Stage::Outside;
                let next = now.saturating_add(whole_ms(retry_after_ms));
                self.agenda.push(next.min(person.until_ms), who);
            }
        }
    }

    /// When a pass was given: its life tells, to the second it was rounded up to.
    fn given_at(&self, now: u32, who: u32, pass_until: UnixMicros) -> u32 {
        const HALF_SECOND_MS: u64 = 500;
        let until_ms = pass_until.since_ms(START);
        let given = until_ms.saturating_sub(self.launch.settings.pass_ttl_ms + HALF_SECOND_MS);
        let told = self.people[who as usize].told_ms;
        whole_ms(given).clamp(told, now)
    }

    fn admitted(&mut self, now: u32, who: u32) {
        if unit((self.dice)()) < self.launch.crowd.no_show {
            self.tally.people.no_show += 1;
            self.go(who);
            return;
        }
        let login_ms = self.launch.crowd.login.draw_ms(&mut self.dice);
        self.people[who as usize].stage = Stage::SigningIn;
        self.agenda.push(now.saturating_add(login_ms), who);
    }

    fn give_up(&mut self, now: u32, who: u32) {
        self.tally.people.gave_up += 1;
        self.tally.forget_told(who);
        if unit((self.dice)()) < self.launch.crowd.silent {
            self.tally.people.silent += 1;
        } else {
            self.queue.leave(at(now), self.people[who as usize].number);
        }
        self.go(who);
    }

    /// Goes home from the line.
    fn go(&mut self, who: u32) {
        self.in_line -= 1;
        self.people[who as usize].stage = Stage::Gone;
    }

    fn sign_in(&mut self, now: u32, who: u32) {
        let ticket = self.people[who as usize].ticket(EPOCH);
        if self.queue.begin_redeem(at(now), ticket).is_err() {
            // The pass is over; the number is kept for a while.
            self.tally.people.lapsed += 1;
            self.people[who as usize].stage = Stage::Waiting;
            self.agenda.push(now, who);
            return;
        }
        self.queue.finish_redeem(at(now), ticket.number, player(who), Identity::ANONYMOUS);
        self.go_online(now, who);
    }

    fn go_online(&mut self, now: u32, who: u32) {
        if self.queue.connect(at(now), player(who)).is_err() {
            self.people[who as usize].stage = Stage::Outside;
            self.agenda.push(now.saturating_add(AGAIN_MS), who);
            return;
        }
        self.in_line -= 1;
        self.tally.people.signed_in += 1;
        let crowd = &self.launch.crowd;
        let length_ms = crowd.session.draw_ms(&mut self.dice);
        let shaky = crowd.drops > 0.0 && unit((self.dice)()) < crowd.drops;
        let until_ms = now.saturating_add(length_ms);
        let person = &mut self.people[who as usize];
        person.until_ms = until_ms;
        person.stage = if shaky { Stage::Shaky } else { Stage::Online };
        let next = if shaky { now + part(until_ms - now, unit((self.dice)())) } else { until_ms };
        self.agenda.push(next, who);
    }

    fn drop_out(&mut self, now: u32, who: u32) {
        self.tally.people.dropped += 1;
        self.queue.disconnect(at(now), player(who), Departure::Dropped);
        let crowd = &self.launch.crowd;
        if unit((self.dice)()) < crowd.returns {
            let away_ms = crowd.away.draw_ms(&mut self.dice);
            self.people[who as usize].stage = Stage::Away;
            self.agenda.push(now.saturating_add(away_ms), who);
        } else {
            self.people[who as usize].stage = Stage::Gone;
        }
    }

    /// Back from a lost connection: to the slot if it is there, otherwise to the end of the line.
    fn come_back(&mut self, now: u32, who: u32) {
        if self.queue.connect(at(now), player(who)).is_ok() {
            self.tally.people.came_back += 1;
            let person = &mut self.people[who as usize];
            person.stage = Stage::Online;
            self.agenda.push(person.until_ms.max(now), who);
            return;
        }
        self.tally.people.queued_again += 1;
        self.in_line += 1;
        self.people[who as usize] = Person::arriving(now, &self.launch.crowd, &mut self.dice);
        self.enter(now, who);
    }
}

fn whole_ms(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a span")]
fn part(span_ms: u32, share: f64) -> u32 {
    (f64::from(span_ms) * share) as u32
}
