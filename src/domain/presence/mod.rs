//! Who hears what about whom: presences, follows and the events they make.

pub mod rich;
pub mod roster;

pub use rich::{Basic, NoPresence, Rich, RichAsk};
pub use roster::{Newcomer, Roster, SessionKey};

use std::sync::Arc;

use crate::domain::account::AccountId;

/// One connection with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Whose.
    pub account: AccountId,
    /// Which connection.
    pub session: uuid::Uuid,
    /// User name when the connection was made.
    pub username: Arc<str>,
    /// What it shows; at most 2048 bytes. Of a rich presence its `ext`, or nothing for `{}`.
    pub status: Arc<str>,
    /// Which change of what stands for the player this was; see [`Event::is`]. Grows.
    pub version: u64,
    /// What a client of Pragma's set.
    pub rich: Option<Arc<Rich>>,
}

impl Presence {
    /// The one that stands for the player, where one is shown for each player (protocol-pragma
    /// §12.1): a rich one before a plain one, then the newest connection. `presences`: of one
    /// player, oldest connection first.
    pub fn lead<'a>(presences: impl Iterator<Item = &'a Self>) -> Option<&'a Self> {
        presences.max_by_key(|presence| presence.rich.is_some())
    }
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
    /// What stood for the player before; see [`Presence::lead`].
    pub was: Option<Presence>,
    /// What stands for the player now. Another version than before: it is not the same.
    pub is: Option<Presence>,
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
        self.is.clone_from(&later.is);
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }
}
