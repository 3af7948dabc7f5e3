//! Taking a way to sign in away, unless it is the last (protocol-nakama §4.5, §4.6).

use zeroize::Zeroizing;

use super::{Asked, consoles, proofs};
use crate::domain::account::{LinkKind, Refusal, names};
use crate::identity::Proof;
use crate::nakama::errors::{Context, Failure, failure, refused};
use crate::nakama::wire::api;
use crate::signin::Unlink;

/// Unlinks what was named, or whatever there is.
async fn unlink(asked: &Asked<'_>, kind: LinkKind, what: Unlink) -> Result<(), Failure> {
    let unlinked = asked.app.door.unlink(asked.account()?, what, asked.from).await;
    unlinked.map_err(|error| failure(Context::Unlink(kind), error))
}

/// An identifier, if there is one.
fn named(kind: LinkKind, id: String) -> Unlink {
    if id.is_empty() { Unlink::Kind(kind) } else { Unlink::Id(kind, id) }
}

/// A proof, if there is one: without it whatever is linked goes.
fn proven<E>(kind: LinkKind, proof: Result<Proof, E>) -> Unlink {
    proof.map_or(Unlink::Kind(kind), Unlink::Proof)
}

/// Unlinks a device id, which has to be named.
///
/// # Errors
///
/// Those of §4.5 and §4.6, as for every unlink call.
pub async fn unlink_device(asked: &Asked<'_>, request: api::AccountDevice) -> Result<(), Failure> {
    let kind = LinkKind::Device;
    asked.bearer()?;
    if request.id.is_empty() {
        return Err(refused(Context::Unlink(kind), &Refusal::IdMissing(kind)));
    }
    unlink(asked, kind, Unlink::Id(kind, request.id)).await
}

/// Unlinks the custom id, or the console's that is shown in its place.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_custom(asked: &Asked<'_>, request: api::AccountCustom) -> Result<(), Failure> {
    let (kind, id, door) = (LinkKind::Custom, request.id, &asked.app.door);
    let me = asked.account()?;
    if !consoles::may_be_console(&id) {
        return unlink(asked, kind, Unlink::Id(kind, id)).await;
    }
    let gone = || refused(Context::Unlink(kind), &Refusal::NoAccount);
    let account = door.account(me).await.map_err(Failure::from_call)?.ok_or_else(gone)?;
    let read = door.custom(&id).ok();
    unlink(asked, kind, consoles::to_unlink(&account, id, read)).await
}

/// Unlinks the address and its password; the password given is not looked at.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_email(asked: &Asked<'_>, request: api::AccountEmail) -> Result<(), Failure> {
    drop(Zeroizing::new(request.password));
    let kind = LinkKind::Email;
    unlink(asked, kind, named(kind, names::email(&request.email).id)).await
}

/// Unlinks the Apple id.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_apple(asked: &Asked<'_>, request: api::AccountApple) -> Result<(), Failure> {
    let kind = LinkKind::Apple;
    unlink(asked, kind, proven(kind, proofs::apple(request))).await
}

/// Unlinks the Facebook id.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_facebook(
    asked: &Asked<'_>,
    request: api::AccountFacebook,
) -> Result<(), Failure> {
    let kind = LinkKind::Facebook;
    unlink(asked, kind, proven(kind, proofs::facebook(request))).await
}

/// Unlinks the Facebook Instant Game id.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_facebook_instant_game(
    asked: &Asked<'_>,
    request: api::AccountFacebookInstantGame,
) -> Result<(), Failure> {
    let kind = LinkKind::FacebookInstantGame;
    unlink(asked, kind, proven(kind, proofs::instant(request))).await
}

/// Unlinks the Game Center id; the proof counts only when all six fields are there.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_game_center(
    asked: &Asked<'_>,
    request: api::AccountGameCenter,
) -> Result<(), Failure> {
    let kind = LinkKind::GameCenter;
    unlink(asked, kind, proven(kind, proofs::signed_by_game_center(request))).await
}

/// Unlinks the Google id.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_google(asked: &Asked<'_>, request: api::AccountGoogle) -> Result<(), Failure> {
    let kind = LinkKind::Google;
    unlink(asked, kind, proven(kind, proofs::google(request))).await
}

/// Unlinks the Steam id.
///
/// # Errors
///
/// See [`unlink_device`].
pub async fn unlink_steam(asked: &Asked<'_>, request: api::AccountSteam) -> Result<(), Failure> {
    let kind = LinkKind::Steam;
    unlink(asked, kind, proven(kind, proofs::steam(request))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_takes_whatever_there_is() {
        let token = |token: &str| api::AccountSteam { token: token.into(), ..Default::default() };
        let steam = |given| proven(LinkKind::Steam, proofs::steam(token(given)));
        assert!(matches!(steam(""), Unlink::Kind(LinkKind::Steam)));
        assert!(matches!(steam("14"), Unlink::Proof(Proof::Steam(_))));
        assert!(matches!(named(LinkKind::Email, String::new()), Unlink::Kind(LinkKind::Email)));
        let id = named(LinkKind::Custom, "x y".to_owned());
        assert!(matches!(id, Unlink::Id(LinkKind::Custom, id) if id == "x y"));
    }

    #[test]
    fn game_center_counts_with_all_its_fields_only() {
        let whole = api::AccountGameCenter {
            player_id: "p".into(),
            bundle_id: "b".into(),
            timestamp_seconds: 1,
            salt: "s".into(),
            signature: "s".into(),
            public_key_url: "u".into(),
            ..Default::default()
        };
        let kind = LinkKind::GameCenter;
        let part = api::AccountGameCenter { salt: String::new(), ..whole.clone() };
        assert!(matches!(proven(kind, proofs::signed_by_game_center(whole)), Unlink::Proof(_)));
        assert!(matches!(proven(kind, proofs::signed_by_game_center(part)), Unlink::Kind(_)));
    }
}
