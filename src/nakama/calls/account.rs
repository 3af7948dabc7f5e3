//! The caller's own account: read, change, delete (protocol-nakama §5.1 to §5.3).

use super::proofs::said;
use super::{Asked, consoles, users};
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, LinkKind};
use crate::nakama::errors::{Context, Failure, code, failure, words};
use crate::nakama::wire::api;

/// The caller's own account.
///
/// # Errors
///
/// 5/404 `Account not found.` when it is gone, or no answer in time.
pub async fn get_account(asked: &Asked<'_>) -> Result<api::Account, Failure> {
    let id = asked.account()?;
    let door = &asked.app.door;
    let account = door.account(id).await.map_err(Failure::from_call)?;
    let account = account.ok_or_else(|| Failure::new(code::NOT_FOUND, words::ACCOUNT_GONE))?;
    Ok(wire(account, door.is_online(id)))
}

/// Metadata and wallet are JSON written as a string (§0.3).
fn wire(account: Account, online: bool) -> api::Account {
    let link = |kind| account.link(kind).unwrap_or_default().to_owned();
    let devices = account.links.iter().filter(|link| link.kind == LinkKind::Device);
    let devices =
        devices.map(|link| api::AccountDevice { id: link.id.clone(), ..Default::default() });
    let devices = devices.collect();
    let (email, custom_id) = (link(LinkKind::Email), consoles::custom_id(&account));
    api::Account {
        email,
        custom_id,
        devices,
        user: Some(users::user(account, online, users::Ids::All)),
        wallet: "{}".to_owned(),
        verify_time: None,
        disable_time: None,
    }
}

/// Changes what players may change about themselves.
///
/// # Errors
///
/// Those of §5.2, but a taken user name is 6/409 and a field that is too long 3/400.
pub async fn update_account(
    asked: &Asked<'_>,
    request: api::UpdateAccountRequest,
) -> Result<(), Failure> {
    let account = asked.account()?;
    let api::UpdateAccountRequest {
        username,
        display_name,
        avatar_url,
        lang_tag,
        location,
        timezone,
    } = request;
    let update = AccountUpdate { username, display_name, avatar_url, lang_tag, location, timezone };
    said(Context::Account, update.check())?;
    let updated = asked.app.door.update_account(account, update, asked.from).await;
    updated.map_err(|error| failure(Context::Account, error))
}

/// Deletes the caller's account with everything that hangs on it.
///
/// # Errors
///
/// No answer in time; asking again is safe.
pub async fn delete_account(asked: &Asked<'_>) -> Result<(), Failure> {
    let deleted = asked.app.door.delete_account(asked.account()?, asked.from).await;
    deleted.map_err(|error| failure(Context::Account, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nakama::calls::samples::account;

    fn json(account: Account, online: bool) -> String {
        serde_json::to_string(&wire(account, online)).unwrap()
    }

    #[test]
    fn a_fresh_account_looks_as_in_the_sample() {
        let account = account(&[(LinkKind::Device, "0123456789abcdef")]);
        assert_eq!(
            json(account, false),
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
        let links = [
            (LinkKind::Email, "a@example.com"),
            (LinkKind::Custom, "custom1"),
            (LinkKind::Steam, "7656"),
        ];
        let json = json(account(&links), true);
        for part in [
            r#""online":true"#,
            r#""email":"a@example.com""#,
            r#""custom_id":"custom1""#,
            r#""steam_id":"7656""#,
        ] {
            assert!(json.contains(part), "{json}");
        }
        assert!(!json.contains("devices") && !json.contains("secret"), "{json}");
    }

    #[test]
    fn updates_are_refused_in_the_order_and_words_of_the_protocol() {
        let name = |name: &str| AccountUpdate { username: Some(name.into()), ..Default::default() };
        let long = "x".repeat(129);
        let tag = AccountUpdate { lang_tag: Some(String::new()), ..Default::default() };
        let shown = AccountUpdate { display_name: Some("x".repeat(256)), ..Default::default() };
        let length = "Username invalid, must be 1-128 bytes.";
        for (update, message) in [
            (name(""), length),
            (name(&long), length),
            (name("a\u{7}"), "Username invalid, no spaces or control characters allowed."),
            (AccountUpdate::default(), "No fields to update."),
            (tag, "Invalid lang_tag, must be 1-18 characters."),
            (shown, "Invalid display_name, must be 0-255 characters."),
        ] {
            let failure = said(Context::Account, update.check()).unwrap_err();
            assert_eq!((failure.code, failure.status), (3, 400));
            assert_eq!(failure.message, message);
        }
        let taken = crate::domain::account::Refusal::UsernameTaken;
        let failure = said::<()>(Context::Account, Err(taken)).unwrap_err();
        assert_eq!((failure.code, failure.status), (6, 409));
        assert_eq!(failure.message, "Username is already in use.");
    }
}
