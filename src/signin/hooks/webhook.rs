//! The hooks that are built in: calls of the address in the settings. 200 is an answer, everything
//! else is none; what is only told may be answered by any 2xx.

use futures_util::future::BoxFuture;

use super::{AccountHooks, HookDown};
use crate::domain::hook::{HookCall, HookEvent, Verdict};
use crate::identity::webhook::Webhook;

/// The address, and what it is called for.
pub(super) struct ByAddress {
    pub webhook: Webhook,
    pub events: Vec<HookEvent>,
}

impl AccountHooks for ByAddress {
    fn events(&self) -> Vec<HookEvent> {
        self.events.clone()
    }

    fn decide<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<Verdict, HookDown>> {
        Box::pin(async move {
            let answer = self.webhook.post(call.json().to_string()).await.map_err(HookDown)?;
            if answer.status != 200 {
                return Err(HookDown("its answer is not 200"));
            }
            Verdict::read(&answer.body).map_err(|_| HookDown("its answer makes no sense"))
        })
    }

    fn hear<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<(), HookDown>> {
        Box::pin(async move {
            let answer = self.webhook.post(call.json().to_string()).await.map_err(HookDown)?;
            let is_heard = (200..300).contains(&answer.status);
            if is_heard { Ok(()) } else { Err(HookDown("its answer is not 2xx")) }
        })
    }
}
