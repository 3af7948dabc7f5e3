//! What an import took and what it did not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::domain::portable::Problem;

/// Problems that are told one by one; more are only counted.
const TOLD_MAX: u64 = 1_000;

/// Counted while it goes on.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Accounts that are new.
    pub taken: u64,
    /// Accounts that were there.
    pub there: u64,
    /// Accounts that were not taken.
    pub refused: u64,
    /// Records of relationships that are new.
    pub friends: u64,
    /// Lines and rows of which something was not taken.
    problems: u64,
    /// What has no place here, and of how many accounts.
    not_kept: BTreeMap<String, u64>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Something of a line was not taken.
    pub fn problem(&mut self, path: &Path, line: u64, problem: &Problem) {
        self.problem_in_words(path, line, &problem.to_string());
    }

    /// The same.
    pub fn problem_in_words(&mut self, path: &Path, line: u64, problem: &str) {
        self.problems += 1;
        if self.problems <= TOLD_MAX {
            use std::io::Write as _;
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            // Nobody may be reading; it is counted all the same.
            let _ = writeln!(std::io::stderr(), "{file}:{line}: {problem}");
        }
    }

    /// An account has something that has no place here.
    pub fn not_kept(&mut self, what: &str) {
        *self.not_kept.entry(what.to_owned()).or_default() += 1;
    }

    /// Everything in words.
    pub fn told(&self, dry_run: bool) -> String {
        let mut text = String::new();
        let would = if dry_run { "would be " } else { "" };
        let Self { taken, there, refused, friends, problems, .. } = self;
        let _ = writeln!(
            text,
            "accounts: {taken} {would}taken, {there} there already, {refused} not taken"
        );
        let _ =
            writeln!(text, "records of friends, invitations and blocks: {friends} {would}taken");
        let _ = write!(text, "problems: {problems}");
        if *problems > TOLD_MAX {
            let _ = write!(text, ", the first {TOLD_MAX} of them told");
        }
        for (what, accounts) in &self.not_kept {
            let _ = write!(text, "\nnot kept: {what} of {accounts} accounts");
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}");
        }
        text
    }
}
