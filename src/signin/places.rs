//! Places in line as the queue API asks for them: for an account, a device, or nobody; how they stand.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::{oneshot, watch};

use super::guard::{Challenged, Entrant};
use super::lanes::Newcomer;
use super::{Door, Origin, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::Key;
use crate::domain::abuse::challenge::Answer;
use crate::domain::abuse::{Manner, Verdict};
use crate::domain::account::{Account, AccountId, LinkKind, Refusal};
use crate::domain::queue::{
    Checked, Frame, Identity, Lane, NoParty, NotTransferred, Number, Standing, TicketRef,
    Whereabouts,
};

/// Links of an account that are looked at to find its place.
const LINKS_MAX: usize = 64;

/// Whose a place is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Nobody in particular: a new place each time, bound to its token alone.
    Nobody,
    /// Whoever this fingerprint is of; see [`Door::device_identity`].
    Place(Identity),
    /// An account, whose owner has proven it.
    Account(AccountId),
}

/// Who asks for a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Asker {
    /// Whose it is to be.
    pub owner: Owner,
    /// `extSessionInfo` of the session that proves them.
    pub claims: Map<String, Value>,
}

/// What somebody who asks for a place shows beside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shows<'a> {
    /// The secret of the device.
    pub device_key: Option<&'a str>,
    /// The answer to a challenge.
    pub answer: Option<Answer<'a>>,
}

/// Why somebody got no place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EnterError {
    /// Not before a challenge is answered.
    #[error("a challenge has to be answered first")]
    Challenged(Challenged),
    /// The party takes nobody.
    #[error(transparent)]
    Party(#[from] NoParty),
    /// A limit or a rule refuses, or no answer.
    #[error(transparent)]
    Refused(#[from] SignInError),
}

/// Why a place did not go to another owner.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransferError {
    /// The line says no.
    #[error(transparent)]
    Refused(#[from] NotTransferred),
    /// The new owner may not have it, or no answer.
    #[error(transparent)]
    Owner(#[from] SignInError),
}

impl Door {
    /// How long the owner of a place is to stay away, in milliseconds, because the server stops; `None`:
    /// it does not.
    pub fn back_in_ms(&self, number: Number) -> Option<u64> {
        self.sockets.back_in_ms(number.0)
    }

    /// Where somebody stands; who waits is told to ask again when the server is there again.
    pub(super) fn put_off(&self, mut standing: Standing) -> Standing {
        match &mut standing {
            Standing::Waiting(waiting) => {
                if let Some(back_in_ms) = self.back_in_ms(waiting.ticket.number) {
                    waiting.poll_after_ms = waiting.poll_after_ms.max(back_in_ms);
                }
            }
            Standing::Refused { retry_after_ms, .. } => {
                // Who has no number gets a moment by lot.
                if self.sockets.is_leaving() {
                    let lot = u64::from_le_bytes(self.dice.bytes());
                    let back_in_ms = self.sockets.back_in_ms(lot).unwrap_or_default();
                    *retry_after_ms = back_in_ms.max(*retry_after_ms);
                }
            }
            Standing::Passed { .. } | Standing::HoldsSlot => {}
        }
        standing
    }

    /// The fingerprint of a device by its secret.
    pub fn device_identity(&self, secret: &str) -> Identity {
        self.line.identity("device-key", secret)
    }

    /// Takes a place in line, or finds the one that is there: one owner has one place.
    ///
    /// # Errors
    ///
    /// [`EnterError::Challenged`]; [`SignInError::Busy`] when this address or owner asks too often,
    /// [`Refusal::Banned`], [`Refusal::NoAccount`], or no answer.
    pub async fn enter_line_as(
        &self,
        asker: Asker,
        shows: Shows<'_>,
        from: Option<IpAddr>,
    ) -> Result<Standing, EnterError> {
        match self.entrant(&asker, shows, from).await? {
            None => Ok(Standing::HoldsSlot),
            Some((identity, lane, entrant)) => Ok(self.take_place(identity, lane, entrant).await?),
        }
    }

    /// The same, to come in together with the owner of a ticket.
    ///
    /// # Errors
    ///
    /// As before, and [`EnterError::Party`]; no place was taken.
    pub async fn join_line(
        &self,
        asker: Asker,
        first: TicketRef,
        shows: Shows<'_>,
        from: Option<IpAddr>,
    ) -> Result<Standing, EnterError> {
        match self.entrant(&asker, shows, from).await? {
            None => Ok(Standing::HoldsSlot),
            Some((identity, lane, entrant)) => {
                self.take_place_with(first, identity, lane, entrant).await
            }
        }
    }

    /// Who is about to take a place, if they need one: within the limits, asked what there is to ask,
    /// and in the lane they are to have.
    async fn entrant(
        &self,
        Asker { owner, claims }: &Asker,
        shows: Shows<'_>,
        from: Option<IpAddr>,
    ) -> Result<Option<(Identity, Lane, Entrant)>, EnterError> {
        let owner = *owner;
        self.limit_entry(from)?;
        if owner != Owner::Nobody {
            let limited = self.limits.identity(owner).map_err(SignInError::from);
            limited.inspect_err(|_| self.guard.count(Verdict::LimitedIdentity))?;
        }
        let account = self.account_in_line(owner).await?;
        let Some(identity) = self.identity_for(account.as_ref(), owner).await? else {
            return Ok(None);
        };
        let manner = if account.is_some() || self.line.holds_slot(identity) {
            Manner::Proven
        } else {
            let asked = self.guard.ask(from, shows.device_key, shows.answer);
            asked.map_err(EnterError::Challenged)?
        };
        // Whoever has an account may have come by Nakama's or by Pragma's wire: nobody knows.
        let newcomer = Newcomer { account: account.as_ref(), link: None, claims: Some(claims) };
        let lane = self.lane_for(identity, newcomer, Origin::unknown(from)).await?;
        Ok(Some((identity, lane, Entrant { from, manner })))
    }

    /// Whose place an owner's is. `None`: they hold a slot, so they need none.
    ///
    /// An account stands in line as the link it will sign in by, so that this sign-in finds the place.
    /// Which one that will be nobody knows: it is the one that has a place already, or the first.
    pub(super) async fn identity_in_line(
        &self,
        owner: Owner,
    ) -> Result<Option<Identity>, SignInError> {
        let account = self.account_in_line(owner).await?;
        self.identity_for(account.as_ref(), owner).await
    }

    async fn identity_for(
        &self,
        account: Option<&Account>,
        owner: Owner,
    ) -> Result<Option<Identity>, SignInError> {
        match (account, owner) {
            (Some(account), _) => self.identity_of_account(account).await,
            (None, Owner::Place(identity)) => Ok(Some(identity)),
            (None, _) => Ok(Some(Identity::ANONYMOUS)),
        }
    }

    /// The account that is to stand in line; `None`: somebody without.
    async fn account_in_line(&self, owner: Owner) -> Result<Option<Account>, SignInError> {
        let Owner::Account(account) = owner else { return Ok(None) };
        let account = self.accounts.find(Key::Id(account)).await?.ok_or(Refusal::NoAccount)?;
        if account.is_banned(self.clock.now()) {
            return Err(Refusal::Banned.into());
        }
        Ok(Some(account))
    }

    async fn identity_of_account(
        &self,
        account: &Account,
    ) -> Result<Option<Identity>, SignInError> {
        let identities = self.identities_of(account);
        if identities.iter().any(|&identity| self.line.holds_slot(identity)) {
            return Ok(None);
        }
        let first = identities.first().copied().unwrap_or_default();
        if identities.len() < 2 {
            return Ok(Some(first));
        }
        Ok(Some(self.line.first_in_line(identities).await?.unwrap_or(first)))
    }

    /// Every fingerprint a sign-in to this account may have.
    pub(super) fn identities_of(&self, account: &Account) -> Vec<Identity> {
        let links = account.links.iter().take(LINKS_MAX);
        let mut all: Vec<_> = links.map(|link| self.identity_of_link(link)).collect();
        if account.link(LinkKind::Email).is_some() {
            all.push(self.line.identity("username", &account.username));
        }
        all
    }

    /// Where a ticket stands, for somebody who watches the frame: told to come back much later.
    /// Renews its lease.
    ///
    /// # Errors
    ///
    /// As [`Door::check_ticket`].
    pub async fn watch_ticket(&self, ticket: TicketRef) -> Result<Checked, SignInError> {
        self.limits.poll(ticket.number)?;
        Ok(self.line.watch(ticket).await?)
    }

    /// Where a ticket stands, asked by the server itself on behalf of somebody on a stream.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn look_after(&self, ticket: TicketRef) -> Result<Checked, CallError> {
        self.line.check(ticket).await
    }

    /// Answers when a ticket waits no more, or no more where it did. Dropping it costs nothing.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn turn_of(&self, ticket: TicketRef) -> Result<oneshot::Receiver<()>, CallError> {
        self.line.turn_of(ticket).await
    }

    /// Where the place of a forgotten ticket is.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn whereabouts(&self, ticket: TicketRef) -> Result<Whereabouts, CallError> {
        self.line.whereabouts(ticket).await
    }

    /// Gives the place of a ticket to another owner, durably. Who holds a slot needs none: the place is
    /// then where it was.
    ///
    /// # Errors
    ///
    /// [`TransferError`]
    pub async fn transfer_place(
        &self,
        ticket: TicketRef,
        to: Owner,
        from: Option<IpAddr>,
    ) -> Result<Standing, TransferError> {
        self.limit_entry(from)?;
        self.limits.transfer(ticket.number).map_err(SignInError::from)?;
        let Some(to) = self.identity_in_line(to).await? else {
            return Ok(Standing::HoldsSlot);
        };
        let moved = self.line.transfer(ticket, to).await.map_err(SignInError::from)?;
        Ok(moved?)
    }

    /// Gives a place up. `false`: there was none.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn leave_line(&self, ticket: TicketRef) -> Result<bool, CallError> {
        self.line.leave(ticket).await
    }

    /// The state of the whole line, at most about a second old.
    pub fn frame(&self) -> Arc<Frame> {
        self.line.frame()
    }

    /// The frames as they are posted; one can wait for the next.
    pub fn frames(&self) -> watch::Receiver<Arc<Frame>> {
        self.line.frames()
    }
}
