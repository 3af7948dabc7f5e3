//! Accounts, as game servers and operators look them up and change them (protocol-pragma §6.5).

use serde_json::{Value, json};

use super::calls::{Ask, Call, Step};
use super::lookups::{self, known, of_player};
use super::payload::{Payload, known_shard, may};
use super::{office_shapes, shapes};
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
    let shard = known_shard(&ask, Payload::of(&ask).id("gameShardId")?)?;
    lookups::player_identities(&ask, shard).await
}

async fn social_identities(ask: Ask) -> Result<Value, Fault> {
    lookups::social_identities(&ask).await
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
    let account = of_player(&ask, player, shard).await?.ok_or(Fault::AccountNotFound)?;
    Ok(json!({"displayName": shapes::display_name(&account)}))
}

/// An account that is gone already is a success.
async fn delete(ask: Ask) -> Result<Value, Fault> {
    ask.app.door.erase(Payload::of(&ask).account("pragmaSocialId")?).await?;
    Ok(json!({}))
}
