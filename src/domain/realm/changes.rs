//! What operators change in the realm: one ask, one new realm, or a refusal (protocol-pragma §6.7,
//! §9, §13). Ids are rolled by the caller and never used again, so what still names a tag, a group or
//! a role that is gone names nothing.

use uuid::Uuid;

use super::{ADMIN, Access, ENTRIES_MAX, Event, Group, PartnerToken, Realm, Role, Tag};

/// Longest name of anything here, in characters.
pub const NAME_MAX: usize = 128;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 1_024;
/// Permissions a role or a partner token may list.
pub const PERMISSIONS_MAX: usize = 128;

/// What the realm has lists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// [`Tag`]
    #[error("tag")]
    Tag,
    /// [`Group`]
    #[error("player group")]
    Group,
    /// [`Role`]
    #[error("role")]
    Role,
    /// [`Access`]
    #[error("game shard")]
    Shard,
    /// [`Event`]
    #[error("limited access event")]
    Event,
    /// [`PartnerToken`]
    #[error("partner token")]
    Partner,
}

/// Why the realm stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RealmRefusal {
    /// Another has this name.
    #[error("another {0} has this name")]
    NameTaken(Kind),
    /// A name is empty, or a text too long.
    #[error("a text of the {0} has a wrong length")]
    Length(Kind),
    /// There is none with this id.
    #[error("no such {0}")]
    Unknown(Kind),
    /// The list is full.
    #[error("too many of kind {0}")]
    TooMany(Kind),
    /// An event that ends before it starts.
    #[error("the event ends before it starts")]
    Interval,
    /// The built-in role is as it is.
    #[error("the built-in role cannot be changed")]
    BuiltIn,
    /// A shard or an event that is not over lets this group in: without it somebody is locked out.
    #[error("the group is used for limited access")]
    GroupInUse,
}

/// What shall change. Where something is made, its id is the caller's fresh one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealmAsk {
    /// A new tag; one that says the same already is the answer.
    CreateTag(String),
    /// A tag says something else.
    RenameTag(Uuid, String),
    /// A tag goes, from every account.
    DeleteTag(Uuid),
    /// A new group: name and description.
    CreateGroup(String, String),
    /// A group's name and description.
    UpdateGroup(Uuid, String, String),
    /// A group goes.
    DeleteGroup(Uuid),
    /// A new role: name and permissions.
    CreateRole(String, Vec<String>),
    /// A role's name and permissions.
    UpdateRole(Uuid, String, Vec<String>),
    /// A role goes, from every operator.
    DeleteRole(Uuid),
    /// Whether only some may enter a shard. That the shard is one is the caller's to know.
    SetLimited(Uuid, bool),
    /// The groups that always may enter a shard.
    SetFullAccess(Uuid, Vec<Uuid>),
    /// A new event; its id is not looked at.
    CreateEvent(Event),
    /// An event, by its id, becomes this.
    UpdateEvent(Event),
    /// An event goes.
    DeleteEvent(Uuid),
    /// A new pair of partner tokens; its id, time and revocation are not looked at.
    AddPartner(PartnerToken),
    /// A pair of partner tokens is good no more.
    RevokePartner(Uuid),
    /// What a pair of partner tokens is called.
    RelabelPartner(Uuid, String),
}

/// The realm after a change, and the id of what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmChanged {
    /// The realm from now on.
    pub realm: Realm,
    /// What was made or changed; for a shard, the shard.
    pub id: Uuid,
}

/// Applies a change. `fresh` is a new id, `now_ms` the time in milliseconds since the epoch.
///
/// # Errors
///
/// [`RealmRefusal`]: nothing changes.
pub fn change(
    realm: &Realm,
    ask: &RealmAsk,
    fresh: Uuid,
    now_ms: u64,
) -> Result<RealmChanged, RealmRefusal> {
    let mut after = realm.clone();
    let id = match ask {
        RealmAsk::CreateTag(_) | RealmAsk::RenameTag(..) | RealmAsk::DeleteTag(_) => {
            tags(&mut after, ask, fresh)
        }
        RealmAsk::CreateGroup(..) | RealmAsk::UpdateGroup(..) | RealmAsk::DeleteGroup(_) => {
            groups(&mut after, ask, fresh, now_ms)
        }
        RealmAsk::CreateRole(..) | RealmAsk::UpdateRole(..) | RealmAsk::DeleteRole(_) => {
            roles(&mut after, ask, fresh)
        }
        RealmAsk::SetLimited(shard, is_limited) => access(&mut after, *shard)
            .map(|access| access.is_limited = *is_limited)
            .map(|()| *shard),
        RealmAsk::SetFullAccess(shard, groups) => {
            let groups = known_groups(&after, groups)?;
            access(&mut after, *shard).map(|access| access.groups = groups).map(|()| *shard)
        }
        RealmAsk::CreateEvent(_) | RealmAsk::UpdateEvent(_) | RealmAsk::DeleteEvent(_) => {
            events(&mut after, ask, fresh, now_ms)
        }
        RealmAsk::AddPartner(_) | RealmAsk::RevokePartner(_) | RealmAsk::RelabelPartner(..) => {
            partners(&mut after, ask, fresh, now_ms)
        }
    }?;
    Ok(RealmChanged { realm: after, id })
}

/// Something with an id and, where names are not shared, a name.
trait Entry {
    const KIND: Kind;
    fn id(&self) -> Uuid;
    fn name(&self) -> &str;
}

macro_rules! entries {
    ($($of:ty, $kind:ident, $name:ident;)*) => {
        $(impl Entry for $of {
            const KIND: Kind = Kind::$kind;
            fn id(&self) -> Uuid {
                self.id
            }
            fn name(&self) -> &str {
                &self.$name
            }
        })*
    };
}

entries! {
    Tag, Tag, text;
    Group, Group, name;
    Role, Role, name;
    Event, Event, name;
    PartnerToken, Partner, label;
}

fn find<T: Entry>(list: &mut [T], id: Uuid) -> Result<&mut T, RealmRefusal> {
    list.iter_mut().find(|entry| entry.id() == id).ok_or(RealmRefusal::Unknown(T::KIND))
}

fn remove<T: Entry>(list: &mut Vec<T>, id: Uuid) -> Result<Uuid, RealmRefusal> {
    let at = list.iter().position(|entry| entry.id() == id);
    list.remove(at.ok_or(RealmRefusal::Unknown(T::KIND))?);
    Ok(id)
}

fn push<T: Entry>(list: &mut Vec<T>, entry: T) -> Result<Uuid, RealmRefusal> {
    if list.len() >= ENTRIES_MAX {
        return Err(RealmRefusal::TooMany(T::KIND));
    }
    let id = entry.id();
    list.push(entry);
    Ok(id)
}

/// A name without blanks around it that no other entry has. Case does not tell names apart.
fn own_name<T: Entry>(list: &[T], id: Uuid, name: &str) -> Result<String, RealmRefusal> {
    let name = text(name, T::KIND)?;
    let folded = name.to_lowercase();
    let same = |entry: &T| entry.id() != id && entry.name().to_lowercase() == folded;
    if list.iter().any(same) {
        return Err(RealmRefusal::NameTaken(T::KIND));
    }
    Ok(name)
}

/// A name without blanks around it, neither empty nor too long.
fn text(name: &str, kind: Kind) -> Result<String, RealmRefusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(RealmRefusal::Length(kind));
    }
    Ok(name.to_owned())
}

fn description(text: &str, kind: Kind) -> Result<String, RealmRefusal> {
    if text.chars().count() > DESCRIPTION_MAX {
        return Err(RealmRefusal::Length(kind));
    }
    Ok(text.to_owned())
}

fn permissions(wanted: &[String], kind: Kind) -> Result<Vec<String>, RealmRefusal> {
    if wanted.iter().any(|one| one.is_empty() || one.len() > NAME_MAX) {
        return Err(RealmRefusal::Length(kind));
    }
    let mut sorted = wanted.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() > PERMISSIONS_MAX {
        return Err(RealmRefusal::TooMany(kind));
    }
    Ok(sorted)
}

fn tags(realm: &mut Realm, ask: &RealmAsk, fresh: Uuid) -> Result<Uuid, RealmRefusal> {
    match ask {
        RealmAsk::CreateTag(wanted) => {
            if let Some(tag) = realm.tag_named(wanted) {
                return Ok(tag.id);
            }
            let text = own_name(&realm.tags, fresh, wanted)?;
            push(&mut realm.tags, Tag { id: fresh, text })
        }
        RealmAsk::RenameTag(id, wanted) => {
            let text = own_name(&realm.tags, *id, wanted)?;
            find(&mut realm.tags, *id)?.text = text;
            Ok(*id)
        }
        RealmAsk::DeleteTag(id) => remove(&mut realm.tags, *id),
        _ => Err(RealmRefusal::Unknown(Kind::Tag)),
    }
}

fn groups(
    realm: &mut Realm,
    ask: &RealmAsk,
    fresh: Uuid,
    now_ms: u64,
) -> Result<Uuid, RealmRefusal> {
    match ask {
        RealmAsk::CreateGroup(name, about) => {
            let name = own_name(&realm.groups, fresh, name)?;
            let description = description(about, Kind::Group)?;
            push(&mut realm.groups, Group { id: fresh, name, description })
        }
        RealmAsk::UpdateGroup(id, name, about) => {
            let name = own_name(&realm.groups, *id, name)?;
            let description = description(about, Kind::Group)?;
            *find(&mut realm.groups, *id)? = Group { id: *id, name, description };
            Ok(*id)
        }
        RealmAsk::DeleteGroup(id) => {
            let opens = |access: &Access| access.groups.contains(id);
            let invites = |event: &Event| event.end_ms > now_ms && event.groups.contains(id);
            if realm.access.iter().any(opens) || realm.events.iter().any(invites) {
                return Err(RealmRefusal::GroupInUse);
            }
            for event in &mut realm.events {
                event.groups.retain(|group| group != id);
            }
            remove(&mut realm.groups, *id)
        }
        _ => Err(RealmRefusal::Unknown(Kind::Group)),
    }
}

fn roles(realm: &mut Realm, ask: &RealmAsk, fresh: Uuid) -> Result<Uuid, RealmRefusal> {
    // The built-in role is in no list, so its name has to be kept free here.
    let is_built_in = |name: &str| name.trim().eq_ignore_ascii_case(super::ADMIN_NAME);
    match ask {
        RealmAsk::CreateRole(name, _) if is_built_in(name) => {
            Err(RealmRefusal::NameTaken(Kind::Role))
        }
        RealmAsk::UpdateRole(ADMIN, ..) | RealmAsk::DeleteRole(ADMIN) => Err(RealmRefusal::BuiltIn),
        RealmAsk::UpdateRole(_, name, _) if is_built_in(name) => {
            Err(RealmRefusal::NameTaken(Kind::Role))
        }
        RealmAsk::CreateRole(name, wanted) => {
            let name = own_name(&realm.roles, fresh, name)?;
            let permissions = permissions(wanted, Kind::Role)?;
            push(&mut realm.roles, Role { id: fresh, name, permissions })
        }
        RealmAsk::UpdateRole(id, name, wanted) => {
            let name = own_name(&realm.roles, *id, name)?;
            let permissions = permissions(wanted, Kind::Role)?;
            *find(&mut realm.roles, *id)? = Role { id: *id, name, permissions };
            Ok(*id)
        }
        RealmAsk::DeleteRole(id) => remove(&mut realm.roles, *id),
        _ => Err(RealmRefusal::Unknown(Kind::Role)),
    }
}

/// The access of a shard; one that was never touched takes everybody.
fn access(realm: &mut Realm, shard: Uuid) -> Result<&mut Access, RealmRefusal> {
    let at = realm.access.iter().position(|access| access.shard == shard);
    if at.is_none() {
        if realm.access.len() >= ENTRIES_MAX {
            return Err(RealmRefusal::TooMany(Kind::Shard));
        }
        realm.access.push(Access { shard, is_limited: false, groups: Vec::new() });
    }
    let found = match at {
        Some(at) => realm.access.get_mut(at),
        None => realm.access.last_mut(),
    };
    found.ok_or(RealmRefusal::Unknown(Kind::Shard))
}

fn known_groups(realm: &Realm, wanted: &[Uuid]) -> Result<Vec<Uuid>, RealmRefusal> {
    let mut groups = wanted.to_vec();
    groups.sort_unstable();
    groups.dedup();
    if groups.iter().any(|group| !realm.has_group(*group)) {
        return Err(RealmRefusal::Unknown(Kind::Group));
    }
    Ok(groups)
}

fn events(
    realm: &mut Realm,
    ask: &RealmAsk,
    fresh: Uuid,
    now_ms: u64,
) -> Result<Uuid, RealmRefusal> {
    let checked = |realm: &Realm, event: &Event, id| {
        if event.end_ms <= event.start_ms {
            return Err(RealmRefusal::Interval);
        }
        Ok(Event {
            id,
            shard: event.shard,
            name: text(&event.name, Kind::Event)?,
            description: description(&event.description, Kind::Event)?,
            groups: known_groups(realm, &event.groups)?,
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            time_zone: description(&event.time_zone, Kind::Event)?,
        })
    };
    match ask {
        RealmAsk::CreateEvent(event) => {
            let event = checked(realm, event, fresh)?;
            make_room(&mut realm.events, |event| event.end_ms <= now_ms);
            push(&mut realm.events, event)
        }
        RealmAsk::UpdateEvent(event) => {
            let event = checked(realm, event, event.id)?;
            let id = event.id;
            *find(&mut realm.events, id)? = event;
            Ok(id)
        }
        RealmAsk::DeleteEvent(id) => remove(&mut realm.events, *id),
        _ => Err(RealmRefusal::Unknown(Kind::Event)),
    }
}

fn partners(
    realm: &mut Realm,
    ask: &RealmAsk,
    fresh: Uuid,
    now_ms: u64,
) -> Result<Uuid, RealmRefusal> {
    match ask {
        RealmAsk::AddPartner(token) => {
            let label = description(token.label.trim(), Kind::Partner)?;
            let permissions = permissions(&token.permissions, Kind::Partner)?;
            // Who is not in the list is refused, so what was revoked need not stay in it.
            make_room(&mut realm.partners, |partner| partner.revoked_ms != 0);
            push(
                &mut realm.partners,
                PartnerToken {
                    id: fresh,
                    shard: token.shard,
                    label,
                    permissions,
                    by: token.by,
                    created_ms: now_ms,
                    revoked_ms: 0,
                },
            )
        }
        RealmAsk::RevokePartner(id) => {
            let partner = find(&mut realm.partners, *id)?;
            if partner.revoked_ms == 0 {
                partner.revoked_ms = now_ms.max(1);
            }
            Ok(*id)
        }
        RealmAsk::RelabelPartner(id, label) => {
            let label = description(label.trim(), Kind::Partner)?;
            find(&mut realm.partners, *id)?.label = label;
            Ok(*id)
        }
        _ => Err(RealmRefusal::Unknown(Kind::Partner)),
    }
}

/// A full list loses the oldest entry that says nothing any more.
fn make_room<T>(list: &mut Vec<T>, is_over: impl Fn(&T) -> bool) {
    if list.len() >= ENTRIES_MAX
        && let Some(at) = list.iter().position(is_over)
    {
        list.remove(at);
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
