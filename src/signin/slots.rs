//! Slots as game servers use them (login-queues §6): a pass redeemed at the game's own door, players
//! counted while they are in its world, and given up when they leave.

use uuid::Uuid;

use super::{Door, Entrance, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::{Key, PassUse};
use crate::domain::account::AccountId;
use crate::domain::queue::{Departure, Player, Work};

/// Somebody in a game server's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InWorld {
    /// A player with an account, by their player id on any shard.
    Player(Uuid),
    /// Somebody who came by a pass alone, by the session the game server named.
    Session(Uuid),
}

impl Door {
    /// Redeems a pass for a session of the game server's own; exactly once, and again by the same
    /// session. The slot is kept for a lease.
    ///
    /// # Errors
    ///
    /// [`SignInError::Pass`], [`SignInError::Refused`] when another session had it; no answer.
    pub async fn redeem_slot(&self, pass: &Entrance, session: Uuid) -> Result<(), SignInError> {
        let Entrance::Pass { ticket, expires_at } = *pass else {
            return Ok(());
        };
        let entered = self.begin_pass(ticket, expires_at).await?;
        let used =
            PassUse { epoch: ticket.epoch, number: ticket.number.0, remember_until: expires_at };
        let began = self.clock.now();
        let redeemed = self.accounts.redeem(AccountId(session), used).await;
        let redeemed = redeemed.map(|()| Work::Known).map_err(SignInError::from);
        entered.measure(redeemed.as_ref().copied(), self.clock.now().since_ms(began));
        let work = match redeemed {
            Ok(work) => work,
            Err(error) => {
                entered.failed().await;
                return Err(error);
            }
        };
        self.guard.signed_in(ticket.number, None);
        entered.redeemed(player(session), ticket.identity, work)?;
        self.line.keep(vec![player(session)]).await?;
        Ok(())
    }

    /// A game server says how it is, 0 to 1: below 0.8 it has too much to do.
    pub fn hear_health(&self, health: f64) {
        self.line.sensors().health(health);
    }

    /// Keeps the slots of everybody in a world for another lease. Gives back who is nobody.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn keep_slots(&self, present: &[InWorld]) -> Result<Vec<Uuid>, CallError> {
        let (mut players, mut unknown) = (Vec::with_capacity(present.len()), Vec::new());
        for (asked, one) in present.iter().enumerate() {
            match (self.holder_of(*one).await?, one) {
                (Some(holder), _) => players.push(holder),
                (None, InWorld::Player(id) | InWorld::Session(id)) => unknown.push(*id),
            }
            super::users::let_others_run(asked).await;
        }
        self.line.keep(players).await?;
        Ok(unknown)
    }

    /// Gives up the slot of somebody who has left a world. `false`: nobody has that id.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn leave_slot(&self, who: InWorld, how: Departure) -> Result<bool, CallError> {
        let Some(holder) = self.holder_of(who).await? else {
            return Ok(false);
        };
        self.line.give_up(holder, how).await?;
        Ok(true)
    }

    async fn holder_of(&self, who: InWorld) -> Result<Option<Player>, CallError> {
        match who {
            InWorld::Session(session) => Ok(Some(player(session))),
            InWorld::Player(id) => {
                let account = self.accounts.find(Key::Player(id)).await?;
                Ok(account.map(|account| player(account.id.0)))
            }
        }
    }
}

const fn player(id: Uuid) -> Player {
    Player(id.as_u128())
}
