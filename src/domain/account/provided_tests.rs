use uuid::Uuid;

use super::*;
use crate::domain::account::{AccountId, ProviderEmail};

fn account() -> Account {
    let link = Link { kind: LinkKind::Google, id: "g1".into() };
    Account::sample(AccountId(Uuid::from_u128(1)), link)
}

fn profile(verified: bool) -> Profile {
    Profile {
        display_name: "Ada".into(),
        avatar_url: "https://example.org/a.png".into(),
        email: Some(ProviderEmail { address: "ada@example.org".into(), verified }),
    }
}

#[test]
fn a_verified_free_address_becomes_the_accounts_own_without_a_password() {
    let mut ada = account();
    new_account(&mut ada, LinkKind::Google, &profile(true), false);
    assert_eq!(ada.link(LinkKind::Email), Some("ada@example.org"));
    assert_eq!((ada.password, ada.provider_email), (None, None));
    assert_eq!(
        (ada.display_name.as_str(), ada.avatar_url.as_str()),
        ("Ada", "https://example.org/a.png")
    );
}

#[test]
fn an_unverified_or_taken_address_is_only_remembered() {
    for (verified, taken) in [(false, false), (true, true), (false, true)] {
        let mut ada = account();
        new_account(&mut ada, LinkKind::Google, &profile(verified), taken);
        assert_eq!(ada.link(LinkKind::Email), None, "{verified} {taken}");
        assert_eq!(ada.provider_email.unwrap().address, "ada@example.org");
    }
}

#[test]
fn a_link_never_replaces_the_players_own_address_or_name() {
    let mut ada = account();
    ada.links.push(Link { kind: LinkKind::Email, id: "mine@example.org".into() });
    ada.display_name = "Countess".into();
    linked(&mut ada, LinkKind::Google, &profile(true), false);
    assert_eq!(ada.link(LinkKind::Email), Some("mine@example.org"));
    assert_eq!(ada.display_name, "Countess");
    assert_eq!(ada.provider_email.unwrap().address, "ada@example.org");
}

#[test]
fn a_sign_in_fills_what_is_empty_for_google_only() {
    for (kind, name) in [(LinkKind::Google, "Ada"), (LinkKind::Facebook, ""), (LinkKind::Apple, "")]
    {
        let mut ada = account();
        known_account(&mut ada, kind, &profile(true));
        assert_eq!(ada.display_name, name, "{kind:?}");
        assert_eq!(ada.link(LinkKind::Email), None);
    }
}

#[test]
fn over_long_values_are_dropped() {
    let mut ada = account();
    let long = Profile { display_name: "x".repeat(256), avatar_url: "u".repeat(513), email: None };
    new_account(&mut ada, LinkKind::Facebook, &long, false);
    assert!(ada.display_name.is_empty() && ada.avatar_url.is_empty());
}
