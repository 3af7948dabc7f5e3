//! State: one owner each, thin around [`crate::domain`].
//!
//! Each actor is reached through its handle ([`Accounts`], [`Line`], [`Board`], [`SessionDoor`]):
//! bounded, timed, and the only way in. No `Addr` leaves this folder, and no rule lives in it.

pub mod account_registry;
pub mod audit;
pub mod backups;
pub mod login_queue;
pub mod presence;
pub mod session;

pub use account_registry::Accounts;
pub use audit::Audit;
pub use backups::Backups;
pub use login_queue::Line;
pub use presence::Board;
pub use session::SessionDoor;

/// The actor did not take or did not answer a call. Certain to be undone or safe to repeat: every
/// call here may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// As many callers wait as may: come back after a moment. Nothing was asked.
    #[error("too many callers are waiting")]
    Overloaded,
    /// The actor has stopped or did not answer in time. Ask again: the call may have been done.
    #[error("no answer in time")]
    NoAnswer,
}
