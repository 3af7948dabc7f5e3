//! The realm: what operators keep beside accounts. Tags, groups, roles, access to shards, partner
//! tokens (protocol-pragma §6.7, §9, §13). One small record; read by everybody, changed by the
//! registry alone.

mod bootstrap;
mod changes;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use bootstrap::{OperatorIdentity, bootstrap};
pub use changes::{
    DESCRIPTION_MAX, Kind, NAME_MAX, PERMISSIONS_MAX, RealmAsk, RealmChanged, RealmRefusal, change,
};

use crate::domain::account::AccountId;

/// Entries each list of the realm may hold.
pub const ENTRIES_MAX: usize = 1_000;

/// Everything of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    /// Tags that accounts may have.
    pub tags: Vec<Tag>,
    /// Groups that accounts may be in.
    pub groups: Vec<Group>,
    /// Roles that operators may have, without the built-in one ([`ADMIN`]).
    pub roles: Vec<Role>,
    /// Who may enter a shard; a shard that is not here takes everybody.
    pub access: Vec<Access>,
    /// Times at which groups may enter a limited shard.
    pub events: Vec<Event>,
    /// Partner tokens: one that is not here is not good.
    pub partners: Vec<PartnerToken>,
    /// Who has the built-in role: kept in step with their accounts by the one writer, so that there
    /// is always one left.
    pub admins: Vec<AccountId>,
    /// Whose accounts at providers operators sign in by: kept in step with their dossiers, which
    /// decide, so that an operator is found by one and no two have the same.
    #[serde(default)]
    pub bindings: Vec<Bound>,
}

/// An account at a provider by which an operator signs in, and which.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The provider, by the number of its kind of link.
    pub kind: u8,
    /// The id there.
    pub id: String,
    /// The operator.
    pub account: AccountId,
}

/// Ids at providers are not for logs.
impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bound({}, {})", self.kind, self.account.0)
    }
}

/// The role that has every permission and cannot be changed.
pub const ADMIN: Uuid = Uuid::from_u128(1);
/// What it is called.
pub const ADMIN_NAME: &str = "Admin";

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its id.
    pub id: Uuid,
    /// What it says; no two say the same.
    pub text: String,
}

/// A group of players.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: Uuid,
    /// Its name; no two have the same.
    pub name: String,
    /// What it is for.
    pub description: String,
}

/// A role of operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its id.
    pub id: Uuid,
    /// Its name; no two have the same.
    pub name: String,
    /// What it permits, as `service.resource.action`.
    pub permissions: Vec<String>,
}

/// Who may enter a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The shard.
    pub shard: Uuid,
    /// Whether only some may.
    pub is_limited: bool,
    /// Groups that always may.
    pub groups: Vec<Uuid>,
}

/// A time at which groups may enter a limited shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// The shard.
    pub shard: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Who may enter.
    pub groups: Vec<Uuid>,
    /// From when, in milliseconds since the epoch.
    pub start_ms: u64,
    /// Until when.
    pub end_ms: u64,
    /// The time zone it was planned in; for display.
    pub time_zone: String,
}

/// A pair of partner tokens. The tokens themselves are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerToken {
    /// Its id: the `sub` of both tokens.
    pub id: Uuid,
    /// The shard the game token is good for.
    pub shard: Uuid,
    /// What it is called.
    pub label: String,
    /// What it permits; empty: everything a partner may.
    pub permissions: Vec<String>,
    /// Who made it.
    pub by: AccountId,
    /// When, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it was revoked, in milliseconds; zero: it is good.
    pub revoked_ms: u64,
}

impl Realm {
    /// The operator who signs in by this account at a provider.
    pub fn bound_to(&self, kind: u8, id: &str) -> Option<AccountId> {
        let is_it = |bound: &&Bound| bound.kind == kind && bound.id == id;
        self.bindings.iter().find(is_it).map(|bound| bound.account)
    }

    /// A tag by its id.
    pub fn tag(&self, id: Uuid) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.id == id)
    }

    /// The tag that says this; case and blanks around it do not count.
    pub fn tag_named(&self, text: &str) -> Option<&Tag> {
        let folded = text.trim().to_lowercase();
        self.tags.iter().find(|tag| tag.text.to_lowercase() == folded)
    }

    /// Whether there is such a group.
    pub fn has_group(&self, id: Uuid) -> bool {
        self.groups.iter().any(|group| group.id == id)
    }

    /// Whether there is such a role, the built-in one included.
    pub fn has_role(&self, id: Uuid) -> bool {
        id == ADMIN || self.roles.iter().any(|role| role.id == id)
    }

    /// Whether nobody is an operator with every permission yet.
    pub fn has_no_admin(&self) -> bool {
        self.admins.is_empty()
    }

    /// Whether this is the only account with the built-in role.
    pub fn is_last_admin(&self, account: AccountId) -> bool {
        self.admins == [account]
    }

    /// Whether a partner token is known and not revoked.
    pub fn partner_is_good(&self, id: Uuid) -> bool {
        self.partners.iter().any(|partner| partner.id == id && partner.revoked_ms == 0)
    }

    /// Whether a member of `groups` may enter a shard at this moment (§6.7).
    pub fn may_enter(&self, shard: Uuid, groups: &[Uuid], now_ms: u64) -> bool {
        let Some(access) = self.access.iter().find(|access| access.shard == shard) else {
            return true;
        };
        let shares = |theirs: &[Uuid]| theirs.iter().any(|group| groups.contains(group));
        let invited = |event: &Event| {
            event.shard == shard
                && (event.start_ms..event.end_ms).contains(&now_ms)
                && shares(&event.groups)
        };
        !access.is_limited || shares(&access.groups) || self.events.iter().any(invited)
    }

    /// Whether any of these roles has a permission.
    pub fn permits(&self, roles: &[Uuid], permission: &str) -> bool {
        roles.contains(&ADMIN)
            || self.roles.iter().any(|role| {
                roles.contains(&role.id) && role.permissions.iter().any(|has| has == permission)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: Uuid = Uuid::from_u128(1);
    const STAFF: Uuid = Uuid::from_u128(2);
    const TESTERS: Uuid = Uuid::from_u128(3);

    fn limited() -> Realm {
        let access = Access { shard: SHARD, is_limited: true, groups: vec![STAFF] };
        let event = Event {
            id: Uuid::from_u128(9),
            shard: SHARD,
            name: "weekend".into(),
            description: String::new(),
            groups: vec![TESTERS],
            start_ms: 100,
            end_ms: 200,
            time_zone: "UTC".into(),
        };
        Realm { access: vec![access], events: vec![event], ..Realm::default() }
    }

    #[test]
    fn a_limited_shard_takes_its_groups_always_and_others_during_their_events() {
        let realm = limited();
        for (groups, now_ms, may) in [
            (&[][..], 150, false),
            (&[STAFF][..], 0, true),
            (&[TESTERS][..], 99, false),
            (&[TESTERS][..], 100, true),
            (&[TESTERS][..], 199, true),
            (&[TESTERS][..], 200, false),
        ] {
            assert_eq!(realm.may_enter(SHARD, groups, now_ms), may, "{groups:?} at {now_ms}");
        }
        assert!(realm.may_enter(Uuid::from_u128(7), &[], 0), "a shard nobody limited");
    }

    #[test]
    fn the_built_in_role_permits_everything() {
        let role = Role { id: STAFF, name: "support".into(), permissions: vec!["a.b.get".into()] };
        let realm = Realm { roles: vec![role], ..Realm::default() };
        assert!(realm.permits(&[ADMIN], "anything.at.all"));
        assert!(realm.permits(&[STAFF], "a.b.get") && !realm.permits(&[STAFF], "a.b.update"));
        assert!(!realm.permits(&[], "a.b.get") && !realm.permits(&[TESTERS], "a.b.get"));
    }
}
