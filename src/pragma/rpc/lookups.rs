//! Whom a request is about: one account, or each of many.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::Ask;
use super::payload::Payload;
use super::shapes::{self, Viewer};
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, AccountId};
use crate::domain::token::SessionType;
use crate::pragma::Fault;

/// After so many look-ups other requests of the thread get their turn.
const LOOKUPS_AT_ONCE: usize = 64;

/// An account that has to be there.
pub(super) async fn known(ask: &Ask, id: AccountId) -> Result<Account, Fault> {
    ask.app.door.account(id).await?.ok_or(Fault::AccountNotFound)
}

/// The account of a player on a shard. Its player ids are one for each shard; one of another shard is
/// nobody's on this one.
pub(super) async fn of_player(
    ask: &Ask,
    player: Uuid,
    shard: Uuid,
) -> Result<Option<Account>, Fault> {
    let account = ask.app.door.find(Key::Player(player)).await?;
    Ok(account.filter(|account| account.player_on(shard) == Some(player)))
}

/// What whoever asks may see of an account.
pub(super) fn viewer(ask: &Ask, account: &Account) -> Viewer {
    let is_player = ask.claims.session_type() == SessionType::Player;
    let is_own = || ask.account().is_ok_and(|own| own == account.id);
    if is_player && !is_own() { Viewer::Stranger } else { Viewer::Trusted }
}

/// The answer about each of `playerIds` on a shard.
pub(super) async fn player_identities(ask: &Ask, shard: Uuid) -> Result<Value, Fault> {
    let identity = async |player| {
        let account = of_player(ask, player, shard).await?.ok_or(Fault::AccountNotFound)?;
        let viewer = viewer(ask, &account);
        shapes::player_identity(&account, shard, &ask.app.door, viewer)
            .ok_or(Fault::AccountNotFound)
    };
    let (found, failures) = each(Payload::of(ask).texts("playerIds")?, identity).await?;
    Ok(json!({"playerIdentities": found, "failures": failures}))
}

/// The answer about each of `socialIds`.
pub(super) async fn social_identities(ask: &Ask) -> Result<Value, Fault> {
    let identity = async |id| {
        let account = known(ask, AccountId(id)).await?;
        Ok(shapes::social_identity(&account, &ask.app.door, viewer(ask, &account)))
    };
    let (found, failures) = each(Payload::of(ask).texts("socialIds")?, identity).await?;
    Ok(json!({"socialIdentities": found, "failures": failures}))
}

/// Looks up each of many, by the ids as they came, in the order asked: what is found, and what there
/// is to say about the others.
///
/// # Errors
///
/// [`Fault::Unavailable`]: then nothing is known about the rest either.
pub(super) async fn each(
    ids: Vec<&str>,
    look_up: impl AsyncFn(Uuid) -> Result<Value, Fault>,
) -> Result<(Vec<Value>, Vec<Value>), Fault> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (done, text) in ids.into_iter().enumerate() {
        let looked_up = match Uuid::try_parse(text) {
            Ok(id) => look_up(id).await,
            Err(_) => Err(Fault::BadRequest),
        };
        match looked_up {
            Ok(shown) => found.push(shown),
            Err(Fault::Unavailable) => return Err(Fault::Unavailable),
            Err(fault) => {
                failures.push(json!({"pragmaId": text.to_lowercase(), "error": fault.name()}));
            }
        }
        pause(done).await;
    }
    Ok((found, failures))
}

/// Others of this thread get their turn in the middle of a long batch.
pub(super) async fn pause(done: usize) {
    if done % LOOKUPS_AT_ONCE == LOOKUPS_AT_ONCE - 1 {
        tokio::task::yield_now().await;
    }
}
