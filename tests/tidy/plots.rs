//! The dashboard and the alerts speak of metrics and labels that there are, and each alert says what
//! it means and what to do.

use std::collections::BTreeSet;
use std::fs;

use anteroom::observe::catalogue::{ALL, Kind};
use yaml_rust2::{Yaml, YamlLoader};

use super::root;

/// Words of the query language, and functions.
const WORDS: [&str; 14] = [
    "and", "or", "unless", "on", "ignoring", "by", "without", "sum", "min", "max", "rate",
    "increase", "absent", "time",
];
/// Labels that whoever scrapes gives.
const GIVEN: [&str; 2] = ["instance", "job"];

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The metrics an expression names, and its labels; texts and durations are left out.
fn names(expr: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut metrics, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let mut rest = expr;
    // Whether the list that is open in brackets names labels.
    let (mut depth, mut labels_at) = (0, None);
    let mut last = String::new();
    while let Some(next) = rest.chars().next() {
        let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == ':';
        let length = rest.find(|it: char| !is_name(it)).unwrap_or(rest.len());
        if length > 0 {
            rest[..length].clone_into(&mut last);
            rest = &rest[length..];
            if !last.starts_with(|it: char| it.is_ascii_digit()) {
                match labels_at {
                    Some(_) => drop(labels.insert(last.clone())),
                    None if WORDS.contains(&last.as_str()) => {}
                    None => drop(metrics.insert(last.clone())),
                }
            }
            continue;
        }
        let past = |closing: char| {
            1 + rest[1..].find(closing).unwrap_or_else(|| panic!("{closing} is missing: {expr}"))
        };
        let skipped = match next {
            '"' => past('"'),
            '[' => past(']'),
            _ => 0,
        };
        match next {
            '{' | '(' => {
                depth += 1;
                let of_labels = ["by", "without", "on", "ignoring"].contains(&last.as_str());
                if next == '{' || of_labels {
                    labels_at = Some(depth);
                }
            }
            '}' | ')' => {
                labels_at = labels_at.filter(|at| *at != depth);
                depth -= 1;
            }
            _ => {}
        }
        if !next.is_whitespace() {
            last.clear();
        }
        rest = &rest[skipped + next.len_utf8()..];
    }
    (metrics, labels)
}

/// Each metric by its name on the page, with its labels.
fn known(name: &str) -> Option<Vec<&'static str>> {
    let found = ALL.iter().find(|metric| match metric.kind {
        Kind::Gauge => name == metric.name,
        Kind::Counter => name.strip_suffix("_total") == Some(metric.name),
    })?;
    Some(found.labels.split(',').chain(GIVEN).collect())
}

#[track_caller]
fn check(expr: &str) {
    let (metrics, labels) = names(expr);
    assert!(!metrics.is_empty(), "{expr}");
    let mut theirs = BTreeSet::new();
    for metric in &metrics {
        theirs.extend(known(metric).unwrap_or_else(|| panic!("no metric {metric}: {expr}")));
    }
    for label in labels {
        assert!(theirs.contains(label.as_str()), "no label {label} in {metrics:?}: {expr}");
    }
}

/// Panels, those in rows too.
fn panels(of: &serde_json::Value) -> Vec<&serde_json::Value> {
    let here = of["panels"].as_array().into_iter().flatten();
    here.flat_map(|panel| [vec![panel], panels(panel)].concat()).collect()
}

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let text = read("deploy/grafana/anteroom.json");
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(board["templating"]["list"][0]["type"], "datasource");
    let panels = panels(&board);
    let (mut ids, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: an id of its own");
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(panel["description"].as_str().is_some_and(|it| !it.is_empty()), "{title}");
        for target in panel["targets"].as_array().unwrap() {
            let expr = target["expr"].as_str().unwrap();
            check(expr);
            shown.extend(names(expr).0);
            let legend = target["legendFormat"].as_str().unwrap();
            for label in legend.split("{{").skip(1).filter_map(|it| it.split("}}").next()) {
                let is_kept = expr.contains(&format!("({label})"))
                    || expr.contains(&format!("{label}, "))
                    || expr.contains(&format!(", {label})"));
                assert!(is_kept, "{title}: {label} is not in {expr}");
            }
        }
    }
    for wanted in [
        "login_queue_waiting",
        "login_queue_admitted_total",
        "login_queue_target_ccu",
        "login_queue_eta_error_ratio",
        "sign_ins_total",
        "http_answers_total",
        "password_hashes_pending",
        "http_loop_lag_seconds",
        "store_commit_seconds_total",
        "sessions_online",
        "process_resident_memory_bytes",
        "login_queue_journal_gaps_total",
        "backup_newest_timestamp_seconds",
    ] {
        assert!(shown.contains(wanted), "{wanted} is on no panel");
    }
}

#[test]
fn every_alert_is_about_metrics_that_there_are_and_says_what_to_do() {
    let rules = YamlLoader::load_from_str(&read("deploy/prometheus/anteroom.rules.yml")).unwrap();
    let page = read("docs/observability.md");
    let rules = rules[0]["groups"][0]["rules"].as_vec().unwrap();
    assert!(rules.len() > 20);
    let mut seen = BTreeSet::new();
    for rule in rules {
        let text = |at: &Yaml| at.as_str().unwrap_or_default().to_owned();
        let name = text(&rule["alert"]);
        assert!(name.starts_with("Anteroom") && seen.insert(name.clone()), "{name}");
        check(&text(&rule["expr"]));
        let lasts = text(&rule["for"]);
        assert!(lasts.ends_with(['m', 'h']) && lasts.len() > 1, "{name}: for {lasts}");
        let severity = text(&rule["labels"]["severity"]);
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}");
        for note in ["summary", "description", "action"] {
            assert!(text(&rule["annotations"][note]).len() > 20, "{name}: {note}");
        }
        let runbook = text(&rule["annotations"]["runbook"]);
        assert_eq!(runbook, format!("docs/observability.md#{}", name.to_lowercase()));
        assert!(page.contains(&format!("\n### {name}\n")), "{name} has no section on its page");
    }
}

#[test]
fn what_an_expression_names_is_found() {
    let (metrics, labels) = names(
        "sum by (lane, x) (rate(a_total{b=~\"c|d\",e!=\"f{g}\"}[5m])) / on (h) i > 0.5 and time() - j < 3",
    );
    assert_eq!(metrics.into_iter().collect::<Vec<_>>(), ["a_total", "i", "j"]);
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["b", "e", "h", "lane", "x"]);
}
