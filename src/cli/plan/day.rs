//! A recorded day: a line for each minute, as CSV or JSON.
//!
//! `minute,arrivals,online,waiting`: minutes from 0, ascending, those left out without arrivals;
//! people who asked to come in during it; players online and tickets waiting at its end, empty where
//! that is not known. JSON is a list of objects with the same names.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::domain::plan::{Curve, LIMIT_MAX_S, Launch, Minute};

const HEADER: &str = "minute,arrivals,online,waiting";
/// Longest file read, in bytes.
const BYTES_MAX: u64 = 16 << 20;

/// Reads a recorded day.
///
/// # Errors
///
/// What is wrong with the file, with the line.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Minute>> {
    let named = || format!("the recorded day {}", file.display());
    let length = std::fs::metadata(file).with_context(named)?.len();
    ensure!(length <= BYTES_MAX, "{}: longer than 16 MiB", named());
    parse(&std::fs::read_to_string(file).with_context(named)?).with_context(named)
}

fn parse(text: &str) -> anyhow::Result<Vec<Minute>> {
    let minutes =
        if text.trim_start().starts_with('[') { serde_json::from_str(text)? } else { csv(text)? };
    ensure!(!minutes.is_empty(), "no minute in it");
    for pair in minutes.windows(2) {
        ensure!(pair[0].minute < pair[1].minute, "minute {} comes twice or late", pair[1].minute);
    }
    let last = minutes.last().map_or(0, |last| last.minute);
    ensure!(last < LIMIT_MAX_S / 60, "longer than a week");
    Ok(minutes)
}

fn csv(text: &str) -> anyhow::Result<Vec<Minute>> {
    let mut lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty());
    let header = lines.next().map(|(line, _)| line.trim_start_matches('\u{feff}').replace(' ', ""));
    ensure!(header.as_deref() == Some(HEADER), "the first line must be {HEADER}");
    lines.map(|(line, at)| row(line).with_context(|| format!("line {at}: {line}"))).collect()
}

fn row(line: &str) -> anyhow::Result<Minute> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[minute, arrivals, online, waiting] = cells.as_slice() else {
        bail!("four cells, separated by commas");
    };
    let known = |cell: &str| (!cell.is_empty()).then(|| cell.parse()).transpose();
    Ok(Minute {
        minute: minute.parse().context("minute")?,
        arrivals: arrivals.parse().context("arrivals")?,
        online: known(online).context("online")?,
        waiting: known(waiting).context("waiting")?,
    })
}

/// The day again: its arrivals, with whoever was online and in line when it began, to its end.
pub(super) fn again(day: &[Minute], launch: Launch) -> Launch {
    let first = day.first().copied().unwrap_or_default();
    let last = day.last().map_or(0, |last| last.minute);
    let mut per_minute = vec![0; last as usize + 1];
    for minute in day {
        per_minute[minute.minute as usize] = minute.arrivals;
    }
    // Whoever waits at the end of the first minute asked to come in during it, or stood there.
    let asked = &mut per_minute[first.minute as usize];
    *asked = (*asked).max(first.waiting.unwrap_or(0));
    let span_s = (last + 1) * 60;
    let online = online_before(first, launch.crowd.session.mean_s());
    Launch {
        curve: Curve::Recorded { per_minute },
        online_at_start: online,
        at_least_s: span_s,
        limit_s: span_s,
        ..launch
    }
}

/// Players online when the first minute began: those of its end, without who came and with who left.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn online_before(first: Minute, session_s: Option<f64>) -> u32 {
    let stayed = first.online.unwrap_or(0).saturating_sub(first.arrivals);
    (f64::from(stayed) * session_s.map_or(1.0, |session_s| (60.0 / session_s).exp())) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let minute =
            |minute, arrivals, online, waiting| Minute { minute, arrivals, online, waiting };
        let day = vec![minute(0, 5, Some(100), None), minute(2, 7, Some(104), Some(3))];
        let csv = "\u{feff}minute, arrivals, online, waiting\r\n0,5,100,\r\n\r\n2,7,104,3\r\n";
        assert_eq!(parse(csv).unwrap(), day);
        let json = r#" [{"minute":0,"arrivals":5,"online":100},
            {"minute":2,"arrivals":7,"online":104,"waiting":3}]"#;
        assert_eq!(parse(json).unwrap(), day);
    }

    #[test]
    fn a_day_begins_with_those_who_were_online() {
        let minute = Minute { arrivals: 200, online: Some(9_800), ..Minute::default() };
        // 9,600 of them are left after a minute of 45-minute sessions.
        assert!(online_before(minute, Some(2_700.0)).abs_diff(9_816) <= 1);
        assert_eq!(online_before(minute, None), 9_600);
        assert_eq!(online_before(Minute { arrivals: 9, ..minute }, None), 9_791);
        assert_eq!(online_before(Minute::default(), Some(60.0)), 0);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_line() {
        for (text, says) in [
            ("", "first line"),
            ("time,players\n", "first line"),
            ("minute,arrivals,online,waiting\n", "no minute"),
            ("minute,arrivals,online,waiting\n0,1,2\n", "line 2: 0,1,2"),
            ("minute,arrivals,online,waiting\n0,1,2,3\n1,-1,2,3\n", "line 3"),
            ("minute,arrivals,online,waiting\n1,1,1,1\n1,1,1,1\n", "comes twice"),
            ("minute,arrivals,online,waiting\n99999,1,1,1\n", "longer than a week"),
            (r#"[{"minute":0,"arrivals":1,"onlin":1}]"#, "onlin"),
        ] {
            let refused = format!("{:#}", parse(text).unwrap_err());
            assert!(refused.contains(says), "{text:?}: {refused}");
        }
    }
}
