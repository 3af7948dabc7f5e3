//! Accounts, as game servers and operators look them up and change them (protocol-pragma §6.5).

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::office_shapes;
use super::payload::{Payload, failure, known, known_shard, may, parsed, pause};
use super::shapes::{self, Viewer};
use crate::actors::account_registry::Key;
use crate::domain::account::AccountId;
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// What is served here.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "AccountRpc" "GetPlayerIdentities" "V1" "account.accounts.get" player_identities;
        "AccountRpc" "GetSocialIdentities" "V1" "account.accounts.get" social_identities;
        "AccountRpc" "ViewSocialIdentity" "V2" "account.accounts.get" view;
        "AccountRpc" "GetDisplayNameForPlayerId" "V2" "account.accounts.get" display_name;
        "AccountRpc" "DeleteAccount" "V1" "account.accounts.delete" delete;
    }
    operator {}
};

async fn player_identities(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let shard = known_shard(&ask, payload.id("gameShardId")?)?;
    let (mut identities, mut failures) = (Vec::new(), Vec::new());
    for (done, text) in payload.texts("playerIds")?.into_iter().enumerate() {
        match player_identity(&ask, text, shard).await {
            Ok(identity) => identities.push(identity),
            Err(Fault::Unavailable) => return Err(Fault::Unavailable),
            Err(fault) => failures.push(failure(text, fault)),
        }
        pause(done).await;
    }
    Ok(json!({"playerIdentities": identities, "failures": failures}))
}

/// Its player ids are one for each shard; one of another shard is nobody's on this one.
async fn player_identity(ask: &Ask, text: &str, shard: Uuid) -> Result<Value, Fault> {
    let player = parsed(text)?;
    let account = ask.app.door.find(Key::Player(player)).await?;
    let account = account.filter(|account| account.player_on(shard) == Some(player));
    let door = &ask.app.door;
    account
        .and_then(|account| shapes::player_identity(&account, shard, door, Viewer::Trusted))
        .ok_or(Fault::AccountNotFound)
}

async fn social_identities(ask: Ask) -> Result<Value, Fault> {
    let (mut identities, mut failures) = (Vec::new(), Vec::new());
    for (done, text) in Payload::of(&ask).texts("socialIds")?.into_iter().enumerate() {
        let found = match parsed(text) {
            Ok(id) => known(&ask, AccountId(id)).await,
            Err(fault) => Err(fault),
        };
        match found {
            Ok(account) => {
                identities.push(shapes::social_identity(&account, &ask.app.door, Viewer::Trusted));
            }
            Err(Fault::Unavailable) => return Err(Fault::Unavailable),
            Err(fault) => failures.push(failure(text, fault)),
        }
        pause(done).await;
    }
    Ok(json!({"socialIdentities": identities, "failures": failures}))
}

async fn view(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, Payload::of(&ask).account("pragmaSocialId")?).await?;
    let is_personal = may(&ask, "account.accounts_personal.get").await?;
    let shown = office_shapes::whole_identity(&account, &ask.app.door, is_personal);
    Ok(json!({"socialIdentity": shown}))
}

async fn display_name(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let (player, shard) = (payload.id("playerId")?, payload.id("gameShardId")?);
    let account = ask.app.door.find(Key::Player(player)).await?;
    let account = account.filter(|account| account.player_on(shard) == Some(player));
    Ok(json!({"displayName": shapes::display_name(&account.ok_or(Fault::AccountNotFound)?)}))
}

/// An account that is gone already is a success.
async fn delete(ask: Ask) -> Result<Value, Fault> {
    ask.app.door.erase(Payload::of(&ask).account("pragmaSocialId")?).await?;
    Ok(json!({}))
}
