//! `anteroom plan`: a launch before it happens, played through the queue itself.
//!
//! [`args`] says what is planned, [`day`] reads a day that was recorded, [`report`] is what came of
//! it, [`table`] shows that to people, [`page`] with [`plots`] as one HTML file.

mod args;
mod day;
mod page;
mod plots;
mod report;
mod table;
pub(super) mod words;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use self::report::Report;
use crate::domain::plan::{Launch, Run};
use crate::ids::Dice;

pub use args::PlanArgs;

/// Plays, prints, writes. Exit code 0: played; 2: not.
pub fn run(args: &PlanArgs) -> ExitCode {
    match plan(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(&format!("plan: {error:#}"), 2),
    }
}

fn plan(args: &PlanArgs) -> anyhow::Result<()> {
    let config = crate::config::load(&args.overrides())?;
    let day = args.day.as_deref().map(day::read).transpose()?;
    let launch = args.launch(&config.queue.settings(), day.as_deref());
    let outcome = play(launch.clone(), args.seed)?;
    let report = Report::new(&launch, args.machine(), args.seed, outcome, day);
    write(&args.json, &(serde_json::to_string(&report)? + "\n"))?;
    write(&args.html, &page::html(&report))?;
    print!("{report}");
    println!("\nWritten to {} and {}.", args.json.display(), args.html.display());
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Plays the launch under a progress bar on standard error.
fn play(launch: Launch, seed: u64) -> anyhow::Result<crate::domain::plan::Outcome> {
    let dice = Dice::seeded(seed);
    let mut run = Run::new(launch, move || dice.number())?;
    let (_, all) = run.progress().arrived;
    let template = "{bar:40} {pos:>8} of {len} came, {msg}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(all).with_style(style);
    while run.advance() {
        let progress = run.progress();
        bar.set_position(progress.arrived.0);
        bar.set_message(format!(
            "{} in line, {} online, {} played",
            progress.in_line,
            progress.online,
            words::span(f64::from(progress.at_s))
        ));
    }
    bar.finish_and_clear();
    Ok(run.outcome())
}
