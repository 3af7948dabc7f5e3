//! Backups: one file with everything the server's folder holds but its secrets and the journal.
//!
//! The file is a gzipped tar archive that any tool opens. Its last entry, `manifest.json`, names every
//! other with its length and SHA-256. Behind the archive, as an empty gzip member that tools pass over,
//! there is the SHA-256 of all bytes before it, so a file that was cut or changed anywhere is refused
//! before anything of it is used.
//!
//! The parts fit each other as after a crash: accounts as they were between two commits ([`Copying`]),
//! then the line's files, which are never older than the accounts (a pass that was redeemed is of a
//! number that was given), then lotteries, never older than the line, then the audit chain. Of the
//! line's own files the snapshot comes first and the numbers last, for numbers that may have been given
//! do no harm, and numbers that were given and are not known would be given twice.
//!
//! [`Copying`]: super::Copying

mod form;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

pub use form::{Manifest, Part};
pub use reading::{RESTORING, restore, verify};
pub use writing::{Sources, Written, write};

use super::StoreError;
use super::audit::AuditFileError;
use super::line::LineFileError;

/// Why a backup was not made, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file or a folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a whole backup.
    #[error("{}: {problem}; nothing of it was used", path.display())]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A later version of the program made it.
    #[error("the backup has format {0}, made by a newer version; this version reads up to 1")]
    Newer(u32),
    /// The folder to restore into holds something.
    #[error(
        "{} is not empty: a backup is restored into an empty folder only (a secrets.toml may be there)",
        .0.display()
    )]
    NotEmpty(std::path::PathBuf),
    /// What was restored is not what was backed up.
    #[error("the restored data is not what the backup says: {0}")]
    Mismatch(String),
    /// The account store.
    #[error("accounts: {0}")]
    Accounts(#[from] StoreError),
    /// The line's files.
    #[error("login queue: {0}")]
    Line(#[from] LineFileError),
    /// The audit chain.
    #[error(transparent)]
    Audit(#[from] AuditFileError),
}

impl BackupError {
    /// Something happened to a file.
    fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
