//! Game shards: who may enter them and when (protocol-pragma §6.7).

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::office_shapes;
use super::payload::{Payload, known_shard};
use crate::domain::realm::{DESCRIPTION_MAX, Event, NAME_MAX, Realm, RealmAsk, RealmChanged};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// What is served here.
pub(super) const CALLS: &[Call] = office_calls! {
    both {}
    operator {
        "GameManagementRpc" "GetGameShardsOperatorV1" "game_management.shards.get" shards;
        "GameManagementRpc" "GetLimitedAccessEventsOperatorV1" "game_management.shards.get" events;
        "GameManagementRpc" "SetGameShardAccessModeOperatorV1" "game_management.shards.update"
            set_mode;
        "GameManagementRpc" "SetFullAccessPlayerGroupsOperatorV1" "game_management.shards.update"
            set_groups;
        "GameManagementRpc" "CreateLimitedAccessEventOperatorV1" "game_management.events.update"
            create;
        "GameManagementRpc" "UpdateLimitedAccessEventOperatorV1" "game_management.events.update"
            update;
        "GameManagementRpc" "DeleteLimitedAccessEventOperatorV1" "game_management.events.update"
            delete;
    }
};

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn shards(ask: Ask) -> Result<Value, Fault> {
    let (realm, config) = (ask.app.door.realm(), &ask.app.config.pragma);
    let shards = config.every_shard().map(|id| office_shapes::shard(id, &realm, config.game_shard));
    Ok(json!({"gameShards": shards.collect::<Vec<_>>()}))
}

async fn set_mode(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let shard = known_shard(&ask, payload.id("gameShardId")?)?;
    let modes = [(0, "EVERYONE", false), (1, "LIMITED", true)];
    let is_limited =
        payload.choice("accessMode", "ACCESS_MODE_", &modes)?.ok_or(Fault::BadParam)?;
    let changed = ask.app.door.change_realm(RealmAsk::SetLimited(shard, is_limited)).await?;
    Ok(shown(&ask, &changed.realm, shard))
}

async fn set_groups(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let shard = known_shard(&ask, payload.id("gameShardId")?)?;
    let what = RealmAsk::SetFullAccess(shard, payload.ids("playerGroupIds")?);
    let changed = ask.app.door.change_realm(what).await?;
    Ok(shown(&ask, &changed.realm, shard))
}

fn shown(ask: &Ask, realm: &Realm, shard: Uuid) -> Value {
    json!({"gameShard": office_shapes::shard(shard, realm, ask.app.config.pragma.game_shard)})
}

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn events(ask: Ask) -> Result<Value, Fault> {
    let shard = Payload::of(&ask).maybe_id("gameShardId")?;
    let realm = ask.app.door.realm();
    let events = realm.events.iter().filter(|event| shard.is_none_or(|shard| shard == event.shard));
    Ok(json!({"limitedAccessEvents": events.map(office_shapes::event).collect::<Vec<_>>()}))
}

async fn create(ask: Ask) -> Result<Value, Fault> {
    let event = form(&ask, Uuid::nil())?;
    event_shown(&ask.app.door.change_realm(RealmAsk::CreateEvent(event)).await?)
}

async fn update(ask: Ask) -> Result<Value, Fault> {
    let event = form(&ask, Payload::of(&ask).id("limitedAccessEventId")?)?;
    event_shown(&ask.app.door.change_realm(RealmAsk::UpdateEvent(event)).await?)
}

async fn delete(ask: Ask) -> Result<Value, Fault> {
    let id = Payload::of(&ask).id("limitedAccessEventId")?;
    ask.app.door.change_realm(RealmAsk::DeleteEvent(id)).await?;
    Ok(json!({}))
}

fn form(ask: &Ask, id: Uuid) -> Result<Event, Fault> {
    let details = Payload::of(ask).object("limitedAccessEventDetails").ok_or(Fault::BadParam)?;
    let moment = |member: &str| details.number(member)?.ok_or(Fault::BadParam);
    Ok(Event {
        id,
        shard: known_shard(ask, details.id("gameShardId")?)?,
        name: details.some_text("name", NAME_MAX)?.to_owned(),
        description: details.text("description", DESCRIPTION_MAX)?.to_owned(),
        groups: details.ids("playerGroupIds")?,
        start_ms: moment("startUnixTimeMs")?,
        end_ms: moment("endUnixTimeMs")?,
        time_zone: details.text("timeZone", NAME_MAX)?.to_owned(),
    })
}

fn event_shown(changed: &RealmChanged) -> Result<Value, Fault> {
    let event = changed.realm.events.iter().find(|event| event.id == changed.id);
    Ok(json!({"limitedAccessEvent": office_shapes::event(event.ok_or(Fault::EventNotFound)?)}))
}
