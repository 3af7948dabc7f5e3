//! A secret in the settings, or in a file of its own.

use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret in the settings. Not shown by `Debug`, not written by `Serialize`, wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Whether nothing is set here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret itself, or what the file holds without white space around it. The file wins.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn or_file(&self, file: Option<&Path>) -> std::io::Result<Zeroizing<String>> {
        let Some(file) = file else { return Ok(self.0.clone()) };
        let text = Zeroizing::new(std::fs::read_to_string(file)?);
        Ok(Zeroizing::new(text.trim().to_owned()))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(empty)" } else { "Secret(…)" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "…" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::identity::SteamConfig;

    #[test]
    fn a_secret_is_neither_shown_nor_written() {
        let config = SteamConfig { publisher_key: "hush".into(), ..SteamConfig::default() };
        assert!(!format!("{config:?}").contains("hush"));
        assert!(!toml::to_string(&config).unwrap().contains("hush"));
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "from-file\n").unwrap();
        let secret = Secret::from("inline");
        assert_eq!(*secret.or_file(None).unwrap(), "inline");
        assert_eq!(*secret.or_file(Some(&file)).unwrap(), "from-file");
        assert!(secret.or_file(Some(&folder.path().join("none"))).is_err());
    }
}
