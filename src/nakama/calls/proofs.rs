//! From the account messages to credentials: what has to be there and in which order that is
//! checked (protocol-nakama §2.5 to §2.15, §4.3).

use zeroize::Zeroizing;

use crate::domain::account::{LinkKind, Refusal, names};
use crate::identity::{GameCenterProof, IdentityError, Proof};
use crate::nakama::App;
use crate::nakama::errors::words::game_center;
use crate::nakama::errors::{self, Context, Failure, refused};
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
pub(super) fn signed_by_game_center(account: api::AccountGameCenter) -> Result<Proof, Failure> {
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
        (bundle_id.is_empty(), game_center::BUNDLE_ID),
        (player_id.is_empty(), game_center::PLAYER_ID),
        (public_key_url.is_empty(), game_center::PUBLIC_KEY_URL),
        (salt.is_empty(), game_center::SALT),
        (signature.is_empty(), game_center::SIGNATURE),
        (timestamp_seconds == 0, game_center::TIMESTAMP),
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

/// Whether a provider is set up, for those that say so before they ask for a token. What is not is
/// refused by the door in any case.
pub(super) fn configured(app: &App, kind: LinkKind) -> bool {
    app.door.is_configured(kind)
}

/// Apple and Steam say that they are not set up before anything else (§2.10, §2.15, §4.3, §6.7).
pub(super) fn set_up(configured: bool, kind: LinkKind) -> Result<(), Failure> {
    if configured { Ok(()) } else { Err(errors::identity(&IdentityError::NotConfigured(kind))) }
}

/// Words a refusal in a call's context, as a failure.
pub(super) fn said<T>(context: Context, checked: Result<T, Refusal>) -> Result<T, Failure> {
    checked.map_err(|refusal| refused(context, &refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to a proof in a context.
    fn says<T>(context: Context, checked: Result<T, Refusal>) -> String {
        let failure = said(context, checked).err().unwrap();
        assert_eq!((failure.code, failure.status), (3, 400));
        failure.message.into_owned()
    }

    #[test]
    fn a_missing_token_has_its_providers_words_at_every_call() {
        use LinkKind::{Apple, Facebook, FacebookInstantGame, Google, Steam};
        let missing = [
            (Apple, "Apple ID token is required."),
            (Facebook, "Facebook access token is required."),
            (FacebookInstantGame, "Signed Player Info for a Facebook Instant Game is required."),
            (Google, "Google access token is required."),
            (Steam, "Steam access token is required."),
        ];
        for (kind, message) in missing {
            let checked = || match kind {
                Apple => apple(api::AccountApple::default()),
                Facebook => facebook(api::AccountFacebook::default()),
                FacebookInstantGame => instant(api::AccountFacebookInstantGame::default()),
                Google => google(api::AccountGoogle::default()),
                _ => steam(api::AccountSteam::default()),
            };
            for context in [Context::Authenticate, Context::Link(kind)] {
                assert_eq!(says(context, checked()), message);
            }
        }
        let import = |kind| Context::Import(kind);
        let said = says(import(Facebook), facebook(api::AccountFacebook::default()));
        assert_eq!(said, "Facebook token is required.");
        let said = says(import(Steam), steam(api::AccountSteam::default()));
        assert_eq!(said, "Steam token is required.");
    }

    #[test]
    fn game_center_names_the_first_field_that_is_missing() {
        let mut account = api::AccountGameCenter::default();
        let mut says = |fill: fn(&mut api::AccountGameCenter)| {
            let said = signed_by_game_center(account.clone()).err().map(|failure| {
                assert_eq!((failure.code, failure.status), (3, 400));
                failure.message.into_owned()
            });
            fill(&mut account);
            said.unwrap_or_default()
        };
        assert_eq!(says(|a| a.bundle_id = "b".into()), "GameCenter bundle ID is required.");
        assert_eq!(says(|a| a.player_id = "p".into()), "GameCenter player ID is required.");
        let url = "GameCenter public key URL is required.";
        assert_eq!(says(|a| a.public_key_url = "u".into()), url);
        assert_eq!(says(|a| a.salt = "s".into()), "GameCenter salt is required.");
        assert_eq!(says(|a| a.signature = "s".into()), "GameCenter signature is required.");
        assert_eq!(says(|a| a.timestamp_seconds = 1), "GameCenter timestamp is required.");
        assert_eq!(says(|_| ()), "");
    }
}
