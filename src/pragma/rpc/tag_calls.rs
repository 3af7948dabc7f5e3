//! Tags (protocol-pragma §6.5). A tag is added by what it says, and is made when none says so yet.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::lookups::{each, known};
use super::office_shapes;
use super::payload::Payload;
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
    let done = async |id| Ok(ask.app.door.office(id, what.clone()).await?.account);
    of_each(ask, payload, done).await
}

async fn get(ask: Ask) -> Result<Value, Fault> {
    of_each(&ask, Payload::of(&ask), async |id| known(&ask, id).await).await
}

/// The tags of each of `pragmaSocialIds`.
async fn of_each(
    ask: &Ask,
    payload: Payload<'_>,
    account: impl AsyncFn(AccountId) -> Result<Account, Fault>,
) -> Result<Value, Fault> {
    let tagged = async |id| {
        let account = account(AccountId(id)).await?;
        let tags = office_shapes::tags(&account, &ask.app.door.realm());
        Ok(json!({"pragmaSocialId": account.id.0, "accountTags": tags}))
    };
    let (found, failures) = each(payload.texts("pragmaSocialIds")?, tagged).await?;
    Ok(json!({"accountTagsBySocialId": found, "failures": failures}))
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
