//! Writes `config.toml` from the structs: every key with its meaning and its default.

use std::fmt::Write as _;

use super::keys::{self, Section};

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
    let mut text = HEAD.to_owned();
    for section in keys::sections()? {
        match section.of {
            Some(of) => write_commented_out(&mut text, &section, of),
            None => write(&mut text, &section),
        }
    }
    Ok(text)
}

fn write(text: &mut String, section: &Section) {
    let _ = write!(text, "\n[{}]\n", section.name);
    for (index, key) in section.keys.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        for line in key.doc.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let name = key.name;
        let _ = match &key.default {
            Some(value) => writeln!(text, "{name} = {}", keys::inline(value)),
            None => writeln!(text, "# {name} ="),
        };
    }
}

/// A section that may be there for each of many: shown once, commented out.
fn write_commented_out(text: &mut String, section: &Section, of: &str) {
    let mut shown = String::new();
    write(&mut shown, section);
    let _ = write!(text, "\n# For {of}:");
    for line in shown.lines() {
        let _ = match line {
            "" => writeln!(text),
            line if line.starts_with('#') => write!(text, "\n{line}"),
            line => write!(text, "\n# {line}"),
        };
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

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
