//! The line, for clients whose protocol has none: a 429 a person can read, and beside it an object
//! for clients that know better (design §5). Trying again is the poll; the place is kept.

use serde::Serialize;

use crate::domain::queue::{Announcement, Closed, Phase, Reason, Standing, Waiting};
use crate::domain::time::UnixMicros;

use super::errors::{Failure, code};

/// `queue` beside `code` and `message`. No number exceeds 32 bits: .NET's parser reads bare
/// numbers as such and fails on larger ones (protocol-nakama §13.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueNote {
    /// `standard`, `grace`, ...; absent when the line was full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<&'static str>,
    /// Place within the lane, from 1; absent when the line was full, and before places are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// How long until the doors open, in milliseconds; absent when they are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_in_ms: Option<u32>,
    /// Best guess of the time to admission, in milliseconds; absent when nobody can say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u32>,
    /// Early end of the guess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_low_ms: Option<u32>,
    /// Late end of the guess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_high_ms: Option<u32>,
    /// When to try again, in milliseconds.
    pub poll_after_ms: u32,
    /// `queued`, `front`, `held`, `paused`, `maintenance`, `prequeue`, `lottery`, `drawing`; refused:
    /// `full`, `draining`, `maintenance`, `returning`.
    pub phase: &'static str,
    /// Why position or estimate got worse since the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What operators announced, for players to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
    /// How long what was announced goes on, in milliseconds, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced_for_ms: Option<u32>,
}

/// The 8/429 for somebody who has to wait.
pub fn failure(standing: &Standing) -> Failure {
    let (message, note) = match standing {
        Standing::Waiting(waiting) => in_line(waiting),
        Standing::Refused { why, retry_after_ms } => refused(*why, *retry_after_ms),
        // A standing that lets in is no reason to wait; ask again and be let in.
        Standing::Passed { .. } | Standing::HoldsSlot => refused(Closed::Full, 1_000),
    };
    let retry_after_s = u64::from(note.poll_after_ms).div_ceil(1_000);
    let failure = Failure::new(code::RESOURCE_EXHAUSTED, message).retry_after(retry_after_s);
    Failure { queue: Some(Box::new(note)), ..failure }
}

/// The same with what operators announced: their words come first, for that is what a person reads.
pub fn with_announcement(mut failure: Failure, said: &Announcement, now: UnixMicros) -> Failure {
    let Some(note) = failure.queue.as_mut() else { return failure };
    // An opening has an end of its own.
    if !said.mode.is_of_opening() {
        note.announced_for_ms = said.until.map(|until| narrow(until.since_ms(now)));
    }
    if !said.message.is_empty() {
        failure.message = format!("{} {}", said.message, failure.message).into();
        note.announced = Some(said.message.clone());
    }
    failure
}

fn refused(why: Closed, retry_after_ms: u64) -> (String, QueueNote) {
    let again = spoken(retry_after_ms);
    let what = match why {
        Closed::Full => "The line is full",
        Closed::Draining => "The game is about to close",
        Closed::Maintenance => "The game is down for maintenance",
        Closed::Returning => "Many are coming back at once and your place is kept",
    };
    let message = format!("{what}. Please try again in {again}.");
    let poll_after_ms = narrow(retry_after_ms);
    (message, QueueNote { poll_after_ms, phase: why.name(), ..Default::default() })
}

fn in_line(waiting: &Waiting) -> (String, QueueNote) {
    let place = format!("You are number {} in line", waiting.position);
    let (place, opens_in_ms) = match waiting.phase {
        Phase::Prequeue { opens_in_ms } => (place, Some(opens_in_ms)),
        Phase::Lottery { opens_in_ms } => ("You take part".to_owned(), Some(opens_in_ms)),
        Phase::Drawing => ("You take part".to_owned(), None),
        _ => (place, None),
    };
    let about = match (waiting.phase, waiting.eta) {
        (Phase::Paused, _) => "; the line is paused".to_owned(),
        (Phase::Maintenance, _) => "; the game is down for maintenance".to_owned(),
        (Phase::Prequeue { opens_in_ms }, _) => {
            format!("; the doors open in {}", spoken(opens_in_ms))
        }
        (Phase::Lottery { opens_in_ms }, _) => {
            format!("; the doors open in {}, and the order is drawn then", spoken(opens_in_ms))
        }
        (Phase::Drawing, _) => "; the order is being drawn".to_owned(),
        (_, Some(eta)) => format!(", about {} to go", spoken(eta.mid_ms)),
        (_, None) => "; it is not moving yet".to_owned(),
    };
    let again = spoken(waiting.poll_after_ms);
    let message = format!("{place}{about}. Try again in {again}: your place is kept.");
    let eta = waiting.eta;
    let note = QueueNote {
        lane: Some(waiting.ticket.lane.name()),
        position: waiting.place().map(narrow),
        opens_in_ms: opens_in_ms.map(narrow),
        eta_ms: eta.map(|eta| narrow(eta.mid_ms)),
        eta_low_ms: eta.map(|eta| narrow(eta.low_ms)),
        eta_high_ms: eta.map(|eta| narrow(eta.high_ms)),
        poll_after_ms: narrow(waiting.poll_after_ms),
        phase: waiting.phase.name(),
        reason: waiting.reason.map(Reason::name),
        announced: None,
        announced_for_ms: None,
    };
    (message, note)
}

/// The largest number every SDK reads is that of a signed 32-bit integer.
fn narrow(number: u64) -> u32 {
    const MAX: u32 = i32::MAX.unsigned_abs();
    u32::try_from(number).unwrap_or(MAX).min(MAX)
}

/// A span as people say it, rounded up.
fn spoken(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000).max(1);
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::{Eta, Identity, Lane, Number, TicketRef};
    use crate::domain::time::UnixMicros;

    fn waiting() -> Waiting {
        Waiting {
            ticket: TicketRef {
                epoch: 1,
                number: Number(9),
                lane: Lane::Standard,
                identity: Identity(7),
                issued_at: UnixMicros(0),
            },
            position: 1_234,
            eta: Some(Eta { low_ms: 100_000, mid_ms: 150_000, high_ms: 200_000 }),
            poll_after_ms: 12_300,
            lease_until: UnixMicros(0),
            phase: Phase::Queued,
            reason: None,
            watches: false,
        }
    }

    fn json(standing: &Standing) -> (String, String) {
        let failure = failure(standing);
        assert_eq!((failure.code, failure.status), (8, 429));
        (failure.message.into_owned(), serde_json::to_string(&failure.queue).unwrap())
    }

    #[test]
    fn somebody_in_line_is_told_place_time_and_when_to_retry() {
        let standing = Standing::Waiting(waiting());
        assert_eq!(failure(&standing).retry_after_s, Some(13));
        let (message, note) = json(&standing);
        assert_eq!(
            message,
            "You are number 1234 in line, about 3 minutes to go. Try again in 13 seconds: your \
             place is kept."
        );
        assert_eq!(
            note,
            r#"{"lane":"standard","position":1234,"eta_ms":150000,"eta_low_ms":100000,"eta_high_ms":200000,"poll_after_ms":12300,"phase":"queued"}"#
        );
    }

    #[test]
    fn a_paused_line_promises_nothing() {
        let standing = Standing::Waiting(Waiting {
            eta: None,
            phase: Phase::Paused,
            reason: Some(Reason::SettingsChanged),
            ..waiting()
        });
        let (message, note) = json(&standing);
        assert!(message.contains("the line is paused"), "{message}");
        assert!(!note.contains("eta"), "{note}");
        assert!(note.contains(r#""phase":"paused","reason":"settings_changed""#), "{note}");
    }

    #[test]
    fn before_the_doors_open_everybody_is_told_when_and_no_place_that_is_not_drawn() {
        let with = |phase| Standing::Waiting(Waiting { eta: None, phase, ..waiting() });
        let (message, note) = json(&with(Phase::Prequeue { opens_in_ms: 100_000 }));
        assert!(
            message.starts_with("You are number 1234 in line; the doors open in 100 seconds."),
            "{message}"
        );
        assert!(note.contains(r#""position":1234,"opens_in_ms":100000"#), "{note}");
        let (message, note) = json(&with(Phase::Lottery { opens_in_ms: 100_000 }));
        let words = "You take part; the doors open in 100 seconds, and the order is drawn then.";
        assert!(message.starts_with(words), "{message}");
        assert!(note.contains(r#""opens_in_ms":100000"#) && !note.contains("position"), "{note}");
        assert!(note.contains(r#""phase":"lottery""#), "{note}");
        let (message, note) = json(&with(Phase::Drawing));
        assert!(message.starts_with("You take part; the order is being drawn."), "{message}");
        assert!(!note.contains("position") && !note.contains("opens_in_ms"), "{note}");
    }

    #[test]
    fn a_full_line_says_when_to_come_back() {
        let (message, note) =
            json(&Standing::Refused { why: Closed::Full, retry_after_ms: 30_000 });
        assert_eq!(message, "The line is full. Please try again in 30 seconds.");
        assert_eq!(note, r#"{"poll_after_ms":30000,"phase":"full"}"#);
    }

    #[test]
    fn who_comes_back_with_many_hears_when_and_that_the_place_is_kept() {
        let (message, note) =
            json(&Standing::Refused { why: Closed::Returning, retry_after_ms: 4_200 });
        assert!(message.contains("your place is kept"), "{message}");
        assert!(message.ends_with("Please try again in 5 seconds."), "{message}");
        assert_eq!(note, r#"{"poll_after_ms":4200,"phase":"returning"}"#);
    }

    #[test]
    fn no_number_is_larger_than_net_can_read() {
        let eta = Eta { low_ms: u64::MAX, mid_ms: 1 << 31, high_ms: (1 << 32) - 1 };
        let standing = Standing::Waiting(Waiting {
            position: u64::MAX,
            poll_after_ms: u64::MAX,
            eta: Some(eta),
            ..waiting()
        });
        let note = failure(&standing).queue.unwrap();
        let all = [note.position, note.eta_ms, note.eta_low_ms, note.eta_high_ms];
        assert_eq!(all, [Some(2_147_483_647); 4]);
        assert_eq!(note.poll_after_ms, 2_147_483_647);
    }
}
