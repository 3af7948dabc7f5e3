//! Accounts for tests.

use crate::domain::account::{Account, AccountId, Link, LinkKind};

/// Alice, with these ways to sign in.
pub fn account(links: &[(LinkKind, &str)]) -> Account {
    let id = AccountId("4c2ae592-b2a7-445e-98ec-697694478b1c".parse().unwrap());
    let links = links.iter().map(|(kind, id)| Link { kind: *kind, id: (*id).into() });
    Account {
        links: links.collect(),
        password: Some("secret hash".into()),
        ..Account::new(
            id,
            "alice".into(),
            Link { kind: LinkKind::Device, id: String::new() },
            1_767_225_600,
        )
    }
}
