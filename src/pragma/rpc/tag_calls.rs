//! Tags (protocol-pragma §6.5). A tag is added by what it says, and is made when none says so yet.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::office_shapes;
use super::payload::{Payload, failure, known, parsed, pause};
use crate::domain::account::{Account, AccountId, OfficeAsk};
use crate::domain::realm::{NAME_MAX, RealmAsk};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// Tags one call may add.
const TAGS_MAX: usize = 64;

/// What is served here.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "AccountRpc" "AddAccountTags" "V1" "account.account_tags.update" add;
        "AccountRpc" "RemoveAccountTags" "V1" "account.account_tags.update" remove;
        "AccountRpc" "GetAccountTags" "V1" "account.tags.get" get;
        "AccountRpc" "ViewTags" "V1" "account.tags.get" view;
    }
    operator {
        "AccountRpc" "UpdateTagOperatorV1" "account.tags.update" rename;
        "AccountRpc" "DeleteTagOperatorV1" "account.tags.update" delete;
    }
};

async fn add(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask).within("request");
    let wanted = payload.list("accountTags")?;
    if wanted.len() > TAGS_MAX {
        return Err(Fault::TagValidation);
    }
    let mut ids = Vec::new();
    for tag in wanted {
        ids.push(named_or_made(&ask, tag).await?);
    }
    on_each(&ask, payload, &OfficeAsk::AddTags(ids)).await
}

/// A tag by its text, or by its id where the client has one.
async fn named_or_made(ask: &Ask, tag: &Value) -> Result<Uuid, Fault> {
    let id = tag.get("tagId").or(Some(tag)).and_then(Value::as_str);
    let id = id.and_then(|id| Uuid::try_parse(id).ok());
    if let Some(id) = id.filter(|id| ask.app.door.realm().tag(*id).is_some()) {
        return Ok(id);
    }
    let text = tag.get("tag").unwrap_or(tag).as_str().ok_or(Fault::TagValidation)?;
    if let Some(known) = ask.app.door.realm().tag_named(text) {
        return Ok(known.id);
    }
    Ok(ask.app.door.change_realm(RealmAsk::CreateTag(text.to_owned())).await?.id)
}

async fn remove(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask).within("request");
    let ids = payload.ids("accountTagIds")?;
    on_each(&ask, payload, &OfficeAsk::RemoveTags(ids)).await
}

/// Does the same to every account, and says what tags each has then.
async fn on_each(ask: &Ask, payload: Payload<'_>, what: &OfficeAsk) -> Result<Value, Fault> {
    let (mut tagged, mut failures) = (Vec::new(), Vec::new());
    for text in payload.texts("pragmaSocialIds")? {
        let done = match parsed(text) {
            Ok(id) => ask.app.door.office(AccountId(id), what.clone()).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        match done {
            Ok(done) => tagged.push(of(ask, &done.account)),
            Err(Fault::Unavailable) => return Err(Fault::Unavailable),
            Err(fault) => failures.push(failure(text, fault)),
        }
    }
    Ok(json!({"accountTagsBySocialId": tagged, "failures": failures}))
}

fn of(ask: &Ask, account: &Account) -> Value {
    let tags = office_shapes::tags(account, &ask.app.door.realm());
    json!({"pragmaSocialId": account.id.0, "accountTags": tags})
}

async fn get(ask: Ask) -> Result<Value, Fault> {
    let (mut tagged, mut failures) = (Vec::new(), Vec::new());
    for (done, text) in Payload::of(&ask).texts("pragmaSocialIds")?.into_iter().enumerate() {
        let found = match parsed(text) {
            Ok(id) => known(&ask, AccountId(id)).await,
            Err(fault) => Err(fault),
        };
        match found {
            Ok(account) => tagged.push(of(&ask, &account)),
            Err(Fault::Unavailable) => return Err(Fault::Unavailable),
            Err(fault) => failures.push(failure(text, fault)),
        }
        pause(done).await;
    }
    Ok(json!({"accountTagsBySocialId": tagged, "failures": failures}))
}

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn view(ask: Ask) -> Result<Value, Fault> {
    let tags: Vec<_> = ask.app.door.realm().tags.iter().map(office_shapes::tag).collect();
    Ok(json!({"accountTags": tags}))
}

async fn rename(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let text = payload.some_text("tag", NAME_MAX)?.to_owned();
    let changed =
        ask.app.door.change_realm(RealmAsk::RenameTag(payload.id("tagId")?, text)).await?;
    let tag = changed.realm.tag(changed.id).ok_or(Fault::NotThere)?;
    Ok(json!({"accountTag": office_shapes::tag(tag)}))
}

async fn delete(ask: Ask) -> Result<Value, Fault> {
    ask.app.door.change_realm(RealmAsk::DeleteTag(Payload::of(&ask).id("tagId")?)).await?;
    Ok(json!({}))
}
