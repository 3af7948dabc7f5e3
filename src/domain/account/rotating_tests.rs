use uuid::Uuid;

use super::*;
use crate::domain::account::{AccountId, Link, LinkKind};

const LIFE_S: u64 = 1_000;
const RETRY_S: u64 = 120;
const TOKEN: Uuid = Uuid::from_u128(7);

fn at(secs: u64) -> UnixMicros {
    UnixMicros::from_secs(10_000 + secs)
}

/// An account whose refresh tokens are presented, one after the other.
struct Player {
    account: Account,
    kept: Revoked,
}

impl Player {
    fn new() -> Self {
        let link = Link { kind: LinkKind::Device, id: "a device of its own".into() };
        let account = Account::sample(AccountId(Uuid::from_u128(1)), link);
        Self { account, kept: Revoked::default() }
    }

    fn present(
        &mut self,
        token: Uuid,
        generation: u32,
        now: UnixMicros,
    ) -> Result<Successor, Refusal> {
        let asked = Presented { token, generation, life_s: LIFE_S, retry_s: RETRY_S };
        let rotated = rotate(self.account.clone(), self.kept.clone(), asked, now, LIFE_S);
        if let Some(change) = rotated.change {
            self.account = change.after;
            self.kept = change.revoked.unwrap_or_default();
        }
        rotated.answer
    }
}

#[test]
fn each_refresh_gives_the_next_generation() {
    let mut player = Player::new();
    for generation in 0..5 {
        let now = at(u64::from(generation) * 500);
        let next = player.present(TOKEN, generation, now).unwrap();
        assert_eq!((next.generation, next.issued_at), (generation + 1, now));
    }
    assert_eq!(player.kept.families.len(), 1);
}

#[test]
fn a_repeat_in_time_gets_the_same_successor_however_often() {
    let mut player = Player::new();
    let first = player.present(TOKEN, 0, at(0)).unwrap();
    for secs in [0, 1, 60, RETRY_S] {
        assert_eq!(player.present(TOKEN, 0, at(secs)), Ok(first), "after {secs} s");
    }
    assert_eq!(player.present(TOKEN, 1, at(130)).unwrap().generation, 2);
}

#[test]
fn a_token_used_long_after_its_successor_ends_the_family() {
    let mut player = Player::new();
    player.present(TOKEN, 0, at(0)).unwrap();
    assert_eq!(player.present(TOKEN, 0, at(RETRY_S + 1)), Err(Refusal::RefreshReused));
    for refresh in [false, true] {
        assert!(player.kept.covers(TOKEN, refresh, at(RETRY_S).0), "refresh: {refresh}");
    }
    assert!(player.kept.families.is_empty());
    // Other sign-ins of the player go on.
    assert!(player.present(Uuid::from_u128(8), 0, at(200)).is_ok());
}

#[test]
fn a_token_two_generations_old_ends_the_family_even_within_the_retry() {
    let mut player = Player::new();
    player.present(TOKEN, 0, at(0)).unwrap();
    player.present(TOKEN, 1, at(1)).unwrap();
    assert_eq!(player.present(TOKEN, 0, at(2)), Err(Refusal::RefreshReused));
}

#[test]
fn a_successor_is_never_born_revoked_nor_as_old_as_what_it_replaces() {
    let mut player = Player::new();
    player.kept.before_us = at(50).0;
    player.kept.before_until = at(5_000).as_secs();
    let first = player.present(TOKEN, 0, at(0)).unwrap();
    assert!(first.issued_at > at(50));
    let second = player.present(TOKEN, 1, at(0)).unwrap();
    assert!(second.issued_at > first.issued_at);
}

#[test]
fn families_are_bounded_and_the_one_refreshed_longest_ago_ends() {
    let mut player = Player::new();
    let family = |n: usize| Uuid::from_u128(1_000 + n as u128);
    for n in 0..=FAMILIES_MAX {
        player.present(family(n), 0, at(n as u64)).unwrap();
    }
    assert_eq!(player.kept.families.len(), FAMILIES_MAX);
    assert!(player.kept.covers(family(0), true, 0));
    assert!(!player.kept.covers(family(1), true, 0));
}

#[test]
fn families_are_forgotten_with_their_last_token() {
    let mut player = Player::new();
    player.present(TOKEN, 0, at(0)).unwrap();
    assert_eq!(player.kept.until(), at(LIFE_S).as_secs());
    player.kept.prune(at(LIFE_S + 1));
    assert!(player.kept.families.is_empty());
}
