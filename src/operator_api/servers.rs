//! Game shards, limited access events, player groups and tags: the realm.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account_shapes::Named;
use super::{App, Refusal, json, operator, page, read};
use crate::domain::account::AccountId;
use crate::domain::realm::{DESCRIPTION_MAX, Event, Group, NAME_MAX, Realm, RealmAsk};

const SEE_SHARDS: &str = "game_management.shards.get";
const SET_SHARDS: &str = "game_management.shards.update";
const SET_EVENTS: &str = "game_management.events.update";
const SEE_GROUPS: &str = "account.groups.get";
const SET_GROUPS: &str = "account.groups.update";
const SEE_TAGS: &str = "account.tags.get";
const SET_TAGS: &str = "account.tags.update";
/// Groups that a shard or an event may let in.
const GROUPS_MAX: usize = 256;

#[derive(Serialize)]
struct ShardTold {
    id: Uuid,
    /// Whether it is the one this server is for.
    own: bool,
    /// `everyone` or `limited`.
    access: &'static str,
    groups: Vec<Uuid>,
}

fn shard_told(id: Uuid, realm: &Realm, own: Uuid) -> ShardTold {
    let access = realm.access.iter().find(|access| access.shard == id);
    let is_limited = access.is_some_and(|access| access.is_limited);
    ShardTold {
        id,
        own: id == own,
        access: if is_limited { "limited" } else { "everyone" },
        groups: access.map(|access| access.groups.clone()).unwrap_or_default(),
    }
}

/// Shards, and who may enter them.
pub(super) async fn shards(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_SHARDS).await?;
    let (realm, config) = (app.door.realm(), &app.door.config.pragma);
    let shards: Vec<_> = config.every_shard().collect();
    let told = shards.into_iter().map(|id| shard_told(id, &realm, config.game_shard));
    let paging: page::Paging = page::query(&request)?;
    Ok(json(StatusCode::OK, &paging.of(told)?))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Access {
    Everyone,
    Limited,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardAsk {
    access: Option<Access>,
    groups: Option<Vec<Uuid>>,
}

/// Says who may enter a shard.
pub(super) async fn set_shard(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_SHARDS).await?;
    let config = &app.door.config.pragma;
    let shard = Some(*id).filter(|id| config.knows_shard(*id)).ok_or(Refusal::NotThere)?;
    let ShardAsk { access, groups } = read(&body)?;
    let is_too_long = groups.as_ref().is_some_and(|groups| groups.len() > GROUPS_MAX);
    if is_too_long || access.is_none() && groups.is_none() {
        return Err(Refusal::BadRequest);
    }
    // Whom it lets in comes first: nobody is locked out in between.
    if let Some(groups) = groups {
        let what = ("shard_groups", format!("{shard} {}", groups.len()));
        app.audited.realm(by, what, RealmAsk::SetFullAccess(shard, groups)).await?;
    }
    if let Some(access) = access {
        let is_limited = matches!(access, Access::Limited);
        let what = ("shard_access", format!("{shard} limited={is_limited}"));
        app.audited.realm(by, what, RealmAsk::SetLimited(shard, is_limited)).await?;
    }
    Ok(json(StatusCode::OK, &shard_told(shard, &app.door.realm(), config.game_shard)))
}

/// An event as it is told and taken.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTold {
    #[serde(default, skip_deserializing)]
    id: Uuid,
    shard: Uuid,
    name: String,
    #[serde(default)]
    description: String,
    groups: Vec<Uuid>,
    start_ms: u64,
    end_ms: u64,
    #[serde(default)]
    time_zone: String,
}

impl From<&Event> for EventTold {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id,
            shard: event.shard,
            name: event.name.clone(),
            description: event.description.clone(),
            groups: event.groups.clone(),
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            time_zone: event.time_zone.clone(),
        }
    }
}

impl EventTold {
    fn event(self, app: &App, id: Uuid) -> Result<Event, Refusal> {
        let Self { shard, name, description, groups, start_ms, end_ms, time_zone, .. } = self;
        let is_whole = app.door.config.pragma.knows_shard(shard)
            && is_name(&name)
            && description.chars().count() <= DESCRIPTION_MAX
            && time_zone.chars().count() <= NAME_MAX
            && groups.len() <= GROUPS_MAX;
        if !is_whole {
            return Err(Refusal::BadRequest);
        }
        Ok(Event { id, shard, name, description, groups, start_ms, end_ms, time_zone })
    }
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_MAX
}

/// Limited access events.
pub(super) async fn events(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_SHARDS).await?;
    let paging: page::Paging = page::query(&request)?;
    Ok(json(StatusCode::OK, &paging.of(app.door.realm().events.iter().map(EventTold::from))?))
}

/// A new event.
pub(super) async fn create_event(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_EVENTS).await?;
    let event = read::<EventTold>(&body)?.event(&app, Uuid::nil())?;
    let what = ("event_created", event.shard.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::CreateEvent(event)).await?;
    event_told(&changed.realm, changed.id, StatusCode::CREATED)
}

fn event_told(realm: &Realm, id: Uuid, status: StatusCode) -> Result<HttpResponse, Refusal> {
    let event = realm.events.iter().find(|event| event.id == id).ok_or(Refusal::NotThere)?;
    Ok(json(status, &EventTold::from(event)))
}

/// An event becomes this.
pub(super) async fn set_event(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_EVENTS).await?;
    let event = read::<EventTold>(&body)?.event(&app, *id)?;
    let what = ("event_changed", id.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::UpdateEvent(event)).await?;
    event_told(&changed.realm, changed.id, StatusCode::OK)
}

/// Takes an entry of the realm away.
async fn remove(
    app: &App,
    by: AccountId,
    (name, id): (&str, Uuid),
    ask: RealmAsk,
) -> Result<HttpResponse, Refusal> {
    app.audited.realm(by, (name, id.to_string()), ask).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An event goes.
pub(super) async fn delete_event(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_EVENTS).await?;
    remove(&app, by, ("event_deleted", *id), RealmAsk::DeleteEvent(*id)).await
}

#[derive(Serialize)]
struct GroupTold<'a> {
    id: Uuid,
    name: &'a str,
    description: &'a str,
}

impl<'a> From<&'a Group> for GroupTold<'a> {
    fn from(Group { id, name, description }: &'a Group) -> Self {
        Self { id: *id, name, description }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupAsk {
    name: String,
    #[serde(default)]
    description: String,
}

impl GroupAsk {
    fn checked(self) -> Result<(String, String), Refusal> {
        let fits = is_name(&self.name) && self.description.chars().count() <= DESCRIPTION_MAX;
        if fits { Ok((self.name, self.description)) } else { Err(Refusal::BadRequest) }
    }
}

/// Player groups.
pub(super) async fn groups(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_GROUPS).await?;
    let paging: page::Paging = page::query(&request)?;
    Ok(json(StatusCode::OK, &paging.of(app.door.realm().groups.iter().map(GroupTold::from))?))
}

fn group_told(realm: &Realm, id: Uuid, status: StatusCode) -> Result<HttpResponse, Refusal> {
    let group = realm.groups.iter().find(|group| group.id == id).ok_or(Refusal::NotThere)?;
    Ok(json(status, &GroupTold::from(group)))
}

/// A new group.
pub(super) async fn create_group(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_GROUPS).await?;
    let (name, about) = read::<GroupAsk>(&body)?.checked()?;
    let what = ("group_created", name.clone());
    let changed = app.audited.realm(by, what, RealmAsk::CreateGroup(name, about)).await?;
    group_told(&changed.realm, changed.id, StatusCode::CREATED)
}

/// A group's name and description.
pub(super) async fn set_group(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_GROUPS).await?;
    let (name, about) = read::<GroupAsk>(&body)?.checked()?;
    let what = ("group_changed", id.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::UpdateGroup(*id, name, about)).await?;
    group_told(&changed.realm, changed.id, StatusCode::OK)
}

/// A group goes.
pub(super) async fn delete_group(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_GROUPS).await?;
    remove(&app, by, ("group_deleted", *id), RealmAsk::DeleteGroup(*id)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagAsk {
    name: String,
}

/// Tags.
pub(super) async fn tags(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE_TAGS).await?;
    let paging: page::Paging = page::query(&request)?;
    let realm = app.door.realm();
    let tags = realm.tags.iter().map(|tag| Named { id: tag.id, name: tag.text.clone() });
    Ok(json(StatusCode::OK, &paging.of(tags)?))
}

fn tag_told(realm: &Realm, id: Uuid, status: StatusCode) -> Result<HttpResponse, Refusal> {
    let tag = realm.tag(id).ok_or(Refusal::NotThere)?;
    Ok(json(status, &Named { id: tag.id, name: tag.text.clone() }))
}

/// A new tag; one that says the same already is the answer.
pub(super) async fn create_tag(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_TAGS).await?;
    let TagAsk { name } = read(&body)?;
    let changed =
        app.audited.realm(by, ("tag_created", name.clone()), RealmAsk::CreateTag(name)).await?;
    tag_told(&changed.realm, changed.id, StatusCode::CREATED)
}

/// A tag says something else.
pub(super) async fn set_tag(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_TAGS).await?;
    let TagAsk { name } = read(&body)?;
    let what = ("tag_renamed", id.to_string());
    let changed = app.audited.realm(by, what, RealmAsk::RenameTag(*id, name)).await?;
    tag_told(&changed.realm, changed.id, StatusCode::OK)
}

/// A tag goes, from every account.
pub(super) async fn delete_tag(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, SET_TAGS).await?;
    remove(&app, by, ("tag_deleted", *id), RealmAsk::DeleteTag(*id)).await
}
