//! Adding a way to sign in, or replacing the one of its kind (protocol-nakama §4.1 to §4.4).
//! Session variables may come along and mean nothing.

use zeroize::Zeroizing;

use super::Asked;
use super::proofs::{self, said};
use crate::domain::account::{AccountId, LinkKind, Refusal, names};
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
    let linked = asked.app.door.link(account, credential, import_friends).await;
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
    let password = Password(Zeroizing::new(request.password));
    let length_max = asked.app.config.passwords.length_max;
    let checked = names::email_link(&request.email, &password.0, length_max);
    let credential = Credential::Email { email: said(Context::Link(kind), checked)?.id, password };
    link(asked, account, kind, credential, false).await
}

/// Links an Apple id.
///
/// # Errors
///
/// See [`link_device`].
pub async fn link_apple(asked: &Asked<'_>, request: api::AccountApple) -> Result<(), Failure> {
    link_proof(asked, LinkKind::Apple, proofs::apple(request), false).await
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
    let proof = Ok(proofs::game_center(request)?);
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
