//! `GET /v2/account` (protocol-nakama §5.1, §5.4).

use serde::Serialize;

use super::Asked;
use crate::domain::account::{Account, AccountId, LinkKind};
use crate::nakama::errors::{Failure, code};
use crate::nakama::reply::{Reply, timestamp};

/// The caller's own account.
pub(super) async fn get(asked: &Asked<'_>) -> Result<Reply, Failure> {
    let id = AccountId(asked.bearer()?.account);
    let door = &asked.app.door;
    let account = door.account(id).await.map_err(Failure::from_call)?;
    let account = account.ok_or_else(|| Failure::new(code::NOT_FOUND, "Account not found."))?;
    let body = serde_json::to_vec(&wire(&account, door.is_online(id)))
        .map_err(|_| Failure::new(code::INTERNAL, "Error retrieving user account."))?;
    Ok(Reply::Json(body))
}

#[derive(Serialize)]
struct Wire<'a> {
    user: User<'a>,
    wallet: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<Device<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    custom_id: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    id: uuid::Uuid,
    username: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    avatar_url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    lang_tag: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    location: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    timezone: &'a str,
    metadata: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    online: bool,
    create_time: String,
    update_time: String,
}

#[derive(Serialize)]
struct Device<'a> {
    id: &'a str,
}

/// Defaults are left out; metadata and wallet are JSON written as a string (§0.3).
fn wire(account: &Account, online: bool) -> Wire<'_> {
    let devices = account.links.iter().filter(|link| link.kind == LinkKind::Device);
    Wire {
        user: User {
            id: account.id.0,
            username: &account.username,
            display_name: &account.display_name,
            avatar_url: &account.avatar_url,
            lang_tag: &account.lang_tag,
            location: &account.location,
            timezone: &account.timezone,
            metadata: "{}",
            online,
            create_time: timestamp(account.created_at),
            update_time: timestamp(account.updated_at),
        },
        wallet: "{}",
        email: account.link(LinkKind::Email).unwrap_or_default(),
        devices: devices.map(|link| Device { id: &link.id }).collect(),
        custom_id: account.link(LinkKind::Custom).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Link;

    fn account(links: &[(LinkKind, &str)]) -> Account {
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
            edge_count: 0,
            provider_email: None,
        }
    }

    #[test]
    fn a_fresh_account_looks_as_in_the_sample() {
        let account = account(&[(LinkKind::Device, "0123456789abcdef")]);
        assert_eq!(
            serde_json::to_string(&wire(&account, false)).unwrap(),
            concat!(
                r#"{"user":{"id":"4c2ae592-b2a7-445e-98ec-697694478b1c","username":"alice","#,
                r#""lang_tag":"en","metadata":"{}","create_time":"2026-01-01T00:00:00Z","#,
                r#""update_time":"2026-01-01T00:00:00Z"},"wallet":"{}","#,
                r#""devices":[{"id":"0123456789abcdef"}]}"#
            )
        );
    }

    #[test]
    fn other_links_and_being_online_are_shown_and_the_password_is_not() {
        let account = account(&[(LinkKind::Email, "a@example.com"), (LinkKind::Custom, "custom1")]);
        let json = serde_json::to_string(&wire(&account, true)).unwrap();
        for part in [r#""online":true"#, r#""email":"a@example.com""#, r#""custom_id":"custom1""#] {
            assert!(json.contains(part), "{json}");
        }
        assert!(!json.contains("devices") && !json.contains("secret"), "{json}");
    }
}
