//! `Session`: one actor per WebSocket; [`SessionDoor`]: how a front end opens one.

pub mod dialect;

pub use dialect::{Dialect, Effect, Format, Inbound, Outbound, Shared};

/// How a front end opens a session.
#[derive(Clone, Debug)]
pub struct SessionDoor;
