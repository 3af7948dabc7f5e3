//! The words of the queue: what a ticket is called and what its owner is told.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use crate::domain::time::UnixMicros;

/// A ticket's number. Given once, in order, never again: not even after a crash.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Number(pub u64);

/// A keyed fingerprint of who stands in line (a credential, a device). One identity has one place.
/// Zero is nobody: such a ticket is bound to its token alone.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Identity(pub u64);

impl Identity {
    /// Nobody in particular: Pragma's tickets, which are taken before anyone has said who they are.
    pub const ANONYMOUS: Self = Self(0);

    /// The fingerprint of a credential under the server's key. Never [`Identity::ANONYMOUS`].
    pub fn of(key: &hmac::Key, kind: &str, id: &str) -> Self {
        let mut mac = hmac::Context::with_key(key);
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(id.as_bytes());
        let tag = mac.sign();
        let number = tag.as_ref().first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes));
        Self(number.max(1))
    }
}

/// The player who holds a slot: an account id as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Player(pub u128);

/// A class of ticket. The order is that of their numbers on the wire.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[repr(u8)]
pub enum Lane {
    /// The studio's own people: first, counted and logged.
    Staff = 0,
    /// Players who come back: parked tickets and dropped connections. Metered, see `lanes`.
    Grace = 1,
    /// Everybody.
    #[default]
    Standard = 2,
    /// Trials and suspects: a small share, never none.
    Low = 3,
    /// Those the studio sells or gives a shorter wait to: a larger share, published.
    Paying = 4,
}

impl Lane {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// All lanes in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Staff, Self::Grace, Self::Standard, Self::Low, Self::Paying];

    /// The word for logs, metrics and wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Grace => "grace",
            Self::Standard => "standard",
            Self::Low => "low",
            Self::Paying => "paying",
        }
    }
}

/// What a ticket token says of itself once its signature has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRef {
    /// Lifetime of the line that gave the number: numbers of another epoch mean nothing here.
    pub epoch: u32,
    /// The number.
    pub number: Number,
    /// The lane it was taken in.
    pub lane: Lane,
    /// Whose it is.
    pub identity: Identity,
    /// When it was taken.
    pub issued_at: UnixMicros,
}

/// How long until admission: a range, never a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eta {
    /// Early end, in milliseconds from now.
    pub low_ms: u64,
    /// Best guess.
    pub mid_ms: u64,
    /// Late end.
    pub high_ms: u64,
}

/// Why a ticket waits. What a client shows beside the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In line.
    Queued,
    /// Next within about a minute: stay close.
    Front,
    /// The line stands still: rate or cap is zero, or the server has just started.
    Held,
    /// An operator paused admissions. Places are kept.
    Paused,
    /// The game is down for maintenance. Places are kept, however long it takes.
    Maintenance,
    /// The doors open later; the place is kept, and counts.
    Prequeue {
        /// In so many milliseconds.
        opens_in_ms: u64,
    },
    /// The same, and the places are drawn then: nobody has one yet.
    Lottery {
        /// In so many milliseconds.
        opens_in_ms: u64,
    },
    /// The places are being drawn.
    Drawing,
}

impl Phase {
    /// The word for wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Front => "front",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Maintenance => "maintenance",
            Self::Prequeue { .. } => "prequeue",
            Self::Lottery { .. } => "lottery",
            Self::Drawing => "drawing",
        }
    }
}

/// Why a shown position or estimate got worse. Never silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The ticket moved to another lane.
    LaneChanged,
    /// Players with older numbers came back to the grace lane.
    OlderReturned,
    /// The operators changed rate, cap or lanes.
    SettingsChanged,
    /// The server restarted and waits for the others to come back.
    Restarted,
    /// Fewer players are leaving the game than before.
    SlowerDepartures,
    /// The friend whose place was shared is not in line any more.
    PartyChanged,
    /// The places were drawn: this is the one the ticket got.
    Drawn,
}

impl Reason {
    /// The word for wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LaneChanged => "lane_changed",
            Self::OlderReturned => "older_returned",
            Self::SettingsChanged => "settings_changed",
            Self::Restarted => "restarted",
            Self::SlowerDepartures => "slower_departures",
            Self::PartyChanged => "party_changed",
            Self::Drawn => "drawn",
        }
    }
}

/// A ticket that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The ticket as it stands now: a parked ticket that returned has a new lane, a forgotten one
    /// a new number. Sign this into the answer.
    pub ticket: TicketRef,
    /// Place within its lane, from 1. Never rises without a [`Reason`]. Before a draw nobody has
    /// one, see [`Waiting::place`], and this is how many take part.
    pub position: u64,
    /// `None`: nobody can say (paused, held).
    pub eta: Option<Eta>,
    /// How long to wait before asking again.
    pub poll_after_ms: u64,
    /// Until when a silent ticket keeps its place.
    pub lease_until: UnixMicros,
    /// What it is waiting for.
    pub phase: Phase,
    /// Why things got worse since the last answer, if they did.
    pub reason: Option<Reason>,
    /// Its owner watches the frame, and was told to come back so shortly before the turn.
    pub watches: bool,
}

impl Waiting {
    /// Place within its lane; `None`: it is still to be drawn.
    pub const fn place(&self) -> Option<u64> {
        match self.phase {
            Phase::Lottery { .. } | Phase::Drawing => None,
            _ => Some(self.position),
        }
    }
}

/// Where a ticket, or somebody who asks to come in, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In line.
    Waiting(Waiting),
    /// Admitted: a slot is reserved until `pass_until`.
    Passed {
        /// The ticket that became a pass; its number names the pass.
        ticket: TicketRef,
        /// When the pass lapses, if not redeemed.
        pass_until: UnixMicros,
        /// Admitted by this very call, without waiting.
        on_the_spot: bool,
    },
    /// This identity already holds a slot (live, grace, or signed in a moment ago): come in.
    HoldsSlot,
    /// Nobody new gets a place now. Nothing was taken; come back.
    Refused {
        /// Why.
        why: Closed,
        /// When to try again.
        retry_after_ms: u64,
    },
}

/// Why nobody new gets a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The line has its maximum length.
    Full,
    /// The game is about to close: who stands in line comes in, newcomers do not.
    Draining,
    /// The game is down for maintenance.
    Maintenance,
    /// Many dropped at once and come back one after the other. The slot is held.
    Returning,
}

impl Closed {
    /// The word for wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Draining => "draining",
            Self::Maintenance => "maintenance",
            Self::Returning => "returning",
        }
    }
}

/// Why a pass is not good (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassRefused {
    /// The ticket has not been admitted.
    #[error("the ticket is still waiting")]
    StillWaiting,
    /// Nobody redeemed it in time.
    #[error("the pass has expired")]
    Expired,
    /// Somebody is redeeming it at this moment.
    #[error("the pass is being redeemed")]
    InUse,
    /// Its number was never given, or it belongs to another line.
    #[error("no such pass")]
    Unknown,
}

/// How a player's last connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Departure {
    /// Said goodbye: by policy the slot is free at once or held for grace.
    Clean,
    /// Dropped: the slot is held for grace.
    Dropped,
    /// Signed out or was thrown out: the slot is free at once.
    Ended,
}
