//! What operators and game servers are shown of bans, tags, roles and the like (protocol-pragma §6).

use serde_json::{Value, json};
use uuid::Uuid;

use super::shapes::{self, Viewer, millis, millis_of};
use crate::domain::account::dossier::{DataRequest, DataRequestKind, DataRequestStatus};
use crate::domain::account::search::email;
use crate::domain::account::{Account, AccountId, Ban, BanScope};
use crate::domain::realm::{ADMIN, Access, Event, Group, PartnerToken, Realm, Role, Tag};
use crate::signin::Door;

/// All that operators see of an account; its address only if they may.
pub(super) fn whole_identity(account: &Account, door: &Door, is_personal: bool) -> Value {
    let realm = &door.realm();
    let (address, is_verified) = if is_personal { email(account) } else { ("", false) };
    json!({
        "socialIdentity": shapes::social_identity(account, door, Viewer::Trusted),
        "pragmaPersonalId": account.id.0,
        "tags": tags(account, realm),
        "playerGroupIds": groups(account, realm),
        "roleIds": roles(account, realm),
        "emailAddress": address,
        "emailVerified": is_verified,
        "createdTimestampMillis": millis_of(account.created_at),
        "lastLoginTimestampMillis": millis_of(account.dossier().last_login_at),
    })
}

/// `{tagId,tag}`
pub(super) fn tag(tag: &Tag) -> Value {
    json!({"tagId": tag.id, "tag": tag.text})
}

/// An account's tags. What the realm has no more is not shown.
pub(in crate::pragma) fn tags(account: &Account, realm: &Realm) -> Vec<Value> {
    account.dossier().tags.iter().filter_map(|id| realm.tag(*id)).map(tag).collect()
}

/// An account's groups.
pub(super) fn groups(account: &Account, realm: &Realm) -> Vec<Uuid> {
    account.dossier().groups.iter().copied().filter(|id| realm.has_group(*id)).collect()
}

/// An account's roles.
pub(super) fn roles(account: &Account, realm: &Realm) -> Vec<Uuid> {
    account.dossier().roles.iter().copied().filter(|id| realm.has_role(*id)).collect()
}

/// A player group.
pub(super) fn group(group: &Group) -> Value {
    json!({
        "playerGroupId": group.id, "name": group.name, "description": group.description,
    })
}

/// A role.
pub(super) fn role(role: &Role) -> Value {
    json!({
        "roleId": role.id,
        "name": role.name,
        "permissions": role.permissions,
        "isBuiltIn": role.id == ADMIN,
    })
}

/// Who may enter a shard.
pub(super) fn shard(shard: Uuid, realm: &Realm, own: Uuid) -> Value {
    let access: Option<&Access> = realm.access.iter().find(|access| access.shard == shard);
    let is_limited = access.is_some_and(|access| access.is_limited);
    json!({
        "gameShardId": shard,
        "accessMode": if is_limited { "LIMITED" } else { "EVERYONE" },
        "fullAccessPlayerGroupIds": access.map_or(&[][..], |access| access.groups.as_slice()),
        "isOwn": shard == own,
    })
}

/// A limited access event.
pub(super) fn event(event: &Event) -> Value {
    json!({
        "limitedAccessEventId": event.id,
        "limitedAccessEventDetails": {
            "gameShardId": event.shard,
            "name": event.name,
            "description": event.description,
            "playerGroupIds": event.groups,
            "startUnixTimeMs": millis(event.start_ms),
            "endUnixTimeMs": millis(event.end_ms),
            "timeZone": event.time_zone,
        },
    })
}

/// A pair of partner tokens, without the tokens; when it was last used, in seconds, if it was since
/// the server started.
pub(super) fn partner(partner: &PartnerToken, last_use_s: Option<u64>) -> Value {
    json!({
        "tokenId": partner.id,
        "gameShardId": partner.shard,
        "label": partner.label,
        "permissions": partner.permissions,
        "createdBy": partner.by.0,
        "createdTimestampMillis": millis(partner.created_ms),
        "revoked": partner.revoked_ms != 0,
        "revokedTimestampMillis": millis(partner.revoked_ms),
        "lastUsedTimestampMillis": millis_of(last_use_s.unwrap_or(0)),
    })
}

/// A ban, as its player sees it.
pub(in crate::pragma) fn ban(account: AccountId, ban: &Ban) -> Value {
    // The studio's own enum: by name, or by number.
    let reason = ban.reason.parse::<u32>().map_or_else(|_| json!(ban.reason), |n| json!(n));
    let mut shown = json!({
        "banId": ban.id,
        "pragmaSocialId": account.0,
        "revoked": ban.revoked_by.is_some(),
        "startTimestampMillis": millis(ban.start_ms),
        "durationInMillis": millis(ban.duration_ms),
        "banScope": match ban.scope {
            BanScope::GameShard(_) => "BAN_SCOPE_GAME_SHARD",
            BanScope::AllGameShards => "BAN_SCOPE_ALL_GAME_SHARDS",
            BanScope::FullAccount => "BAN_SCOPE_FULL_ACCOUNT",
        },
        "banReason": reason,
    });
    if let (BanScope::GameShard(shard), Some(members)) = (ban.scope, shown.as_object_mut()) {
        members.insert("gameShardId".to_owned(), json!(shard));
    }
    shown
}

/// A ban, as operators see it.
pub(super) fn ban_record(account: AccountId, it: &Ban) -> Value {
    let mut record = json!({"ban": ban(account, it), "bannedBy": it.by.0, "comment": it.comment});
    if let (Some(by), Some(members)) = (it.revoked_by, record.as_object_mut()) {
        members.insert("revokedBy".to_owned(), json!(by.0));
    }
    record
}

/// Kinds of requests about data.
pub(super) const REQUEST_KINDS: [(u64, &str, DataRequestKind); 2] = [
    (1, "ACCOUNT_DELETION", DataRequestKind::AccountDeletion),
    (2, "PERSONAL_DATA", DataRequestKind::PersonalData),
];

/// Steps of requests about data.
pub(super) const REQUEST_STEPS: [(u64, &str, DataRequestStatus); 5] = [
    (1, "IN_PROGRESS", DataRequestStatus::InProgress),
    (2, "READY", DataRequestStatus::Ready),
    (3, "FULFILLED", DataRequestStatus::Fulfilled),
    (4, "FAILED", DataRequestStatus::Failed),
    (5, "CANCELED", DataRequestStatus::Canceled),
];

/// A request about data.
pub(in crate::pragma) fn data_request(account: AccountId, request: &DataRequest) -> Value {
    let kind = REQUEST_KINDS.iter().find(|(.., kind)| *kind == request.kind);
    let status = REQUEST_STEPS.iter().find(|(.., step)| *step == request.status);
    json!({
        "requestId": request.id,
        "pragmaSocialId": account.0,
        "requestType": kind.map_or("", |(_, name, _)| *name),
        "requestStatus": status.map_or("", |(_, name, _)| *name),
        "submittedTimestampMs": millis(request.submitted_ms),
        "targetTimestampMs": millis(request.target_ms),
        "fulfilledOrCanceledTimestampMs": millis(request.ended_ms),
    })
}
