//! Accounts: who somebody is and by which links they sign in.
//!
//! Everything that changes an account is a rule here: it takes what is stored and what is asked
//! and gives a [`Change`] to write or a [`Refusal`]. The single writer ([`crate::actors::Accounts`])
//! feeds the rules and stores the change; a lost race is simply decided again.

pub mod link;
pub mod names;
pub mod record;
pub mod refusal;

pub use link::{Link, LinkKind};
pub use record::{Account, AccountId};
pub use refusal::Refusal;
