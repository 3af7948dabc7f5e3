//! Roles of operators (protocol-pragma §9.1). The engine publishes no messages for them; these follow
//! its style. Nobody gives, or takes away, what they do not have themselves.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::lookups::known;
use super::payload::{Payload, may_give};
use super::permissions::{self, PERMISSIONS};
use super::search_calls::page;
use super::{office_shapes, shapes};
use crate::domain::account::{AccountFilter, OfficeAsk};
use crate::domain::realm::{ADMIN, ADMIN_NAME, NAME_MAX, Realm, RealmAsk, RealmChanged, Role};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;

/// What is served here. Everybody may ask what they may do.
pub(super) const CALLS: &[Call] = &[
    Call::new(
        "RoleRpc.GetOwnPermissionsOperatorV1Request",
        SessionType::Operator,
        BackendType::Social,
        |ask| Step::later(own(ask)),
    ),
    row("RoleRpc.GetRolesOperatorV1Request", GET, |ask| Step::later(list(ask))),
    row("RoleRpc.GetRoleAccountsOperatorV1Request", GET, |ask| Step::later(accounts(ask))),
    row("RoleRpc.GetAccountRolesOperatorV1Request", GET, |ask| Step::later(of_account(ask))),
    row("RoleRpc.CreateRoleOperatorV1Request", UPDATE, |ask| Step::later(create(ask))),
    row("RoleRpc.UpdateRoleOperatorV1Request", UPDATE, |ask| Step::later(update(ask))),
    row("RoleRpc.DeleteRoleOperatorV1Request", UPDATE, |ask| Step::later(delete(ask))),
    row("RoleRpc.AddAccountToRoleOperatorV1Request", GIVE, |ask| Step::later(add(ask))),
    row("RoleRpc.RemoveAccountFromRoleOperatorV1Request", GIVE, |ask| Step::later(remove(ask))),
];

const GET: &str = "account.roles.get";
const UPDATE: &str = "account.roles.update";
const GIVE: &str = "account.account_roles.update";

const fn row(name: &'static str, permission: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Operator, BackendType::Social, run).permitted(permission)
}

async fn own(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, ask.account()?).await?;
    let realm = ask.app.door.realm();
    let names = PERMISSIONS.iter().map(|(name, _)| *name);
    let has = names.filter(|name| realm.permits(&account.dossier().roles, name));
    Ok(json!({
        "roleIds": office_shapes::roles(&account, &realm),
        "permissions": has.collect::<Vec<_>>(),
    }))
}

/// The built-in role, which is in no list.
fn admin() -> Role {
    Role { id: ADMIN, name: ADMIN_NAME.to_owned(), permissions: permissions::all() }
}

fn find(realm: &Realm, id: Uuid) -> Result<Role, Fault> {
    let role = realm.roles.iter().find(|role| role.id == id).cloned();
    role.or_else(|| (id == ADMIN).then(admin)).ok_or(Fault::NotThere)
}

#[expect(clippy::unused_async, reason = "one shape for every row")]
async fn list(ask: Ask) -> Result<Value, Fault> {
    let realm = ask.app.door.realm();
    let roles = std::iter::once(office_shapes::role(&admin()))
        .chain(realm.roles.iter().map(office_shapes::role));
    let known = PERMISSIONS.iter();
    let known = known.map(|(name, what)| json!({"permission": name, "description": what}));
    Ok(json!({
        "roles": roles.collect::<Vec<_>>(), "permissions": known.collect::<Vec<_>>(),
    }))
}

async fn accounts(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let role = find(&ask.app.door.realm(), payload.id("roleId")?)?;
    let filter = AccountFilter { roles: vec![role.id], ..AccountFilter::default() };
    let found = ask.app.door.search(filter, page(payload)?).await?;
    let shown = found.accounts.iter().map(shapes::overview);
    Ok(json!({"accounts": shown.collect::<Vec<_>>(), "count": found.count}))
}

async fn of_account(ask: Ask) -> Result<Value, Fault> {
    let account = known(&ask, Payload::of(&ask).account("pragmaSocialId")?).await?;
    Ok(json!({"roleIds": office_shapes::roles(&account, &ask.app.door.realm())}))
}

async fn create(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let name = payload.some_text("name", NAME_MAX)?.to_owned();
    let permissions = wanted(payload)?;
    may_give(&ask, &permissions).await?;
    shown(&ask.app.door.change_realm(RealmAsk::CreateRole(name, permissions)).await?)
}

/// What is left out stays.
async fn update(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let id = payload.id("roleId")?;
    let role = find(&ask.app.door.realm(), id)?;
    let name = match payload.text("name", NAME_MAX)? {
        "" => role.name,
        name => name.to_owned(),
    };
    let permissions = match payload.value("permissions") {
        Some(_) => wanted(payload)?,
        None => role.permissions.clone(),
    };
    let (had, has) = (&role.permissions, &permissions);
    let added = has.iter().filter(|it| !had.contains(it));
    let taken = had.iter().filter(|it| !has.contains(it));
    let differs: Vec<String> = added.chain(taken).cloned().collect();
    may_give(&ask, &differs).await?;
    shown(&ask.app.door.change_realm(RealmAsk::UpdateRole(id, name, permissions)).await?)
}

async fn delete(ask: Ask) -> Result<Value, Fault> {
    let role = find(&ask.app.door.realm(), Payload::of(&ask).id("roleId")?)?;
    may_give(&ask, &role.permissions).await?;
    ask.app.door.change_realm(RealmAsk::DeleteRole(role.id)).await?;
    Ok(json!({}))
}

async fn add(ask: Ask) -> Result<Value, Fault> {
    hand(&ask, OfficeAsk::AddRoles).await
}

async fn remove(ask: Ask) -> Result<Value, Fault> {
    hand(&ask, OfficeAsk::RemoveRoles).await
}

async fn hand(ask: &Ask, what: fn(Vec<Uuid>) -> OfficeAsk) -> Result<Value, Fault> {
    let payload = Payload::of(ask);
    let role = find(&ask.app.door.realm(), payload.id("roleId")?)?;
    let account = payload.account("pragmaSocialId")?;
    may_give(ask, &role.permissions).await?;
    if role.id == ADMIN && !ask.app.door.realm().admins.contains(&ask.account()?) {
        return Err(Fault::Forbidden); // what is permitted tomorrow is theirs to give, too
    }
    let done = ask.app.door.office(account, what(vec![role.id])).await?;
    Ok(json!({"roleIds": office_shapes::roles(&done.account, &ask.app.door.realm())}))
}

/// `permissions[]`, each of the table.
pub(super) fn wanted(payload: Payload<'_>) -> Result<Vec<String>, Fault> {
    let wanted = payload.texts("permissions")?;
    if wanted.iter().all(|permission| permissions::is_known(permission)) {
        Ok(wanted.into_iter().map(str::to_owned).collect())
    } else {
        Err(Fault::BadParam)
    }
}

fn shown(changed: &RealmChanged) -> Result<Value, Fault> {
    Ok(json!({"role": office_shapes::role(&find(&changed.realm, changed.id)?)}))
}
