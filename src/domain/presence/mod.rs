//! Who hears what about whom: presences, follows and the events they make.

pub mod roster;

pub use roster::{Newcomer, Roster, SessionKey};

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

impl Event {
    /// Puts a later event of the same account into this one: whoever applies the result (leaves,
    /// then joins) ends where they would have ended with both. What came and went in between is
    /// never shown. This is how a hearer who lags is caught up without losing anything.
    pub fn absorb(&mut self, later: &Self) {
        for leave in &later.leaves {
            let shown = self.joins.iter().position(|join| join.session == leave.session);
            match shown {
                Some(at) => drop(self.joins.swap_remove(at)),
                None => self.leaves.push(leave.clone()),
            }
        }
        self.joins.extend_from_slice(&later.joins);
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }
}
