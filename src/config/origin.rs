//! Where each setting in force came from, which of them change while the server runs, and what differs
//! between two sets of them. Secrets are never in it.

use std::collections::BTreeMap;

use figment::Figment;
use serde_json::Value;

use super::{Config, Overrides};

/// Where a setting came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody said anything.
    #[default]
    Default,
    /// The settings file.
    File,
    /// An environment variable.
    Environment,
    /// The command line.
    Flag,
}

/// How settings were read, so that they can be read again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// What the command line said; `None`: they were not read at all, but made (tests).
    pub overrides: Option<Overrides>,
    sources: BTreeMap<String, Source>,
}

/// What changes while the server runs: keys, or the beginning of keys up to a dot.
const LIVE: [&str; 20] = [
    "queue.rate",
    "queue.cap",
    "queue.paused",
    "queue.grace_share",
    "queue.lane_weights",
    "queue.lane_rules",
    "queue.poll_budget",
    "queue.opening.",
    "queue.abuse.",
    "limits.sign_in_per_second",
    "limits.sign_in_burst",
    "limits.wrong_passwords_per_minute",
    "limits.portal_per_minute",
    "limits.enter_per_second",
    "limits.enter_burst",
    "limits.enter_identity_per_minute",
    "limits.poll_per_second",
    "log.level",
    "pragma.portal_origins",
    "server.watch_settings",
];

/// What a secret is written as ([`super::identity::Secret`]).
const HIDDEN: &str = "…";

/// Whether a setting changes while the server runs.
pub fn is_live(key: &str) -> bool {
    LIVE.iter().any(|live| *live == key || live.ends_with('.') && key.starts_with(live))
}

/// A setting in force.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Setting {
    /// Its path, such as `queue.rate`.
    pub key: String,
    /// Its value; `None`: a secret that is set.
    pub value: Option<Value>,
    /// Whether it is a secret that is set.
    pub secret: bool,
    /// Where it came from.
    pub source: Source,
    /// Whether it changes while the server runs.
    pub live: bool,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Changed {
    /// Its path; of a secret, the section it is in.
    pub key: String,
    /// Before; `None`: a secret.
    pub from: Option<Value>,
    /// After; `None`: a secret.
    pub to: Option<Value>,
    /// Whether it changes while the server runs.
    pub live: bool,
}

impl Origin {
    /// Of settings that were read like this.
    pub(super) fn read(overrides: &Overrides, figment: &Figment, config: &Config) -> Self {
        let mut sources = BTreeMap::new();
        for key in flat(config).into_keys() {
            let name = figment.find_metadata(&key).map(|found| found.name.to_string());
            let source = match name.as_deref() {
                Some(name) if name.contains("TOML") => Source::File,
                Some(name) if name.contains("environment") => Source::Environment,
                _ => continue,
            };
            sources.insert(key, source);
        }
        let mut flag = |key: &str| {
            sources.insert(key.to_owned(), Source::Flag);
        };
        if overrides.data.is_some() {
            flag("server.data");
        }
        if overrides.listen.is_some() {
            flag("server.listen");
        }
        if overrides.dev {
            for key in ["pragma.unsafe_provider", "pragma.backend_mode"] {
                flag(key);
            }
        }
        Self { overrides: Some(overrides.clone()), sources }
    }
}

/// Every setting in force, by its path.
pub fn settings(config: &Config) -> Vec<Setting> {
    let each = flat(config).into_iter();
    each.map(|(key, value)| {
        let secret = is_hidden(&value);
        let source = config.origin.sources.get(&key).copied().unwrap_or_default();
        let live = is_live(&key);
        Setting { key, value: (!secret).then_some(value), secret, source, live }
    })
    .collect()
}

/// What differs.
pub fn changes(before: &Config, after: &Config) -> Vec<Changed> {
    let (old, mut new) = (flat(before), flat(after));
    let mut found = Vec::new();
    let mut add = |key: &str, from: Option<Value>, to: Option<Value>| {
        found.push(Changed { key: key.to_owned(), from, to, live: is_live(key) });
    };
    let shown = |value: Value| (!is_hidden(&value)).then_some(value);
    for (key, from) in old {
        let to = new.remove(&key).unwrap_or_default();
        if from != to {
            add(&key, shown(from), shown(to));
        }
    }
    for (key, to) in new {
        add(&key, Some(Value::Null), shown(to));
    }
    // Secrets look all the same; that one of them is another shows in its section.
    let sections =
        [("identity", before.identity != after.identity), ("hooks", before.hooks != after.hooks)];
    for (section, differs) in sections {
        if differs && !found.iter().any(|it: &Changed| it.key.starts_with(section)) {
            found.push(Changed { key: section.to_owned(), from: None, to: None, live: false });
        }
    }
    found
}

/// Settings in force after a change: of `after` what changes live, the rest as it was.
pub fn merged(before: &Config, after: &Config) -> Config {
    let mut now = before.clone();
    now.queue.rate = after.queue.rate;
    now.queue.cap = after.queue.cap;
    now.queue.paused = after.queue.paused;
    now.queue.grace_share = after.queue.grace_share;
    now.queue.lane_weights = after.queue.lane_weights;
    now.queue.lane_rules.clone_from(&after.queue.lane_rules);
    now.queue.poll_budget = after.queue.poll_budget;
    now.queue.opening = after.queue.opening.clone();
    now.queue.abuse = after.queue.abuse.clone();
    let (body_max_bytes, callers_max) = (now.limits.body_max_bytes, now.limits.callers_max);
    now.limits = super::LimitsConfig { body_max_bytes, callers_max, ..after.limits.clone() };
    now.log.level.clone_from(&after.log.level);
    now.pragma.portal_origins.clone_from(&after.pragma.portal_origins);
    now.server.watch_settings = after.server.watch_settings;
    now.origin = after.origin.clone();
    now
}

fn is_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => text == HIDDEN,
        Value::Array(list) => list.iter().any(is_hidden),
        Value::Object(map) => map.values().any(is_hidden),
        _ => false,
    }
}

/// Settings by their paths. Lists are values.
fn flat(config: &Config) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    // Every setting can be written: the file is made from them.
    let value = serde_json::to_value(config).unwrap_or_default();
    flatten(String::new(), value, &mut found);
    found
}

fn flatten(path: String, value: Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(format!("{path}{dot}{name}"), value, found);
            }
        }
        value => drop(found.insert(path, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn read(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let data = Some("elsewhere".into());
        load(&Overrides { file: Some(file), data, ..Overrides::default() }).unwrap()
    }

    fn of(config: &Config, key: &str) -> Setting {
        settings(config).into_iter().find(|it| it.key == key).unwrap()
    }

    #[test]
    fn each_setting_says_where_it_came_from_and_secrets_say_nothing() {
        let config =
            read("[queue]\nrate = 7.0\n[hooks]\nurl = \"http://127.0.0.1/\"\nsecret = \"hush\"\n");
        let rate = of(&config, "queue.rate");
        assert_eq!((rate.value, rate.source, rate.live), (Some(7.0.into()), Source::File, true));
        assert_eq!(of(&config, "queue.cap").source, Source::Default);
        assert_eq!(of(&config, "server.data").source, Source::Flag);
        let secret = of(&config, "hooks.secret");
        assert_eq!((secret.value, secret.secret, secret.live), (None, true, false));
        assert!(!serde_json::to_string(&settings(&config)).unwrap().contains("hush"));
    }

    #[test]
    fn what_differs_is_told_and_only_what_is_live_is_taken() {
        let before = read("[queue]\nrate = 7.0\n");
        let after = read(
            "[queue]\nrate = 8.0\nlane_weights = [1, 2, 3]\nline_max = 5\n[hooks]\nurl = \"http://127.0.0.1/\"\nsecret = \"hush\"\n",
        );
        let keys = |found: Vec<Changed>| -> Vec<(String, bool)> {
            found.into_iter().map(|it| (it.key, it.live)).collect()
        };
        let told = [
            ("hooks.secret", false),
            ("hooks.url", false),
            ("queue.lane_weights", true),
            ("queue.line_max", false),
            ("queue.rate", true),
        ];
        let told = told.map(|(key, live)| (key.to_owned(), live));
        assert_eq!(keys(changes(&before, &after)), told);
        let now = merged(&before, &after);
        let left: Vec<_> = told.into_iter().filter(|(_, live)| !live).collect();
        assert_eq!(keys(changes(&now, &after)), left, "what needs a restart still does");
        let other =
            read("[queue]\nrate = 7.0\n[hooks]\nurl = \"http://127.0.0.1/\"\nsecret = \"other\"\n");
        let hush =
            read("[queue]\nrate = 7.0\n[hooks]\nurl = \"http://127.0.0.1/\"\nsecret = \"hush\"\n");
        assert_eq!(keys(changes(&hush, &other)), [("hooks".to_owned(), false)]);
    }

    /// Everything that is said to be live is taken, and nothing else.
    #[test]
    fn live_settings_are_those_that_are_taken() {
        let before = Config::default();
        let known: Vec<String> = settings(&before).into_iter().map(|it| it.key).collect();
        for live in LIVE {
            assert!(known.iter().any(|key| key == live || key.starts_with(live)), "{live}");
        }
        let mut after = before.clone();
        after.queue.rate = 1.0;
        after.queue.paused = true;
        after.queue.poll_budget = 77;
        after.limits.poll_per_second = 3;
        after.limits.body_max_bytes = 2_048;
        after.log.level = "debug".into();
        after.pragma.portal_origins = vec!["https://a.example".into()];
        let now = merged(&before, &after);
        for it in changes(&before, &after) {
            let is_taken = !changes(&now, &after).iter().any(|left| left.key == it.key);
            assert_eq!(is_taken, it.live, "{}", it.key);
        }
    }
}
