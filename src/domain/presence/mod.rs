//! Who hears what about whom: presences, follows and the events they make.

use crate::domain::account::AccountId;

/// One connection with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Whose.
    pub account: AccountId,
    /// Which connection.
    pub session: uuid::Uuid,
    /// User name when the connection was made.
    pub username: std::sync::Arc<str>,
    /// What it shows; at most 2048 bytes.
    pub status: std::sync::Arc<str>,
}

/// A change somebody may follow. An update is a leave and a join of one session in one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whom it is about.
    pub account: AccountId,
    /// What is shown from now on.
    pub joins: Vec<Presence>,
    /// What is no longer shown.
    pub leaves: Vec<Presence>,
}
