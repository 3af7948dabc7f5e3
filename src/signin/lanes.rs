//! Before somebody stands in line: which lane he gets, and that nobody waits who may not play.

use serde_json::{Map, Value};

use super::guard::Entrant;
use super::hooks::HookError;
use super::proving::{Claim, Named};
use super::{Door, Origin, SignInError};
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, Link, LinkKind, Refusal};
use crate::domain::hook::{HookCall, HookEvent};
use crate::domain::lane_rules;
use crate::domain::queue::{Identity, Lane, Standing};

/// Who is about to stand in line, as far as anybody knows.
#[derive(Clone, Copy, Default)]
pub(super) struct Newcomer<'a> {
    pub account: Option<&'a Account>,
    /// The way they are about to sign in by.
    pub link: Option<&'a Link>,
    /// What their session says.
    pub claims: Option<&'a Map<String, Value>>,
}

impl Door {
    /// The lane of somebody who stands in line anew. Whoever has a place keeps it, with its lane, and
    /// nobody is asked.
    ///
    /// # Errors
    ///
    /// [`HookError::Refused`], or no answer of the line. A hook that gives no answer keeps nobody out:
    /// the rules decide then.
    pub(super) async fn lane_for(
        &self,
        identity: Identity,
        newcomer: Newcomer<'_>,
        origin: Origin,
    ) -> Result<Lane, SignInError> {
        let Newcomer { account, link, claims } = newcomer;
        let rules = &self.lane_rules.get();
        let mut lane =
            lane_rules::lane(rules, &self.realm(), lane_rules::Entrant { account, claims });
        let is_somebody = account.is_some() || link.is_some();
        if is_somebody && self.hooks.want(HookEvent::QueueEnter) {
            if self.line.first_in_line(vec![identity]).await?.is_some() {
                return Ok(Lane::Standard);
            }
            let call = HookCall {
                link: link.cloned(),
                ..self.hook_call(HookEvent::QueueEnter, account, origin)
            };
            match Box::pin(self.hooks.ask(call)).await {
                Ok(given) => lane = given.lane.map(Into::into).or(lane),
                Err(HookError::Unavailable(_)) => {}
                Err(refused @ HookError::Refused(_)) => return Err(refused.into()),
            }
        }
        Ok(lane.unwrap_or_default())
    }

    /// Takes or finds the place of somebody who signs in and has no ticket.
    ///
    /// # Errors
    ///
    /// [`Refusal::Banned`]: they have no place then; those of [`Door::lane_for`].
    pub(super) async fn stand_in_line(
        &self,
        claim: &Claim,
        identity: Identity,
        entrant: Entrant,
    ) -> Result<Standing, SignInError> {
        let decides = !self.lane_rules.get().is_empty() || self.hooks.want(HookEvent::QueueEnter);
        let lane = if decides {
            let account = self.accounts.find(claim.key()).await?;
            let (account, link) = (account.as_ref(), claim.link());
            let origin = Origin::nakama(entrant.from);
            self.lane_for(identity, Newcomer { account, link, claims: None }, origin).await?
        } else {
            Lane::Standard
        };
        let standing = self.take_place(identity, lane, entrant).await?;
        // Whoever comes in hears of a ban by the sign-in itself. Only who has proven who they are
        // hears of it here: by name and password everybody could ask who is banned.
        if let (Standing::Waiting(waiting), Some(link)) = (&standing, claim.link())
            && let Some(account) = self.accounts.glimpse(&Key::Link(link.clone()))
            && account.is_banned(self.clock.now())
        {
            self.line.leave(waiting.ticket).await?;
            return Err(Refusal::Banned.into());
        }
        Ok(standing)
    }
}

impl Claim {
    /// The account this may be of.
    fn key(&self) -> Key {
        match self {
            Self::Link(verified) => Key::Link(verified.link.clone()),
            Self::Named(Named::Email(email), _) => {
                Key::Link(Link { kind: LinkKind::Email, id: email.clone() })
            }
            Self::Named(Named::Username(username), _) => Key::Username(username.clone()),
        }
    }

    /// The link, if that is proven.
    const fn link(&self) -> Option<&Link> {
        match self {
            Self::Link(verified) => Some(&verified.link),
            Self::Named(..) => None,
        }
    }
}
