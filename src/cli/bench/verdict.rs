//! What a server promises, and whether it kept it. Only what is certain from outside is held
//! against it.

use super::args::LaunchArgs;
use super::report::Report;

/// The promises that were not kept, in words.
pub(super) fn broken(args: &LaunchArgs, report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    let admissions = &report.admissions;
    if let Some(windows) = &admissions.counted
        && windows.above_bound > 0.0
    {
        let above = windows.above_bound.ceil();
        broken.push(format!("rate: {above} admissions more than rate × time + burst + 1 allow"));
    }
    let most = admissions.busiest_second_by_passes;
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    if most as f64 > admissions.allowed_in_a_second {
        broken.push(format!("rate: {most} passes were given in one second"));
    }
    if report.slots.most_online > args.cap {
        let most = report.slots.most_online;
        broken.push(format!("cap: {most} players were online at once, {} may be", args.cap));
    }
    if let Some(most) = report.slots.most_used.filter(|most| *most > args.cap) {
        broken.push(format!("cap: {most} slots were in use, {} may be", args.cap));
    }
    if report.order_inversions > 0 {
        let times = report.order_inversions;
        broken.push(format!("order: {times} times somebody had to wait behind a later ticket"));
    }
    if report.players.admitted == 0 && args.players > 0 && args.rate > 0.0 && args.cap > 0 {
        broken.push("nobody was let in".into());
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::cast::tests::args;
    use crate::cli::bench::probe::Probed;
    use crate::cli::bench::score::Reading;
    use crate::cli::bench::tally::{Admission, Tally, Wait};
    use crate::cli::bench::watch::Seen;

    fn verdict(words: &str, tally: Tally, readings: &[(u64, u64)]) -> Vec<String> {
        let args = args(words);
        let reading = |&(at, admitted): &(u64, u64)| Reading {
            asked: at,
            answered: at,
            admitted,
            used: None,
        };
        let readings = readings.iter().map(reading).collect();
        let seen = Seen { readings, ..Seen::default() };
        broken(&args, &Report::new(&args, tally, &seen, Probed::default()))
    }

    fn admitted() -> Tally {
        let admission = Admission { heard: 5, number: Some(9), second: Some(1) };
        Tally { admissions: vec![admission], ..Tally::default() }
    }

    #[test]
    fn a_good_run_breaks_nothing() {
        let kept = verdict("--rate 10 --cap 5", admitted(), &[(0, 0), (1_000_000, 11)]);
        assert_eq!(kept, Vec::<String>::new());
    }

    #[test]
    fn each_promise_is_noticed() {
        let has = |found: Vec<String>, word: &str| {
            assert!(found.len() == 1 && found[0].starts_with(word), "{found:?}");
        };
        has(verdict("--rate 10 --cap 5", admitted(), &[(0, 0), (1_000_000, 13)]), "rate");
        let second = Tally { admissions: vec![admitted().admissions[0]; 13], ..Tally::default() };
        has(verdict("--rate 10 --cap 5", second, &[]), "rate");
        let online = Tally { online: vec![(0, 9); 6], ..admitted() };
        has(verdict("--rate 10 --cap 5", online, &[]), "cap");
        let waits = vec![Wait { asked: 6, number: 8 }];
        has(verdict("--rate 10 --cap 5", Tally { waits, ..admitted() }, &[]), "order");
        has(verdict("--rate 10 --cap 5", Tally::default(), &[]), "nobody");
    }
}
