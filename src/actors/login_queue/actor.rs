//! The actor: hands messages to the queue, keeps its alarm, and talks to the writer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, SpawnHandle};
use tokio::sync::oneshot;

use super::ask::{Ask, Question, Reply, Said, Steering};
use super::block::Block;
use super::doors::Doors;
use super::holders::Publisher;
use super::out_of_turn::Clerk;
use super::posted::Poster;
use super::scribe::Scribe;
use super::sensors::Sensors;
use super::stopped::{Ended, Farewell};
use super::turns::Turns;
use super::unsynced::Unsynced;
use crate::clock::Clock;
use crate::domain::queue::journal::Recorder;
use crate::domain::queue::{Identity, Lane, Mode, Standing, TicketRef};
use crate::domain::time::UnixMicros;
use crate::store::line::{Done, Order, Place, Writer};

/// The alarm never sleeps longer than this: the machine's clock may be set while it does.
const ALARM_MAX_US: u64 = 1_000_000;
/// How often the line hears what was measured.
const REPORT_EVERY_US: u64 = 1_000_000;

/// News from the writer's thread.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Written(pub(super) Done);

/// Somebody who waits for numbers to be reserved.
pub(super) struct Newcomer {
    pub(super) identity: Identity,
    pub(super) lane: Lane,
    /// With whom he comes in, if that one still waits.
    pub(super) first: Option<TicketRef>,
    pub(super) reply: Reply<Standing>,
}

/// Owner of the line, the gate and the ledger.
pub(super) struct LoginQueue {
    pub(super) queue: Recorder,
    pub(super) clock: Clock,
    pub(super) writer: Writer,
    pub(super) block: Block,
    pub(super) unsynced: Unsynced,
    pub(super) doors: Doors,
    scribe: Scribe,
    clerk: Clerk,
    holders: Publisher,
    poster: Poster,
    turns: Turns,
    sensors: Arc<Sensors>,
    report_at: UnixMicros,
    newcomers: Vec<Newcomer>,
    /// For each snapshot on its way, who waits for it.
    snapshots: VecDeque<Vec<Reply<()>>>,
    /// Snapshots handed to the writer, and on disk, since the start.
    pub(super) snapshots_ordered: u64,
    pub(super) snapshots_done: u64,
    snapshot_every_us: u64,
    server_lease_ms: u64,
    snapshot_at: UnixMicros,
    alarm: Option<(UnixMicros, SpawnHandle)>,
    pub(super) closing: Option<Vec<Reply<()>>>,
    mailbox: usize,
    /// A message is being handled. Still set when the next one comes: the last one panicked.
    busy: bool,
    farewell: Farewell,
    _thread: oneshot::Sender<()>,
}

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) queue: Recorder,
    pub(super) clock: Clock,
    pub(super) writer: Writer,
    pub(super) block: Block,
    pub(super) unsynced: Unsynced,
    pub(super) doors: Doors,
    pub(super) scribe: Scribe,
    pub(super) clerk: Clerk,
    /// Where others see who holds a slot.
    pub(super) holders: Publisher,
    /// Where others read the frame.
    pub(super) poster: Poster,
    /// What is measured of sign-ins.
    pub(super) sensors: Arc<Sensors>,
    pub(super) snapshot_every_us: u64,
    /// How long a game server's word holds a slot, in milliseconds.
    pub(super) server_lease_ms: u64,
    /// Messages the mailbox takes.
    pub(super) mailbox: usize,
    pub(super) farewell: Farewell,
    /// Dropped with the actor: its thread may end.
    pub(super) thread: oneshot::Sender<()>,
}

impl LoginQueue {
    pub(super) fn new(parts: Parts) -> Self {
        let now = parts.clock.now();
        Self {
            queue: parts.queue,
            clock: parts.clock,
            writer: parts.writer,
            block: parts.block,
            unsynced: parts.unsynced,
            doors: parts.doors,
            scribe: parts.scribe,
            clerk: parts.clerk,
            holders: parts.holders,
            poster: parts.poster,
            turns: Turns::default(),
            sensors: parts.sensors,
            report_at: now.plus_us(REPORT_EVERY_US),
            newcomers: Vec::new(),
            snapshots: VecDeque::new(),
            snapshots_ordered: 0,
            snapshots_done: 0,
            snapshot_every_us: parts.snapshot_every_us,
            server_lease_ms: parts.server_lease_ms,
            snapshot_at: now.plus_us(parts.snapshot_every_us),
            alarm: None,
            closing: None,
            mailbox: parts.mailbox,
            busy: false,
            farewell: parts.farewell,
            _thread: parts.thread,
        }
    }

    fn answer(&mut self, ask: Ask, now: UnixMicros) {
        match ask {
            Ask::Round { questions, reply } => {
                let said = questions.into_iter().map(|question| self.say(now, question));
                tell(reply, said.collect());
            }
            Ask::Leave(ticket, reply) => tell(reply, self.leave(now, ticket)),
            Ask::Follow(ticket, who, reply) => {
                // Whose turn has come already hears so at once: the sender is dropped.
                if self.queue.waits(ticket) {
                    self.turns.follow(self.queue.current(ticket).number, who);
                }
                tell(reply, ());
            }
            Ask::Join(identity, lane, first, reply) => {
                tell(reply, self.join(now, identity, lane, first));
            }
            Ask::Transfer(ticket, to, reply) => tell(reply, self.transfer(now, ticket, to)),
            Ask::Whereabouts(ticket, reply) => tell(reply, self.queue.whereabouts(ticket)),
            Ask::FirstInLine(owners, reply) => tell(reply, self.queue.first_in_line(&owners)),
            Ask::BeginRedeem(pass, reply) => tell(reply, self.queue.begin_redeem(now, pass)),
            Ask::FinishRedeem { pass, player, identity, work } => {
                if self.queue.finish_redeem(now, pass, player, identity) {
                    self.queue.settle(now, work);
                }
            }
            Ask::AbandonRedeem { pass, give_back, reply } => {
                self.queue.abandon_redeem(now, pass, give_back);
                tell(reply, ());
            }
            Ask::Connect(player, reply) => self.connect(now, player, reply),
            Ask::Disconnect(player, departure) => self.queue.disconnect(now, player, departure),
            Ask::SignOut(player, reply) => {
                self.queue.sign_out(now, player);
                // Whoever hears of it and signs in again at once has to queue.
                self.publish(now);
                tell(reply, ());
            }
            Ask::Keep(players, reply) => {
                for player in players {
                    self.queue.keep(now, player, self.server_lease_ms);
                }
                tell(reply, ());
            }
            Ask::GiveUp(player, departure, reply) => {
                self.queue.give_up(now, player, departure);
                tell(reply, ());
            }
            Ask::Steer(steering, reply) => self.steer(now, steering, reply),
            Ask::Schedule(plan, reply) => self.schedule(now, plan, reply),
            Ask::PublicSeed(id, seed) => self.take_public_seed(&id, seed),
            Ask::Outlook(dials, reply) => tell(reply, self.queue.outlook(&dials)),
            Ask::Figures(reply) => tell(reply, self.queue.figures()),
            Ask::See(player, owners, reply) => tell(reply, self.queue.see(player, &owners)),
            Ask::Turn(reply) => {
                self.queue.tick(now);
                self.report_if_due(now);
                self.publish(now);
                tell(reply, ());
            }
            Ask::Close(reply) => self.close(now, reply),
            #[cfg(test)]
            #[expect(clippy::panic, reason = "a test wants to see what a bug would do")]
            Ask::Panic => panic!("as asked"),
        }
    }

    fn say(&mut self, now: UnixMicros, question: Question) -> Said {
        match question {
            Question::Check(ticket) => Said::Checked(self.queue.check(now, ticket)),
            Question::Watch(ticket) => Said::Checked(self.queue.watch(now, ticket)),
            Question::Exempt(player, identity) => {
                self.queue.admit_exempt(now, player, identity);
                Said::Noted
            }
            Question::Enter(identity, lane) => {
                let (reply, mut answer) = oneshot::channel();
                self.enter(now, Newcomer { identity, lane, first: None, reply });
                answer.try_recv().map_or_else(|_| Said::Later(answer), Said::Standing)
            }
        }
    }

    pub(super) fn enter(&mut self, now: UnixMicros, newcomer: Newcomer) {
        let before = self.queue.numbers_left();
        if before == 0 || self.doors.hold_newcomers(self.snapshots_done) {
            // A flood was faster than the disk: a moment's wait is better than "full".
            self.reserve();
            if self.newcomers.len() >= self.mailbox {
                self.newcomers.retain(|newcomer| !newcomer.reply.is_closed());
            }
            self.newcomers.push(newcomer);
            return;
        }
        let Newcomer { identity, lane, first, reply } = newcomer;
        let joined = first.and_then(|first| self.queue.join(now, identity, lane, first).ok());
        // The party may have come in since he asked: then he stands alone.
        let standing = joined.unwrap_or_else(|| self.queue.enter(now, identity, lane));
        let new = self.queue.numbers_left() < before;
        if new {
            self.block.count(now);
        }
        match standing {
            Standing::Waiting(waiting) if identity != Identity::ANONYMOUS => {
                let number = waiting.ticket.number;
                let returned = waiting.ticket.lane == Lane::Grace;
                if new || (returned && self.unsynced.returns(number)) {
                    self.log_place(Place { number, identity, lane });
                }
                self.unsynced.answer(number, standing, reply);
            }
            _ => tell(reply, standing),
        }
    }

    fn let_newcomers_in(&mut self, now: UnixMicros) {
        for newcomer in std::mem::take(&mut self.newcomers) {
            // Who has given up waiting takes no place.
            if !newcomer.reply.is_closed() {
                self.enter(now, newcomer);
            }
        }
    }

    pub(super) fn log_place(&mut self, place: Place) {
        self.unsynced.logged(place.number);
        self.writer.order(Order::Place(place));
    }

    /// Asks the disk for more numbers if it is time.
    fn reserve(&mut self) {
        if let Some(until) = self.block.want(self.queue.numbers_left()) {
            self.writer.order(Order::Reserve(until));
        }
    }

    fn leave(&mut self, now: UnixMicros, ticket: TicketRef) -> bool {
        ticket.epoch == self.queue.epoch() && self.queue.leave(now, ticket.number)
    }

    fn steer(&mut self, now: UnixMicros, steering: Steering, reply: Reply<()>) {
        tracing::info!(?steering, "an operator changes the queue");
        match steering {
            Steering::Rate(rate) => self.queue.set_rate(now, rate),
            Steering::Cap(cap) => self.queue.set_cap(now, cap),
            Steering::Tune(to) => self.queue.tune(now, to),
            Steering::Announce(announced) => self.queue.announce(now, announced),
        }
        self.write_snapshot(now, vec![reply]);
    }

    pub(super) fn write_snapshot(&mut self, now: UnixMicros, for_whom: Vec<Reply<()>>) {
        self.snapshot_at = now.plus_us(self.snapshot_every_us);
        self.snapshots.push_back(for_whom);
        self.snapshots_ordered += 1;
        self.writer.order(Order::Snapshot(Box::new(self.queue.snapshot(now))));
    }

    fn close(&mut self, now: UnixMicros, reply: Reply<()>) {
        if let Some(waiting) = &mut self.closing {
            waiting.push(reply);
            return;
        }
        self.closing = Some(vec![reply]);
        self.clerk.finish();
        self.holders.withdraw();
        self.writer.order(Order::Close(Box::new(self.queue.snapshot(now))));
        self.scribe.end(&mut self.queue);
    }

    fn publish(&mut self, now: UnixMicros) {
        let turns = self.queue.is_mass_drop();
        self.holders.publish(self.queue.holders_changed(), turns);
        self.turns.came(self.queue.ceased_to_wait());
        self.clerk.take(now, self.queue.admitted_out_of_turn());
        self.doors.post(&self.queue);
        self.poster.post(&self.queue, now);
    }

    /// Once a second lets the rules hear what was measured, and the log what came of it.
    fn report_if_due(&mut self, now: UnixMicros) {
        if now < self.report_at || self.closing.is_some() {
            return;
        }
        self.report_at = now.plus_us(REPORT_EVERY_US);
        let before = self.queue.figures();
        self.queue.report(now, self.sensors.take());
        let after = self.queue.figures();
        if before.mode != Mode::Held && after.mode == Mode::Held {
            let until = self.queue.announcement().until.unwrap_or(now);
            let for_s = until.since_ms(now) / 1_000;
            tracing::error!(for_s, "too many sign-ins fail: the line holds itself");
        }
        match (before.measured_limit, after.measured_limit) {
            (None, Some(rate)) => tracing::warn!(rate, "admissions slow down to what gets done"),
            (Some(_), None) => tracing::info!(after.rate, "admissions are at their set rate again"),
            _ => {}
        }
    }

    /// What every message may have made due.
    pub(super) fn look_around(&mut self, now: UnixMicros, ctx: &mut Context<Self>) {
        self.report_if_due(now);
        self.publish(now);
        self.scribe.turn(&mut self.queue, now);
        if self.closing.is_some() {
            return;
        }
        self.reserve();
        self.mind_the_doors(now);
        // One snapshot at a time: a slow disk gets fewer of them, not a heap.
        if now >= self.snapshot_at && self.snapshots.is_empty() {
            self.write_snapshot(now, Vec::new());
        }
        if !self.clock.is_manual() {
            self.set_alarm(now, ctx);
        }
    }

    /// Does what is due, and wakes up for what comes next: an admission, a lease, a snapshot.
    fn set_alarm(&mut self, now: UnixMicros, ctx: &mut Context<Self>) {
        let mut next = self.queue.next_wake();
        // The mailbox is served before alarms: under load this is what keeps the gate on time.
        if next.is_some_and(|at| at <= now) {
            next = self.queue.tick(now);
        }
        let latest = now.plus_us(ALARM_MAX_US);
        let at = next.unwrap_or(latest).min(self.snapshot_at);
        let at = at.min(self.doors_due(now).unwrap_or(latest)).clamp(now, latest);
        match self.alarm {
            Some((set, _)) if set <= at && set.plus_us(ALARM_MAX_US) > now => return,
            Some((_, old)) => drop(ctx.cancel_future(old)),
            None => {}
        }
        let delay = Duration::from_micros(at.since_us(now));
        let handle = ctx.run_later(delay, |line, ctx| {
            line.alarm = None;
            let now = line.clock.now();
            line.queue.tick(now);
            line.look_around(now, ctx);
        });
        self.alarm = Some((at, handle));
    }

    pub(super) fn stop(&mut self, ended: Ended, ctx: &mut Context<Self>) {
        self.farewell.say(ended);
        ctx.stop();
    }
}

impl Actor for LoginQueue {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.queue.watch_all();
        let now = self.clock.now();
        self.scribe.start(&mut self.queue, now);
        self.look_around(now, ctx);
    }
}

impl Handler<Ask> for LoginQueue {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let refused = self.busy || (self.closing.is_some() && !matches!(ask, Ask::Close(_)));
        if refused {
            // Not answered, for the answer would not be true any more.
            return;
        }
        self.busy = true;
        let now = self.clock.now();
        self.answer(ask, now);
        self.look_around(now, ctx);
        self.busy = false;
    }
}

impl Handler<Written> for LoginQueue {
    type Result = ();

    fn handle(&mut self, Written(done): Written, ctx: &mut Self::Context) {
        let now = self.clock.now();
        match done {
            Done::Places(more) => self.unsynced.synced(more),
            Done::Reserved(until) => {
                self.queue.grant_numbers(now, until);
                self.block.granted();
                self.let_newcomers_in(now);
                self.look_around(now, ctx);
            }
            Done::Snapshot => {
                for reply in self.snapshots.pop_front().into_iter().flatten() {
                    tell(reply, ());
                }
                let held = self.doors.hold_newcomers(self.snapshots_done);
                self.snapshots_done += 1;
                if held {
                    self.let_newcomers_in(now);
                    self.look_around(now, ctx);
                }
            }
            Done::Closed => {
                self.scribe.close();
                for reply in self.closing.take().into_iter().flatten() {
                    tell(reply, ());
                }
                self.stop(Ended::Closed, ctx);
            }
            Done::Failed(why) => {
                tracing::error!(why, "the line cannot be written to disk: the process must stop");
                self.stop(Ended::Failed(format!("the line cannot be written to disk: {why}")), ctx);
            }
        }
    }
}

/// Answers. Whoever asked may be gone, and then there is nobody to tell.
pub(super) fn tell<T>(reply: Reply<T>, answer: T) {
    drop(reply.send(answer));
}
