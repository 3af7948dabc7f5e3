//! Player groups (protocol-pragma §6.5, §13).

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::lookups::known;
use super::office_shapes;
use super::payload::Payload;
use crate::domain::account::{Account, OfficeAsk};
use crate::domain::realm::{DESCRIPTION_MAX, NAME_MAX, RealmAsk, RealmChanged};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// What is served here.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "AccountRpc" "AddAccountToPlayerGroup" "V1" "account.account_groups.update" add;
        "AccountRpc" "RemoveAccountFromPlayerGroup" "V1" "account.account_groups.update" remove;
        "AccountRpc" "GetPlayerGroupsOfAccount" "V1" "account.groups.get" of_account;
        "AccountRpc" "ViewPlayerGroups" "V1" "account.groups.get" view;
    }
    operator {
        "AccountRpc" "CreatePlayerGroupOperatorV1" "account.groups.update" create;
        "AccountRpc" "UpdatePlayerGroupOperatorV1" "account.groups.update" update;
        "AccountRpc" "DeletePlayerGroupOperatorV1" "account.groups.update" delete;
    }
};

async fn add(ask: Ask) -> Result<Value, Fault> {
    hand(&ask, OfficeAsk::AddGroups).await
}

async fn remove(ask: Ask) -> Result<Value, Fault> {
    hand(&ask, OfficeAsk::RemoveGroups).await
}

async fn hand(ask: &Ask, what: fn(Vec<Uuid>) -> OfficeAsk) -> Result<Value, Fault> {
    let payload = Payload::of(ask);
    let what = what(vec![payload.id("playerGroupId")?]);
    let done = ask.app.door.office(payload.account("pragmaSocialId")?, what).await?;
    Ok(groups(ask, &done.account))
}

async fn of_account(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, Payload::of(&ask).account("pragmaSocialId")?).await?;
    Ok(groups(&ask, &account))
}

fn groups(ask: &Ask, account: &Account) -> Value {
    json!({"playerGroupIds": office_shapes::groups(account, &ask.app.door.realm())})
}

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn view(ask: Ask) -> Result<Value, Fault> {
    let groups: Vec<_> = ask.app.door.realm().groups.iter().map(office_shapes::group).collect();
    Ok(json!({"playerGroups": groups}))
}

async fn create(ask: Ask) -> Result<Value, Fault> {
    let (name, about) = form(Payload::of(&ask))?;
    shown(&ask.app.door.change_realm(RealmAsk::CreateGroup(name, about)).await?)
}

async fn update(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let (name, about) = form(payload)?;
    let what = RealmAsk::UpdateGroup(payload.id("playerGroupId")?, name, about);
    shown(&ask.app.door.change_realm(what).await?)
}

async fn delete(ask: Ask) -> Result<Value, Fault> {
    let id = Payload::of(&ask).id("playerGroupId")?;
    ask.app.door.change_realm(RealmAsk::DeleteGroup(id)).await?;
    Ok(json!({}))
}

fn form(payload: Payload<'_>) -> Result<(String, String), Fault> {
    let name = payload.some_text("name", NAME_MAX)?.to_owned();
    Ok((name, payload.text("description", DESCRIPTION_MAX)?.to_owned()))
}

fn shown(changed: &RealmChanged) -> Result<Value, Fault> {
    let group = changed.realm.groups.iter().find(|group| group.id == changed.id);
    Ok(json!({"playerGroup": office_shapes::group(group.ok_or(Fault::NotThere)?)}))
}
