//! Whose place it is: sharing it, handing it on, finding it, and who needs none.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Ask, CallError, Line, patiently};
use crate::domain::queue::{
    Frame, Identity, Lane, NoParty, NotTransferred, Standing, TicketRef, Whereabouts,
};

impl Line {
    /// As [`Line::enter`], to come in together with the owner of `first`
    /// ([`crate::domain::queue::Queue::join`]).
    pub async fn join(
        &self,
        identity: Identity,
        lane: Lane,
        first: TicketRef,
    ) -> Result<Result<Standing, NoParty>, CallError> {
        let _seat = self.0.callers.take()?;
        match self.ask(|reply| Ask::Join(identity, lane, first, reply)).await? {
            Ok(answer) => Ok(Ok(patiently(answer).await?)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Gives the place of a ticket to another owner ([`crate::domain::queue::Queue::transfer`]).
    /// Answered when it would survive a crash.
    pub async fn transfer(
        &self,
        ticket: TicketRef,
        to: Identity,
    ) -> Result<Result<Standing, NotTransferred>, CallError> {
        let _seat = self.0.callers.take()?;
        match self.ask(|reply| Ask::Transfer(ticket, to, reply)).await? {
            Ok(answer) => Ok(Ok(patiently(answer).await?)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Where the place of a forgotten ticket is.
    pub async fn whereabouts(&self, ticket: TicketRef) -> Result<Whereabouts, CallError> {
        self.call(|reply| Ask::Whereabouts(ticket, reply)).await
    }

    /// The first of these owners who has a place.
    pub async fn first_in_line(
        &self,
        owners: Vec<Identity>,
    ) -> Result<Option<Identity>, CallError> {
        self.call(|reply| Ask::FirstInLine(owners, reply)).await
    }

    /// Whether this owner holds a slot now. Cheap: no call.
    pub fn holds_slot(&self, owner: Identity) -> bool {
        self.0.holders.has(owner, self.0.clock.now())
    }

    /// The frames as they are posted, about one a second: one can wait for the next. Ends with the
    /// line.
    pub fn frames(&self) -> watch::Receiver<Arc<Frame>> {
        self.0.posted.clone()
    }
}
