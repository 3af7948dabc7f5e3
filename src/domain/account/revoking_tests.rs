use super::*;
use crate::domain::account::sign_in::{Fresh, NewAccount, Seen, SignIn, sign_in};
use crate::domain::account::{AccountId, Link, LinkKind};

const NOW: UnixMicros = UnixMicros::from_secs(1_000);

fn account() -> Account {
    let ask = SignIn::by(
        Link { kind: LinkKind::Device, id: "device-0001".into() },
        Some(NewAccount::default()),
    );
    let fresh = Fresh {
        account: AccountId(Uuid::from_u128(7)),
        player: Uuid::nil(),
        discriminator: None,
        token_life_s: 60,
    };
    sign_in(&ask, Seen::default(), fresh, NOW).unwrap().account
}

fn token(number: u128, refresh: bool, expires_at: u64) -> RevokedToken {
    RevokedToken { id: Uuid::from_u128(number), refresh, expires_at }
}

fn after(kept: Revoked, what: &Revoke, now: UnixMicros) -> Revoked {
    revoke(account(), kept, what, now, 60).revoked.unwrap()
}

#[test]
fn a_token_is_revoked_for_its_own_kind_only() {
    let one = Revoke::Tokens(vec![token(1, false, 1_030)]);
    let revoked = after(Revoked::default(), &one, NOW);
    assert!(revoked.covers(Uuid::from_u128(1), false, 5));
    assert!(!revoked.covers(Uuid::from_u128(1), true, 5));
    assert!(!revoked.covers(Uuid::from_u128(2), false, 5));
    assert_eq!(revoked.until(), 1_030);
    let twice = after(revoked.clone(), &one, NOW);
    assert_eq!(twice, revoked, "again is nothing new");
}

#[test]
fn everything_revoked_covers_what_was_issued_and_not_what_will_be() {
    let revoked = after(Revoked::default(), &Revoke::All, NOW);
    assert!(revoked.covers(Uuid::nil(), false, NOW.0));
    assert!(!revoked.covers(Uuid::nil(), false, NOW.0 + 1));
    assert_eq!(revoked.until(), 1_061);
    let change = revoke(account(), Revoked::default(), &Revoke::All, NOW, 60);
    assert_eq!(change.after.revoked_before_us, NOW.0);
}

#[test]
fn what_expired_is_dropped_and_the_list_stays_short() {
    let old = after(Revoked::default(), &Revoke::Tokens(vec![token(1, false, 999)]), NOW);
    let next = after(old, &Revoke::Tokens(vec![token(2, true, 1_010)]), NOW);
    assert_eq!(next.tokens, [token(2, true, 1_010)]);

    let mut revoked = Revoked::default();
    for number in 0..200 {
        revoked = after(revoked, &Revoke::Tokens(vec![token(number, false, 1_030)]), NOW);
        assert!(revoked.tokens.len() <= TOKENS_MAX);
    }
    for number in 0..200 {
        assert!(revoked.covers(Uuid::from_u128(number), false, NOW.0), "nothing comes back");
    }
}

#[test]
fn a_clock_that_steps_back_takes_nothing_back() {
    let revoked = after(Revoked::default(), &Revoke::All, NOW);
    let again = after(revoked, &Revoke::All, UnixMicros::from_secs(900));
    assert!(again.covers(Uuid::nil(), true, NOW.0));
}
