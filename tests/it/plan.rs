//! Launches played before they happen: `anteroom plan`.

use std::fmt::Write as _;
use std::process::Command;

use anteroom::config::QueueConfig;
use anteroom::domain::plan::{
    Crowd, Curve, Launch, Minute, Outcome, Polling, Run, Scenario, Spread, compare,
};
use anteroom::ids::Dice;

fn play(launch: Launch, seed: u64) -> Outcome {
    let dice = Dice::seeded(seed);
    let mut run = Run::new(launch, move || dice.number()).unwrap();
    while run.advance() {}
    run.outcome()
}

fn reference(scenario: Scenario, scale: f64) -> Launch {
    scenario.launch(scale, &QueueConfig::default().settings())
}

/// The launch as the fluid model has it: everybody who leaves says so, everybody admitted comes.
fn ideal(scenario: Scenario, scale: f64) -> Launch {
    let launch = reference(scenario, scale);
    let crowd = Crowd { silent: 0.0, no_show: 0.0, ..launch.crowd.clone() };
    Launch { crowd, ..launch }
}

fn error(outcome: &Outcome) -> (f64, f64) {
    let eta = outcome.eta.expect("people waited");
    assert!(eta.answers > 10_000, "{} answers", eta.answers);
    (eta.median, eta.p90)
}

#[test]
fn estimates_are_as_good_as_the_model_where_everybody_says_goodbye() {
    // Full scale: 1.2 / 4.3 % and 1.9 / 5.0 %. With a twentieth of the players chance is larger.
    for (scenario, median_max, p90_max) in [(Scenario::B, 0.03, 0.06), (Scenario::D, 0.06, 0.15)] {
        let (median, p90) = error(&play(ideal(scenario, 0.05), 1));
        assert!(median <= median_max && p90 <= p90_max, "{scenario:?}: {median:.3} / {p90:.3}");
    }
}

/// The goal is a median of 3 % and 12 % at 90 of 100, at full scale. Who does not come is
/// what estimates are off by under a cap (docs/plan-your-launch.md), so the bounds there are what is
/// reached, and only keep it from getting worse.
#[test]
fn estimates_in_the_reference_launches_are_no_worse_than_known() {
    for (scenario, median_max, p90_max) in [
        (Scenario::B, 0.05, 0.12),
        (Scenario::D, 0.12, 0.40),
        (Scenario::BHeavy, 0.07, 0.15),
        (Scenario::DHeavy, 0.14, 0.45),
    ] {
        let outcome = play(reference(scenario, 0.05), 1);
        let (median, p90) = error(&outcome);
        assert!(median <= median_max && p90 <= p90_max, "{scenario:?}: {median:.3} / {p90:.3}");
        assert_eq!(outcome.line.position_reversals, 0);
    }
}

/// `cargo test --test it plan::at_full_scale -- --ignored --nocapture`
#[test]
#[ignore = "some minutes without optimisation; prints the rows of docs/plan-your-launch.md"]
fn at_full_scale_the_four_rows() {
    for scenario in Scenario::ALL {
        for (who, launch) in
            [("as they are", reference(scenario, 1.0)), ("ideal", ideal(scenario, 1.0))]
        {
            let outcome = play(launch, 1);
            let eta = outcome.eta.unwrap();
            println!(
                "{:8} {who:12} median {:5.1} %  p90 {:5.1} %  bias {:+5.1} %  {} answers, {} polls",
                format!("{scenario:?}"),
                eta.median * 100.0,
                eta.p90 * 100.0,
                eta.bias * 100.0,
                eta.answers,
                outcome.polls.total
            );
        }
    }
}

#[test]
fn the_same_seed_plays_the_same_launch_and_everybody_is_accounted_for() {
    let mut launch = reference(Scenario::D, 0.01);
    launch.crowd.drops = 0.3;
    launch.crowd.returns = 0.7;
    launch.crowd.low = 0.2;
    let outcome = play(launch.clone(), 7);
    assert_eq!(outcome, play(launch.clone(), 7));
    assert_ne!(outcome.people, play(launch.clone(), 8).people);
    let people = outcome.people;
    assert_eq!(people.arrived, 2_000);
    assert_eq!(
        people.arrived + people.queued_again,
        people.signed_in
            + people.gave_up
            + people.no_show
            + people.turned_away
            + outcome.still_waiting,
        "{people:?}"
    );
    assert!(people.came_back > 0 && people.dropped > people.came_back);
    let cap = launch.settings.cap;
    assert_eq!(outcome.slots.most_used, cap, "full, and never above");
    assert!(outcome.slots.cap_used.unwrap() > 0.98);
    assert!(outcome.slots.rate_used.unwrap() > 0.98);
    let admitted = outcome.samples.last().unwrap().admitted;
    let lanes: Vec<&str> = outcome.waits.iter().map(|waits| waits.lane).collect();
    assert!(lanes.contains(&"standard") && lanes.contains(&"low"), "{lanes:?}");
    assert!(outcome.waits[0].count as u64 <= admitted);
}

/// Without a cap and with endless patience, arithmetic says how it goes.
#[test]
fn a_line_of_patient_people_moves_at_the_rate() {
    let mut launch = reference(Scenario::B, 0.01);
    launch.curve = Curve::Flat { over_s: 100.0 };
    launch.crowd.patience = Spread::Endless;
    launch.crowd.no_show = 0.0;
    launch.settings.rate = 10.0;
    // 2,000 come within 100 s, 10 a second go in: half still stand there when the last one comes.
    let outcome = play(launch, 3);
    let close = |value: f64, wanted: f64| (value / wanted - 1.0).abs() < 0.05;
    assert!(outcome.line.longest.abs_diff(1_000) < 50, "{:?}", outcome.line);
    assert!(close(outcome.waits[0].max_s, 100.0), "{:?}", outcome.waits);
    assert!(close(outcome.line.busy_s.into(), 200.0), "{:?}", outcome.line);
    assert_eq!(outcome.people.gave_up, 0);
    assert_eq!(outcome.people.signed_in, 2_000);
}

#[test]
fn polling_at_the_front_only_plays_the_same_launch() {
    let full = play(reference(Scenario::DHeavy, 0.11), 1);
    let front = play(Launch { polling: Polling::Front, ..reference(Scenario::DHeavy, 0.11) }, 1);
    let alike = |what: &str, a: u64, b: u64, per_cent: u64| {
        assert!(a.abs_diff(b) * 100 < b * per_cent, "{what}: {a} beside {b}");
    };
    let waits = (full.waits[0].p95_s, front.waits[0].p95_s);
    assert!((waits.0 / waits.1 - 1.0).abs() < 0.05, "{waits:?}");
    alike("the line", full.line.longest, front.line.longest, 5);
    alike("polls", full.polls.total, front.polls.total, 5);
    alike("peak", full.polls.peak_per_s, front.polls.peak_per_s, 20);
}

/// A day that happened, as another seed played it, is met within a tenth.
#[test]
fn a_recorded_day_is_met_by_its_plan() {
    // Twelve hours whose busiest has three times as many arrivals as its quietest.
    let busy = |minute: u32| 20 + 20 * minute.min(720 - minute) / 180;
    let per_minute: Vec<u32> = (0..720).map(busy).collect();
    let day = Launch {
        curve: Curve::Recorded { per_minute: per_minute.clone() },
        online_at_start: 600,
        at_least_s: 43_200,
        limit_s: 43_200,
        ..reference(Scenario::D, 0.02)
    };
    let happened = play(day.clone(), 11);
    let recorded: Vec<Minute> = (0_u32..)
        .zip(&per_minute)
        .zip(&happened.samples[1..])
        .map(|((minute, &arrivals), sample)| Minute {
            minute,
            arrivals,
            online: u32::try_from(sample.online).ok(),
            waiting: u32::try_from(sample.waiting).ok(),
        })
        .collect();
    let off = compare(&recorded, &play(day, 12).samples);
    let online = off.iter().find(|off| off.series == "online").unwrap();
    assert_eq!(online.minutes, 720);
    assert!(online.median <= 0.05 && online.p90 <= 0.10, "{off:?}");
}

#[test]
fn the_program_writes_a_table_a_page_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from("minute,arrivals,online,waiting\n");
    for minute in 0..30 {
        let online = 40 * (minute + 1);
        let _ = writeln!(csv, "{minute},40,{online},");
    }
    std::fs::write(folder.path().join("day.csv"), csv).unwrap();
    let run = |words: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_anteroom"))
            .arg("plan")
            .args(words.split_whitespace())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    let (code, table, _) = run("--players 3000 --over 60 --rate 10 --cap 500 --session 120");
    assert_eq!(code, Some(0), "{table}");
    for words in ["longest line", "gave up in line", "queue.pass_ttl_s", "standard"] {
        assert!(table.contains(words), "{words} in\n{table}");
    }
    let page = read("plan.html");
    assert_eq!(page.matches("<svg").count(), 5);
    assert_eq!(page.matches("</figure>\n<table>").count(), 5, "a table beside every plot");
    for outside in ["http", "src=", "url(", "@import", "<script", "<link", "NaN", "inf"] {
        assert!(!page.contains(outside), "the page needs nothing else, but has {outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"));
    let json: serde_json::Value = serde_json::from_str(&read("plan.json")).unwrap();
    assert_eq!(json["outcome"]["people"]["arrived"], 3_000);
    assert_eq!(json["queue"]["cap"], 500);
    assert!(json["recommended"][0]["why"].as_str().unwrap().contains("hashing"));

    let (code, table, _) =
        run("--day day.csv --rate 100 --cap 5000 --session 0 --no-show 0 --drops 0");
    assert_eq!(code, Some(0), "{table}");
    let off = table.lines().find(|line| line.starts_with("online  ")).unwrap();
    assert!(off.contains(" 29 "), "all minutes but the first, with next to nobody: {off}");
    assert!(read("plan.html").contains("recorded"));

    for (words, says) in [
        ("--rate 0", "the rate must be above 0"),
        ("--day nobody.csv", "nobody.csv"),
        ("--config nobody.toml", "nobody.toml"),
    ] {
        let (code, _, words_of_it) = run(words);
        assert_eq!(code, Some(2), "{words}");
        assert!(words_of_it.contains(says), "{words_of_it}");
    }
}
