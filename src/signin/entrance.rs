//! Past the line: by pass, by implicit ticket, or not at all; and what becomes of the slot when the
//! sign-in fails or the client hangs up halfway.

use super::door::Door;
use super::guard::Entrant;
use super::proving::Claim;
use super::{Entrance, SignInError};
use crate::actors::account_registry::PassUse;
use crate::actors::{CallError, Line};
use crate::domain::queue::{Identity, Number, Player, Standing, TicketRef, Work};
use crate::domain::time::UnixMicros;
use crate::observe::trace;

/// Somebody who got past the line and has yet to prove who they are. Ends in
/// [`Entered::redeemed`] or [`Entered::failed`]; dropped without either, because the client hung up,
/// it counts as failed: a wrong password must not hold a slot.
pub(super) struct Entered {
    line: Line,
    way: Way,
}

enum Way {
    /// A pass token the client brought. It stays good when the sign-in fails.
    Pass { ticket: TicketRef, expires_at: UnixMicros },
    /// Admitted by an implicit ticket. `on_the_spot`: nobody waited for it, so a failed sign-in
    /// gives the slot back at once; otherwise the pass stays for another try.
    Implicit { number: Number, on_the_spot: bool },
    /// Needs no slot now: holds one, or does not queue.
    Exempt,
    /// Settled, or outside the line; nothing to give back.
    Done,
}

impl Door {
    pub(super) async fn pass_the_line(
        &self,
        entrance: &Entrance,
        claim: &Claim,
        identity: Identity,
        entrant: Entrant,
    ) -> Result<Entered, SignInError> {
        let way = match *entrance {
            Entrance::Exempt => Way::Exempt,
            Entrance::Outside => Way::Done,
            Entrance::Pass { ticket, expires_at } => {
                return self.begin_pass(ticket, expires_at).await;
            }
            Entrance::Implicit => match self.stand_in_line(claim, identity, entrant).await? {
                Standing::HoldsSlot => Way::Exempt,
                Standing::Passed { ticket, on_the_spot, .. } => {
                    Way::Implicit { number: ticket.number, on_the_spot }
                }
                waiting => return Err(SignInError::Wait(waiting)),
            },
        };
        Ok(Entered { line: self.line.clone(), way })
    }

    /// Past the line by the pass that somebody brought.
    pub(super) async fn begin_pass(
        &self,
        ticket: TicketRef,
        expires_at: UnixMicros,
    ) -> Result<Entered, SignInError> {
        trace::step("redeem pass", self.line.begin_redeem(ticket)).await??;
        Ok(Entered { line: self.line.clone(), way: Way::Pass { ticket, expires_at } })
    }
}

impl Entered {
    /// The pass to redeem in the same commit as the sign-in. An implicit ticket never left the
    /// server, so nobody else can redeem it and nothing needs to be remembered.
    pub(super) fn pass_use(&self) -> Option<PassUse> {
        match self.way {
            Way::Pass { ticket, expires_at } => Some(PassUse {
                epoch: ticket.epoch,
                number: ticket.number.0,
                remember_until: expires_at,
            }),
            _ => None,
        }
    }

    /// The place this came by, if it took one.
    pub(super) const fn place(&self) -> Option<Number> {
        match self.way {
            Way::Pass { ticket, .. } => Some(ticket.number),
            Way::Implicit { number, .. } => Some(number),
            Way::Exempt | Way::Done => None,
        }
    }

    /// Lets the line hear how long the sign-in took, and whether there was an answer at all.
    pub(super) fn measure(&self, result: Result<Work, &SignInError>, took_ms: u64) {
        let sensors = self.line.sensors();
        match (&self.way, result) {
            (Way::Done, _) => {}
            (_, Err(SignInError::Call(_))) => sensors.failed(),
            (_, Err(_)) => {}
            (Way::Exempt, Ok(_)) => sensors.returned(took_ms),
            (Way::Pass { .. } | Way::Implicit { .. }, Ok(work)) => sensors.signed_in(work, took_ms),
        }
    }

    /// The sign-in is durable: the slot is the player's and waits for the socket.
    pub(super) fn redeemed(
        mut self,
        player: Player,
        identity: Identity,
        work: Work,
    ) -> Result<(), CallError> {
        match std::mem::replace(&mut self.way, Way::Done) {
            Way::Pass { ticket, .. } => {
                self.line.finish_redeem(ticket.number, player, identity, work)
            }
            Way::Implicit { number, .. } => self.line.finish_redeem(number, player, identity, work),
            Way::Exempt => self.line.admit_exempt(player, identity),
            Way::Done => Ok(()),
        }
    }

    /// The sign-in came to nothing: the slot goes back, or the pass is good again.
    pub(super) async fn failed(mut self) {
        if let Some((number, give_back)) = self.unsettled() {
            abandon(self.line.clone(), number, give_back).await;
        }
    }

    /// What to give up, once: the pass, and whether its slot is to be free at once.
    fn unsettled(&mut self) -> Option<(Number, bool)> {
        match std::mem::replace(&mut self.way, Way::Done) {
            Way::Pass { ticket, .. } => Some((ticket.number, false)),
            Way::Implicit { number, on_the_spot } => Some((number, on_the_spot)),
            Way::Exempt | Way::Done => None,
        }
    }
}

impl Drop for Entered {
    /// On whatever thread a call is dropped: the runtime itself takes the task, for there need not
    /// be a loop of actix around, as there is none while a worker ends.
    fn drop(&mut self) {
        let Some((number, give_back)) = self.unsettled() else { return };
        let abandoned = abandon(self.line.clone(), number, give_back);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(abandoned));
        } else {
            tracing::warn!("a dropped sign-in's slot lapses by time: no runtime here");
        }
    }
}

async fn abandon(line: Line, number: Number, give_back: bool) {
    if let Err(error) = line.abandon_redeem(number, give_back).await {
        tracing::warn!(%error, "a failed sign-in's slot lapses by time instead of at once");
    }
}
