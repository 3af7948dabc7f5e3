//! Accounts for tests.

use crate::domain::account::{Account, AccountId, Link, LinkKind};

/// Alice, with these ways to sign in.
pub fn account(links: &[(LinkKind, &str)]) -> Account {
    let links = links.iter().map(|(kind, id)| Link { kind: *kind, id: (*id).into() });
    Account {
        id: AccountId("4c2ae592-b2a7-445e-98ec-697694478b1c".parse().unwrap()),
        username: "alice".into(),
        links: links.collect(),
        password: Some("secret hash".into()),
        display_name: String::new(),
        avatar_url: String::new(),
        lang_tag: "en".into(),
        location: String::new(),
        timezone: String::new(),
        pragma_name: None,
        players: Vec::new(),
        created_at: 1_767_225_600,
        updated_at: 1_767_225_600,
        disabled_at: 0,
        revoked_before_us: 0,
    }
}
