//! What operators did, and who came in out of turn, in a chain that shows every later change.
//!
//! One record is one line of JSON. It carries the digest of the line before it and its own, so an
//! edit, a deletion or a new order anywhere breaks the chain where it happened. What a chain alone
//! cannot show is that its end was cut off or that all of it was written anew: for that its
//! [`Head`] is posted somewhere else from time to time, and [`verify`] compares.
//!
//! Nobody is named in it: accounts and credentials stand in it as [`Pseudonym`]s.

mod chain;
mod pseudonym;
mod record;
mod search;
#[cfg(test)]
mod tests;

pub use chain::{Broken, Chain, Head, NotAHead, Seen, Verifier, Why, verify};
pub use pseudonym::{Pseudonym, Pseudonyms};
pub use record::{Details, Entry, OutOfTurn, Text, What, Who};
pub use search::Search;

/// Longest line written or read, in bytes, without its line feed.
pub const LINE_MAX: usize = 32 * 1_024;

/// Longest free text in a record, in characters.
pub const TEXT_MAX: usize = 200;

/// Most [`Details`] of a record.
pub const DETAILS_MAX: usize = 8;
