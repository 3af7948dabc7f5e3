//! Writes `config.toml` from the structs: every key with its meaning and its default.

use std::fmt::Write as _;

use documented::DocumentedFields;
use serde::Serialize;

use super::identity::{
    AppleConfig, DiscordConfig, EpicConfig, FacebookConfig, FacebookInstantGameConfig,
    GameCenterConfig, GoogleConfig, GoogleOauthConfig, GoogleWorkspaceConfig, IssuerConfig,
    NintendoConfig, PlayStationConfig, SteamConfig, TwitchConfig, XboxConfig,
};
use super::pragma::{PragmaPorts, ProviderOptions};
use super::queue::AdaptiveConfig;
use super::{
    AbuseConfig, BackupConfig, Config, HooksConfig, IdentityConfig, LimitsConfig, LogConfig,
    NakamaConfig, OpeningConfig, OperatorsConfig, PasswordConfig, PragmaConfig, QueueConfig,
    ServerConfig, StoreConfig,
};

const HEAD: &str = "\
# Anteroom's settings. Every key is shown with its default; delete what you don't change.
# Written by `anteroom config example`. The same keys as environment variables:
# ANTEROOM__SECTION__KEY, e.g. ANTEROOM__QUEUE__RATE=200. Flags win over the environment, the
# environment over this file. A key that is not listed here is refused.
# The server's own secrets are not in this file: see data/README.md. Those of identity providers and
# hooks may be, or in a file of their own that a `…_file` key names.
";

/// The text of `config.toml`: every section, every key, its documentation and its default.
///
/// # Errors
///
/// When a default cannot be written as TOML, which the test for this function rules out.
pub fn config_toml() -> Result<String, toml::ser::Error> {
    let config = Config::default();
    let mut text = HEAD.to_owned();
    section::<ServerConfig>(&mut text, "server", &config.server)?;
    section::<QueueConfig>(&mut text, "queue", &config.queue)?;
    section::<AdaptiveConfig>(&mut text, "queue.adaptive", &config.queue.adaptive)?;
    section::<OpeningConfig>(&mut text, "queue.opening", &config.queue.opening)?;
    section::<AbuseConfig>(&mut text, "queue.abuse", &config.queue.abuse)?;
    section::<NakamaConfig>(&mut text, "nakama", &config.nakama)?;
    section::<PragmaConfig>(&mut text, "pragma", &config.pragma)?;
    section::<PragmaPorts>(&mut text, "pragma.ports", &config.pragma.ports)?;
    section_of_each::<ProviderOptions>(&mut text, "pragma.providers.steam", "each provider alike")?;
    identity(&mut text, &config.identity)?;
    section::<HooksConfig>(&mut text, "hooks", &config.hooks)?;
    section::<OperatorsConfig>(&mut text, "operators", &config.operators)?;
    section::<PasswordConfig>(&mut text, "passwords", &config.passwords)?;
    section::<LimitsConfig>(&mut text, "limits", &config.limits)?;
    section::<StoreConfig>(&mut text, "store", &config.store)?;
    section::<BackupConfig>(&mut text, "backup", &config.backup)?;
    section::<LogConfig>(&mut text, "log", &config.log)?;
    Ok(text)
}

fn identity(text: &mut String, config: &IdentityConfig) -> Result<(), toml::ser::Error> {
    section::<IdentityConfig>(text, "identity", config)?;
    section::<AppleConfig>(text, "identity.apple", &config.apple)?;
    section::<FacebookConfig>(text, "identity.facebook", &config.facebook)?;
    section::<FacebookInstantGameConfig>(
        text,
        "identity.facebook_instant_game",
        &config.facebook_instant_game,
    )?;
    section::<GameCenterConfig>(text, "identity.gamecenter", &config.gamecenter)?;
    section::<GoogleConfig>(text, "identity.google", &config.google)?;
    section::<SteamConfig>(text, "identity.steam", &config.steam)?;
    section::<XboxConfig>(text, "identity.xbox", &config.xbox)?;
    section::<PlayStationConfig>(text, "identity.playstation", &config.playstation)?;
    section::<NintendoConfig>(text, "identity.nintendo", &config.nintendo)?;
    section::<EpicConfig>(text, "identity.epic", &config.epic)?;
    section::<DiscordConfig>(text, "identity.discord", &config.discord)?;
    section::<TwitchConfig>(text, "identity.twitch", &config.twitch)?;
    section::<GoogleOauthConfig>(text, "identity.google_oauth", &config.google_oauth)?;
    section::<GoogleWorkspaceConfig>(text, "identity.googleworkspace", &config.googleworkspace)?;
    section::<IssuerConfig>(text, "identity.okta", &config.okta)?;
    section::<IssuerConfig>(text, "identity.auth0", &config.auth0)
}

fn section<T: DocumentedFields + Serialize>(
    text: &mut String,
    name: &str,
    defaults: &T,
) -> Result<(), toml::ser::Error> {
    let values = toml::Table::try_from(defaults)?;
    let _ = write!(text, "\n[{name}]\n");
    for (index, key) in T::FIELD_NAMES.iter().enumerate() {
        if values.get(*key).is_some_and(toml::Value::is_table) {
            continue; // a section of its own
        }
        if index > 0 {
            text.push('\n');
        }
        let doc = T::FIELD_DOCS.get(index).copied().unwrap_or_default();
        for line in doc.trim().lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = match values.get(*key) {
            Some(value) => writeln!(text, "{key} = {}", inline(value)),
            None => writeln!(text, "# {key} ="),
        };
    }
    Ok(())
}

/// A section that may be there for each of many: shown once, commented out.
fn section_of_each<T: DocumentedFields + Serialize + Default>(
    text: &mut String,
    name: &str,
    of: &str,
) -> Result<(), toml::ser::Error> {
    let mut shown = String::new();
    section::<T>(&mut shown, name, &T::default())?;
    let _ = write!(text, "\n# For {of}:");
    for line in shown.lines() {
        let _ = match line {
            "" => writeln!(text),
            line if line.starts_with('#') => write!(text, "\n{line}"),
            line => write!(text, "\n# {line}"),
        };
    }
    text.push('\n');
    Ok(())
}

/// A value on one line, numbers as people write them.
fn inline(value: &toml::Value) -> String {
    value.to_string().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_what_the_structs_say() {
        let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml"))
            .expect("config.toml is in the repository");
        assert_eq!(
            shipped,
            config_toml().unwrap(),
            "run `cargo run -- config example > config.toml`"
        );
    }

    #[test]
    fn the_shipped_file_sets_the_defaults() {
        let config: Config = toml::from_str(&config_toml().unwrap()).unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn every_key_is_documented() {
        for (at, line) in config_toml().unwrap().lines().enumerate().skip(8) {
            if line.contains(" = ") && !line.starts_with('#') {
                let text = config_toml().unwrap();
                let before = text.lines().nth(at - 1).unwrap_or_default();
                assert!(before.starts_with("# "), "no documentation above: {line}");
            }
        }
    }
}
