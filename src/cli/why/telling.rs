//! The words of a story.

use std::fmt::Write as _;

use super::super::moment::written;
use super::super::plan::words::{count, span};
use super::replay::Found;
use crate::domain::queue::{Announcement, Bound, Lane, Mode};
use crate::domain::time::UnixMicros;
use crate::domain::why::{Cause, End, Event, Happened, Left, Scene, Span, Stands, Story};

/// The whole story, one line for each thing that happened, and the summary.
pub(super) fn story(story: &Story, found: &Found) -> String {
    let mut text = format!("Ticket {} of the line {}\n\n", story.number.0, story.epoch);
    let events = story.events.iter().map(|event| (event.at, 0, happened(event)));
    let spans = story.spans.iter().map(|span| (span.from, 1, waited(span)));
    let ended = story.ended.map(|(at, end)| (at, 2, ending(end).to_owned()));
    let mut lines: Vec<(UnixMicros, u8, String)> = events.chain(spans).chain(ended).collect();
    lines.sort_by_key(|(at, kind, _)| (*at, *kind));
    for (at, _, line) in lines {
        put(&mut text, format_args!("{}  {line}", written(at)));
    }
    put(&mut text, format_args!("\n{}", summary(story)));
    if story.ended.is_none() {
        put(&mut text, format_args!("\nThe journal goes to {}.", written(found.until)));
    }
    if found.stories.len() > 1 {
        let others = found.stories.iter().filter(|other| other.number != story.number);
        let others: Vec<String> = others
            .map(|other| format!("{} ({})", other.number.0, written(other.entered_at)))
            .collect();
        put(&mut text, format_args!("\nOther tickets of this owner: {}.", others.join(", ")));
    }
    if found.gaps {
        put(&mut text, format_args!("\nThe journal has gaps: some of it is not known."));
    }
    match (&found.other_version, found.proofs_failed) {
        (_, 0) => {}
        (Some(version), _) => put(
            &mut text,
            format_args!(
                "\nThis is not exactly what happened: it was written by version {version}. Ask that one."
            ),
        ),
        (None, _) => put(
            &mut text,
            format_args!("\nThis is not exactly what happened: please report it as a bug."),
        ),
    }
    text
}

/// What a player can be told, in some sentences.
pub(super) fn summary(story: &Story) -> String {
    let waited_us = story.waited_us();
    let still = story.ended.is_none() && story.admitted_at.is_none();
    let mut text = if waited_us == 0 {
        "You did not have to wait.".to_owned()
    } else {
        let verb = if still { "have waited" } else { "waited" };
        format!("You {verb} {}: {}.", time(waited_us), reasons(story))
    };
    if let Some(Stands { lane, position }) = story.stands {
        add(&mut text, format_args!(" You are at place {position} of the {} lane.", lane.name()));
    }
    if let Some(ahead) = of_those_ahead(&story.ahead) {
        add(&mut text, format_args!(" Of those ahead of you {ahead}."));
    }
    let entered = story.events.iter().find_map(|event| match event.happened {
        Happened::Entered { lane, .. } => Some(lane),
        _ => None,
    });
    let others = by_lane(&story.admitted, entered);
    if waited_us > 0 && !others.is_empty() {
        add(&mut text, format_args!(" From other lanes came in meanwhile: {others}."));
    }
    match (story.admitted_at, story.ended) {
        (Some(at), Some((_, End::SignedIn))) => {
            add(&mut text, format_args!(" You were let in at {} and signed in.", written(at)));
        }
        (Some(at), Some((_, end))) => {
            add(
                &mut text,
                format_args!(" You were let in at {}; then {}.", written(at), ending(end)),
            );
        }
        (Some(at), None) => add(&mut text, format_args!(" You were let in at {}.", written(at))),
        (None, Some((at, end))) => {
            add(&mut text, format_args!(" It ended at {}: {}.", written(at), ending(end)));
        }
        (None, None) => {}
    }
    text
}

/// Every reason that counts, the longest first.
fn reasons(story: &Story) -> String {
    let mut causes: Vec<(Cause, u64)> = story.causes.iter().map(|(c, us)| (*c, *us)).collect();
    causes.sort_by_key(|(_, us)| std::cmp::Reverse(*us));
    let least = (story.waited_us() / 100).min(1_000_000);
    let told = causes.into_iter().filter(|(_, us)| *us > least);
    let told: Vec<String> = told.map(|(c, us)| format!("{} {}", time(us), because(c))).collect();
    told.join(", ")
}

const fn because(cause: Cause) -> &'static str {
    match cause {
        Cause::Bound(Bound::Paused) => "because admissions were paused",
        Cause::Bound(Bound::Held) => "because sign-ins failed and the line was held",
        Cause::Bound(Bound::Maintenance) => "because of maintenance",
        Cause::Bound(Bound::Prequeue) => "because the doors were not open yet",
        Cause::Bound(Bound::Drawing) => "because places were being drawn",
        Cause::Bound(Bound::Settling) => {
            "because the server had just started and those who were in came back first"
        }
        Cause::Bound(Bound::NoSlots) => "because the number of slots was set to 0",
        Cause::Bound(Bound::NoRate) => "because the rate was set to 0",
        Cause::Bound(Bound::Full) => "because the world was full",
        Cause::Bound(Bound::Party) => "because slots were gathered for a party ahead",
        Cause::Bound(Bound::SlowStart) => "because admissions begin slowly after a standstill",
        Cause::Bound(Bound::Measured) => {
            "because sign-ins took long and fewer were let in than usual"
        }
        Cause::Bound(Bound::Rate) => "because others were ahead and came in at the set rate",
        Cause::Away => "because nothing was heard of you when it was your turn",
        Cause::Down => "because the server was down",
        Cause::Unknown => "for reasons that are not in the journal",
    }
}

fn waited(span: &Span) -> String {
    let mut text =
        format!("waited {} {}", time(span.until.since_us(span.from)), because(span.cause));
    if let Some(ahead) = of_those_ahead(&span.ahead) {
        add(&mut text, format_args!("; of those ahead {ahead}"));
    }
    let came_in = by_lane(&span.admitted, None);
    if !came_in.is_empty() {
        add(&mut text, format_args!("; came in: {came_in}"));
    }
    text
}

fn of_those_ahead(left: &Left) -> Option<String> {
    let parts = [
        (left.admitted, "came in"),
        (left.left, "gave up"),
        (left.silent, "fell silent"),
        (left.returned, "came back with an older number"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, what)| format!("{number} {what}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Numbers by lane, without one of them.
fn by_lane(numbers: &[u64; Lane::COUNT], without: Option<Lane>) -> String {
    let lanes = Lane::ALL.into_iter().zip(numbers);
    let told = lanes.filter(|(lane, number)| **number > 0 && Some(*lane) != without);
    let told: Vec<String> =
        told.map(|(lane, number)| format!("{number} {}", lane.name())).collect();
    told.join(", ")
}

fn happened(event: &Event) -> String {
    match &event.happened {
        Happened::Entered { lane, position: Some(position), on_record } => {
            let before = if *on_record { "" } else { " when the journal begins" };
            format!("took a ticket: place {position} of the {} lane{before}", lane.name())
        }
        Happened::Entered { lane, position: None, .. } => {
            format!("took a ticket of the {} lane", lane.name())
        }
        Happened::Drawn { number } => format!("the places were drawn: now ticket {}", number.0),
        Happened::Parked => "was silent when its turn came: the number is kept for a while".into(),
        Happened::Returned { lane, position } => {
            format!("was heard of again: place {position} of the {} lane", lane.name())
        }
        Happened::Admitted { lane } => format!("was let in, from the {} lane", lane.name()),
        Happened::PassLapsed => "nobody came with the pass: it lapsed".into(),
        Happened::Announced { said: what } => said(what),
        Happened::Rate { rate } => format!("operators set the rate to {} a second", count(*rate)),
        Happened::Cap { cap } => format!("operators set the slots to {cap}"),
        Happened::Transferred => "went to another owner".into(),
        Happened::Stopped { in_order: true } => "the server stopped".into(),
        Happened::Stopped { in_order: false } => {
            "the server ended without a word; up to a second before is not on record".into()
        }
        Happened::Started => "the server started".into(),
        Happened::Gap => "the journal has a gap from here".into(),
    }
}

fn said(announced: &Announcement) -> String {
    let mut text = match announced.mode {
        Mode::Open => "the line is open".to_owned(),
        mode => format!("the line is {}", mode.name()),
    };
    if let Some(until) = announced.until {
        add(&mut text, format_args!(" until {}", written(until)));
    }
    if !announced.message.is_empty() {
        add(&mut text, format_args!(": \u{201c}{}\u{201d}", announced.message));
    }
    text
}

const fn ending(end: End) -> &'static str {
    match end {
        End::SignedIn => "signed in",
        End::Left => "gave the place up",
        End::GivenBack => "the sign-in failed and the pass was given back",
        End::LeaseOver => "was silent for longer than a place is kept",
        End::NotBack => "did not come back in time",
        End::Replaced => "came in, or had a better place, by another ticket",
        End::Unknown => "was not in line any more when the server went on",
    }
}

/// The line at one moment.
pub(super) fn scene(scene: &Scene) -> String {
    let mut text = format!("The line {} at {}\n\n", scene.epoch, written(scene.at));
    let waiting = by_lane(&scene.waiting, None);
    let waiting = if waiting.is_empty() { "nobody".to_owned() } else { waiting };
    put(&mut text, format_args!("{}", said(&scene.announced)));
    put(&mut text, format_args!("waiting: {waiting}; parked: {}", scene.parked));
    if let Some(bound) = scene.bound {
        put(&mut text, format_args!("they wait {}", because(Cause::Bound(bound))));
    }
    put(&mut text, format_args!("slots held: {} of {}", scene.slots.0, scene.slots.1));
    let (set, in_force) = (count(scene.rates.0), count(scene.rates.1));
    put(&mut text, format_args!("rate: {in_force} a second, set to {set}"));
    let came_in = by_lane(&scene.admitted, None);
    let came_in = if came_in.is_empty() { "nobody".to_owned() } else { came_in };
    put(&mut text, format_args!("let in since {}: {came_in}", written(scene.since)));
    put(&mut text, format_args!("next number: {}", scene.next.0));
    text
}

#[expect(clippy::cast_precision_loss, reason = "shown in seconds")]
fn time(us: u64) -> String {
    span(us as f64 / 1e6)
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    add(text, line);
    text.push('\n');
}

fn add(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(words);
}
