//! New keys in place of old ones: the new sign, the old go on checking what they signed, until they
//! are forgotten (protocol-pragma §4.8).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::secrets::{Secrets, SecretsError};
use crate::domain::token::signing::{self, Signing};
use crate::ids::Dice;

/// Old public keys that are kept; the oldest go. Each costs every check of a foreign token a look.
pub const PREVIOUS_MAX: usize = 8;

/// Which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Keys {
    /// Pragma's session tokens of players, operators and game servers.
    Sessions,
    /// Nakama's session and refresh tokens.
    Nakama,
    /// Tickets and passes.
    Tickets,
    /// All of them.
    All,
}

impl Keys {
    fn covers(self, other: Self) -> bool {
        self == other || self == Self::All
    }
}

/// What a rotation needs from outside.
pub struct NewSigningKey {
    /// The new signing key, in PEM.
    pub private: String,
    /// The public half of the one it replaces.
    pub old_public: String,
}

/// Puts new keys into the secrets file of a data folder. A server that runs goes on with the old
/// ones until it is started again.
///
/// # Errors
///
/// [`SecretsError`]; the file is as it was.
pub fn rotate(
    data: &Path,
    dice: &Dice,
    which: Keys,
    signing_key: impl FnOnce(&str) -> Result<NewSigningKey, SecretsError>,
) -> Result<(), SecretsError> {
    let mut secrets = Secrets::read(data)?;
    let key = || URL_SAFE_NO_PAD.encode(dice.bytes::<32>());
    if which.covers(Keys::Sessions) {
        let new = signing_key(&secrets.player_signing_key)?;
        secrets.player_signing_key = new.private;
        secrets.previous_player_keys.insert(0, new.old_public);
        secrets.previous_player_keys.truncate(PREVIOUS_MAX);
    }
    if which.covers(Keys::Nakama) {
        let access = std::mem::replace(&mut secrets.nakama_access_key, key());
        let refresh = std::mem::replace(&mut secrets.nakama_refresh_key, key());
        secrets.previous_nakama_access_key = Some(access);
        secrets.previous_nakama_refresh_key = Some(refresh);
    }
    if which.covers(Keys::Tickets) {
        let ticket = std::mem::replace(&mut secrets.ticket_key, key());
        secrets.previous_ticket_key = Some(ticket);
    }
    secrets.write_to(data)
}

/// The same with a signing key of this kind. An RSA key takes a second or more to make.
///
/// # Errors
///
/// [`SecretsError`]; the file is as it was.
pub fn rotate_signed(
    data: &Path,
    dice: &Dice,
    which: Keys,
    kind: Signing,
) -> Result<(), SecretsError> {
    rotate(data, dice, which, |old| {
        let failed = |error: signing::KeyError| SecretsError::KeyGeneration(error.to_string());
        Ok(NewSigningKey {
            private: signing::generate(kind).map_err(failed)?.to_string(),
            old_public: signing::public_pem(old).map_err(failed)?.to_string(),
        })
    })
}

/// Takes the old keys away: what they signed is not good any more once the server starts again.
///
/// # Errors
///
/// [`SecretsError`]; the file is as it was.
pub fn forget(data: &Path, which: Keys) -> Result<(), SecretsError> {
    let mut secrets = Secrets::read(data)?;
    if which.covers(Keys::Sessions) {
        secrets.previous_player_keys.clear();
    }
    if which.covers(Keys::Nakama) {
        secrets.previous_nakama_access_key = None;
        secrets.previous_nakama_refresh_key = None;
    }
    if which.covers(Keys::Tickets) {
        secrets.previous_ticket_key = None;
    }
    secrets.write_to(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(data: &Path) -> Secrets {
        Secrets::open(data, &Dice::seeded(1), |_| Ok("first".to_owned())).unwrap().0
    }

    fn rotated(data: &Path, which: Keys) -> Secrets {
        rotate(data, &Dice::seeded(2), which, |old| {
            let private = format!("after {old}");
            Ok(NewSigningKey { private, old_public: format!("public {old}") })
        })
        .unwrap();
        Secrets::read(data).unwrap()
    }

    #[test]
    fn new_keys_sign_and_the_old_are_kept_until_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let before = made(data);
        let after = rotated(data, Keys::All);
        assert_eq!(after.player_signing_key, "after first");
        assert_eq!(after.previous_player_keys, ["public first"]);
        assert_ne!(after.nakama_access_key, before.nakama_access_key);
        assert_eq!(after.previous_nakama_access_key.as_ref(), Some(&before.nakama_access_key));
        assert_eq!(after.previous_ticket_key.as_ref(), Some(&before.ticket_key));
        assert_eq!(
            (&after.server_key, &after.identity_key),
            (&before.server_key, &before.identity_key)
        );
        forget(data, Keys::Sessions).unwrap();
        let left = Secrets::read(data).unwrap();
        assert!(left.previous_player_keys.is_empty() && left.previous_ticket_key.is_some());
    }

    #[test]
    fn only_what_was_named_is_rotated_and_old_keys_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let before = made(folder.path());
        for _ in 0..12 {
            rotated(folder.path(), Keys::Sessions);
        }
        let after = Secrets::read(folder.path()).unwrap();
        assert_eq!(after.previous_player_keys.len(), PREVIOUS_MAX);
        assert_eq!(after.ticket_key, before.ticket_key);
        assert!(after.previous_nakama_access_key.is_none());
    }

    #[test]
    fn a_folder_without_secrets_has_nothing_to_rotate() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(forget(folder.path(), Keys::All), Err(SecretsError::File { .. })));
    }
}
