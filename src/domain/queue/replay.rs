//! The queue behind one function: for logs that are played again, and for simulation.

use serde::{Deserialize, Serialize};

use super::{
    Announcement, Checked, Departure, Identity, Lane, NoSlot, NotTransferred, Number, PassRefused,
    Player, Queue, Standing, TicketRef, UnixMicros,
};

/// Everything that can be asked of a [`Queue`]; each is the method of its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// [`Queue::grant_numbers`]
    GrantNumbers(Number),
    /// [`Queue::enter`]
    Enter(Identity, Lane),
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
    /// [`Queue::tick`]
    Tick,
    /// [`Queue::set_rate`]
    SetRate(f64),
    /// [`Queue::set_cap`]
    SetCap(u64),
    /// [`Queue::announce`]
    Announce(Announcement),
}

/// What came of an [`Input`].
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// It has no answer.
    Done,
    /// Of entering.
    Entered(Standing),
    /// Of a check or a watch.
    Checked(Checked),
    /// Of leaving.
    Left(bool),
    /// Of a transfer.
    Transferred(Result<Standing, NotTransferred>),
    /// Of beginning to redeem.
    Redeem(Result<(), PassRefused>),
    /// Of connecting.
    Connect(Result<(), NoSlot>),
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
            Input::Check(ticket) => return Output::Checked(self.check(now, ticket)),
            Input::Watch(ticket) => return Output::Checked(self.watch(now, ticket)),
            Input::Leave(number) => return Output::Left(self.leave(now, number)),
            Input::Transfer(ticket, to) => {
                return Output::Transferred(self.transfer(now, ticket, to));
            }
            Input::BeginRedeem(ticket) => return Output::Redeem(self.begin_redeem(now, ticket)),
            Input::FinishRedeem(number, player, identity) => {
                self.finish_redeem(now, number, player, identity);
            }
            Input::AbandonRedeem(number, give_back) => self.abandon_redeem(now, number, give_back),
            Input::AdmitExempt(player, identity) => self.admit_exempt(now, player, identity),
            Input::Connect(player) => return Output::Connect(self.connect(now, player)),
            Input::Disconnect(player, how) => self.disconnect(now, player, how),
            Input::SignOut(player) => self.sign_out(now, player),
            Input::Tick => return Output::Wake(self.tick(now)),
            Input::SetRate(rate) => self.set_rate(now, rate),
            Input::SetCap(cap) => self.set_cap(now, cap),
            Input::Announce(announced) => self.announce(now, announced),
        }
        Output::Done
    }
}
