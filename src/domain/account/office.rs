//! What operators and game servers do to an account: bans, tags, groups, roles, requests
//! about data (protocol-pragma §6.5, §6.6, §6.8, §9.1).

use uuid::Uuid;

use super::ban::{Ban, BanScope};
use super::change::Change;
use super::data_rights;
use super::dossier::{DataRequestKind, DataRequestStatus, ENTRIES_MAX};
use super::record::{Account, AccountId};
use super::refusal::Refusal;
use crate::domain::operator::{self, Binding, OperatorAsk, OperatorRefusal};
use crate::domain::realm::{ADMIN, Bound, Kind, Realm, RealmRefusal};
use crate::domain::time::UnixMicros;

/// Why an account stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficeRefusal {
    /// As many bans are in force as an account can have.
    #[error("too many bans are in force")]
    TooManyBans,
    /// The account has no such ban.
    #[error("no such ban")]
    UnknownBan,
    /// The account has as many tags, groups or roles as it may.
    #[error("too many of kind {0}")]
    TooMany(Kind),
    /// Nobody would be left who may do everything.
    #[error("the last administrator stays one")]
    LastAdmin,
    /// A request of this kind is not done yet.
    #[error("such a request is being worked on")]
    RequestInProgress,
    /// The account has no such request, or no report of it waits to be fetched with this token.
    #[error("no such request")]
    UnknownRequest,
    /// The request cannot take that step.
    #[error("the request is over or of another kind")]
    RequestStep,
    /// What an operator signs in with stays as it is.
    #[error(transparent)]
    Operator(#[from] OperatorRefusal),
}

/// A ban to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanForm {
    /// What it covers.
    pub scope: BanScope,
    /// For how long, in milliseconds from now; [`super::ban::FOREVER_MS`]: for good.
    pub duration_ms: u64,
    /// The studio's word for why.
    pub reason: String,
    /// For operators only.
    pub comment: String,
    /// Who bans.
    pub by: AccountId,
    /// Every token issued so far is revoked with it (`pragma.bans_end_sessions`).
    pub ends_sessions: bool,
}

impl BanForm {
    /// A ban for tests of rules.
    #[cfg(test)]
    pub fn sample() -> Self {
        Self {
            scope: BanScope::FullAccount,
            duration_ms: super::ban::FOREVER_MS,
            reason: "CHEATING".into(),
            comment: String::new(),
            by: super::dossier::BY_SYSTEM,
            ends_sessions: false,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfficeAsk {
    /// A ban.
    Ban(BanForm),
    /// The ban ends now, by this account's word.
    RevokeBan(Uuid, AccountId),
    /// Tags, by their ids; those the account has already mean nothing.
    AddTags(Vec<Uuid>),
    /// Tags go; those the account has not mean nothing.
    RemoveTags(Vec<Uuid>),
    /// Player groups, likewise.
    AddGroups(Vec<Uuid>),
    /// Player groups go.
    RemoveGroups(Vec<Uuid>),
    /// Operator roles, likewise.
    AddRoles(Vec<Uuid>),
    /// Operator roles go.
    RemoveRoles(Vec<Uuid>),
    /// The built-in role, if nobody has it yet; else nothing.
    FirstAdmin,
    /// A request about the player's data.
    SubmitRequest(DataRequestKind),
    /// A request is at another step.
    AdvanceRequest(Uuid, DataRequestStatus),
    /// A request's report may be fetched once with the token of this hash, until this moment in
    /// milliseconds since the epoch.
    OfferReport(Uuid, [u8; 32], u64),
    /// The report of a request is fetched with the token of this hash.
    TakeReport(Uuid, [u8; 32]),
    /// What an operator signs in with, and their roles.
    Operator(OperatorAsk),
}

/// What a decision rests on beside the account.
#[derive(Clone, Copy, Debug)]
pub struct OfficeSeen<'a> {
    /// The realm.
    pub realm: &'a Realm,
    /// A new id.
    pub fresh: Uuid,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What to write; empty when all was so already.
    pub change: Change,
    /// What was made or is concerned: a ban, a request. Else nil.
    pub about: Uuid,
}

/// Decides. What is revoked with a ban is the caller's to add.
///
/// # Errors
///
/// [`Refusal::Office`]; [`Refusal::Realm`] for a tag, group or role that is not there.
pub fn decide(
    account: Account,
    ask: &OfficeAsk,
    seen: OfficeSeen<'_>,
    now: UnixMicros,
) -> Result<Decided, Refusal> {
    let mut after = account.clone();
    let about = match ask {
        OfficeAsk::Ban(form) => {
            // A ban of the whole account keeps an operator out too.
            let locks_out = form.scope == BanScope::FullAccount;
            if locks_out && seen.realm.is_last_admin(account.id) {
                return Err(OfficeRefusal::LastAdmin.into());
            }
            ban(&mut after, form, seen.fresh, now)?
        }
        OfficeAsk::RevokeBan(id, by) => revoke_ban(&mut after, *id, *by)?,
        OfficeAsk::AddTags(ids) => add(&mut after, Kind::Tag, ids, seen.realm)?,
        OfficeAsk::RemoveTags(ids) => remove(&mut after, Kind::Tag, ids),
        OfficeAsk::AddGroups(ids) => add(&mut after, Kind::Group, ids, seen.realm)?,
        OfficeAsk::RemoveGroups(ids) => remove(&mut after, Kind::Group, ids),
        OfficeAsk::AddRoles(ids) => add(&mut after, Kind::Role, ids, seen.realm)?,
        OfficeAsk::RemoveRoles(ids) => remove(&mut after, Kind::Role, ids),
        OfficeAsk::FirstAdmin if seen.realm.has_no_admin() => {
            add(&mut after, Kind::Role, &[ADMIN], seen.realm)?
        }
        OfficeAsk::FirstAdmin => Uuid::nil(),
        OfficeAsk::SubmitRequest(kind) => data_rights::submit(&mut after, *kind, seen.fresh, now)?,
        OfficeAsk::AdvanceRequest(id, status) => {
            data_rights::advance(&mut after, *id, *status, now)?
        }
        OfficeAsk::OfferReport(id, hash, until_ms) => {
            data_rights::offer_report(&mut after, *id, *hash, *until_ms)?
        }
        OfficeAsk::TakeReport(id, hash) => data_rights::take_report(&mut after, *id, hash, now)?,
        OfficeAsk::Operator(ask) => {
            operator::decide(&mut after, ask, seen, now)?;
            // Roles that are given have to be there, as everywhere.
            if let OperatorAsk::Become(_, roles) | OperatorAsk::SetRoles(roles) = ask {
                add(&mut after, Kind::Role, roles, seen.realm)?;
            }
            Uuid::nil()
        }
    };
    if after.dossier.as_deref().is_some_and(|dossier| *dossier == super::Dossier::EMPTY) {
        after.dossier = account.dossier.as_ref().and(after.dossier);
    }
    let realm = in_step(&after, seen.realm)?.map(Box::new);
    Ok(Decided { change: Change { realm, ..Change::of(Some(account), after) }, about })
}

/// The realm without an account that goes; `None`: nothing of it is there.
///
/// # Errors
///
/// [`OfficeRefusal::LastAdmin`].
pub fn departed(account: AccountId, realm: &Realm) -> Result<Option<Realm>, OfficeRefusal> {
    let fewer = without(account, realm)?;
    Ok(bound(account, &[], fewer.as_ref().unwrap_or(realm))?.or(fewer))
}

/// The realm in step with an account; `None`: it is.
fn in_step(account: &Account, realm: &Realm) -> Result<Option<Realm>, OfficeRefusal> {
    let other = admins(account, realm)?;
    let wanted = operator::bindings_of(account);
    Ok(bound(account.id, wanted, other.as_ref().unwrap_or(realm))?.or(other))
}

/// The realm with an operator's accounts at providers; `None`: it has these and no others.
fn bound(
    account: AccountId,
    wanted: &[Binding],
    realm: &Realm,
) -> Result<Option<Realm>, OfficeRefusal> {
    let known = realm.bindings.iter().filter(|bound| bound.account == account);
    let known = known.map(|bound| (bound.kind, &bound.id));
    if known.eq(wanted.iter().map(|binding| (binding.kind, &binding.id))) {
        return Ok(None);
    }
    let mut after = realm.clone();
    after.bindings.retain(|bound| bound.account != account);
    if after.bindings.len() + wanted.len() > crate::domain::realm::ENTRIES_MAX {
        return Err(OperatorRefusal::TooMany.into());
    }
    let bound = |binding: &Binding| Bound { kind: binding.kind, id: binding.id.clone(), account };
    after.bindings.extend(wanted.iter().map(bound));
    Ok(Some(after))
}

/// The realm without an administrator who goes; `None`: they were none.
fn without(admin: AccountId, realm: &Realm) -> Result<Option<Realm>, OfficeRefusal> {
    if !realm.admins.contains(&admin) {
        return Ok(None);
    }
    if realm.is_last_admin(admin) {
        return Err(OfficeRefusal::LastAdmin);
    }
    let mut after = realm.clone();
    after.admins.retain(|other| *other != admin);
    Ok(Some(after))
}

/// The realm with its list of administrators in step with an account; `None`: it is.
fn admins(account: &Account, realm: &Realm) -> Result<Option<Realm>, OfficeRefusal> {
    let is_admin = account.dossier().roles.contains(&ADMIN);
    match (realm.admins.contains(&account.id), is_admin) {
        (true, false) => without(account.id, realm),
        (false, true) if realm.admins.len() >= crate::domain::realm::ENTRIES_MAX => {
            Err(OfficeRefusal::TooMany(Kind::Role))
        }
        (false, true) => {
            let mut after = realm.clone();
            after.admins.push(account.id);
            Ok(Some(after))
        }
        _ => Ok(None),
    }
}

fn ban(
    account: &mut Account,
    form: &BanForm,
    id: Uuid,
    now: UnixMicros,
) -> Result<Uuid, OfficeRefusal> {
    let bans = &mut account.dossier_mut().bans;
    if bans.len() >= ENTRIES_MAX {
        let over = bans.iter().position(|ban| !ban.is_active(now));
        bans.remove(over.ok_or(OfficeRefusal::TooManyBans)?);
    }
    bans.push(Ban {
        id,
        scope: form.scope,
        start_ms: now.as_millis(),
        duration_ms: form.duration_ms,
        reason: form.reason.clone(),
        comment: form.comment.clone(),
        by: form.by,
        revoked_by: None,
    });
    Ok(id)
}

/// Who revoked it first stays.
fn revoke_ban(account: &mut Account, id: Uuid, by: AccountId) -> Result<Uuid, OfficeRefusal> {
    let mut bans = account.dossier_mut().bans.iter_mut();
    let ban = bans.find(|ban| ban.id == id).ok_or(OfficeRefusal::UnknownBan)?;
    ban.revoked_by.get_or_insert(by);
    Ok(id)
}

/// The ids of one kind that an account has, and whether the realm still knows one.
fn list(account: &mut Account, kind: Kind) -> &mut Vec<Uuid> {
    let dossier = account.dossier_mut();
    match kind {
        Kind::Tag => &mut dossier.tags,
        Kind::Group => &mut dossier.groups,
        _ => &mut dossier.roles,
    }
}

fn is_known(realm: &Realm, kind: Kind, id: Uuid) -> bool {
    match kind {
        Kind::Tag => realm.tag(id).is_some(),
        Kind::Group => realm.has_group(id),
        _ => realm.has_role(id),
    }
}

fn add(account: &mut Account, kind: Kind, ids: &[Uuid], realm: &Realm) -> Result<Uuid, Refusal> {
    if ids.iter().any(|id| !is_known(realm, kind, *id)) {
        return Err(RealmRefusal::Unknown(kind).into());
    }
    let has = list(account, kind);
    let count = has.len();
    for id in ids {
        if !has.contains(id) {
            has.push(*id);
        }
    }
    if has.len() > count && has.len() > ENTRIES_MAX {
        has.retain(|id| is_known(realm, kind, *id)); // those that went say nothing any more
    }
    if has.len() > count && has.len() > ENTRIES_MAX {
        return Err(OfficeRefusal::TooMany(kind).into());
    }
    Ok(Uuid::nil())
}

fn remove(account: &mut Account, kind: Kind, ids: &[Uuid]) -> Uuid {
    list(account, kind).retain(|id| !ids.contains(id));
    Uuid::nil()
}

#[cfg(test)]
#[path = "office_tests.rs"]
mod tests;
