//! `Session`: one actor per WebSocket; [`SessionDoor`]: every one of them, by player.
//!
//! A handshake goes through `upgrade` (the HTTP server hands over the raw connection), a
//! [`SocketRoute`] of a front end decides about it, and the door registers it. The `actor` then
//! carries bytes (`transport`, `frames`, `outbox`), time ([`crate::domain::session`]) and what others
//! tell it (`post`) to and from the front end's [`Dialect`]. A [`StreamRoute`] shares the handshake and
//! the frames, and has no session.

mod actor;
pub mod dialect;
mod door;
mod figures;
mod frames;
mod handshake;
mod outbox;
pub(crate) mod post;
mod resumable;
mod stream;
mod transport;
mod upgrade;
pub mod welcome;

pub use dialect::{Dialect, Effect, Format, Inbound, Outbound, ReplyToSet, ReplyWith, Shared};
pub use door::{DoorParts, NoSlotFor, Revoked, SessionDoor, Slots};
pub use figures::SessionFigures;
pub use resumable::Resumable;
pub use stream::{StreamRoute, Teller, Wire, WireGone};
pub use transport::Connection;
pub use upgrade::{Upgrade, upgrade};
pub use welcome::{Channel, Denied, Others, SocketLimits, SocketRoute, Welcome};
