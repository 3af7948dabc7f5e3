//! The queue behind one function: for logs that are played again, and for simulation.

use serde::{Deserialize, Serialize};

use super::{
    Announcement, Checked, Departure, Identity, Lane, NoParty, NoSlot, NotTransferred, Number,
    PassRefused, Player, Queue, Signals, Standing, TicketRef, Tuning, UnixMicros, Work,
};
use crate::domain::lottery::LotteryId;

/// Everything that can be asked of a [`Queue`]; each is the method of its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// [`Queue::grant_numbers`]
    GrantNumbers(Number),
    /// [`Queue::enter`]
    Enter(Identity, Lane),
    /// [`Queue::join`]: the ticket that is joined last.
    Join(Identity, Lane, TicketRef),
    /// [`Queue::check`]
    Check(TicketRef),
    /// [`Queue::watch`]
    Watch(TicketRef),
    /// [`Queue::leave`]
    Leave(Number),
    /// [`Queue::transfer`]
    Transfer(TicketRef, Identity),
    /// [`Queue::begin_redeem`]
    BeginRedeem(TicketRef),
    /// [`Queue::finish_redeem`]
    FinishRedeem(Number, Player, Identity),
    /// [`Queue::settle`]
    Settle(Work),
    /// [`Queue::abandon_redeem`]: the number, and whether to give the slot back.
    AbandonRedeem(Number, bool),
    /// [`Queue::admit_exempt`]
    AdmitExempt(Player, Identity),
    /// [`Queue::connect`]
    Connect(Player),
    /// [`Queue::disconnect`]
    Disconnect(Player, Departure),
    /// [`Queue::sign_out`]
    SignOut(Player),
    /// [`Queue::keep`]: the player and the lease in milliseconds.
    Keep(Player, u64),
    /// [`Queue::give_up`]
    GiveUp(Player, Departure),
    /// [`Queue::report`]
    Report(Signals),
    /// [`Queue::tick`]
    Tick,
    /// [`Queue::set_rate`]
    SetRate(f64),
    /// [`Queue::set_cap`]
    SetCap(u64),
    /// [`Queue::announce`]
    Announce(Announcement),
    /// [`Queue::schedule_opening`]
    ScheduleOpening(Option<(UnixMicros, Option<LotteryId>)>),
    /// [`Queue::close_prequeue`]
    ClosePrequeue,
    /// [`Queue::apply_draw`]
    ApplyDraw(Vec<Number>),
    /// [`Queue::tune`]
    Tune(Tuning),
}

/// What came of an [`Input`].
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// It has no answer.
    Done,
    /// Of entering.
    Entered(Standing),
    /// Of joining a party.
    Joined(Result<Standing, NoParty>),
    /// Of a check or a watch.
    Checked(Checked),
    /// Of leaving.
    Left(bool),
    /// Of a transfer.
    Transferred(Result<Standing, NotTransferred>),
    /// Of beginning to redeem.
    Redeem(Result<(), PassRefused>),
    /// Of finishing to redeem.
    Redeemed(bool),
    /// Of a game server's word.
    Kept(bool),
    /// Of connecting.
    Connect(Result<(), NoSlot>),
    /// Of closing the pre-queue: the entrants.
    Entrants(Option<Vec<Number>>),
    /// Of applying a draw.
    Drawn(bool),
    /// Of a tick: when to call again.
    Wake(Option<UnixMicros>),
}

impl Queue {
    /// Takes one input at `now`. The same inputs at the same moments give the same outputs.
    pub fn handle(&mut self, now: UnixMicros, input: Input) -> Output {
        match input {
            Input::GrantNumbers(until) => self.grant_numbers(until),
            Input::Enter(identity, lane) => {
                return Output::Entered(self.enter(now, identity, lane));
            }
            Input::Join(identity, lane, first) => {
                return Output::Joined(self.join(now, identity, lane, first));
            }
            Input::Check(ticket) => return Output::Checked(self.check(now, ticket)),
            Input::Watch(ticket) => return Output::Checked(self.watch(now, ticket)),
            Input::Leave(number) => return Output::Left(self.leave(now, number)),
            Input::Transfer(ticket, to) => {
                return Output::Transferred(self.transfer(now, ticket, to));
            }
            Input::BeginRedeem(ticket) => return Output::Redeem(self.begin_redeem(now, ticket)),
            Input::FinishRedeem(number, player, identity) => {
                return Output::Redeemed(self.finish_redeem(now, number, player, identity));
            }
            Input::Settle(work) => self.settle(now, work),
            Input::AbandonRedeem(number, give_back) => self.abandon_redeem(now, number, give_back),
            Input::AdmitExempt(player, identity) => self.admit_exempt(now, player, identity),
            Input::Connect(player) => return Output::Connect(self.connect(now, player)),
            Input::Disconnect(player, how) => self.disconnect(now, player, how),
            Input::SignOut(player) => self.sign_out(now, player),
            Input::Keep(player, lease_ms) => return Output::Kept(self.keep(now, player, lease_ms)),
            Input::GiveUp(player, how) => self.give_up(now, player, how),
            Input::Report(signals) => self.report(now, signals),
            Input::Tick => return Output::Wake(self.tick(now)),
            Input::SetRate(rate) => self.set_rate(now, rate),
            Input::SetCap(cap) => self.set_cap(now, cap),
            Input::Tune(to) => self.tune(now, to),
            Input::Announce(announced) => self.announce(now, announced),
            Input::ScheduleOpening(scheduled) => self.schedule_opening(now, scheduled),
            Input::ClosePrequeue => return Output::Entrants(self.close_prequeue(now)),
            Input::ApplyDraw(order) => return Output::Drawn(self.apply_draw(now, &order)),
        }
        Output::Done
    }
}
