//! `LoginQueue`: owns the line, the gate and the ledger; [`Line`]: the way to it.
//!
//! The rules are in [`crate::domain::queue`]; here are the clock, the alarm for the next admission,
//! the callers and the disk. What has to be durable before somebody is answered: the block of
//! numbers a ticket's number comes from, and the place of an implicit ticket, whose owner holds no
//! token ([`crate::store::line`]). Nobody else waits for the disk, polls least of all.

mod actor;
mod ask;
mod block;
mod callers;
mod doors;
mod holders;
mod lottery;
mod opening;
mod out_of_turn;
mod posted;
mod rounds;
mod scribe;
mod sensors;
mod stopped;
mod taking;
#[cfg(test)]
mod tests;
mod transfers;
mod turns;
mod unsynced;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use aws_lc_rs::hmac;
use tokio::sync::{oneshot, watch};

use self::actor::LoginQueue;
use self::ask::{Ask, Question, Reply, Said, Steering};
use self::callers::Callers;
use self::holders::Holders;
use self::posted::Posted;
use super::CallError;
use crate::clock::Clock;
use crate::domain::lottery::{LotteryId, PublicSeed};
use crate::domain::queue::{
    Announcement, Checked, Departure, Figures, Frame, Identity, Lane, NoSlot, Number, OpeningPlan,
    PassRefused, Player, Seen, Standing, TicketRef, Tuning, Work,
};
use crate::domain::time::UnixMicros;
use crate::store::journal::Figures as JournalFigures;
use crate::store::lottery::{Lotteries, LotteryFileError};

pub use sensors::Sensors;

pub use doors::{Notice, ScheduleRefused};
pub use opening::{LineError, LineSeeds, Redeemed};
pub use stopped::{Ended, Stopped};

/// How long a caller waits for an answer. Far beyond anything but a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to the line: cheap to clone, usable from every thread, bounded by `limits.callers_max`.
///
/// Every call but [`Line::disconnect`] fails with [`CallError::Overloaded`] when that many callers
/// wait already, and with [`CallError::NoAnswer`] when the line has stopped or is silent for five
/// seconds. All may be asked again.
#[derive(Clone)]
pub struct Line(Arc<Inner>);

struct Inner {
    addr: Addr<LoginQueue>,
    clock: Clock,
    holders: Holders,
    posted: Posted,
    sensors: Arc<Sensors>,
    notice: watch::Receiver<Arc<Notice>>,
    lotteries: Lotteries<()>,
    connect_window_ms: u64,
    callers: Callers,
    identity_key: hmac::Key,
    /// `None`: there is no journal.
    journal: Option<Arc<JournalFigures>>,
    /// Tells the lines of one process apart (tests have several).
    id: u64,
}

impl Line {
    /// Comes to the line, or back to the place it has: one identity has one place. An anonymous
    /// identity always takes a new one. Answers an implicit ticket that has to wait only when its
    /// place is on disk. Who holds a slot is told so without asking the line.
    pub async fn enter(&self, identity: Identity, lane: Lane) -> Result<Standing, CallError> {
        // After a mass drop each has a turn, and the line knows whose it is.
        let holders = &self.0.holders;
        if !holders.have_turns() && holders.has(identity, self.0.clock.now()) {
            return Ok(Standing::HoldsSlot);
        }
        let _seat = self.0.callers.take()?;
        match rounds::ask(self, Question::Enter(identity, lane)).await? {
            Said::Standing(standing) => Ok(standing),
            Said::Later(answer) => patiently(answer).await,
            Said::Checked(_) | Said::Noted => Err(CallError::NoAnswer),
        }
    }

    /// Where this ticket stands now; renews its lease.
    pub async fn check(&self, ticket: TicketRef) -> Result<Checked, CallError> {
        let _seat = self.0.callers.take()?;
        match rounds::ask(self, Question::Check(ticket)).await? {
            Said::Checked(checked) => Ok(checked),
            Said::Standing(_) | Said::Later(_) | Said::Noted => Err(CallError::NoAnswer),
        }
    }

    /// The same for somebody who watches the frame: he is told to come back much later.
    pub async fn watch(&self, ticket: TicketRef) -> Result<Checked, CallError> {
        let _seat = self.0.callers.take()?;
        match rounds::ask(self, Question::Watch(ticket)).await? {
            Said::Checked(checked) => Ok(checked),
            Said::Standing(_) | Said::Later(_) | Said::Noted => Err(CallError::NoAnswer),
        }
    }

    /// The state of the whole line, at most about a second old.
    pub fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.0.posted.borrow())
    }

    /// Answers when this ticket waits no more: it was admitted, left, or lapsed. Which, says
    /// [`Line::check`]. Dropping it costs nothing.
    pub async fn turn_of(&self, ticket: TicketRef) -> Result<oneshot::Receiver<()>, CallError> {
        let (who, turn) = oneshot::channel();
        self.call(|reply| Ask::Follow(ticket, who, reply)).await?;
        Ok(turn)
    }

    /// The same as [`Line::check`], as a message of its own: for threads without a loop of actix,
    /// and to measure the other against.
    pub async fn check_alone(&self, ticket: TicketRef) -> Result<Checked, CallError> {
        let _seat = self.0.callers.take()?;
        match rounds::ask_alone(self, Question::Check(ticket)).await? {
            Said::Checked(checked) => Ok(checked),
            Said::Standing(_) | Said::Later(_) | Said::Noted => Err(CallError::NoAnswer),
        }
    }

    /// Gives the place up. `false`: there was none.
    pub async fn leave(&self, ticket: TicketRef) -> Result<bool, CallError> {
        self.call(|reply| Ask::Leave(ticket, reply)).await
    }

    /// Takes a pass into use, so that nobody else can while the sign-in is being written.
    pub async fn begin_redeem(
        &self,
        pass: TicketRef,
    ) -> Result<Result<(), PassRefused>, CallError> {
        self.call(|reply| Ask::BeginRedeem(pass, reply)).await
    }

    /// The sign-in with this pass is durable: its slot is the player's, and `work` is paid for.
    ///
    /// Does not wait: what the player does next, opening a socket, comes to the line behind it.
    pub fn finish_redeem(
        &self,
        pass: Number,
        player: Player,
        identity: Identity,
        work: Work,
    ) -> Result<(), CallError> {
        self.tell(Ask::FinishRedeem { pass, player, identity, work })
    }

    /// The sign-in with this pass came to nothing. `give_back`: its slot is free at once; otherwise
    /// the pass is good again, so that a wrong password does not cost it.
    pub async fn abandon_redeem(&self, pass: Number, give_back: bool) -> Result<(), CallError> {
        self.call(|reply| Ask::AbandonRedeem { pass, give_back, reply }).await
    }

    /// Lets a player in who does not have to stand in line; the slot is counted.
    /// Does not wait: it only makes a slot that is held last longer. The line does not hear of it
    /// while nine tenths of the connect window are left, so that who signs in over and over costs
    /// it nothing.
    pub fn admit_exempt(&self, player: Player, identity: Identity) -> Result<(), CallError> {
        let long_enough = self.0.clock.now().plus_ms(self.0.connect_window_ms / 10 * 9);
        if self.0.holders.has(identity, long_enough) {
            return Ok(());
        }
        rounds::tell(self, Question::Exempt(player, identity))
    }

    /// A socket of the player opens: takes the slot that waits for it, keeps the one that is held,
    /// or takes a free one.
    pub async fn connect(&self, player: Player) -> Result<Result<(), NoSlot>, CallError> {
        self.call(|reply| Ask::Connect(player, reply)).await
    }

    /// A socket of the player is gone; the last one gives the slot up. Never refused and never lost, for then a slot would leak:
    /// it does not count against the callers and is not held back by the mailbox. It is bounded
    /// all the same: each call follows a `connect` that succeeded, so there are never more of
    /// them in the mailbox than there are open sockets.
    pub fn disconnect(&self, player: Player, departure: Departure) {
        #[expect(
            clippy::disallowed_methods,
            reason = "must not be lost; bounded by the open sockets, see above"
        )]
        self.0.addr.do_send(Ask::Disconnect(player, departure));
    }

    /// The player has signed out: a slot that is not in use is free at once.
    pub async fn sign_out(&self, player: Player) -> Result<(), CallError> {
        self.call(|reply| Ask::SignOut(player, reply)).await
    }

    /// Game servers have these players in their world: their slots are kept for another lease.
    pub async fn keep(&self, players: Vec<Player>) -> Result<(), CallError> {
        self.call(|reply| Ask::Keep(players, reply)).await
    }

    /// A game server's player has left its world.
    pub async fn give_up(&self, player: Player, departure: Departure) -> Result<(), CallError> {
        self.call(|reply| Ask::GiveUp(player, departure, reply)).await
    }

    /// Sets the admissions per second. Answered when it would survive a crash.
    pub async fn set_rate(&self, rate: f64) -> Result<(), CallError> {
        self.call(|reply| Ask::Steer(Steering::Rate(rate), reply)).await
    }

    /// Sets the slots. Answered when it would survive a crash.
    pub async fn set_cap(&self, cap: u64) -> Result<(), CallError> {
        self.call(|reply| Ask::Steer(Steering::Cap(cap), reply)).await
    }

    /// Sets the shares of the lanes and what polls may come. Answered like the others; the settings
    /// decide at the next start.
    pub async fn tune(&self, to: Tuning) -> Result<(), CallError> {
        self.call(|reply| Ask::Steer(Steering::Tune(to), reply)).await
    }

    /// What is to be seen of a player who may stand in line as any of these owners, without any effect
    /// on them.
    pub async fn see(&self, player: Player, owners: Vec<Identity>) -> Result<Seen, CallError> {
        self.call(|reply| Ask::See(player, owners, reply)).await
    }

    /// Opens, pauses, drains or closes the line for maintenance; places are kept. Answered when it
    /// would survive a crash; after the answer to a pause nobody is admitted.
    pub async fn announce(&self, announced: Announcement) -> Result<(), CallError> {
        self.call(|reply| Ask::Steer(Steering::Announce(announced), reply)).await
    }

    /// Where to say what is measured of sign-ins and told by game servers. The line hears it once a
    /// second.
    pub fn sensors(&self) -> &Sensors {
        &self.0.sensors
    }

    /// Takes up what the settings say of an opening: schedules it, goes on with it, or calls it off
    /// (`None`). Answered when it would survive a crash.
    pub async fn schedule_opening(
        &self,
        plan: Option<OpeningPlan>,
    ) -> Result<Result<(), ScheduleRefused>, CallError> {
        self.call(|reply| Ask::Schedule(plan, reply)).await
    }

    /// What the line's clock says.
    pub fn now(&self) -> UnixMicros {
        self.0.clock.now()
    }

    /// How far the opening is, and every change of that.
    pub fn opening(&self) -> watch::Receiver<Arc<Notice>> {
        self.0.notice.clone()
    }

    /// The value of the beacon of this lottery.
    pub fn public_seed(&self, id: LotteryId, seed: PublicSeed) -> Result<(), CallError> {
        self.tell(Ask::PublicSeed(id, seed))
    }

    /// A file of a lottery that may be shown to everybody at this moment; `None`: there is no such
    /// file. Blocks for two reads from disk.
    pub fn lottery_file(&self, id: &LotteryId, name: &str) -> Option<PathBuf> {
        match self.0.lotteries.public_file(id, name) {
            Ok(file) => file,
            Err(LotteryFileError::Unknown(_)) => None,
            Err(error) => {
                tracing::error!(%error, "a lottery cannot be read");
                None
            }
        }
    }

    /// What the line counts, for metrics and operators.
    pub async fn figures(&self) -> Result<Figures, CallError> {
        self.call(Ask::Figures).await
    }

    /// What is counted of the journal; `None`: there is none.
    pub fn journal(&self) -> Option<&JournalFigures> {
        self.0.journal.as_deref()
    }

    /// Writes the line exactly as it is and stops. Calls from now on get no answer. Closing a line
    /// that has stopped does nothing.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.0.addr.try_send(Ask::Close(reply)).is_ok() {
            // An error means it stopped already, or failed: `Stopped` says which.
            let _ = closed.await;
        }
    }

    /// Time has passed: with a manual clock ([`crate::clock::Clock::manual`]) the line has no alarm
    /// of its own and must be told. Does what is due by the clock and returns when it is done.
    pub async fn turn(&self) {
        // A line that has stopped has nothing due.
        let _ = self.call(Ask::Turn).await;
    }

    /// The fingerprint of somebody's credential: keyed, so that nobody can aim at another's. Never
    /// [`Identity::ANONYMOUS`]. The same across restarts as long as the key is.
    pub fn identity(&self, kind: &str, id: &str) -> Identity {
        Identity::of(&self.0.identity_key, kind, id)
    }

    async fn call<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, CallError> {
        let _seat = self.0.callers.take()?;
        self.ask(ask).await
    }

    /// Hands over what needs no answer; refused, not lost, when the mailbox is full.
    fn tell(&self, ask: Ask) -> Result<(), CallError> {
        self.0.addr.try_send(ask).map_err(|error| refused(&error))
    }

    /// Asks on behalf of callers who are counted already.
    async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, CallError> {
        let (reply, answer) = oneshot::channel();
        self.tell(ask(reply))?;
        patiently(answer).await
    }
}

async fn patiently<T>(answer: oneshot::Receiver<T>) -> Result<T, CallError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) | Err(_) => Err(CallError::NoAnswer),
    }
}

/// A message that was not taken.
fn refused(error: &actix::prelude::SendError<Ask>) -> CallError {
    match error {
        actix::prelude::SendError::Full(_) => CallError::Overloaded,
        actix::prelude::SendError::Closed(_) => CallError::NoAnswer,
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("callers", &self.0.callers).finish_non_exhaustive()
    }
}
