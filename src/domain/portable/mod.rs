//! Accounts on their way in or out: the documented form (`docs/export-format.md`), and what other
//! servers' tables become in it.
//!
//! The form is JSON, a line for each account, and does not change when the stored form does.

mod line;
pub mod nakama;

pub use line::{AccountLine, FORMAT, FriendLine, Head, Line, LinkLine};

/// Why a row or a line is not taken, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not JSON of this form.
    #[error("not a line of this form: {0}")]
    Form(String),
    /// A value that cannot be read.
    #[error("{column}: cannot be read")]
    Value {
        /// The column or key.
        column: &'static str,
    },
    /// A link that nobody could sign in by.
    #[error("the {kind} id cannot be one here ({why}): left out")]
    Link {
        /// Its kind.
        kind: &'static str,
        /// Why.
        why: String,
    },
    /// A kind of link that there is not.
    #[error("there is no link of the kind {0:?}: left out")]
    LinkKind(String),
    /// A name that no account can have.
    #[error("the user name cannot be one here: {0}")]
    Username(String),
    /// Nothing to sign in by.
    #[error("no way to sign in is left")]
    NoLink,
    /// A hash that is never checked.
    #[error("the password's hash is of no kind that is known, or too costly to check: left out")]
    Password,
    /// A relationship that the other side does not know.
    #[error("the other side has no record that goes with this one")]
    OneSided,
    /// A relationship with an account that is not there.
    #[error("one of the two accounts is not there")]
    Nobody,
}
