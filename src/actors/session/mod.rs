//! `Session`: one actor per WebSocket; [`SessionDoor`]: how a front end opens one.

pub mod dialect;
pub mod welcome;

pub use dialect::{Dialect, Effect, Format, Inbound, Outbound, Shared};
pub use welcome::{Channel, Denied, Others, SocketLimits, SocketRoute, Welcome};

/// How a front end opens a session.
#[derive(Clone, Debug)]
pub struct SessionDoor;
