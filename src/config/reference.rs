//! Writes `docs/reference/config.md` from the structs: every key with what it takes, its bounds, its
//! default and whether it changes while the server runs.
//!
//! What a key takes and its bounds are found by trying: the settings are read and checked with a value
//! that cannot be right, and what is said about it is the answer. So the page says what the program
//! does.

use std::fmt::Write as _;

use super::Config;
use super::check::check;
use super::keys::{self, Key};
use super::origin::is_live;

const HEAD: &str = "\
# Configuration

Every setting, written by `anteroom config reference` from the program itself; a test compares. The \
same as a file to edit: `config.toml` in the repository, or `anteroom config example`.

Settings come from `config.toml` (`--config FILE`), then from the environment, then from flags: the \
later wins. An unknown key is refused, and so is a value out of bounds: the server does not start, and \
says which key. *Live* settings change while the server runs, by `SIGHUP`, by [the operator \
API](../operator-api.md#the-server), by the console, or as the file changes \
(`server.watch_settings`); the others at the next start. In the environment a list is written as in the \
file: `ANTEROOM__QUEUE__LANE_WEIGHTS='[18, 9, 1]'`.
";

/// Numbers that are too large for any setting, for each width that a number may have.
const TOO_LARGE: [i64; 4] = [i64::MAX, 4_294_967_295, 65_535, 255];

/// The units that names end in.
const UNITS: [(&str, &str); 13] = [
    ("_per_second", "a second"),
    ("_per_s", "a second"),
    ("_per_minute", "a minute"),
    ("_s", "seconds"),
    ("_ms", "milliseconds"),
    ("_us", "microseconds"),
    ("_min", "minutes"),
    ("_h", "hours"),
    ("_hours", "hours"),
    ("_days", "days"),
    ("_bytes", "bytes"),
    ("_kib", "KiB"),
    ("_mib", "MiB"),
];

/// The reference page.
///
/// # Errors
///
/// When a default cannot be written as TOML, which a test rules out.
pub fn markdown() -> Result<String, toml::ser::Error> {
    let mut page = HEAD.to_owned();
    for section in keys::sections()? {
        let of = section.of.map(|of| format!(", for {of}")).unwrap_or_default();
        let _ = write!(page, "\n## `[{}]`{of}\n\n", section.name);
        page.push_str("| key | takes | default | changes | meaning |\n|---|---|---|---|---|\n");
        for key in &section.keys {
            let path = format!("{}.{}", section.name, key.name);
            let variable = path.to_uppercase().replace('.', "__");
            let default = match &key.default {
                Some(value) => format!("`{}`", keys::inline(value)),
                None => "not set".to_owned(),
            };
            let changes = if is_live(&path) { "live" } else { "restart" };
            let doc = key.doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
            let takes = takes(section.name, key);
            let _ = writeln!(
                page,
                "| `{}`<br>`ANTEROOM__{variable}` | {takes} | {default} | {changes} | {doc} |",
                key.name
            );
        }
    }
    Ok(page)
}

/// Kind, unit and bounds of a key.
fn takes(section: &str, key: &Key) -> String {
    match &key.default {
        Some(toml::Value::Boolean(_)) => "true or false".to_owned(),
        Some(toml::Value::Integer(_)) => number("whole number", section, key),
        Some(toml::Value::Float(_)) => number("number", section, key),
        Some(toml::Value::Array(_)) => "list".to_owned(),
        _ => text(section, key.name),
    }
}

fn number(kind: &str, section: &str, key: &Key) -> String {
    let unit = UNITS.iter().find(|(end, _)| key.name.ends_with(end)).map(|(_, unit)| unit);
    // A name that ends in "min" may be a least.
    let unit = unit.filter(|unit| **unit != "minutes" || key.doc.contains("minute"));
    let unit = unit.map(|unit| format!(", {unit}")).unwrap_or_default();
    let whole = TOO_LARGE.map(|value| value.to_string());
    let mut values = whole.into_iter().chain(["1e300".to_owned()]);
    let read = values.find_map(|value| tried(section, key.name, &value).ok());
    let complaint = read.and_then(|config| check(&config).err());
    let bounds = complaint.filter(|it| it.key.ends_with(key.name)).and_then(|it| {
        Some(it.problem.strip_prefix("must be ")?.split_once(", not")?.0.to_owned())
    });
    let bounds = bounds.map(|bounds| format!(", {bounds}")).unwrap_or_default();
    format!("{kind}{unit}{bounds}")
}

/// A text of any kind, an address, or one of some words.
fn text(section: &str, key: &str) -> String {
    match tried(section, key, "\"?\"") {
        Err(error) if error.contains("unknown variant") => {
            let words: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Err(error) if error.contains("socket address") => "address:port".to_owned(),
        _ => "text".to_owned(),
    }
}

/// The default settings with one key set, read as from a file.
fn tried(section: &str, key: &str, value: &str) -> Result<Config, String> {
    toml::from_str(&format!("[{section}]\n{key} = {value}\n"))
        .map_err(|error: toml::de::Error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are names: as large as they come.
    const NAMES: [&str; 3] = ["beacon_round", "public_port", "app_id"];

    fn row(key: &str) -> String {
        let page = markdown().unwrap();
        let start = format!("| `{key}`<br>");
        page.lines().find(|line| line.starts_with(&start)).unwrap().to_owned()
    }

    #[test]
    fn a_row_says_what_the_program_does() {
        let rate = row("rate");
        assert!(
            rate.contains("ANTEROOM__QUEUE__RATE` | number, 0 to 100000 | `50.0` | live |"),
            "{rate}"
        );
        let lease = row("lease_s");
        assert!(
            lease.contains("| whole number, seconds, 30 to 86400 | `600` | restart |"),
            "{lease}"
        );
        assert!(row("gate").contains("| `all`, `pragma`, `off` | `\"all\"` |"));
        assert!(row("operators").contains("| address:port | not set |"));
    }

    /// A number without bounds on the page is a number that nobody checks.
    #[test]
    fn every_number_has_its_bounds() {
        let page = markdown().unwrap();
        let open: Vec<&str> = page
            .lines()
            .filter(|line| line.contains("| whole number") || line.contains("| number"))
            .filter(|line| !line.split(" | ").nth(1).is_some_and(|takes| takes.contains(" to ")))
            .filter(|line| !NAMES.iter().any(|name| line.starts_with(&format!("| `{name}`<br>"))))
            .collect();
        assert!(open.is_empty(), "{}", open.join("\n"));
    }
}
