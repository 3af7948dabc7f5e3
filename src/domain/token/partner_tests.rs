use super::*;
use crate::domain::token::player::{SessionType, generate};
use crate::domain::token::signing::Signing;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const CENTURY_S: u64 = 876_000 * 3_600;

fn keys() -> PlayerKeys {
    PlayerKeys::new(Signing::EdDSA, &generate(Signing::EdDSA).unwrap(), &[]).unwrap()
}

fn partner(shard: Option<Uuid>) -> PartnerClaims {
    PartnerClaims {
        partner: Uuid::from_u128(7),
        shard,
        permissions: vec!["account.accounts.get".into()],
        jti: Uuid::from_u128(8),
        expires_at: NOW.plus_secs(CENTURY_S),
    }
}

#[test]
fn a_partner_token_says_what_was_signed() {
    let keys = keys();
    for shard in [None, Some(Uuid::from_u128(1))] {
        let token = keys.sign_partner(&partner(shard), NOW, CENTURY_S).unwrap();
        let claims = keys.verify(&token, NOW).unwrap();
        assert_eq!(claims, Claims::Partner(partner(shard)));
        assert_eq!((claims.session_type(), claims.shard()), (SessionType::Partner, shard));
    }
}

#[test]
fn a_partner_token_of_other_keys_or_times_is_none() {
    let token = keys().sign_partner(&partner(None), NOW, 60).unwrap();
    assert_eq!(keys().verify(&token, NOW), Err(PlayerTokenError::KeyNotFound));
    let keys = keys();
    let token = keys.sign_partner(&partner(None), NOW, 60).unwrap();
    assert_eq!(keys.verify(&token, NOW.plus_secs(91)), Err(PlayerTokenError::Expired));
}

#[test]
fn permissions_narrow_and_none_of_them_permit_everything() {
    let narrow = partner(None);
    assert!(narrow.permits("account.accounts.get") && !narrow.permits("account.accounts.create"));
    assert!(PartnerClaims { permissions: Vec::new(), ..narrow }.permits("anything"));
}
