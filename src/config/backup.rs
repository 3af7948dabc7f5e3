//! `[backup]`: copies of the data that the server makes of itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::backup::Schedule;

/// Settings of backups. `docs/every-day.md` says what is in them and how to restore one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct BackupConfig {
    /// Hours from one to the next; 0: none but those that are asked for. 0 to 8760. The first is made
    /// an hour after the first start.
    pub every_h: u64,
    /// How many are kept; the oldest go. 1 to 10000.
    pub keep: usize,
    /// Where they go; another disk is better. Empty: `backups` in the server's folder.
    pub folder: PathBuf,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self { every_h: 24, keep: 7, folder: PathBuf::new() }
    }
}

impl BackupConfig {
    /// Where backups go, of a server with this folder.
    pub fn folder(&self, data: &Path) -> PathBuf {
        if self.folder.as_os_str().is_empty() { data.join("backups") } else { self.folder.clone() }
    }

    /// When they are made and how many are kept.
    pub const fn schedule(&self) -> Schedule {
        Schedule { every_h: self.every_h, keep: self.keep }
    }
}
