//! The audit chain on disk: `audit-<number of the first record>.jsonl`, one record a line.
//!
//! One thread writes ([`Writer`]): what waits together is written and synced together, and only
//! then said to be there. A file that is long enough is left and another begun; the chain goes on
//! across files. A write that fails ends the process: nobody is told that an action is on record
//! when it may not be.
//!
//! At the start the last file is checked, and that it follows the one before; `anteroom audit verify`
//! checks all of them. An end that was being written at a crash is cut off, for nobody was told that
//! it was there. Any other damage is left as it is, for people to look at, and never keeps the
//! server from starting: the chain goes on in a new file whose first record says what was found.

mod disk;
mod looking;
mod opening;
mod reading;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

pub use disk::{Disk, Folder};
pub use looking::{Checked, Looked, check, latest};
pub use opening::{Files, Found, open};
pub use reading::{Item, read};
pub use stream::{Stream, Target, Told};
pub use writer::{Done, NotTaken, Writer, WriterThread};

/// The chain's folder inside the server's.
pub const FOLDER: &str = "audit";

/// Why the chain's files could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AuditFileError {
    /// The folder cannot be read or written.
    #[error("the folder of the audit chain: {0}")]
    Io(#[from] std::io::Error),
    /// A record could not be made.
    #[error("an audit record: {0}")]
    Record(#[from] serde_json::Error),
}
