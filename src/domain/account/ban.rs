//! Bans (protocol-pragma §6.6).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record::AccountId;
use crate::domain::time::UnixMicros;

/// A duration without end: the largest the wire can say.
pub const FOREVER_MS: u64 = i64::MAX as u64;

/// What a ban keeps a player out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BanScope {
    /// One game shard.
    GameShard(Uuid),
    /// Every game shard.
    AllGameShards,
    /// Everything: no sign-in by any protocol.
    FullAccount,
}

impl BanScope {
    /// Whether it keeps players out of this shard.
    pub fn covers(self, shard: Uuid) -> bool {
        match self {
            Self::GameShard(one) => one == shard,
            Self::AllGameShards | Self::FullAccount => true,
        }
    }
}

/// One ban with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Its id.
    pub id: Uuid,
    /// What it covers.
    pub scope: BanScope,
    /// From when, in milliseconds since the epoch.
    pub start_ms: u64,
    /// For how long, in milliseconds; [`FOREVER_MS`]: for good.
    pub duration_ms: u64,
    /// The studio's word for why.
    pub reason: String,
    /// For operators only.
    pub comment: String,
    /// Who banned.
    pub by: AccountId,
    /// Who took it back; `None`: nobody.
    pub revoked_by: Option<AccountId>,
}

impl Ban {
    /// Whether it is in force.
    pub const fn is_active(&self, now: UnixMicros) -> bool {
        let now_ms = now.0 / 1_000;
        self.revoked_by.is_none()
            && self.start_ms <= now_ms
            && now_ms < self.start_ms.saturating_add(self.duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_in_force_from_its_start_for_its_duration_until_revoked() {
        let ban = |duration_ms, revoked_by| Ban {
            id: Uuid::nil(),
            scope: BanScope::AllGameShards,
            start_ms: 10_000,
            duration_ms,
            reason: String::new(),
            comment: String::new(),
            by: AccountId(Uuid::nil()),
            revoked_by,
        };
        let at = |ms: u64| UnixMicros(ms * 1_000);
        let hour = ban(3_600_000, None);
        for (ms, active) in [(9_999, false), (10_000, true), (3_609_999, true), (3_610_000, false)]
        {
            assert_eq!(hour.is_active(at(ms)), active, "{ms}");
        }
        assert!(ban(FOREVER_MS, None).is_active(at(u64::MAX / 1_000 - 1)));
        assert!(!ban(FOREVER_MS, Some(AccountId(Uuid::nil()))).is_active(at(20_000)));
    }

    #[test]
    fn a_scope_covers_its_shards() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(BanScope::GameShard(a).covers(a) && !BanScope::GameShard(a).covers(b));
        assert!(BanScope::AllGameShards.covers(b) && BanScope::FullAccount.covers(b));
    }
}
