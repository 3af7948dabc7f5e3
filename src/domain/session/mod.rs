//! A session's life: live, draining, parting, over; how fast it is listened to; and why it closes.
//!
//! [`Life`] keeps the timers, [`Pace`] the rate, [`Returning`] says when to come back after a stop. All are
//! handed the time.

pub mod attributes;
pub mod life;
pub mod pace;
pub mod returning;

pub use life::{Due, Life, Timing};
pub use pace::Pace;
pub use returning::Returning;

use crate::domain::queue::Departure;

/// Why a session ends. Each protocol has its own code and words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client said goodbye or asked to be signed out.
    AsRequested,
    /// The connection broke.
    Dropped,
    /// A frame of the wrong kind (text or binary).
    WrongFrame,
    /// A message nobody can read.
    Malformed,
    /// A frame or message above the limit.
    TooBig,
    /// The client does not read what it is sent.
    SlowConsumer,
    /// Nothing came from the client for too long.
    Idle,
    /// The token's life ended.
    Expired,
    /// Another connection of the same player took over.
    Usurped,
    /// An operator, a ban, a sign-out everywhere.
    Kicked,
    /// The server is shutting down: come back.
    Shutdown,
    /// The server's own fault.
    Internal,
}

impl CloseReason {
    /// All reasons, each at the place its [`CloseReason::index`] says.
    pub const ALL: [Self; 12] = [
        Self::AsRequested,
        Self::Dropped,
        Self::WrongFrame,
        Self::Malformed,
        Self::TooBig,
        Self::SlowConsumer,
        Self::Idle,
        Self::Expired,
        Self::Usurped,
        Self::Kicked,
        Self::Shutdown,
        Self::Internal,
    ];

    /// Its place in [`CloseReason::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsRequested => "as_requested",
            Self::Dropped => "dropped",
            Self::WrongFrame => "wrong_frame",
            Self::Malformed => "malformed",
            Self::TooBig => "too_big",
            Self::SlowConsumer => "slow_consumer",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Usurped => "usurped",
            Self::Kicked => "kicked",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
        }
    }

    /// What the end means for the player's slot (design §5). `said_goodbye`: the client sent a
    /// close frame of its own accord. Whoever was signed out or thrown out gives the slot back;
    /// whoever was cut off may come back to it.
    pub const fn departure(self, said_goodbye: bool) -> Departure {
        match self {
            Self::AsRequested if said_goodbye => Departure::Clean,
            Self::AsRequested | Self::Kicked => Departure::Ended,
            _ => Departure::Dropped,
        }
    }

    /// Whether a session whose socket ended like this may come back with what it had
    /// (protocol-pragma §10.7, §10.9): who left, was sent away or fell silent may not.
    pub const fn may_resume(self) -> bool {
        matches!(self, Self::Dropped | Self::SlowConsumer | Self::Shutdown | Self::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_index_and_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> =
            CloseReason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), CloseReason::ALL.len());
        for (index, reason) in CloseReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
    }

    #[test]
    fn a_goodbye_is_clean_a_sign_out_ends_and_everything_else_is_a_drop() {
        for reason in CloseReason::ALL {
            let expected = match reason {
                CloseReason::AsRequested | CloseReason::Kicked => Departure::Ended,
                _ => Departure::Dropped,
            };
            assert_eq!(reason.departure(false), expected, "{reason:?}");
        }
        assert_eq!(CloseReason::AsRequested.departure(true), Departure::Clean);
    }
}
