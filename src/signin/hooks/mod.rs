//! Hooks: a studio's own code is asked before something is done to an account, and told once an
//! account was made or is gone (protocol-pragma §6.3). One place for both protocols.
//!
//! [`AccountHooks`] is what a studio compiles in; the one that is built in calls the address of
//! `[hooks]`. What cannot be asked is a no: nothing is done, and the caller may come back.

mod asking;
mod figures;
mod telling;
mod webhook;

pub use asking::Origin;
pub(super) use asking::{Allowed, Deed};
pub use figures::HookFigures;

use std::sync::Arc;
use std::time::Duration;

pub use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::HooksConfig;
use crate::domain::hook::{Given, HookCall, HookEvent, Verdict};
use crate::identity::webhook::Webhook;
use crate::ids::Dice;
use figures::Outcome;
use webhook::ByAddress;

/// What a studio decides, and hears, about accounts. `docs/hooks.md` says what is asked when.
///
/// It is asked at most `hooks.concurrency` times at once and given up after `hooks.timeout_ms`. A
/// panic is no answer.
pub trait AccountHooks: Send + Sync {
    /// What it wants to be asked about and told of; read once, at the start.
    fn events(&self) -> Vec<HookEvent>;

    /// Whether something may be done. What the verdict brings along is checked: a message is cut, a
    /// display name that cannot be is an outage.
    ///
    /// # Errors
    ///
    /// [`HookDown`]: it cannot be said; nothing is done. A no is [`Verdict::Refuse`].
    fn decide<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<Verdict, HookDown>>;

    /// Something was done and is durable. Told again, with the same id, after an error.
    ///
    /// # Errors
    ///
    /// [`HookDown`]: it was not heard.
    fn hear<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<(), HookDown>>;
}

/// Why a hook gave no answer: words for logs, without anything secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HookDown(pub &'static str);

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The hook said no; these words are for the player: short and visible.
    #[error("refused by a hook: {0}")]
    Refused(String),
    /// It gave no answer: come back.
    #[error("a hook gave no answer: {0}")]
    Unavailable(&'static str),
}

/// Those who are asked and told; nobody, unless there are any. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hooks(Option<Arc<Called>>);

struct Called {
    by: Arc<dyn AccountHooks>,
    events: Vec<HookEvent>,
    /// Places among the calls at once.
    places: Arc<Semaphore>,
    /// Places among what is yet to be told.
    untold: Arc<Semaphore>,
    timeout: Duration,
    /// Where what is told is told from: not the thread of whoever asked.
    runtime: Handle,
    dice: Dice,
    figures: HookFigures,
}

impl Hooks {
    /// Hooks by these, within the bounds of the settings. To be called where the server runs.
    pub fn new(by: Arc<dyn AccountHooks>, config: &HooksConfig, dice: Dice) -> Self {
        Self(Some(Arc::new(Called {
            events: by.events(),
            by,
            places: Arc::new(Semaphore::new(config.concurrency)),
            untold: Arc::new(Semaphore::new(telling::UNTOLD_MAX)),
            timeout: Duration::from_millis(config.timeout_ms),
            runtime: Handle::current(),
            dice,
            figures: HookFigures::default(),
        })))
    }

    /// Hooks by the address of the settings.
    pub fn by_address(webhook: Webhook, config: &HooksConfig, dice: Dice) -> Self {
        let events = config.events.clone();
        Self::new(Arc::new(ByAddress { webhook, events }), config, dice)
    }

    /// Whether anybody wants to know of this.
    pub fn want(&self, event: HookEvent) -> bool {
        self.0.as_ref().is_some_and(|called| called.events.contains(&event))
    }

    /// What came of calls; `None`: there are no hooks.
    pub fn figures(&self) -> Option<&HookFigures> {
        self.0.as_ref().map(|called| &called.figures)
    }

    /// Asks whether something may be done, if anybody wants to be asked.
    ///
    /// # Errors
    ///
    /// [`HookError`]: it may not, now or at all.
    pub(super) async fn ask(&self, call: HookCall) -> Result<Given, HookError> {
        let Some(called) = self.0.as_ref().filter(|called| called.events.contains(&call.event))
        else {
            return Ok(Given::default());
        };
        let (id, event) = (call.id, call.event);
        let answer = called.decide(call).await;
        called.figures.count(event, Outcome::of(&answer));
        match answer {
            Ok(Verdict::Allow(given)) => Ok(given),
            Ok(Verdict::Refuse(message)) => {
                tracing::debug!(event = event.name(), %id, "a hook refused");
                Err(HookError::Refused(message))
            }
            Err(HookDown(why)) => {
                tracing::info!(event = event.name(), %id, why, "a hook gave no answer");
                Err(HookError::Unavailable(why))
            }
        }
    }
}

impl Called {
    async fn decide(&self, call: HookCall) -> Result<Verdict, HookDown> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| HookDown("too many calls at once"))?;
        let by = Arc::clone(&self.by);
        let verdict = self.bounded(place, async move { by.decide(&call).await }).await?;
        verdict.checked().map_err(|_| HookDown("its display name cannot be"))
    }

    /// An answer within the time; on a task of its own, so that a panic ends nothing else.
    async fn bounded<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        asking: impl Future<Output = Result<T, HookDown>> + Send + 'static,
    ) -> Result<T, HookDown> {
        let limit = self.timeout;
        let asked = tokio::spawn(async move {
            let _place = place;
            tokio::time::timeout(limit, asking).await
        });
        match asked.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(HookDown("no answer in time")),
            Err(_) => Err(HookDown("it panicked")),
        }
    }
}

#[cfg(test)]
mod tests;
