//! The way into the queue of a running server: notes what goes in, then lets it in.

use std::ops::Deref;

use super::digest::{Answer, Digest};
use super::entry::{Ending, Writer};
use crate::domain::lottery::LotteryId;
use crate::domain::queue::{
    Admission, Announcement, Checked, Departure, Holder, Identity, Input, Lane, NoParty, NoSlot,
    NotTransferred, Number, PassRefused, Player, Queue, Signals, Standing, TicketRef, Tuning,
    UnixMicros, Work,
};

/// Time between two proofs, in microseconds.
const PROVE_EVERY_US: u64 = 60_000_000;

/// What is noted of the segment that is being written.
#[derive(Clone, Debug, Default)]
struct Tape {
    writer: Writer,
    digest: Digest,
    prove_at: UnixMicros,
}

/// A queue, and what goes into it. Reading is as from the queue itself; whatever changes it is a method
/// here.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: Queue,
    /// `None`: nothing is noted.
    tape: Option<Tape>,
}

impl Deref for Recorder {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.queue
    }
}

impl Recorder {
    /// Around a queue. Nothing is noted before [`Recorder::begin`].
    pub const fn new(queue: Queue) -> Self {
        Self { queue, tape: None }
    }

    /// Begins a segment: the whole state, behind what `bytes` has already. What was noted and not taken
    /// is forgotten.
    pub fn begin(&mut self, now: UnixMicros, bytes: Vec<u8>) -> Vec<u8> {
        let prove_at = now.plus_us(PROVE_EVERY_US);
        self.tape = Some(Tape { prove_at, ..Tape::default() });
        self.queue.write_exact(bytes)
    }

    /// Ends a segment with a proof: its last block, behind which nothing is noted until the next
    /// [`Recorder::begin`]. Empty if nothing was noted anyway.
    pub fn end(&mut self, ending: Ending) -> Vec<u8> {
        let Some(mut tape) = self.tape.take() else { return Vec::new() };
        tape.writer.proof(tape.digest.with_state(&self.queue));
        tape.writer.end(ending);
        tape.writer.take()
    }

    /// Notes nothing until the next [`Recorder::begin`].
    pub fn pause(&mut self) {
        self.tape = None;
    }

    /// Bytes noted and not taken.
    pub fn noted(&self) -> usize {
        self.tape.as_ref().map_or(0, |tape| tape.writer.len())
    }

    /// Takes what was noted: a block that can be read by itself after those before it.
    pub fn take(&mut self) -> Vec<u8> {
        self.tape.as_mut().map(|tape| tape.writer.take()).unwrap_or_default()
    }

    fn note(&mut self, now: UnixMicros, input: &Input) {
        let Some(tape) = &mut self.tape else { return };
        if now >= tape.prove_at {
            tape.prove_at = now.plus_us(PROVE_EVERY_US);
            tape.writer.proof(tape.digest.with_state(&self.queue));
        }
        tape.writer.input(&self.queue, now, input);
    }

    fn heard<T: Answer>(&mut self, answer: T) -> T {
        if let Some(tape) = &mut self.tape {
            answer.add_to(&mut tape.digest);
        }
        answer
    }
}

/// What changes the queue: each is the method of its name.
impl Recorder {
    /// [`Queue::grant_numbers`]
    pub fn grant_numbers(&mut self, now: UnixMicros, until: Number) {
        self.note(now, &Input::GrantNumbers(until));
        self.queue.grant_numbers(until);
    }

    /// [`Queue::enter`]
    pub fn enter(&mut self, now: UnixMicros, identity: Identity, lane: Lane) -> Standing {
        self.note(now, &Input::Enter(identity, lane));
        let standing = self.queue.enter(now, identity, lane);
        self.heard(standing)
    }

    /// [`Queue::join`]
    pub fn join(
        &mut self,
        now: UnixMicros,
        identity: Identity,
        lane: Lane,
        first: TicketRef,
    ) -> Result<Standing, NoParty> {
        self.note(now, &Input::Join(identity, lane, first));
        let standing = self.queue.join(now, identity, lane, first);
        self.heard(standing)
    }

    /// [`Queue::check`]
    pub fn check(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        self.note(now, &Input::Check(ticket));
        let checked = self.queue.check(now, ticket);
        self.heard(checked)
    }

    /// [`Queue::watch`]
    pub fn watch(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        self.note(now, &Input::Watch(ticket));
        let checked = self.queue.watch(now, ticket);
        self.heard(checked)
    }

    /// [`Queue::leave`]
    pub fn leave(&mut self, now: UnixMicros, number: Number) -> bool {
        self.note(now, &Input::Leave(number));
        let left = self.queue.leave(now, number);
        self.heard(left)
    }

    /// [`Queue::transfer`]
    pub fn transfer(
        &mut self,
        now: UnixMicros,
        ticket: TicketRef,
        to: Identity,
    ) -> Result<Standing, NotTransferred> {
        self.note(now, &Input::Transfer(ticket, to));
        let standing = self.queue.transfer(now, ticket, to);
        self.heard(standing)
    }

    /// [`Queue::begin_redeem`]
    pub fn begin_redeem(&mut self, now: UnixMicros, pass: TicketRef) -> Result<(), PassRefused> {
        self.note(now, &Input::BeginRedeem(pass));
        let begun = self.queue.begin_redeem(now, pass);
        self.heard(begun)
    }

    /// [`Queue::finish_redeem`]
    pub fn finish_redeem(
        &mut self,
        now: UnixMicros,
        pass: Number,
        player: Player,
        identity: Identity,
    ) -> bool {
        self.note(now, &Input::FinishRedeem(pass, player, identity));
        let first = self.queue.finish_redeem(now, pass, player, identity);
        self.heard(first)
    }

    /// [`Queue::settle`]
    pub fn settle(&mut self, now: UnixMicros, work: Work) {
        self.note(now, &Input::Settle(work));
        self.queue.settle(now, work);
    }

    /// [`Queue::abandon_redeem`]
    pub fn abandon_redeem(&mut self, now: UnixMicros, pass: Number, give_back: bool) {
        self.note(now, &Input::AbandonRedeem(pass, give_back));
        self.queue.abandon_redeem(now, pass, give_back);
    }

    /// [`Queue::admit_exempt`]
    pub fn admit_exempt(&mut self, now: UnixMicros, player: Player, identity: Identity) {
        self.note(now, &Input::AdmitExempt(player, identity));
        self.queue.admit_exempt(now, player, identity);
    }

    /// [`Queue::connect`]
    pub fn connect(&mut self, now: UnixMicros, player: Player) -> Result<(), NoSlot> {
        self.note(now, &Input::Connect(player));
        let connected = self.queue.connect(now, player);
        self.heard(connected)
    }

    /// [`Queue::disconnect`]
    pub fn disconnect(&mut self, now: UnixMicros, player: Player, how: Departure) {
        self.note(now, &Input::Disconnect(player, how));
        self.queue.disconnect(now, player, how);
    }

    /// [`Queue::sign_out`]
    pub fn sign_out(&mut self, now: UnixMicros, player: Player) {
        self.note(now, &Input::SignOut(player));
        self.queue.sign_out(now, player);
    }

    /// [`Queue::keep`]
    pub fn keep(&mut self, now: UnixMicros, player: Player, lease_ms: u64) -> bool {
        self.note(now, &Input::Keep(player, lease_ms));
        let kept = self.queue.keep(now, player, lease_ms);
        self.heard(kept)
    }

    /// [`Queue::give_up`]
    pub fn give_up(&mut self, now: UnixMicros, player: Player, how: Departure) {
        self.note(now, &Input::GiveUp(player, how));
        self.queue.give_up(now, player, how);
    }

    /// [`Queue::report`]
    pub fn report(&mut self, now: UnixMicros, signals: Signals) {
        self.note(now, &Input::Report(signals));
        self.queue.report(now, signals);
    }

    /// [`Queue::tick`]
    pub fn tick(&mut self, now: UnixMicros) -> Option<UnixMicros> {
        self.note(now, &Input::Tick);
        let wake = self.queue.tick(now);
        self.heard(wake)
    }

    /// [`Queue::set_rate`]
    pub fn set_rate(&mut self, now: UnixMicros, rate: f64) {
        self.note(now, &Input::SetRate(rate));
        self.queue.set_rate(now, rate);
    }

    /// [`Queue::set_cap`]
    pub fn set_cap(&mut self, now: UnixMicros, cap: u64) {
        self.note(now, &Input::SetCap(cap));
        self.queue.set_cap(now, cap);
    }

    /// [`Queue::tune`]
    pub fn tune(&mut self, now: UnixMicros, to: Tuning) {
        self.note(now, &Input::Tune(to));
        self.queue.tune(now, to);
    }

    /// [`Queue::announce`]
    pub fn announce(&mut self, now: UnixMicros, announced: Announcement) {
        self.note(now, &Input::Announce(announced.clone()));
        self.queue.announce(now, announced);
    }

    /// [`Queue::schedule_opening`]
    pub fn schedule_opening(
        &mut self,
        now: UnixMicros,
        scheduled: Option<(UnixMicros, Option<LotteryId>)>,
    ) {
        self.note(now, &Input::ScheduleOpening(scheduled.clone()));
        self.queue.schedule_opening(now, scheduled);
    }

    /// [`Queue::close_prequeue`]
    pub fn close_prequeue(&mut self, now: UnixMicros) -> Option<Vec<Number>> {
        self.note(now, &Input::ClosePrequeue);
        let entrants = self.queue.close_prequeue(now);
        self.heard(entrants)
    }

    /// [`Queue::apply_draw`]
    pub fn apply_draw(&mut self, now: UnixMicros, order: &[Number]) -> bool {
        if self.tape.is_some() {
            self.note(now, &Input::ApplyDraw(order.to_vec()));
        }
        let applied = self.queue.apply_draw(now, order);
        self.heard(applied)
    }
}

/// What those hear who watch; it changes nothing for anybody in line.
impl Recorder {
    /// [`Queue::watch_holders`], [`Queue::watch_turns`] and [`Queue::watch_out_of_turn`]
    pub fn watch_all(&mut self) {
        self.queue.watch_holders();
        self.queue.watch_turns();
        self.queue.watch_out_of_turn();
    }

    /// [`Queue::holders_changed`]
    pub fn holders_changed(&mut self) -> impl Iterator<Item = Holder> {
        self.queue.holders_changed()
    }

    /// [`Queue::ceased_to_wait`]
    pub fn ceased_to_wait(&mut self) -> impl Iterator<Item = Number> {
        self.queue.ceased_to_wait()
    }

    /// [`Queue::admitted_out_of_turn`]
    pub fn admitted_out_of_turn(&mut self) -> impl Iterator<Item = Admission> {
        self.queue.admitted_out_of_turn()
    }
}
