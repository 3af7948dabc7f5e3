//! Places that are shared and handed on, and slots that are taken: whoever asked hears of it when it
//! holds.

use tokio::sync::oneshot;

use super::actor::{LoginQueue, Newcomer, tell};
use super::ask::Reply;
use crate::domain::queue::{
    Departure, Identity, Lane, NoParty, NoSlot, NotTransferred, Player, Standing, TicketRef,
    Waiting,
};
use crate::domain::time::UnixMicros;
use crate::store::line::Place;

impl LoginQueue {
    /// Takes a place beside somebody's. The owner hears of it when a crash could not undo it.
    pub(super) fn join(
        &mut self,
        now: UnixMicros,
        identity: Identity,
        lane: Lane,
        first: TicketRef,
    ) -> Result<oneshot::Receiver<Standing>, NoParty> {
        self.queue.may_join(identity, first)?;
        let (reply, answer) = oneshot::channel();
        self.enter(now, Newcomer { identity, lane, first: Some(first), reply });
        Ok(answer)
    }

    /// Hands a place on. The new owner hears of it when a crash could not undo it.
    pub(super) fn transfer(
        &mut self,
        now: UnixMicros,
        ticket: TicketRef,
        to: Identity,
    ) -> Result<oneshot::Receiver<Standing>, NotTransferred> {
        let standing = self.queue.transfer(now, ticket, to)?;
        let (reply, answer) = oneshot::channel();
        match standing {
            Standing::Waiting(Waiting { ticket: moved, .. })
            | Standing::Passed { ticket: moved, .. }
                if to != ticket.identity =>
            {
                self.log_place(Place { number: moved.number, identity: to, lane: moved.lane });
                self.unsynced.answer(moved.number, standing, reply);
            }
            _ => tell(reply, standing),
        }
        Ok(answer)
    }

    /// Gives a player's socket its slot.
    pub(super) fn connect(
        &mut self,
        now: UnixMicros,
        player: Player,
        reply: Reply<Result<(), NoSlot>>,
    ) {
        let answer = self.queue.connect(now, player);
        let taken = answer.is_ok();
        if reply.send(answer).is_err() && taken {
            // Whoever opened the socket is gone, so nobody would ever give the slot back.
            self.queue.disconnect(now, player, Departure::Dropped);
        }
    }
}
