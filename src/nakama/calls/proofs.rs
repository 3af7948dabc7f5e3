//! From the account messages to credentials: what has to be there and in which order that is
//! checked (protocol-nakama §2.5 to §2.15, §4.3).

use zeroize::Zeroizing;

use crate::domain::account::{LinkKind, Refusal, names};
use crate::identity::{GameCenterProof, Proof};
use crate::nakama::errors::{Context, Failure, refused};
use crate::nakama::wire::api;
use crate::signin::Credential;

/// A proof that is one token.
type OfToken = fn(Zeroizing<String>) -> Proof;

/// A token for a provider, which has to be there.
pub(super) fn token(of: OfToken, kind: LinkKind, token: String) -> Result<Proof, Refusal> {
    if token.is_empty() {
        return Err(Refusal::IdMissing(kind));
    }
    Ok(of(Zeroizing::new(token)))
}

/// Apple's identity token.
pub(super) fn apple(account: api::AccountApple) -> Result<Proof, Refusal> {
    token(Proof::Apple, LinkKind::Apple, account.token)
}

/// Facebook's token.
pub(super) fn facebook(account: api::AccountFacebook) -> Result<Proof, Refusal> {
    token(Proof::Facebook, LinkKind::Facebook, account.token)
}

/// Signed player info of Facebook Instant Games.
pub(super) fn instant(account: api::AccountFacebookInstantGame) -> Result<Proof, Refusal> {
    let kind = LinkKind::FacebookInstantGame;
    token(Proof::FacebookInstantGame, kind, account.signed_player_info)
}

/// Google's token or auth code.
pub(super) fn google(account: api::AccountGoogle) -> Result<Proof, Refusal> {
    token(Proof::Google, LinkKind::Google, account.token)
}

/// Steam's session ticket.
pub(super) fn steam(account: api::AccountSteam) -> Result<Proof, Refusal> {
    token(Proof::Steam, LinkKind::Steam, account.token)
}

/// The six fields of Game Center, each of which has to be there (§2.13).
pub(super) fn game_center(account: api::AccountGameCenter) -> Result<Proof, Failure> {
    let api::AccountGameCenter {
        player_id,
        bundle_id,
        timestamp_seconds,
        salt,
        signature,
        public_key_url,
        vars: _,
    } = account;
    let required = [
        (bundle_id.is_empty(), "GameCenter bundle ID is required."),
        (player_id.is_empty(), "GameCenter player ID is required."),
        (public_key_url.is_empty(), "GameCenter public key URL is required."),
        (salt.is_empty(), "GameCenter salt is required."),
        (signature.is_empty(), "GameCenter signature is required."),
        (timestamp_seconds == 0, "GameCenter timestamp is required."),
    ];
    if let Some((_, message)) = required.into_iter().find(|(missing, _)| *missing) {
        return Err(Failure::invalid(message));
    }
    let timestamp = timestamp_seconds;
    Ok(Proof::GameCenter(GameCenterProof {
        player_id,
        bundle_id,
        timestamp,
        salt,
        signature,
        public_key_url,
    }))
}

/// A device id.
pub(super) fn device(id: &str) -> Result<Credential, Refusal> {
    names::device(id).map(|link| Credential::Device(link.id))
}

/// Words a refusal in a call's context, as a failure.
pub(super) fn said<T>(context: Context, checked: Result<T, Refusal>) -> Result<T, Failure> {
    checked.map_err(|refusal| refused(context, &refusal))
}
