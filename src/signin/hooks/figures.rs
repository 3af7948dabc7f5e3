//! What came of hooks: counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::HookDown;
use crate::domain::hook::{HookEvent, Verdict};

/// What may come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may be done.
    Allowed,
    /// It may not.
    Refused,
    /// Nobody said.
    Unavailable,
    /// It was told afterwards.
    Told,
    /// It was not told, and will not be.
    Dropped,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Allowed, Self::Refused, Self::Unavailable, Self::Told, Self::Dropped];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Told => "told",
            Self::Dropped => "dropped",
        }
    }

    /// The outcome of a question.
    pub const fn of(answer: &Result<Verdict, HookDown>) -> Self {
        match answer {
            Ok(Verdict::Allow(_)) => Self::Allowed,
            Ok(Verdict::Refuse(_)) => Self::Refused,
            Err(_) => Self::Unavailable,
        }
    }
}

/// Calls by event and outcome, since the start.
#[derive(Debug, Default)]
pub struct HookFigures([[AtomicU64; Outcome::ALL.len()]; HookEvent::ALL.len()]);

impl HookFigures {
    pub(super) fn count(&self, event: HookEvent, outcome: Outcome) {
        self.0[event as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Event, outcome and count of each that has happened.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        let rows = HookEvent::ALL.into_iter().zip(&self.0);
        let all = rows.flat_map(|(event, row)| {
            let counts = row.iter().map(|count| count.load(Ordering::Relaxed));
            Outcome::ALL.into_iter().zip(counts).map(move |it| (event.name(), it.0.name(), it.1))
        });
        all.filter(|(.., count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_and_outcome_is_counted_by_its_name() {
        let figures = HookFigures::default();
        for event in HookEvent::ALL {
            for (times, outcome) in (1..).zip(Outcome::ALL) {
                (0..times).for_each(|_| figures.count(event, outcome));
            }
        }
        let expected = HookEvent::ALL.into_iter().flat_map(|event| {
            (1..).zip(Outcome::ALL).map(move |(times, it)| (event.name(), it.name(), times))
        });
        assert!(figures.each().eq(expected));
    }
}
