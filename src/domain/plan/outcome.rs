//! What came of a plan, in figures. Names are stable: scripts read them.

use serde::Serialize;

use super::curve::Curve;
use super::draw::percentile;
use super::launch::Launch;
use super::recommend::demand_peak;
use super::tally::{People, SCORED_FROM_MS, Sample, Tally, Wait};
use crate::domain::queue::Lane;

/// Resident bytes of a waiting or parked ticket: the reach of docs/figures.md, above what is measured.
const TICKET_BYTES: u64 = 40;
/// Resident bytes of a player online: a socket with its session, as measured with Pragma's (9.3 kB,
/// two for a player) rather than Nakama's (3.9 kB, one).
const ONLINE_BYTES: u64 = 18_600;
/// Resident bytes of a new account, the store's cache included.
const ACCOUNT_BYTES: u64 = 531;
/// Groups of people, by when they came, whose waits are shown one after the other.
const GROUPS: u32 = 96;

/// Everything a plan says about a launch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Seconds that were played.
    pub played_s: u32,
    /// People.
    pub people: People,
    /// Still waiting or signing in at the end.
    pub still_waiting: u64,
    /// The line.
    pub line: Line,
    /// From asking to come in to hearing that one is in, in seconds: all, then by lane of admission.
    pub waits: Vec<Waits>,
    /// The same by when people came.
    pub waits_by_arrival: Vec<Group>,
    /// How good the estimates were; `null`: nobody waited long enough.
    pub eta: Option<EtaError>,
    /// What the line asks of the server.
    pub polls: Polls,
    /// Players and slots.
    pub slots: Slots,
    /// Resident bytes to be expected at the busiest moments together.
    pub memory: Memory,
    /// Most who would be online at once if nobody had to wait: what the cap is measured by.
    pub demand_peak: u64,
    /// One after the other, at most 2,048.
    pub samples: Vec<Sample>,
}

/// The line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Most tickets that waited at once, silent ones among them.
    pub longest: u64,
    /// When that was, in seconds from the start.
    pub longest_at_s: u32,
    /// How long somebody waited at all, in seconds.
    pub busy_s: u32,
    /// Most tickets that were silent at the head and kept their number.
    pub most_parked: u64,
    /// Share of those who came that gave up, 0 to 1.
    pub abandonment: f64,
    /// Positions that rose without a reason. Must be 0.
    pub position_reversals: u64,
}

/// Waits in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Waits {
    /// Which lane; "all".
    pub lane: &'static str,
    /// Admissions.
    pub count: usize,
    /// Half waited no longer.
    pub p50_s: f64,
    /// 95 of 100 waited no longer.
    pub p95_s: f64,
    /// 99 of 100 waited no longer.
    pub p99_s: f64,
    /// The longest.
    pub max_s: f64,
}

/// Waits of people who came within a span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Came from this second on.
    pub from_s: u32,
    /// Admissions.
    pub count: usize,
    /// Half waited no longer, in seconds.
    pub p50_s: f64,
    /// 95 of 100 waited no longer, in seconds.
    pub p95_s: f64,
}

/// How wrong estimates were, relative to the true time until the pass was given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EtaError {
    /// Answers scored: those to admitted people, at least [`EtaError::from_s`] before their turn.
    pub answers: usize,
    /// Shortest true wait scored, in seconds.
    pub from_s: u32,
    /// Median of the error without its sign.
    pub median: f64,
    /// 90 of 100 were no worse.
    pub p90: f64,
    /// Median with its sign: positive when people were told too long a time.
    pub bias: f64,
}

/// What the line asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Polls {
    /// Entries and polls.
    pub total: u64,
    /// The same per person.
    pub per_person: f64,
    /// Mean a second while somebody waits.
    pub mean_per_s: f64,
    /// Most in a second.
    pub peak_per_s: u64,
}

/// Players and slots.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Slots {
    /// Most online at once.
    pub most_online: u64,
    /// Most slots in use at once.
    pub most_used: u64,
    /// Share of the rate used while people wait and slots are free; `null`: never both.
    pub rate_used: Option<f64>,
    /// Share of the cap used while people wait and the world is full; `null`: never both.
    pub cap_used: Option<f64>,
}

/// Resident bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Tickets at the longest line.
    pub tickets: u64,
    /// Players online at the busiest moment.
    pub online: u64,
    /// Accounts that were made, by the mix.
    pub accounts: u64,
    /// All three.
    pub total: u64,
}

impl Outcome {
    pub(super) fn new(launch: &Launch, arrivals: &[u32], in_line: u64, mut tally: Tally) -> Self {
        let waits_by_arrival = groups(&mut tally.waits);
        let (people, peak_per_s) = (tally.people, tally.polls_peak());
        let samples = tally.samples;
        let played_s = samples.last().map_or(0, |sample| sample.at_s);
        let per_minute = Curve::per_minute(arrivals);
        Self {
            played_s,
            people,
            still_waiting: in_line,
            line: Line {
                longest: tally.waiting_most,
                longest_at_s: tally.waiting_most_at_s,
                busy_s: tally.busy_s,
                most_parked: tally.parked_most,
                abandonment: ratio(people.gave_up, people.arrived),
                position_reversals: tally.reversals,
            },
            waits: waits(&tally.waits),
            waits_by_arrival,
            eta: eta_error(tally.scores),
            polls: Polls {
                total: tally.polls,
                per_person: ratio(tally.polls, people.arrived),
                mean_per_s: ratio(tally.polls, tally.busy_s.max(1).into()),
                peak_per_s,
            },
            slots: Slots {
                most_online: tally.online_most,
                most_used: tally.used_most,
                rate_used: tally.rate_use.share(),
                cap_used: tally.cap_use.share(),
            },
            memory: memory(
                launch,
                tally.waiting_most + tally.parked_most,
                tally.online_most,
                people,
            ),
            demand_peak: demand_peak(&per_minute, launch.crowd.session.mean_s())
                .saturating_add(launch.online_at_start.into()),
            samples,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn ratio(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a count"
)]
fn memory(launch: &Launch, tickets: u64, online: u64, people: People) -> Memory {
    let mix = launch.crowd.mix;
    let new = mix.new_account / (mix.password + mix.token + mix.new_account);
    let accounts = (people.signed_in as f64 * new) as u64;
    let [tickets, online, accounts] =
        [tickets * TICKET_BYTES, online * ONLINE_BYTES, accounts * ACCOUNT_BYTES];
    Memory { tickets, online, accounts, total: tickets + online + accounts }
}

fn seconds(ms: u32) -> f64 {
    f64::from(ms) / 1e3
}

fn sorted(waits: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all: Vec<u32> = waits.collect();
    all.sort_unstable();
    all
}

/// Percentiles of all waits, then of each lane somebody was admitted in.
fn waits(all: &[Wait]) -> Vec<Waits> {
    let row = |lane, waits: Vec<u32>| {
        let at = |share| percentile(&waits, share).map_or(0.0, seconds);
        let (p50_s, p95_s, p99_s, max_s) = (at(0.50), at(0.95), at(0.99), at(1.0));
        (!waits.is_empty()).then_some(Waits {
            lane,
            count: waits.len(),
            p50_s,
            p95_s,
            p99_s,
            max_s,
        })
    };
    let of = |lane: Lane| {
        row(
            lane.name(),
            sorted(all.iter().filter(|wait| wait.lane == lane).map(|wait| wait.waited_ms)),
        )
    };
    row("all", sorted(all.iter().map(|wait| wait.waited_ms)))
        .into_iter()
        .chain(Lane::ALL.into_iter().filter_map(of))
        .collect()
}

/// Waits by when people came, in equal spans of time.
fn groups(all: &mut [Wait]) -> Vec<Group> {
    all.sort_unstable_by_key(|wait| (wait.came_ms, wait.waited_ms));
    let Some(last) = all.last() else { return Vec::new() };
    let span_s = (last.came_ms / 1_000 / GROUPS + 1).max(1);
    all.chunk_by(|a, b| a.came_ms / 1_000 / span_s == b.came_ms / 1_000 / span_s)
        .map(|chunk| {
            let waits = sorted(chunk.iter().map(|wait| wait.waited_ms));
            let at = |share| percentile(&waits, share).map_or(0.0, seconds);
            let from_s = chunk[0].came_ms / 1_000 / span_s * span_s;
            Group { from_s, count: chunk.len(), p50_s: at(0.50), p95_s: at(0.95) }
        })
        .collect()
}

fn eta_error(mut scores: Vec<f32>) -> Option<EtaError> {
    scores.sort_unstable_by(f32::total_cmp);
    let bias = percentile(&scores, 0.5)?.into();
    for score in &mut scores {
        *score = score.abs();
    }
    scores.sort_unstable_by(f32::total_cmp);
    Some(EtaError {
        answers: scores.len(),
        from_s: SCORED_FROM_MS / 1_000,
        median: percentile(&scores, 0.5)?.into(),
        p90: percentile(&scores, 0.9)?.into(),
        bias,
    })
}
