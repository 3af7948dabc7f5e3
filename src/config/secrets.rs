//! `secrets.toml` in the data folder: made on the first run, readable by the owner alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::durable;
use crate::ids::Dice;

/// The server key that every Nakama sample uses. It works only with `--dev`.
pub const DEV_SERVER_KEY: &str = "defaultkey";

/// Every secret of this server. Wiped from memory when dropped; `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// What a Nakama client must send to be let in at all. It ships inside every game client.
    pub server_key: String,
    /// Key of Nakama access tokens, 32 bytes, base64url.
    pub nakama_access_key: String,
    /// Key of Nakama refresh tokens, 32 bytes, base64url; never the same.
    pub nakama_refresh_key: String,
    /// The access key before a rotation: still accepted, never used to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_nakama_access_key: Option<String>,
    /// The refresh key before a rotation: still accepted, never used to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_nakama_refresh_key: Option<String>,
    /// Key of tickets and passes, 32 bytes, base64url.
    pub ticket_key: String,
    /// The ticket key before a rotation: still accepted, never used to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_ticket_key: Option<String>,
    /// Key of identity fingerprints in the line, 32 bytes, base64url.
    pub identity_key: String,
    /// Pragma's token signing key: PKCS #8, PEM.
    pub player_signing_key: String,
    /// Verifying keys before a rotation, PEM: still accepted.
    #[serde(default)]
    pub previous_player_keys: Vec<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// The secrets file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file or its folder cannot be read or written.
    #[error("secrets file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("secrets file {}: others may read it; run `chmod 600` on it", .0.display())]
    Readable(PathBuf),
    /// The file is not what it should be. The text never shows a value.
    #[error("secrets file {}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The key every sample uses is not a secret.
    #[error(
        "the server key is the well-known `defaultkey`: set another in the secrets file, or use --dev"
    )]
    WellKnownKey,
    /// A signing key could not be made.
    #[error("cannot make a signing key: {0}")]
    KeyGeneration(String),
}

impl Secrets {
    /// Reads the secrets of a data folder, making them on the first run. The second value says
    /// whether they were made just now.
    ///
    /// # Errors
    ///
    /// See [`SecretsError`]; nothing is overwritten.
    pub fn open(
        data: &Path,
        dice: &Dice,
        signing_key: impl FnOnce(&Dice) -> Result<String, SecretsError>,
    ) -> Result<(Self, bool), SecretsError> {
        let path = data.join("secrets.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((Self::parse(&path, &text)?, false)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets = Self::generate(dice, signing_key(dice)?);
                secrets.write(&path)?;
                Ok((secrets, true))
            }
            Err(source) => Err(SecretsError::File { path, source }),
        }
    }

    /// Reads the secrets of a data folder that has them.
    ///
    /// # Errors
    ///
    /// See [`SecretsError`].
    pub fn read(data: &Path) -> Result<Self, SecretsError> {
        let path = data.join("secrets.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(source) => Err(SecretsError::File { path, source }),
        }
    }

    /// Writes them back to their folder.
    ///
    /// # Errors
    ///
    /// See [`SecretsError`]; the file is as it was.
    pub fn write_to(&self, data: &Path) -> Result<(), SecretsError> {
        self.write(&data.join("secrets.toml"))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SecretsError> {
        let file = |source| SecretsError::File { path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SecretsError::Readable(path.to_owned()));
        }
        let malformed =
            |problem: String| SecretsError::Malformed { path: path.to_owned(), problem };
        // `message` leaves out the offending line: it may hold a secret.
        let secrets: Self =
            toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))?;
        for (name, key) in secrets.keys() {
            key_bytes(key)
                .ok_or_else(|| malformed(format!("{name} must be 32 bytes in base64url")))?;
        }
        if secrets.server_key.is_empty() {
            return Err(malformed("server_key must not be empty".to_owned()));
        }
        if secrets.nakama_access_key == secrets.nakama_refresh_key {
            return Err(malformed(
                "nakama_access_key and nakama_refresh_key must differ".to_owned(),
            ));
        }
        Ok(secrets)
    }

    fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("nakama_access_key", Some(&self.nakama_access_key)),
            ("nakama_refresh_key", Some(&self.nakama_refresh_key)),
            ("previous_nakama_access_key", self.previous_nakama_access_key.as_ref()),
            ("previous_nakama_refresh_key", self.previous_nakama_refresh_key.as_ref()),
            ("ticket_key", Some(&self.ticket_key)),
            ("previous_ticket_key", self.previous_ticket_key.as_ref()),
            ("identity_key", Some(&self.identity_key)),
        ]
        .into_iter()
        .filter_map(|(name, key)| Some((name, key?.as_str())))
    }

    fn generate(dice: &Dice, player_signing_key: String) -> Self {
        let key = || URL_SAFE_NO_PAD.encode(dice.bytes::<32>());
        Self {
            server_key: URL_SAFE_NO_PAD.encode(dice.bytes::<18>()),
            nakama_access_key: key(),
            nakama_refresh_key: key(),
            previous_nakama_access_key: None,
            previous_nakama_refresh_key: None,
            ticket_key: key(),
            previous_ticket_key: None,
            identity_key: key(),
            player_signing_key,
            previous_player_keys: Vec::new(),
        }
    }

    /// Written whole or not at all, and on the disk before the keys are used: a token signed with
    /// a key that is then lost would be worthless.
    fn write(&self, path: &Path) -> Result<(), SecretsError> {
        let text = toml::to_string(self).map_err(|error| SecretsError::Malformed {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        durable::replace(path, text.as_bytes(), 0o600)
            .map_err(|source| SecretsError::File { path: path.to_owned(), source })
    }
}

/// The 32 bytes of a key in the file; `None` when it is not that.
pub fn key_bytes(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(data: &Path) -> Result<(Secrets, bool), SecretsError> {
        Secrets::open(data, &Dice::seeded(1), |_| Ok("pem".to_owned()))
    }

    #[test]
    fn made_once_then_read_back() {
        let data = tempfile::tempdir().unwrap();
        let (made, new) = open(data.path()).unwrap();
        let (read, again) = open(data.path()).unwrap();
        assert!(new && !again && made == read);
    }

    #[test]
    fn only_the_owner_may_read_it() {
        let data = tempfile::tempdir().unwrap();
        open(data.path()).unwrap();
        let path = data.path().join("secrets.toml");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(open(data.path()), Err(SecretsError::Readable(_))));
    }

    #[test]
    fn a_damaged_file_is_refused_without_showing_a_secret() {
        let data = tempfile::tempdir().unwrap();
        let (secrets, _) = open(data.path()).unwrap();
        let path = data.path().join("secrets.toml");
        let text =
            std::fs::read_to_string(&path).unwrap().replace("ticket_key = \"", "ticket_key = \"?");
        std::fs::write(&path, text).unwrap();
        let error = open(data.path()).unwrap_err().to_string();
        assert!(error.contains("ticket_key"), "{error}");
        assert!(!error.contains(&secrets.ticket_key), "{error}");
    }
}
