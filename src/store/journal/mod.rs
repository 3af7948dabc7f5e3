//! The journal of the line on disk: `queue/journal/<number>.journal`, one file a segment.
//!
//! A segment begins with what it is (its head) and the whole state of the line; blocks of what went in
//! follow, each with a checksum. What the bytes of state and blocks mean is
//! [`crate::domain::queue::journal`]'s.
//!
//! The journal is for questions, not for safety: nobody waits for it and nothing is synced. A process
//! that is killed loses the last second of it, a power cut what the system had not written yet. When
//! the disk is too slow or fails, the segment ends there and a later one begins with a state anew: a
//! gap, and the head says so. Oldest segments are removed first.

mod form;
mod reading;
#[cfg(test)]
mod tests;
mod writer;

pub use form::{Head, Since};
pub use reading::{Segment, Summary, list, read};
pub use writer::{Figures, Journal};

/// The journal's folder inside the line's.
pub const FOLDER: &str = "journal";

/// Why the journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Its folder or a file in it.
    #[error("the journal: {0}")]
    Io(#[from] std::io::Error),
    /// A later version of the program wrote it.
    #[error("a segment of the journal has format version {0}; this program knows 1")]
    Newer(u8),
    /// It does not begin as a segment does: damaged, or not written yet.
    #[error("a segment of the journal cannot be read: {0}")]
    Damaged(&'static str),
}
