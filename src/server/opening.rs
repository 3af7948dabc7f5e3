//! Parts whose opening takes more than a call.

use std::path::Path;
use std::sync::Arc;

use super::parts::StartError;
use crate::actors::audit::{self, Audit, Target};
use crate::actors::{Accounts, Line};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::token::nakama::NakamaKeys;
use crate::domain::token::player::PlayerKeys;
use crate::identity::webhook::Webhook;
use crate::ids::Dice;
use crate::observe::{Access, Tracer};
use crate::queue_api;
use crate::signin::operators::Operators;
use crate::signin::reloading::Reloader;
use crate::signin::steering::Steering;
use crate::signin::{AccountHooks, Door, Hooks};
use crate::tls::Certificates;

/// The audit chain, and where its records are streamed to.
pub(super) fn audit_chain(
    config: &Config,
    data: &Path,
    clock: &Clock,
    identity_key: &[u8; 32],
) -> Result<(Audit, audit::Failed), StartError> {
    let target = match config.audit.stream.as_str() {
        "" => None,
        "stdout" => Some(Target::Stdout),
        path => Some(Target::Path(path.into())),
    };
    Ok(Audit::open(data, clock.clone(), identity_key, target)?)
}

/// What every request is called, and whether it is traced.
pub(super) fn access(door: &Door) -> Result<Access, StartError> {
    let tracer = Tracer::start(&door.config.trace, door.clock.clone(), door.dice.clone())?;
    Ok(Access::new(&door.dice, tracer, door.config.server.trusted_proxies.clone()))
}

/// Those that are compiled in, or those of the settings.
pub(super) fn hooks(
    config: &Config,
    own: Option<Arc<dyn AccountHooks>>,
    clock: &Clock,
    dice: &Dice,
    accounts: &Accounts,
) -> Result<Hooks, StartError> {
    let webhook = Webhook::new(&config.hooks, config.dev, clock.clone())?;
    let hooks = match (own, webhook) {
        (Some(_), Some(_)) => return Err(StartError::TwoHooks),
        (Some(own), None) => Hooks::new(own, &config.hooks, dice.clone()),
        (None, Some(webhook)) => Hooks::by_address(webhook, &config.hooks, dice.clone()),
        (None, None) => Hooks::default(),
    };
    hooks.listen_to(accounts);
    Ok(hooks)
}

/// Operators who sign in here.
pub(super) fn operators(
    door: &Door,
    audit: &Audit,
    identity_key: &[u8; 32],
) -> Result<Operators, StartError> {
    let operators = Operators::new(door.clone(), audit.clone(), identity_key);
    operators.ok_or_else(|| StartError::Key("identity_key seals nothing".to_owned()))
}

/// Reads settings and certificates again.
pub(super) fn reloader(
    door: &Door,
    steering: &Steering,
    audit: &Audit,
    certificates: Option<&Certificates>,
) -> Reloader {
    Reloader::new(door.clone(), steering.clone(), audit.clone(), certificates.cloned())
}

/// The queue's own API.
pub(super) fn queue_api(
    door: &Door,
    line: &Line,
    nakama: &NakamaKeys,
    player: &Arc<PlayerKeys>,
) -> Box<queue_api::App> {
    Box::new(queue_api::App::new(door.clone(), line.clone(), nakama.clone(), Arc::clone(player)))
}
