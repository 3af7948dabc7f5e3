//! What `anteroom doctor` makes of what it measured: one function for each check, facts in, a finding
//! out, with what to do about it.

mod access;
mod certificate;
mod machine;
mod round_trip;
mod upkeep;

pub use access::{Secrets, operators_port, proxies, secrets, server_key};
pub use certificate::{Certificate, certificate};
pub use machine::{Folder, backlog, clock, disk, files, flush, folder, hashing};
pub use round_trip::{RoundTrips, Seen, round_trip};
pub use upkeep::{backup, data, ports, provider};

use serde::Serialize;

/// How it stands with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good.
    Ok,
    /// It works, and will hurt.
    Warning,
    /// Players cannot be served, or not safely.
    Failed,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it stands.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do; empty: nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, found, "")
    }

    /// It works, and will hurt.
    pub fn warning(check: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, Level::Warning, found, advice)
    }

    /// Players cannot be served, or not safely.
    pub fn failed(check: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, Level::Failed, found, advice)
    }

    fn new(check: &str, level: Level, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level, found: found.into(), advice: advice.into() }
    }
}

/// The worst of all.
pub fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}
