//! The report as one HTML file that needs nothing else: no script, no font, no request.
//!
//! Every word on it is ours and every figure a number, so nothing has to be escaped.

use std::fmt::Write as _;

use super::plots::{Plot, Series};
use super::report::Report;
use super::words::{count, percent, span};
use crate::domain::plan::{Minute, Sample, Spread};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn html(report: &Report) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Launch plan</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Launch plan</h1>\n<p class=\"lead\">{}</p>\n",
        lead(report)
    );
    figures(&mut html, report);
    waits(&mut html, report);
    recommended(&mut html, report);
    recorded(&mut html, report);
    for plot in plots(report) {
        html.push_str(&plot.html());
    }
    assumed(&mut html, report);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn lead(report: &Report) -> String {
    let outcome = &report.outcome;
    let all = outcome.waits.first();
    format!(
        "{} players come to a gate of {} a second and a world of {} slots. The line grows to {}; half \
         of those admitted waited {} or less, 95 of 100 waited {} or less, and {} of those who came \
         gave up.",
        count(outcome.people.arrived as f64),
        count(report.queue.rate),
        count(report.queue.cap as f64),
        count(outcome.line.longest as f64),
        span(all.map_or(0.0, |waits| waits.p50_s)),
        span(all.map_or(0.0, |waits| waits.p95_s)),
        percent(outcome.line.abandonment)
    )
}

/// A table with a head; cells after the first are numbers unless they are the last.
fn table(html: &mut String, class: &str, head: &[&str], rows: &[Vec<String>]) {
    let _ = write!(html, "<div class=\"wide\"><table class=\"{class}\"><thead><tr>");
    for cell in head {
        let _ = write!(html, "<th>{cell}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (cell, head) in row.iter().zip(head) {
            let _ = write!(html, "<td data-head=\"{head}\">{cell}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
}

fn figures(html: &mut String, report: &Report) {
    html.push_str("<section>\n<h2>Figures</h2>\n");
    let rows: Vec<Vec<String>> = report.rows().into_iter().map(Vec::from).collect();
    table(html, "worded", &["what", "figure", ""], &rows);
    html.push_str("</section>\n");
}

fn waits(html: &mut String, report: &Report) {
    html.push_str("<section>\n<h2>Waits by lane</h2>\n");
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let rows: Vec<Vec<String>> = report
        .outcome
        .waits
        .iter()
        .map(|waits| {
            let spans = [waits.p50_s, waits.p95_s, waits.p99_s, waits.max_s].map(span);
            [waits.lane.to_owned(), count(waits.count as f64)].into_iter().chain(spans).collect()
        })
        .collect();
    table(html, "", &["lane", "admitted", "p50", "p95", "p99", "longest"], &rows);
    html.push_str("</section>\n");
}

fn recommended(html: &mut String, report: &Report) {
    html.push_str("<section>\n<h2>Recommended settings</h2>\n");
    let rows: Vec<Vec<String>> = report
        .recommended
        .iter()
        .map(|advice| {
            vec![
                format!("<code>{}</code>", advice.key),
                format!("{} {}", count(advice.value), advice.unit),
                count(advice.played),
                advice.why.clone(),
            ]
        })
        .collect();
    table(html, "worded", &["setting", "set to", "played with", "why"], &rows);
    html.push_str("</section>\n");
}

fn recorded(html: &mut String, report: &Report) {
    let Some(recorded) = &report.recorded else { return };
    html.push_str(
        "<section>\n<h2>Beside the recorded day</h2>\n<p>Relative error of the plan, minute by \
         minute, where at least a twentieth of the busiest minute was recorded.</p>\n",
    );
    let rows: Vec<Vec<String>> = recorded
        .off
        .iter()
        .map(|off| {
            vec![
                off.series.to_owned(),
                off.minutes.to_string(),
                percent(off.median),
                percent(off.p90),
            ]
        })
        .collect();
    table(html, "", &["series", "minutes", "median", "p90"], &rows);
    html.push_str("</section>\n");
}

#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn plots(report: &Report) -> Vec<Plot> {
    let samples = &report.outcome.samples;
    let series = |name, of: fn(&Sample) -> u64| Series {
        name,
        points: samples.iter().map(|sample| (sample.at_s.into(), of(sample) as f64)).collect(),
    };
    let rate = |name, of: fn(&Sample) -> u64| Series { name, points: rates(samples, of) };
    let mut line = vec![series("waiting", |sample| sample.waiting)];
    let mut world = vec![
        series("online", |sample| sample.online),
        series("slots in use", |sample| sample.used),
    ];
    if let Some(recorded) = &report.recorded {
        line.extend(was(&recorded.minutes, |minute| minute.waiting));
        world.extend(was(&recorded.minutes, |minute| minute.online));
    }
    let by_arrival = |name, of: fn(&crate::domain::plan::Group) -> f64| Series {
        name,
        points: (report.outcome.waits_by_arrival.iter())
            .map(|group| (f64::from(group.from_s), of(group) / 60.0))
            .collect(),
    };
    let plot =
        |title, note: &str, series, words| Plot { title, note: note.to_owned(), series, words };
    vec![
        plot("The line", "Tickets that wait, silent ones among them.", line, count),
        plot(
            "Online",
            "Players online, and slots in use: with a pass, signing in and in grace as well.",
            world,
            count,
        ),
        plot(
            "How long one waits",
            "Minutes from asking to come in to hearing that one is in, by when people came. Those who gave \
             up are not in it.",
            vec![
                by_arrival("half", |group| group.p50_s),
                by_arrival("95 of 100", |group| group.p95_s),
            ],
            count,
        ),
        plot(
            "Coming, admitted, giving up",
            "People per second.",
            vec![
                rate("coming", |sample| sample.arrived),
                rate("admitted", |sample| sample.admitted),
                rate("giving up", |sample| sample.gave_up),
            ],
            count,
        ),
        plot(
            "Questions to the queue",
            "Entries and polls per second, by the schedule the server gives.",
            vec![rate("questions", |sample| sample.polls)],
            count,
        ),
    ]
}

/// What was recorded, if it was, at the ends of its minutes.
fn was(minutes: &[Minute], of: fn(&Minute) -> Option<u32>) -> Option<Series> {
    let points: Vec<(f64, f64)> = minutes
        .iter()
        .filter_map(|minute| Some((f64::from(minute.minute + 1) * 60.0, f64::from(of(minute)?))))
        .collect();
    (!points.is_empty()).then_some(Series { name: "recorded", points })
}

/// A total as so many per second, over spans long enough not to be mostly chance.
#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn rates(samples: &[Sample], of: fn(&Sample) -> u64) -> Vec<(f64, f64)> {
    const SPANS: usize = 200;
    let every = samples.len().div_ceil(SPANS).max(1);
    let few: Vec<&Sample> = samples.iter().step_by(every).collect();
    few.windows(2)
        .map(|pair| {
            let span_s = f64::from(pair[1].at_s.saturating_sub(pair[0].at_s).max(1));
            let rate = of(pair[1]).saturating_sub(of(pair[0])) as f64 / span_s;
            (pair[1].at_s.into(), rate)
        })
        .collect()
}

fn assumed(html: &mut String, report: &Report) {
    let crowd = &report.launch.crowd;
    let spread = |spread: Spread| match spread {
        Spread::Endless => "endless".to_owned(),
        Spread::Exponential { mean_s } => format!("{} on average, memoryless", span(mean_s)),
        Spread::Lognormal { mean_s, .. } => format!("{} on average, heavy tail", span(mean_s)),
    };
    let row = |name: &str, words: String| vec![name.to_owned(), words];
    let mix = crowd.mix;
    let rows = [
        row("patience in line", spread(crowd.patience)),
        row("of those who give up, without a word", percent(crowd.silent)),
        row("admitted who do not come", percent(crowd.no_show)),
        row("signing in", spread(crowd.login)),
        row("session", spread(crowd.session)),
        row("sessions that lose their connection", percent(crowd.drops)),
        row("of those, back after a while", percent(crowd.returns)),
        row(
            "sign-ins with password : token : new account",
            format!("{} : {} : {}", mix.password, mix.token, mix.new_account),
        ),
        row(
            "machine",
            format!(
                "{} cores, {} passwords a second each",
                report.machine.cores, report.machine.logins_per_core
            ),
        ),
        row("seed", report.seed.to_string()),
    ];
    html.push_str(
        "<section>\n<h2>Assumed</h2>\n<p>The queue is the server's own, fed with simulated people. \
         What they do is assumed:</p>\n",
    );
    table(html, "worded", &["what", "how"], &rows);
    html.push_str("</section>\n");
}
