//! What operators are shown of an account.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::dossier::{DataRequestKind, DataRequestStatus};
use crate::domain::account::search::email;
use crate::domain::account::{Account, Ban, BanScope, Link, LinkKind};
use crate::domain::digest::hex;
use crate::domain::queue::{Bound, Place, Seen};
use crate::domain::realm::{ADMIN, ADMIN_NAME, Realm};
use crate::domain::time::UnixMicros;
use crate::signin::recent::RecentSignIn;

/// How much of an account somebody may see.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    /// Addresses, and identifiers that sign in by themselves.
    pub personal: bool,
    /// Bans.
    pub bans: bool,
}

/// An account in a list.
#[derive(Serialize)]
pub(super) struct Row {
    id: Uuid,
    username: String,
    display_name: String,
    pragma_name: Option<String>,
    links: Vec<String>,
    created_ms: u64,
    banned: bool,
    online: bool,
}

impl Row {
    pub(super) fn of(account: &Account, online: bool, now: UnixMicros) -> Self {
        let mut links: Vec<_> = account.links.iter().map(|link| kind(link.kind)).collect();
        links.dedup();
        Self {
            id: account.id.0,
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            pragma_name: pragma_name(account),
            links,
            created_ms: ms(account.created_at),
            banned: account.is_banned(now),
            online,
        }
    }
}

/// Everything of an account that is kept with it.
#[derive(Serialize)]
pub(super) struct Whole {
    id: Uuid,
    username: String,
    display_name: String,
    pragma_name: Option<String>,
    avatar_url: String,
    language: String,
    location: String,
    timezone: String,
    created_ms: u64,
    updated_ms: u64,
    /// `null`: not known.
    last_sign_in_ms: Option<u64>,
    has_password: bool,
    /// `null`: there is none, or it is not for whoever asks.
    email: Option<Email>,
    links: Vec<LinkTold>,
    players: Vec<PlayerTold>,
    banned: bool,
    /// `null`: not for whoever asks.
    bans: Option<Vec<BanTold>>,
    tags: Vec<Named>,
    groups: Vec<Named>,
    roles: Vec<Named>,
    names_at_providers: Vec<ShownTold>,
    data_requests: Vec<DataRequestTold>,
    /// Friends, invitations and blocks.
    relations: u32,
}

#[derive(Serialize)]
struct Email {
    address: String,
    verified: bool,
}

#[derive(Serialize)]
struct LinkTold {
    /// What it is called in the path that takes it away.
    key: String,
    kind: String,
    /// `null`: not for whoever asks, for it signs in by itself or says who somebody is.
    id: Option<String>,
}

#[derive(Serialize)]
struct PlayerTold {
    shard: Uuid,
    player: Uuid,
}

/// A ban.
#[derive(Serialize)]
pub(super) struct BanTold {
    id: Uuid,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Uuid>,
    start_ms: u64,
    /// `null`: for good.
    until_ms: Option<u64>,
    reason: String,
    comment: String,
    by: Uuid,
    revoked_by: Option<Uuid>,
    active: bool,
}

/// Something with an id and a name.
#[derive(Clone, Serialize)]
pub(super) struct Named {
    pub id: Uuid,
    pub name: String,
}

#[derive(Serialize)]
struct ShownTold {
    kind: String,
    name: String,
    discriminator: String,
}

#[derive(Serialize)]
struct DataRequestTold {
    id: Uuid,
    kind: &'static str,
    status: &'static str,
    submitted_ms: u64,
    target_ms: u64,
    ended_ms: Option<u64>,
}

impl Whole {
    pub(super) fn of(account: &Account, realm: &Realm, sight: Sight, now: UnixMicros) -> Self {
        let dossier = account.dossier();
        let (address, verified) = email(account);
        let address = (sight.personal && !address.is_empty()).then(|| address.to_owned());
        let named = |id: Uuid, name: &str| Named { id, name: name.to_owned() };
        let tag = |id: &Uuid| realm.tag(*id).map(|tag| named(tag.id, &tag.text));
        let group = |id: &Uuid| {
            let group = realm.groups.iter().find(|group| group.id == *id);
            group.map(|group| named(group.id, &group.name))
        };
        let bans = || dossier.bans.iter().rev().map(|ban| BanTold::of(ban, now)).collect();
        Self {
            id: account.id.0,
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            pragma_name: pragma_name(account),
            avatar_url: account.avatar_url.clone(),
            language: account.lang_tag.clone(),
            location: account.location.clone(),
            timezone: account.timezone.clone(),
            created_ms: ms(account.created_at),
            updated_ms: ms(account.updated_at),
            last_sign_in_ms: (dossier.last_login_at > 0).then(|| ms(dossier.last_login_at)),
            has_password: account.password.is_some(),
            email: address.map(|address| Email { address, verified }),
            links: account.links.iter().map(|link| LinkTold::of(link, sight)).collect(),
            players: account
                .players
                .iter()
                .map(|it| PlayerTold { shard: it.shard, player: it.player })
                .collect(),
            banned: account.is_banned(now),
            bans: sight.bans.then(bans),
            tags: dossier.tags.iter().filter_map(tag).collect(),
            groups: dossier.groups.iter().filter_map(group).collect(),
            roles: dossier.roles.iter().filter_map(|id| role(realm, *id)).collect(),
            names_at_providers: dossier
                .shown
                .iter()
                .map(|shown| ShownTold {
                    kind: LinkKind::from_number(shown.kind).map(kind).unwrap_or_default(),
                    name: shown.name.clone(),
                    discriminator: shown.discriminator.clone(),
                })
                .collect(),
            data_requests: data_requests(account),
            relations: account.edge_count,
        }
    }
}

fn role(realm: &Realm, id: Uuid) -> Option<Named> {
    if id == ADMIN {
        return Some(Named { id, name: ADMIN_NAME.to_owned() });
    }
    let role = realm.roles.iter().find(|role| role.id == id)?;
    Some(Named { id, name: role.name.clone() })
}

fn data_requests(account: &Account) -> Vec<DataRequestTold> {
    let requests = account.dossier().data_requests.iter();
    requests
        .map(|request| DataRequestTold {
            id: request.id,
            kind: match request.kind {
                DataRequestKind::AccountDeletion => "account_deletion",
                DataRequestKind::PersonalData => "personal_data",
            },
            status: match request.status {
                DataRequestStatus::InProgress => "in_progress",
                DataRequestStatus::Ready => "ready",
                DataRequestStatus::Fulfilled => "fulfilled",
                DataRequestStatus::Failed => "failed",
                DataRequestStatus::Canceled => "canceled",
            },
            submitted_ms: request.submitted_ms,
            target_ms: request.target_ms,
            ended_ms: (request.ended_ms > 0).then_some(request.ended_ms),
        })
        .collect()
}

impl LinkTold {
    fn of(link: &Link, sight: Sight) -> Self {
        let is_secret = matches!(link.kind, LinkKind::Device | LinkKind::Custom | LinkKind::Email);
        let id = (sight.personal || !is_secret).then(|| link.id.clone());
        Self { key: link_key(link), kind: kind(link.kind), id }
    }
}

impl BanTold {
    pub(super) fn of(ban: &Ban, now: UnixMicros) -> Self {
        let (scope, shard) = match ban.scope {
            BanScope::GameShard(shard) => ("shard", Some(shard)),
            BanScope::AllGameShards => ("all_shards", None),
            BanScope::FullAccount => ("account", None),
        };
        let ends = ban.duration_ms < FOREVER_MS;
        Self {
            id: ban.id,
            scope,
            shard,
            start_ms: ban.start_ms,
            until_ms: ends.then(|| ban.start_ms.saturating_add(ban.duration_ms)),
            reason: ban.reason.clone(),
            comment: ban.comment.clone(),
            by: ban.by.0,
            revoked_by: ban.revoked_by.map(|by| by.0),
            active: ban.is_active(now),
        }
    }
}

/// A sign-in that is remembered.
#[derive(Serialize)]
pub(super) struct SignInTold {
    at_ms: u64,
    method: &'static str,
    created: bool,
}

impl From<RecentSignIn> for SignInTold {
    fn from(RecentSignIn { at, method, created }: RecentSignIn) -> Self {
        Self { at_ms: at.as_millis(), method, created }
    }
}

/// Where a player stands, and why there.
#[derive(Serialize)]
pub(super) struct LineTold {
    /// `waiting`, `parked`, `pass` or `none`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entered_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_s: Option<f64>,
    /// What keeps who waits from coming in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    /// How the whole story is told from a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What their slot is doing; `null`: they hold none.
    slot: Option<&'static str>,
}

impl From<Seen> for LineTold {
    fn from(seen: Seen) -> Self {
        let waits = matches!(seen.place, Place::Waiting { .. });
        let (state, lane, position) = match seen.place {
            Place::Waiting { lane, position } => ("waiting", Some(lane.name()), Some(position)),
            Place::Parked => ("parked", None, None),
            Place::Pass => ("pass", None, None),
            Place::Gone => ("none", None, None),
        };
        Self {
            state,
            number: seen.number.map(|number| number.0),
            lane,
            position,
            entered_ms: seen.entered_at.map(UnixMicros::as_millis),
            expected_s: seen.expected_s,
            bound: waits.then_some(seen.bound),
            why: seen.number.map(|number| format!("anteroom why --ticket {}", number.0)),
            slot: seen.slot.map(crate::domain::queue::SlotState::name),
        }
    }
}

/// What a link is called in a path: a hash, so that what signs in is in no log of addresses.
pub(super) fn link_key(link: &Link) -> String {
    let kind = [link.kind.number()];
    let digest = crate::domain::digest::Digest::of(&[b"link", &kind, link.id.as_bytes()]);
    hex(digest.0.split_at(12).0)
}

/// The word for a kind of link.
pub(super) fn kind(kind: LinkKind) -> String {
    match kind {
        LinkKind::Studio(number) => format!("studio-{number}"),
        kind => kind.name().to_owned(),
    }
}

fn pragma_name(account: &Account) -> Option<String> {
    let name = account.pragma_name.as_ref()?;
    Some(format!("{}#{:04}", name.name, name.discriminator))
}

const fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}
