//! The operator API's answers in words.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::moment::written;
use crate::domain::time::UnixMicros;

/// A number, short; "?" for none.
fn number(value: &Value) -> String {
    match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(real)) => format!("{real:.1}").trim_end_matches(".0").to_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// Seconds as people say them.
fn span(value: &Value) -> String {
    let Some(seconds) = value.as_f64() else { return "nobody can say".to_owned() };
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// A moment.
fn moment(value: &Value) -> String {
    written(UnixMicros::from_millis(value.as_u64().unwrap_or_default()))
}

/// Dials, or those that a change turns.
fn dials(dials: &Value) -> String {
    let mut parts = Vec::new();
    for name in ["rate", "cap"] {
        if !dials[name].is_null() {
            parts.push(format!("{name} {}", number(&dials[name])));
        }
    }
    let said = &dials["announce"];
    if let Some(mode) = said["mode"].as_str() {
        let mut words = mode.to_owned();
        if !said["until_ms"].is_null() {
            let _ = write!(words, " until {}", moment(&said["until_ms"]));
        }
        if let Some(message) = said["message"].as_str().filter(|message| !message.is_empty()) {
            let _ = write!(words, ", \"{message}\"");
        }
        parts.push(words);
    }
    parts.join(", ")
}

/// Lanes, each with what `tell` says.
fn lanes(answer: &Value, tell: impl Fn(&Value) -> String) -> String {
    let lanes = answer["lanes"].as_object();
    let mut text = String::new();
    for (name, lane) in lanes.into_iter().flatten() {
        let _ = write!(text, "\n  {name}: {} wait, {}", number(&lane["waiting"]), tell(lane));
    }
    if text.is_empty() { "\n  nobody waits".to_owned() } else { text }
}

/// The line at a glance.
pub(super) fn queue(seen: &Value) -> String {
    let mut text = dials(&seen["dials"]);
    let _ = write!(text, "\nrate in force: {}", number(&seen["rate_in_force"]));
    if !seen["measured_limit"].is_null() {
        let _ = write!(text, " (measured: {})", number(&seen["measured_limit"]));
    }
    let slots = ["live", "reserved", "passes_out", "grace"];
    let slots: Vec<_> = slots
        .iter()
        .map(|name| format!("{} {}", number(&seen[*name]), name.replace('_', " ")))
        .collect();
    let _ = write!(text, "\nslots: {}\nin line:", slots.join(", "));
    text += &lanes(seen, |lane| format!("the last comes in in {}", span(&lane["last_waits_s"])));
    for made in seen["made"].as_array().into_iter().flatten() {
        let undone = if made["undone"] == true { ", taken back" } else { "" };
        let (at, id) = (moment(&made["at_ms"]), made["id"].as_str().unwrap_or_default());
        let _ = write!(text, "\nchanged {at}: {}{undone} ({id})", dials(&made["change"]));
    }
    text
}

/// What a staged change would do.
pub(super) fn preview(staged: &Value) -> String {
    let then = |lane: &Value| {
        let (now, then) = (span(&lane["last_waits_s"]), span(&lane["last_would_wait_s"]));
        format!("the last comes in in {now} now, in {then} then")
    };
    format!("would set: {}{}", dials(&staged["change"]), lanes(staged, then))
}

/// A change that was made.
pub(super) fn made(made: &Value) -> String {
    let id = made["id"].as_str().unwrap_or_default();
    let (change, before) = (dials(&made["change"]), dials(&made["before"]));
    format!("set: {change}\nbefore: {before}\nto take it back: anteroom ctl queue undo {id}")
}

/// A change that is about to be taken back.
pub(super) fn undoing(made: &Value) -> String {
    let at = moment(&made["at_ms"]);
    format!(
        "would take back, of {at}: {}\nbefore it: {}",
        dials(&made["change"]),
        dials(&made["before"])
    )
}

/// One that was.
pub(super) fn undone(undone: &Value) -> String {
    format!("taken back; now: {}", dials(&undone["dials"]))
}

/// A backup that was made.
pub(super) fn backup(made: &Value) -> String {
    let file = made["file"].as_str().unwrap_or_default();
    let (accounts, bytes) = (number(&made["accounts"]), number(&made["bytes"]));
    format!(
        "{file} on the server: {accounts} accounts, {bytes} bytes, {} ms",
        number(&made["took_ms"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_told_in_words() {
        let seen = json!({
            "dials": {"rate": 50.0, "cap": 10_000, "announce": {"mode": "open"}},
            "rate_in_force": 10.0, "live": 5, "reserved": 1, "passes_out": 2, "grace": 0,
            "lanes": {"standard": {"waiting": 120, "last_waits_s": 240.4}, "low": {"waiting": 1, "last_waits_s": null}},
            "made": [{"id": "x", "at_ms": 1_800_000_000_000_u64, "undone": true, "change": {"rate": 80.5}}],
        });
        let text = queue(&seen);
        for words in [
            "rate 50, cap 10000, open",
            "rate in force: 10",
            "5 live, 1 reserved, 2 passes out, 0 grace",
            "standard: 120 wait, the last comes in in 4 min",
            "low: 1 wait, the last comes in in nobody can say",
            "changed 2027-01-15T08:00:00Z: rate 80.5, taken back (x)",
        ] {
            assert!(text.contains(words), "no `{words}` in\n{text}");
        }
        let staged = json!({"change": {"announce": {"mode": "paused", "until_ms": 1_800_000_000_000_u64, "message": "back soon"}}, "lanes": {}});
        let text = preview(&staged);
        assert!(text.contains("paused until 2027-01-15T08:00:00Z, \"back soon\""), "{text}");
        assert!(text.contains("nobody waits"), "{text}");
    }
}
