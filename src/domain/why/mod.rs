//! Why did this player wait? A line that is played again from its journal
//! ([`crate::domain::queue::journal`]) is watched, and what is seen of one ticket is its [`Story`].
//!
//! [`follow`] looks, [`story`] is what is told, [`scene`] is the line at one moment. Words are for
//! whoever prints it.

mod follow;
mod scene;
mod story;
#[cfg(test)]
mod tests;

pub use follow::{Follower, Subject};
pub use scene::{Onlooker, Scene};
pub use story::{Cause, End, Event, Happened, Left, Span, Stands, Story};
