//! What a front end decides about a WebSocket handshake: let it in, as whom and how, or turn it
//! away with an HTTP answer.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_http::RequestHead;
use uuid::Uuid;

use super::{Dialect, Resumable};
use crate::domain::account::AccountId;
use crate::domain::session::{CloseReason, Timing};
use crate::domain::time::UnixMicros;

/// How long a client may take nothing of what waits for it.
const STUCK_US: u64 = 20_000_000;
/// How long what is queued may take to go out when the session closes.
const DRAIN_US: u64 = 2_000_000;
/// How long to wait for the client's close frame.
const PART_US: u64 = 2_000_000;

/// A path at which sockets open, and who decides about it. One per protocol.
pub trait SocketRoute: Send + Sync + 'static {
    /// The path, compared without the query, e.g. `/ws`.
    fn path(&self) -> &'static str;
    /// Looks at the request of a client that wants a socket.
    fn admit(
        &self,
        head: &RequestHead,
        peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Welcome, Denied>>>>;
}

/// A handshake that is let in.
pub struct Welcome {
    /// Whose socket it is.
    pub account: AccountId,
    /// Id of this connection.
    pub session: Uuid,
    /// User name, for presences.
    pub username: std::sync::Arc<str>,
    /// Whether to appear online, with an empty status, from the start.
    pub online: bool,
    /// The token that opened it, so that revoking the token closes the socket.
    pub token: Uuid,
    /// When the token was issued, in microseconds since the epoch.
    pub issued_at_us: u64,
    /// When the session ends unless extended; `None`: sockets outlive tokens.
    pub expires_at: Option<UnixMicros>,
    /// Whether the socket takes or keeps the player's slot. A socket without one is turned away
    /// with [`Welcome::when_full`].
    pub holds_slot: bool,
    /// The answer when the world is full, given how long to wait, in seconds.
    pub when_full: fn(retry_after_s: u64) -> Denied,
    /// What becomes of the player's earlier sockets of the same `channel`.
    pub others: Others,
    /// Sockets are told apart by this: Nakama has one channel, Pragma one for each backend.
    pub channel: Channel,
    /// The session that stands while its sockets come and go; `None`: this kind has none.
    pub resumable: Option<Arc<Resumable>>,
    /// How long it may come back after its socket is lost, in seconds.
    pub resume_s: u64,
    /// Bounds and timers.
    pub limits: SocketLimits,
    /// The protocol.
    pub dialect: Box<dyn Dialect>,
}

/// Which kind of socket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Nakama's `/ws`.
    Nakama,
    /// Pragma's social backend.
    PragmaSocial,
    /// Pragma's game backend.
    PragmaGame,
    /// An operator at the social backend.
    OperatorSocial,
    /// An operator at the game backend.
    OperatorGame,
    /// A game server.
    Partner,
}

impl Channel {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::Nakama,
        Self::PragmaSocial,
        Self::PragmaGame,
        Self::OperatorSocial,
        Self::OperatorGame,
        Self::Partner,
    ];

    /// The word for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nakama => "nakama",
            Self::PragmaSocial => "pragma_social",
            Self::PragmaGame => "pragma_game",
            Self::OperatorSocial => "operator_social",
            Self::OperatorGame => "operator_game",
            Self::Partner => "partner",
        }
    }
}

/// What a new socket does to the player's earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay, up to this many in all; the new one is turned away beyond.
    Keep(usize),
    /// They are closed for this reason.
    Close(CloseReason),
}

/// Bounds and timers of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// Largest message taken, in bytes; a header that declares more is refused as it arrives.
    pub message_max_bytes: usize,
    /// Messages waiting for a slow client.
    pub outbox_messages: usize,
    /// Bytes waiting for a slow client.
    pub outbox_bytes: usize,
    /// Ping frames are sent this often; `None`: never.
    pub ping_period_ms: Option<u64>,
    /// Silence after which the socket is closed.
    pub idle_ms: u64,
    /// Messages taken a second; more are read later, not dropped.
    pub messages_per_second: u32,
    /// Players it may follow.
    pub follows_max: usize,
}

impl SocketLimits {
    pub(super) const fn timing(&self) -> Timing {
        Timing {
            ping_us: match self.ping_period_ms {
                Some(ms) => Some(ms.saturating_mul(1_000)),
                None => None,
            },
            idle_us: self.idle_ms.saturating_mul(1_000),
            stuck_us: STUCK_US,
            drain_us: DRAIN_US,
            part_us: PART_US,
        }
    }
}

/// A handshake that is turned away, before any upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// HTTP status.
    pub status: u16,
    /// Content type of the body.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}
