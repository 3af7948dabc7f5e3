//! Who is invited to a stream, and when it is to be opened: so shortly before the turn that there is
//! room for all whose turn comes meanwhile.

use serde::Serialize;

use super::PATH;
use crate::config::QueueConfig;
use crate::domain::queue::{Frame, NEAR_CONFIRM_S, Waiting};
use crate::queue_api::App;

/// Share of the streams that is planned for; the rest is for those whose turn comes later than they
/// were told.
const PLANNED: f64 = 0.5;
/// Shortest time before the turn, in milliseconds: estimates are not to the second.
const LEAD_MIN_MS: u64 = 5_000;
/// How long before the turn who watches says for the last time that he is there, in milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "half a minute")]
const NEAR_CONFIRM_MS: u64 = (NEAR_CONFIRM_S * 1e3) as u64;
/// How much earlier than that a stream may be opened, for estimates change: so many times, and so much
/// more.
const EARLY: u64 = 2;
const EARLY_MS: u64 = 30_000;

/// An invitation as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::queue_api) struct Invitation {
    url: &'static str,
    invited: bool,
    /// In how many milliseconds the stream is to be opened.
    pub(in crate::queue_api) after_ms: u64,
}

/// An invitation for somebody whose turn comes near before he asks again, while there is room.
///
/// Who watches the frame and was to say once more, half a minute before his turn, that he is there
/// need not if a stream opens after that: opening it says as much.
pub(in crate::queue_api) fn of(app: &App, line: &Frame, waiting: &Waiting) -> Option<Invitation> {
    let queue = &app.config.queue;
    let login_ms = u64::from(queue.seconds_to_login) * 1_000;
    let eta_ms = waiting.eta?.mid_ms.saturating_sub(login_ms);
    let after_ms = eta_ms.saturating_sub(lead_ms(queue, line.rate));
    let asks_ms = waiting.poll_after_ms + if waiting.watches { NEAR_CONFIRM_MS } else { 0 };
    let invited = after_ms <= asks_ms && app.streams.has_room();
    invited.then_some(Invitation { url: PATH, invited, after_ms })
}

/// Whether somebody may open a stream now.
pub(super) fn is_near(app: &App, line: &Frame, waiting: &Waiting) -> bool {
    let lead_ms = lead_ms(&app.config.queue, line.rate);
    waiting.eta.is_some_and(|eta| eta.mid_ms <= lead_ms * EARLY + EARLY_MS)
}

/// How long before the turn a stream is opened, at `rate` admissions a second, in milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; casts saturate"
)]
fn lead_ms(queue: &QueueConfig, rate: f64) -> u64 {
    let most_ms = u64::from(queue.stream_from_s) * 1_000;
    let fits_ms = f64::from(queue.streams_max) * PLANNED / rate.max(f64::MIN_POSITIVE) * 1e3;
    (fits_ms as u64).max(LEAD_MIN_MS).min(most_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_all_whose_turn_comes_meanwhile() {
        let queue = QueueConfig { streams_max: 10_000, stream_from_s: 600, ..Default::default() };
        assert_eq!(lead_ms(&queue, 500.0), 10_000);
        assert_eq!(lead_ms(&queue, 50.0), 100_000);
        assert_eq!(lead_ms(&queue, 1.0), 600_000, "never earlier than set");
        assert_eq!(lead_ms(&queue, 0.0), 600_000);
        assert_eq!(lead_ms(&queue, 1e6), LEAD_MIN_MS, "first come, first served");
    }
}
