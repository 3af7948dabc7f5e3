//! From what was seen to figures: windows, inversions, errors of estimates, percentiles.

use std::time::Duration;

use serde::Serialize;

use super::tally::{Admission, Guess, Micros, Wait};
use crate::domain::plan::percentile;

/// Micros in a second.
pub(super) const SECOND: Micros = 1_000_000;

/// Seconds as microseconds; what is negative or endless is cut off.
pub(super) fn micros(seconds: f64) -> Micros {
    let span = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX)
}

/// Percentiles of how long a call took, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) count: usize,
    pub(super) p50: u32,
    pub(super) p95: u32,
    pub(super) p99: u32,
    pub(super) max: u32,
}

/// Sorts and reads percentiles (nearest rank).
pub(super) fn times(mut micros: Vec<u32>) -> Times {
    micros.sort_unstable();
    let at = |share| percentile(&micros, share).unwrap_or(0);
    Times {
        count: micros.len(),
        p50: at(0.50),
        p95: at(0.95),
        p99: at(0.99),
        max: micros.last().copied().unwrap_or(0),
    }
}

/// Most admissions the passes show in one second of the wall clock. The implicit ones show none.
pub(super) fn busiest_second(admissions: &[Admission]) -> u64 {
    let mut seconds: Vec<u64> =
        admissions.iter().filter_map(|admission| admission.second).collect();
    seconds.sort_unstable();
    seconds.chunk_by(|a, b| a == b).map(<[u64]>::len).max().unwrap_or(0) as u64
}

/// How often the order was broken for certain: a ticket was told to wait in answer to a question
/// sent after somebody with a larger number had heard that they were in.
pub(super) fn inversions(admissions: &[Admission], waits: &[Wait]) -> u64 {
    let mut heard: Vec<(Micros, u64)> = admissions
        .iter()
        .filter_map(|admission| Some((admission.heard, admission.number?)))
        .collect();
    heard.sort_unstable();
    let mut largest = 0;
    for (_, number) in &mut heard {
        largest = largest.max(*number);
        *number = largest;
    }
    let broken = waits.iter().filter(|wait| {
        let before = heard.partition_point(|(when, _)| *when < wait.asked);
        before.checked_sub(1).is_some_and(|last| heard[last].1 > wait.number)
    });
    broken.count() as u64
}

/// How wrong the estimates were, relative to the true wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct EtaError {
    pub(super) estimates: usize,
    pub(super) median: f64,
    pub(super) p90: f64,
}

/// Scores the estimates whose true wait was at least `from`, told at or after `since`.
pub(super) fn eta_error(guesses: &[Guess], from: Micros, since: Micros) -> Option<EtaError> {
    let scored = guesses.iter().filter(|guess| guess.took >= from && guess.told >= since);
    #[expect(clippy::cast_precision_loss, reason = "spans of minutes")]
    let mut errors: Vec<f64> =
        scored.map(|guess| guess.said.abs_diff(guess.took) as f64 / guess.took as f64).collect();
    errors.sort_unstable_by(f64::total_cmp);
    Some(EtaError {
        estimates: errors.len(),
        median: percentile(&errors, 0.5)?,
        p90: percentile(&errors, 0.9)?,
    })
}

/// Players online at once: the most, and when there first were at least `cap_share` of `cap`.
pub(super) fn online(spans: &[(Micros, Micros)], nearly_full: u64) -> (u64, Option<Micros>) {
    let mut steps: Vec<(Micros, bool)> =
        spans.iter().flat_map(|(from, to)| [(*from, true), (*to, false)]).collect();
    // At the same moment, leaving comes first: more must not be claimed than is certain.
    steps.sort_unstable();
    let (mut now, mut most, mut full) = (0_u64, 0, None);
    for (when, comes) in steps {
        now = if comes { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
        if now >= nearly_full && full.is_none() {
            full = Some(when);
        }
    }
    (most, full)
}

/// Mean number of players online in this span.
#[expect(clippy::cast_precision_loss, reason = "spans of one run")]
pub(super) fn mean_online(spans: &[(Micros, Micros)], from: Micros, to: Micros) -> Option<f64> {
    let length = to.checked_sub(from).filter(|length| *length > 0)?;
    let inside = |&(comes, goes): &(Micros, Micros)| goes.min(to).saturating_sub(comes.max(from));
    Some(spans.iter().map(inside).sum::<Micros>() as f64 / length as f64)
}

/// Share of the rate that was used from the first admission until the world was full (or the end).
#[expect(clippy::cast_precision_loss, reason = "counts and spans of one run")]
pub(super) fn rate_used(readings: &[Reading], rate: f64, full: Option<Micros>) -> Option<f64> {
    let first = readings.iter().rfind(|reading| reading.admitted == 0)?;
    let full = full.unwrap_or(Micros::MAX);
    let last = readings.iter().rfind(|reading| reading.answered <= full)?;
    let seconds = last.asked.checked_sub(first.asked)? as f64 / SECOND as f64;
    (seconds > 0.0).then(|| last.admitted as f64 / seconds / rate)
}

/// A reading of the server's own counts: it was taken between these two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) asked: Micros,
    pub(super) answered: Micros,
    pub(super) admitted: u64,
    /// Slots in use: live, reserved, with a pass out, in grace.
    pub(super) used: Option<u64>,
}

/// When so many slots were in use for the first time, by the server's count.
pub(super) fn filled(readings: &[Reading], slots: u64) -> Option<Micros> {
    let full = readings.iter().find(|reading| reading.used.is_some_and(|used| used >= slots))?;
    Some(full.answered)
}

/// Mean of the slots in use in this span, by the server's count.
#[expect(clippy::cast_precision_loss, reason = "counts of one run")]
pub(super) fn mean_used(readings: &[Reading], from: Micros, to: Micros) -> Option<f64> {
    let span = readings.iter().filter(|reading| reading.asked >= from && reading.answered <= to);
    let used: Vec<u64> = span.filter_map(|reading| reading.used).collect();
    (!used.is_empty()).then(|| used.iter().sum::<u64>() as f64 / used.len() as f64)
}

/// Admissions in windows of the server's own count.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Windows {
    /// Most in a window of about a second, scaled to a second.
    pub(super) busiest_second: f64,
    /// By how many the worst of all windows is above rate × its length + burst + 1; 0: none is.
    pub(super) above_bound: f64,
}

/// Looks at every pair of readings up to ten seconds apart.
pub(super) fn windows(readings: &[Reading], rate: f64, burst: f64) -> Windows {
    let mut windows = Windows::default();
    for (at, first) in readings.iter().enumerate() {
        for last in readings.iter().skip(at + 1) {
            let longest = last.answered.saturating_sub(first.asked);
            if longest > 10 * SECOND {
                break;
            }
            #[expect(clippy::cast_precision_loss, reason = "counts and spans of one run")]
            let (count, seconds) = (
                last.admitted.saturating_sub(first.admitted) as f64,
                longest as f64 / SECOND as f64,
            );
            windows.above_bound = windows.above_bound.max(count - (rate * seconds + burst + 1.0));
            if (0.9..1.1).contains(&seconds) {
                windows.busiest_second = windows.busiest_second.max(count / seconds);
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(heard: Micros, number: u64) -> Admission {
        Admission { heard, number: Some(number), second: Some(heard / SECOND) }
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(
            times((1..=200).rev().collect()),
            Times { count: 200, p50: 100, p95: 190, p99: 198, max: 200 }
        );
        assert_eq!(times(vec![]).max, 0);
    }

    #[test]
    fn only_a_certain_inversion_counts() {
        let admitted = [admission(100, 5), admission(200, 3)];
        let waits = |asked, number| inversions(&admitted, &[Wait { asked, number }]);
        assert_eq!(waits(101, 4), 1, "5 was in, 4 had to wait");
        assert_eq!(waits(100, 4), 0, "sent before anybody could know");
        assert_eq!(waits(300, 6), 0, "behind both");
        assert_eq!(waits(300, 2), 1);
        assert_eq!(inversions(&[], &[Wait { asked: 1, number: 0 }]), 0);
    }

    #[test]
    fn the_busiest_second_is_that_of_the_passes() {
        let all: Vec<Admission> =
            [1, 1_500_000, 1_600_000, 1_700_000, 2_000_000].map(|at| admission(at, at)).into();
        assert_eq!(busiest_second(&all), 3);
    }

    #[test]
    fn estimates_are_scored_against_the_true_wait() {
        let guess = |told, said, took| Guess { told, said, took };
        let guesses = [guess(5, 110, 100), guess(6, 80, 100), guess(7, 100, 100), guess(8, 9, 1)];
        let error = eta_error(&guesses, 50, 0).unwrap();
        assert_eq!((error.estimates, error.median, error.p90), (3, 0.1, 0.2));
        assert_eq!(eta_error(&guesses, 50, 7).unwrap().estimates, 1);
        assert_eq!(eta_error(&guesses, 1_000, 0), None);
    }

    #[test]
    fn players_online_are_counted_at_once() {
        assert_eq!(mean_online(&[(0, 10), (5, 15), (90, 99)], 0, 20), Some(1.0));
        assert_eq!(online(&[(0, 10), (5, 8), (10, 20)], 2), (2, Some(5)));
        assert_eq!(online(&[], 1), (0, None));
    }

    #[test]
    fn a_second_burst_is_seen_and_a_slow_answer_is_not_held_against_the_server() {
        let reading = |asked: Micros, answered: Micros, admitted| Reading {
            asked,
            answered,
            admitted,
            used: Some(admitted),
        };
        let even: Vec<Reading> =
            (0..50).map(|at| reading(at * 100_000, at * 100_000 + 1_000, at * 10)).collect();
        assert!(windows(&even, 100.0, 2.0).above_bound <= 0.0);
        assert_eq!(filled(&even, 95), Some(1_001_000));
        assert_eq!(filled(&even, 500), None);
        assert_eq!(mean_used(&even, 100_000, 400_000), Some(20.0));
        assert_eq!(mean_used(&even, 1, 2), None);
        let mut burst = even.clone();
        for reading in &mut burst[20..] {
            reading.admitted += 50;
        }
        assert!(windows(&burst, 100.0, 2.0).above_bound > 40.0);
        let slow = [reading(0, 1_000, 0), reading(100_000, 2_000_000, 190)];
        assert!(windows(&slow, 100.0, 2.0).above_bound <= 0.0);
    }
}
