//! Every key there is, with its documentation and its default: what `config.toml` and the reference
//! are written from.

use documented::DocumentedFields;
use serde::Serialize;

use super::{Config, IdentityConfig, ProviderOptions};

/// A section of the settings file.
pub(super) struct Section {
    /// Its path, such as `queue.abuse`.
    pub(super) name: &'static str,
    /// What it is there for each of; `None`: there is one.
    pub(super) of: Option<&'static str>,
    /// Its keys, in the order of the struct.
    pub(super) keys: Vec<Key>,
}

/// A key.
pub(super) struct Key {
    /// Its name in its section.
    pub(super) name: &'static str,
    /// What it means, its unit, its bounds: the field's documentation.
    pub(super) doc: &'static str,
    /// What counts when nobody says anything; `None`: nothing.
    pub(super) default: Option<toml::Value>,
}

/// Every section, in the order of the file.
///
/// # Errors
///
/// When a default cannot be written as TOML.
pub(super) fn sections() -> Result<Vec<Section>, toml::ser::Error> {
    let config = Config::default();
    let each_provider = Section {
        of: Some("each provider alike"),
        ..section("pragma.providers.steam", &ProviderOptions::default())?
    };
    let mut sections = vec![
        section("server", &config.server)?,
        section("tls", &config.tls)?,
        section("tls.acme", &config.tls.acme)?,
        section("queue", &config.queue)?,
        section("queue.adaptive", &config.queue.adaptive)?,
        section("queue.opening", &config.queue.opening)?,
        section("queue.abuse", &config.queue.abuse)?,
        section("nakama", &config.nakama)?,
        section("pragma", &config.pragma)?,
        section("pragma.ports", &config.pragma.ports)?,
        each_provider,
    ];
    sections.extend(identity(&config.identity)?);
    sections.extend([
        section("hooks", &config.hooks)?,
        section("operators", &config.operators)?,
        section("passwords", &config.passwords)?,
        section("limits", &config.limits)?,
        section("store", &config.store)?,
        section("backup", &config.backup)?,
        section("audit", &config.audit)?,
        section("log", &config.log)?,
        section("trace", &config.trace)?,
    ]);
    Ok(sections)
}

fn identity(config: &IdentityConfig) -> Result<[Section; 17], toml::ser::Error> {
    Ok([
        section("identity", config)?,
        section("identity.apple", &config.apple)?,
        section("identity.facebook", &config.facebook)?,
        section("identity.facebook_instant_game", &config.facebook_instant_game)?,
        section("identity.gamecenter", &config.gamecenter)?,
        section("identity.google", &config.google)?,
        section("identity.steam", &config.steam)?,
        section("identity.xbox", &config.xbox)?,
        section("identity.playstation", &config.playstation)?,
        section("identity.nintendo", &config.nintendo)?,
        section("identity.epic", &config.epic)?,
        section("identity.discord", &config.discord)?,
        section("identity.twitch", &config.twitch)?,
        section("identity.google_oauth", &config.google_oauth)?,
        section("identity.googleworkspace", &config.googleworkspace)?,
        section("identity.okta", &config.okta)?,
        section("identity.auth0", &config.auth0)?,
    ])
}

fn section<T: DocumentedFields + Serialize>(
    name: &'static str,
    defaults: &T,
) -> Result<Section, toml::ser::Error> {
    let values = toml::Table::try_from(defaults)?;
    let docs = T::FIELD_NAMES.iter().zip(T::FIELD_DOCS);
    let keys = docs
        // A table is a section of its own.
        .filter(|(key, _)| !values.get(**key).is_some_and(toml::Value::is_table))
        .map(|(key, doc)| Key { name: key, doc: doc.trim(), default: values.get(*key).cloned() })
        .collect();
    Ok(Section { name, of: None, keys })
}

/// A value on one line, numbers as people write them.
pub(super) fn inline(value: &toml::Value) -> String {
    value.to_string().trim_end().to_owned()
}
