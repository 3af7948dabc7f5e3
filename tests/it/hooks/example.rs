use anteroom::domain::hook::{HookCall, HookEvent, Verdict};
use anteroom::signin::hooks::{AccountHooks, BoxFuture, HookDown};

/// Nobody may call themselves after us.
pub struct OurName;

impl AccountHooks for OurName {
    fn events(&self) -> Vec<HookEvent> {
        vec![HookEvent::AccountRename]
    }

    fn decide<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<Verdict, HookDown>> {
        Box::pin(async move {
            let wanted = call.wanted.display_name.as_deref().unwrap_or_default();
            if wanted.to_lowercase().contains("acme") {
                return Ok(Verdict::Refuse("That name is ours.".to_owned()));
            }
            Ok(Verdict::allow())
        })
    }

    fn hear<'a>(&'a self, _call: &'a HookCall) -> BoxFuture<'a, Result<(), HookDown>> {
        Box::pin(async { Ok(()) })
    }
}
