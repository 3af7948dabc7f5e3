//! What was planned and what came of it: one value for people (a table, a page) and for machines
//! (JSON).

use serde::Serialize;

use super::words::{bytes, count, percent, span};
use crate::domain::plan::{Advice, Launch, Machine, Minute, Off, Outcome, advise, compare};

/// Everything a plan says. Names are stable: scripts read them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) launch: Launch,
    pub(super) queue: Asked,
    pub(super) machine: Machine,
    pub(super) seed: u64,
    pub(super) outcome: Outcome,
    pub(super) recommended: Vec<Advice>,
    pub(super) recorded: Option<Recorded>,
}

/// The settings that matter most of those it was played with.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    pub(super) rate: f64,
    pub(super) cap: u64,
    pub(super) line_max: u64,
    pub(super) lease_s: u64,
    pub(super) pass_ttl_s: u64,
    pub(super) grace_s: u64,
    pub(super) poll_budget: u32,
    pub(super) poll_min_ms: u64,
    pub(super) poll_max_ms: u64,
}

/// A recorded day and how far off the plan of it is.
#[derive(Debug, Serialize)]
pub(super) struct Recorded {
    pub(super) off: Vec<Off>,
    pub(super) minutes: Vec<Minute>,
}

impl Report {
    pub(super) fn new(
        launch: &Launch,
        machine: Machine,
        seed: u64,
        outcome: Outcome,
        day: Option<Vec<Minute>>,
    ) -> Self {
        let settings = &launch.settings;
        Self {
            queue: Asked {
                rate: settings.rate,
                cap: settings.cap,
                line_max: settings.line_max,
                lease_s: settings.lease_ms / 1_000,
                pass_ttl_s: settings.pass_ttl_ms / 1_000,
                grace_s: settings.grace_ms / 1_000,
                poll_budget: settings.poll_budget,
                poll_min_ms: settings.poll_min_ms,
                poll_max_ms: settings.poll_max_ms,
            },
            recommended: advise(launch, &outcome, machine),
            recorded: day
                .map(|minutes| Recorded { off: compare(&minutes, &outcome.samples), minutes }),
            launch: launch.clone(),
            machine,
            seed,
            outcome,
        }
    }

    /// Name, figure and what is to be said of it, in the order they are read.
    pub(super) fn rows(&self) -> Vec<[String; 3]> {
        let mut rows = self.people();
        rows.extend(self.load());
        rows.extend(self.estimates());
        rows
    }

    fn people(&self) -> Vec<[String; 3]> {
        let outcome = &self.outcome;
        let (people, line) = (&outcome.people, &outcome.line);
        vec![
            row("players", many(people.arrived), format!("{} were online", many(people.signed_in))),
            row(
                "gave up in line",
                many(people.gave_up),
                format!(
                    "{} of those who came; {} without a word",
                    percent(line.abandonment),
                    many(people.silent)
                ),
            ),
            row("admitted and not seen", many(people.no_show), String::new()),
            row(
                "turned away, line full",
                many(people.turned_away),
                format!("{} still waited at the end", many(outcome.still_waiting)),
            ),
            row(
                "longest line",
                many(line.longest),
                format!("after {}", span(line.longest_at_s.into())),
            ),
            row("somebody waited", span(line.busy_s.into()), "in all".into()),
        ]
    }

    fn load(&self) -> Vec<[String; 3]> {
        let Outcome { slots, polls, memory, .. } = &self.outcome;
        let share = |share: Option<f64>| share.map_or_else(|| "-".into(), percent);
        vec![
            row(
                "most online",
                many(slots.most_online),
                format!(
                    "{} slots in use; {} would be online if nobody waited",
                    many(slots.most_used),
                    many(self.outcome.demand_peak)
                ),
            ),
            row("rate used", share(slots.rate_used), "while people wait and slots are free".into()),
            row(
                "cap used",
                share(slots.cap_used),
                "while people wait and the world is full".into(),
            ),
            row(
                "questions to the queue",
                many(polls.total),
                format!(
                    "{} for each player, {} in the busiest second",
                    count(polls.per_person),
                    many(polls.peak_per_s)
                ),
            ),
            row(
                "memory",
                bytes(memory.total),
                format!(
                    "tickets {}, players online {}, new accounts {}",
                    bytes(memory.tickets),
                    bytes(memory.online),
                    bytes(memory.accounts)
                ),
            ),
        ]
    }

    fn estimates(&self) -> Option<[String; 3]> {
        let eta = self.outcome.eta.as_ref()?;
        Some(row(
            "error of estimates",
            percent(eta.median),
            format!(
                "median; {} p90, {} with its sign, of {} answers to waits of {} s or more",
                percent(eta.p90),
                percent(eta.bias),
                many(eta.answers as u64),
                eta.from_s
            ),
        ))
    }
}

fn row(name: &str, figure: String, note: String) -> [String; 3] {
    [name.to_owned(), figure, note]
}

#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn many(value: u64) -> String {
    count(value as f64)
}
