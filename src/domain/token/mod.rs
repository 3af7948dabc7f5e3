//! Tokens: the claims of each kind, signing and verifying with the time as an argument.
//!
//! Separate keys per purpose, algorithms pinned per key. Which token looks how is in the design §8.

mod bearer;
pub mod detached;
pub mod nakama;
pub mod oauth_state;
pub mod offer;
pub mod partner;
pub mod player;
mod proven;
pub mod signing;
pub mod ticket;

pub use bearer::bearer;
pub use partner::PartnerClaims;
pub use player::{BackendType, Claims, PlayerClaims, PlayerKeys, PlayerTokenError, SessionType};
pub use signing::Signing;
pub use ticket::{TicketError, TicketKeys};
