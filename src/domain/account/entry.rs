//! Which game shard an account may enter (protocol-pragma §4.1, step 9; §6.6, §6.7).

use uuid::Uuid;

use super::record::Account;
use crate::domain::realm::Realm;
use crate::domain::time::UnixMicros;

/// Whether an account gets a token for a shard: no ban keeps it out, and the shard takes everybody or
/// one of its groups. Whether the account may sign in at all is another question
/// ([`Account::is_banned`]).
pub fn may_enter(account: &Account, realm: &Realm, shard: Uuid, now: UnixMicros) -> bool {
    let dossier = account.dossier();
    !dossier.is_barred(shard, now) && realm.may_enter(shard, &dossier.groups, now.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, Ban, BanScope, Link, LinkKind};
    use crate::domain::realm::Access;

    #[test]
    fn bans_and_limited_access_each_keep_out() {
        let shard = Uuid::from_u128(1);
        let now = UnixMicros::from_secs(1_000);
        let id = AccountId(Uuid::from_u128(5));
        let link = Link { kind: LinkKind::Unsafe, id: "ada".into() };
        let free = Account::sample(id, link);
        let mut banned = free.clone();
        banned.dossier_mut().bans.push(Ban {
            id: Uuid::from_u128(2),
            scope: BanScope::GameShard(shard),
            start_ms: 0,
            duration_ms: 2_000_000,
            reason: String::new(),
            comment: String::new(),
            by: id,
            revoked_by: None,
        });
        let open = Realm::default();
        let access = Access { shard, is_limited: true, groups: Vec::new() };
        let closed = Realm { access: vec![access], ..Realm::default() };
        assert!(may_enter(&free, &open, shard, now));
        assert!(!may_enter(&free, &closed, shard, now));
        assert!(!may_enter(&banned, &open, shard, now));
        assert!(may_enter(&banned, &open, Uuid::from_u128(9), now), "of another shard");
        assert!(may_enter(&banned, &open, shard, UnixMicros::from_secs(2_000)), "over");
    }
}
