//! The line on disk, in a folder of its own.
//!
//! The signed ticket is the log of the line (design §5), so little is written:
//!
//! - `line.numbers`: the line's epoch, how far numbers may have been given, and whether the last
//!   stop was an orderly one. Written before a number of the block is given, so that none is ever
//!   given twice.
//! - `line.log`: for tickets whose owners hold no token (an unmodified Nakama client), who has which
//!   number. Their place is acknowledged only when its record is on disk.
//! - `line.snapshot`: the coarse state of the line, every few seconds, and exactly at an orderly
//!   stop. What happened since is made good by the tickets themselves as their owners come back.
//!
//! One thread writes ([`writer`]); what waits together is synced together. A write that fails ends
//! the process: nothing is answered that may not be true.
//!
//! Damage never keeps the server from starting, but it is never silent: the damaged file is kept
//! aside as `*.damaged`, the line starts in a new epoch, and the places of the log, if it can be
//! read, are taken anew in their old order.

mod disk;
mod frame;
mod opening;
mod place;
pub mod writer;

#[cfg(test)]
mod tests;

pub use disk::{Disk, Folder};
pub use frame::Kind;
pub use opening::{Files, Found, Start, open};
pub use place::Place;
pub use writer::{Done, Order, Writer, WriterThread};

/// Why the line's files could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LineFileError {
    /// A later version of the program wrote a file: this one does not touch it.
    #[error(
        "{file} was written in format version {version}; this program knows {known}: run the newer \
         program, or move the folder of the line away to start with an empty line"
    )]
    Newer {
        /// The file.
        file: &'static str,
        /// The version found.
        version: u8,
        /// The newest version this program knows.
        known: u8,
    },
    /// The folder cannot be read or written.
    #[error("the line's folder: {0}")]
    Io(#[from] std::io::Error),
}
