//! Adding a way to sign in, or replacing the one of its kind (protocol-nakama §4.1 to §4.4).
//! Session variables may come along and mean nothing.

use zeroize::Zeroizing;

use super::Asked;
use super::proofs::{self, said};
use crate::domain::account::{AccountId, LinkKind, Refusal, names, passwords};
use crate::identity::Proof;
use crate::nakama::errors::{Context, Failure, failure};
use crate::nakama::wire::api;
use crate::signin::{Credential, Password};

/// Links a credential whose form is checked.
async fn link(
    asked: &Asked<'_>,
    account: AccountId,
    kind: LinkKind,
    credential: Credential,
    import_friends: bool,
) -> Result<(), Failure> {
    let linked = asked.app.door.link(account, credential, import_friends, asked.from).await;
    linked.map_err(|error| failure(Context::Link(kind), error))
}

/// Links what a provider has to confirm.
async fn link_proof(
    asked: &Asked<'_>,
    kind: LinkKind,
    proof: Result<Proof, Refusal>,
    import_friends: bool,
) -> Result<(), Failure> {
    let account = asked.account()?;
    let credential = Credential::Provider(said(Context::Link(kind), proof)?);
    link(asked, account, kind, credential, import_friends).await
}

/// Links a device id.
///
/// # Errors
///
/// Those of §4.2 and §4.3, as for every link call.
pub async fn link_device(asked: &Asked<'_>, request: api::AccountDevice) -> Result<(), Failure> {
    let (account, kind) = (asked.account()?, LinkKind::Device);
    let credential = said(Context::Link(kind), proofs::device(&request.id))?;
    link(asked, account, kind, credential, false).await
}

/// Links a custom id, or what a console's token proves.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_custom(asked: &Asked<'_>, request: api::AccountCustom) -> Result<(), Failure> {
    let (account, kind) = (asked.account()?, LinkKind::Custom);
    let credential = said(Context::Link(kind), asked.app.door.custom(&request.id))?;
    link(asked, account, kind, credential, false).await
}

/// Links an address with a password, in place of what was there.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_email(asked: &Asked<'_>, request: api::AccountEmail) -> Result<(), Failure> {
    let (account, kind) = (asked.account()?, LinkKind::Email);
    let settings = &asked.app.config.passwords;
    let checked = mail(request, settings.length_max, settings.refuse_common);
    link(asked, account, kind, said(Context::Link(kind), checked)?, false).await
}

/// Checks in the order of §4.3; a password that everybody tries first comes last.
fn mail(
    account: api::AccountEmail,
    password_max: usize,
    refuse_common: bool,
) -> Result<Credential, Refusal> {
    let password = Password(Zeroizing::new(account.password));
    let link = names::email_link(&account.email, &password.0, password_max)?;
    if refuse_common {
        passwords::uncommon(&password.0)?;
    }
    Ok(Credential::Email { email: link.id, password })
}

/// Links an Apple id.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_apple(asked: &Asked<'_>, request: api::AccountApple) -> Result<(), Failure> {
    let kind = LinkKind::Apple;
    asked.bearer()?;
    proofs::set_up(proofs::configured(asked.app, kind), kind)?;
    link_proof(asked, kind, proofs::apple(request), false).await
}

/// Links a Facebook id; friends are imported unless `sync` says otherwise.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_facebook(
    asked: &Asked<'_>,
    request: api::LinkFacebookRequest,
) -> Result<(), Failure> {
    let proof = proofs::facebook(request.account.unwrap_or_default());
    link_proof(asked, LinkKind::Facebook, proof, request.sync.unwrap_or(true)).await
}

/// Links a Facebook Instant Game id.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_facebook_instant_game(
    asked: &Asked<'_>,
    request: api::AccountFacebookInstantGame,
) -> Result<(), Failure> {
    let kind = LinkKind::FacebookInstantGame;
    link_proof(asked, kind, proofs::instant(request), false).await
}

/// Links a Game Center id.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_game_center(
    asked: &Asked<'_>,
    request: api::AccountGameCenter,
) -> Result<(), Failure> {
    asked.bearer()?;
    let proof = Ok(proofs::signed_by_game_center(request)?);
    link_proof(asked, LinkKind::GameCenter, proof, false).await
}

/// Links a Google id.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_google(asked: &Asked<'_>, request: api::AccountGoogle) -> Result<(), Failure> {
    link_proof(asked, LinkKind::Google, proofs::google(request), false).await
}

/// Links a Steam id; friends are imported unless `sync` says otherwise.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_steam(asked: &Asked<'_>, request: api::LinkSteamRequest) -> Result<(), Failure> {
    let proof = proofs::steam(request.account.unwrap_or_default());
    link_proof(asked, LinkKind::Steam, proof, request.sync.unwrap_or(true)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_in_the_order_and_words_of_their_own_table() {
        let both = "Email address and password is required.";
        let blank = "Invalid email address, no spaces or control characters allowed.";
        let short = "Password must be at least 8 characters long.";
        let format = "Invalid email address format.";
        let common = "Password is too common. Choose another one.";
        let long = "x y".repeat(30);
        for (email, password, message) in [
            ("", "", both),
            ("a@example.com", "", both),
            ("", "longenough", both),
            ("a b", "x", blank),
            ("nobody", "short", short),
            ("a@example.com", &long, "Password is too long."),
            ("nobody", "longenough", format),
            ("a@b@example.com", "longenough", format),
            ("a@b.c", "longenough", "Invalid email address, must be 10-255 bytes."),
            ("a@example.com", "Password1", common),
        ] {
            let (email, password) = (email.to_owned(), password.to_owned());
            let account = api::AccountEmail { email, password, ..Default::default() };
            let kind = LinkKind::Email;
            let failure = said(Context::Link(kind), mail(account, 64, true)).unwrap_err();
            assert_eq!((failure.code, failure.status, &*failure.message), (3, 400, message));
        }
        let account = api::AccountEmail {
            email: "A@Example.com".into(),
            password: "Password1".into(),
            ..Default::default()
        };
        let Ok(Credential::Email { email, .. }) = mail(account, 64, false) else { panic!() };
        assert_eq!(email, "a@example.com");
    }
}
