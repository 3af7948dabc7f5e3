//! The report as a table on a terminal.

use std::fmt;

use super::report::Report;
use super::words::{count, percent, span};

/// Width a reason is broken at.
const WIDTH: usize = 88;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for [name, figure, note] in self.rows() {
            writeln!(f, "{}", format!("{name:24} {figure:>12}  {note}").trim_end())?;
        }
        writeln!(
            f,
            "\n{:24} {:>12} {:>13} {:>13} {:>13} {:>13}",
            "wait, by lane", "admitted", "p50", "p95", "p99", "max"
        )?;
        for waits in &self.outcome.waits {
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            let admitted = count(waits.count as f64);
            let [p50, p95, p99, max] =
                [waits.p50_s, waits.p95_s, waits.p99_s, waits.max_s].map(span);
            writeln!(
                f,
                "{:24} {admitted:>12} {p50:>13} {p95:>13} {p99:>13} {max:>13}",
                waits.lane
            )?;
        }
        if let Some(recorded) = &self.recorded {
            writeln!(
                f,
                "\n{:24} {:>12} {:>13} {:>13}",
                "off the recorded day", "minutes", "p50", "p90"
            )?;
            for off in &recorded.off {
                let (median, p90) = (percent(off.median), percent(off.p90));
                writeln!(f, "{:24} {:>12} {median:>13} {p90:>13}", off.series, off.minutes)?;
            }
        }
        writeln!(f, "\n{:24} {:>12} {:>13}", "recommended", "set to", "played with")?;
        for advice in &self.recommended {
            let (value, played) = (count(advice.value), count(advice.played));
            writeln!(f, "{:24} {value:>12} {played:>13} {}", advice.key, advice.unit)?;
            for line in broken(&advice.why) {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

/// Text in lines of at most [`WIDTH`] letters, if its words allow.
fn broken(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + 1 + word.len() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}
