//! What only some accounts have: names at providers, bans, tags, groups, roles, what was unlinked
//! (protocol-pragma §6, §7). Every list is bounded; the oldest entry that says nothing any more
//! goes first.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ban::Ban;
use super::record::AccountId;
use crate::domain::operator::Credentials;
use crate::domain::time::UnixMicros;

/// Entries each list of a dossier may hold.
pub const ENTRIES_MAX: usize = 64;

/// The part of an account that most accounts do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// Names at providers, one for each kind of link at most.
    pub shown: Vec<ShownName>,
    /// Last sign-in through Pragma's door, in seconds since the epoch; zero: never.
    pub last_login_at: u64,
    /// When the player last changed their Pragma name, in seconds; zero: never.
    pub renamed_at: u64,
    /// Tags (ids of [`crate::domain::realm::Tag`]).
    pub tags: Vec<Uuid>,
    /// Player groups (ids of [`crate::domain::realm::Group`]).
    pub groups: Vec<Uuid>,
    /// Operator roles (ids of [`crate::domain::realm::Role`]).
    pub roles: Vec<Uuid>,
    /// Every ban there was, oldest first.
    pub bans: Vec<Ban>,
    /// Links that were taken away, for the cooldown and for one association only (§7.1).
    pub unlinked: Vec<Unlinked>,
    /// Requests about the player's data (§6.8), oldest first.
    pub data_requests: Vec<DataRequest>,
    /// Whether the player takes no invitations to be friends (§12.2).
    pub refuses_invites: bool,
    /// How often the player's list of friends, invitations and blocks has changed (§12.2).
    pub list_version: u64,
    /// What an operator signs in with, if they do so here.
    pub operator: Option<Box<Credentials>>,
}

/// A player's name at a provider when they were last linked there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownName {
    /// The kind of link, as it is stored.
    pub kind: u8,
    /// The name.
    pub name: String,
    /// Mostly empty.
    pub discriminator: String,
}

/// A link that was taken away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlinked {
    /// The kind of link, as it is stored.
    pub kind: u8,
    /// The identifier.
    pub id: String,
    /// When, in seconds since the epoch.
    pub at: u64,
}

/// A player's request about their data (§6.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRequest {
    /// Its id.
    pub id: Uuid,
    /// What is asked for.
    pub kind: DataRequestKind,
    /// How far it is.
    pub status: DataRequestStatus,
    /// When it was made, in milliseconds since the epoch.
    pub submitted_ms: u64,
    /// Until when it is to be done.
    pub target_ms: u64,
    /// When it was fulfilled or cancelled; zero: not yet.
    pub ended_ms: u64,
    /// The hash (SHA-256) of the token of a report that waits to be fetched, and until when it may
    /// be, in milliseconds since the epoch.
    pub report: Option<([u8; 32], u64)>,
}

/// What a data request is about. The numbers are Pragma's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataRequestKind {
    /// 1: delete the account.
    AccountDeletion,
    /// 2: hand out everything that is known.
    PersonalData,
}

/// How far a data request is. The numbers are Pragma's, 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataRequestStatus {
    /// 1
    InProgress,
    /// 2
    Ready,
    /// 3
    Fulfilled,
    /// 4
    Failed,
    /// 5
    Canceled,
}

impl Dossier {
    /// A dossier that says nothing.
    pub const EMPTY: Self = Self {
        shown: Vec::new(),
        last_login_at: 0,
        renamed_at: 0,
        tags: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        bans: Vec::new(),
        unlinked: Vec::new(),
        data_requests: Vec::new(),
        refuses_invites: false,
        list_version: 0,
        operator: None,
    };

    /// The player's name at a provider.
    pub fn shown(&self, kind: super::LinkKind) -> Option<&ShownName> {
        self.shown.iter().find(|shown| shown.kind == kind.number())
    }

    /// Keeps a name at a provider in place of the one before.
    pub fn show(&mut self, shown: ShownName) {
        self.shown.retain(|kept| kept.kind != shown.kind);
        if self.shown.len() < ENTRIES_MAX {
            self.shown.push(shown);
        }
    }

    /// Keeps what was unlinked; the oldest goes when there is no room.
    pub fn remember_unlinked(&mut self, gone: Unlinked) {
        self.unlinked.retain(|kept| (kept.kind, &kept.id) != (gone.kind, &gone.id));
        if self.unlinked.len() >= ENTRIES_MAX {
            self.unlinked.remove(0);
        }
        self.unlinked.push(gone);
    }

    /// Whether a ban of the whole account is in force.
    pub fn is_banned(&self, now: UnixMicros) -> bool {
        self.bans.iter().any(|ban| ban.scope == super::BanScope::FullAccount && ban.is_active(now))
    }

    /// Whether a ban keeps the player out of a game shard.
    pub fn is_barred(&self, shard: Uuid, now: UnixMicros) -> bool {
        self.bans.iter().any(|ban| ban.scope.covers(shard) && ban.is_active(now))
    }
}

/// The id operators' things are by when the server itself did them.
pub const BY_SYSTEM: AccountId = AccountId(Uuid::nil());

/// The identifier is not for logs.
impl std::fmt::Debug for Unlinked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unlinked({}, at {})", self.kind, self.at)
    }
}
