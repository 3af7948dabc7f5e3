//! A session's life: waiting, live, closing; and why it closes.

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
