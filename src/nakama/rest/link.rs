//! `POST /v2/account/{link,unlink}/{device,custom,email}` (protocol-nakama §4).

use actix_web::web::Payload;
use zeroize::Zeroizing;

use super::Asked;
use crate::domain::account::{AccountId, LinkKind, Refusal, names};
use crate::nakama::body::{self, Identified, Mailed};
use crate::nakama::errors::{Context, Failure, failure, refused};
use crate::nakama::reply::Reply;
use crate::signin::{Credential, Password, Unlink};

/// Adds a way to sign in, or replaces the one of its kind.
pub(super) async fn link(
    asked: &Asked<'_>,
    kind: LinkKind,
    payload: Payload,
) -> Result<Reply, Failure> {
    let account = AccountId(asked.bearer()?.account);
    let body = asked.body(payload).await?;
    let credential = to_link(kind, &body, asked.app.config.passwords.length_max)?;
    let linked = asked.app.door.link(account, credential, false).await;
    linked.map_err(|error| failure(Context::Link(kind), error))?;
    Ok(Reply::Empty)
}

/// Takes a way to sign in away, unless it is the last.
pub(super) async fn unlink(
    asked: &Asked<'_>,
    kind: LinkKind,
    payload: Payload,
) -> Result<Reply, Failure> {
    let account = AccountId(asked.bearer()?.account);
    let body = asked.body(payload).await?;
    let id = to_unlink(kind, &body)?.map_or(Unlink::Kind(kind), |id| Unlink::Id(kind, id));
    let unlinked = asked.app.door.unlink(account, id).await;
    unlinked.map_err(|error| failure(Context::Unlink(kind), error))?;
    Ok(Reply::Empty)
}

/// The link in a body, checked in the order of §4.3.
fn to_link(kind: LinkKind, body: &[u8], password_max: usize) -> Result<Credential, Failure> {
    let checked = match kind {
        LinkKind::Email => mail(body::parse(body)?.unwrap_or_default(), password_max),
        _ => {
            let Identified { id, .. } = body::parse(body)?.unwrap_or_default();
            match kind {
                LinkKind::Custom => names::custom(&id).map(|link| Credential::Custom(link.id)),
                _ => names::device(&id).map(|link| Credential::Device(link.id)),
            }
        }
    };
    checked.map_err(|refusal| refused(Context::Link(kind), &refusal))
}

fn mail(body: Mailed, password_max: usize) -> Result<Credential, Refusal> {
    let password = Password(Zeroizing::new(body.password));
    let link = names::email_link(&body.email, &password.0, password_max)?;
    Ok(Credential::Email { email: link.id, password })
}

/// The identifier to take away; `None`: whatever is there. A device has to be named (§4.5).
fn to_unlink(kind: LinkKind, body: &[u8]) -> Result<Option<String>, Failure> {
    let id = if kind == LinkKind::Email {
        let Mailed { email, password, .. } = body::parse(body)?.unwrap_or_default();
        drop(Zeroizing::new(password));
        names::email(&email).id
    } else {
        let Identified { id, .. } = body::parse(body)?.unwrap_or_default();
        id
    };
    if id.is_empty() && kind == LinkKind::Device {
        return Err(refused(Context::Unlink(kind), &Refusal::IdMissing(kind)));
    }
    Ok((!id.is_empty()).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_checked_in_the_order_and_words_of_their_own_table() {
        use LinkKind::{Custom, Device, Email};
        let both = "Email address and password is required.";
        for (kind, body, message) in [
            (Device, "", "Device ID is required."),
            (
                Device,
                r#"{"id":"a b"}"#,
                "Device ID invalid, no spaces or control characters allowed.",
            ),
            (Device, r#"{"id":"short"}"#, "Device ID invalid, must be 10-128 bytes."),
            (Custom, "{}", "Custom ID is required."),
            (
                Custom,
                r#"{"id":"a b"}"#,
                "Invalid custom ID, no spaces or control characters allowed.",
            ),
            (Custom, r#"{"id":"12345"}"#, "Invalid custom ID, must be 6-128 bytes."),
            (Email, "", both),
            (Email, r#"{"email":"a@example.com"}"#, both),
            (Email, r#"{"password":"longenough"}"#, both),
            (
                Email,
                r#"{"email":"a b","password":"x"}"#,
                "Invalid email address, no spaces or control characters allowed.",
            ),
            (
                Email,
                r#"{"email":"nobody","password":"short"}"#,
                "Password must be at least 8 characters long.",
            ),
            (
                Email,
                r#"{"email":"nobody","password":"longenough"}"#,
                "Invalid email address format.",
            ),
            (
                Email,
                r#"{"email":"a@b.c","password":"longenough"}"#,
                "Invalid email address, must be 10-255 bytes.",
            ),
        ] {
            let failure = to_link(kind, body.as_bytes(), 64).unwrap_err();
            assert_eq!((failure.code, &*failure.message), (3, message), "{body}");
        }
    }

    #[test]
    fn unlinking_needs_an_identifier_only_for_devices() {
        let failure = to_unlink(LinkKind::Device, b"{}").unwrap_err();
        assert_eq!(failure.message, "A device ID must be supplied.");
        assert_eq!(to_unlink(LinkKind::Device, br#"{"id":"x y"}"#), Ok(Some("x y".into())));
        assert_eq!(to_unlink(LinkKind::Custom, b""), Ok(None));
        assert_eq!(
            to_unlink(LinkKind::Email, br#"{"email":"A@Example.com","password":"p"}"#),
            Ok(Some("a@example.com".into()))
        );
    }
}
