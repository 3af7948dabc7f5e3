//! What is told once it is durable: never in the way of whoever did it, a few times if it is not
//! heard, and not beyond the life of this process.

use std::sync::Arc;
use std::time::Duration;

use super::figures::Outcome;
use super::{Called, HookDown, Hooks};
use crate::actors::Accounts;
use crate::domain::account::AccountNews;
use crate::domain::hook::{HookCall, HookEvent, retry_after_ms};

/// Most that may be yet to be told; what comes on top is dropped.
pub(super) const UNTOLD_MAX: usize = 4_096;

impl Hooks {
    /// From now on what the registry makes and deletes is told, if anybody wants to hear it. To be
    /// called once.
    pub fn listen_to(&self, accounts: &Accounts) {
        if self.want(HookEvent::AccountCreated) || self.want(HookEvent::AccountDeleted) {
            let hooks = self.clone();
            accounts.on_accounts(move |news| hooks.tell(&news));
        }
    }

    /// Tells of an account that was made or is gone, some time soon. Does not wait.
    pub(super) fn tell(&self, news: &AccountNews) {
        let Some(called) = &self.0 else { return };
        let call = HookCall::of_news(called.dice.uuid(), news);
        if !self.want(call.event) {
            return;
        }
        let Ok(place) = Arc::clone(&called.untold).try_acquire_owned() else {
            called.drop_untold(&call, "too much is yet to be told");
            return;
        };
        let called = Arc::clone(called);
        let runtime = called.runtime.clone();
        runtime.spawn(async move {
            let _place = place;
            called.tell(call).await;
        });
    }

    /// Waits until everything is told, but no longer than a call may take: what is still left then
    /// is dropped.
    pub async fn finish(&self) {
        let Some(called) = &self.0 else { return };
        let all = u32::try_from(UNTOLD_MAX).unwrap_or(u32::MAX);
        let told = tokio::time::timeout(called.timeout, called.untold.acquire_many(all)).await;
        if told.is_err() {
            let left = UNTOLD_MAX - called.untold.available_permits();
            tracing::warn!(left, "the server stops before hooks were told of everything");
        }
    }
}

impl Called {
    async fn tell(&self, call: HookCall) {
        let call = Arc::new(call);
        for failed in 1.. {
            let Err(HookDown(why)) = self.try_to_tell(&call).await else {
                self.figures.count(call.event, Outcome::Told);
                return;
            };
            let Some(wait_ms) = retry_after_ms(failed) else {
                self.drop_untold(&call, why);
                return;
            };
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    /// Waits for a place: nobody else waits for this.
    async fn try_to_tell(&self, call: &Arc<HookCall>) -> Result<(), HookDown> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| HookDown("there are no places"))?;
        let (by, call) = (Arc::clone(&self.by), Arc::clone(call));
        self.bounded(place, async move { by.hear(&call).await }).await
    }

    fn drop_untold(&self, call: &HookCall, why: &'static str) {
        self.figures.count(call.event, Outcome::Dropped);
        let account = call.account.as_ref().map(|account| account.id);
        let (event, id) = (call.event.name(), call.id);
        tracing::warn!(event, %id, account.id = ?account, why, "a hook was not told");
    }
}
