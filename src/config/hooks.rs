//! `[hooks]`: what a service of the studio's own decides and hears about accounts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::identity::Secret;
use crate::domain::hook::HookEvent;

/// Settings of hooks. `docs/hooks.md` says what is called when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct HooksConfig {
    /// Where they go: https://, or http:// to this machine (with --dev to anywhere). Empty: nobody
    /// is asked.
    pub url: String,
    /// What is asked about before it is done: `"account_create"`, `"account_login"`,
    /// `"account_link"`, `"account_unlink"`, `"account_rename"`, `"account_delete"`, `"queue_enter"`;
    /// and what is told afterwards: `"account_created"`, `"account_deleted"`.
    pub events: Vec<HookEvent>,
    /// What every call is signed with, at least 16 bytes.
    pub secret: Secret,
    /// A file with the secret, instead of `secret`.
    pub secret_file: Option<PathBuf>,
    /// Time for a whole answer, in milliseconds. No answer is no. 50 to 3000.
    pub timeout_ms: u64,
    /// Questions at once; more are answered "try again". 1 to 10000.
    pub concurrency: usize,
}

impl Default for HooksConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            events: Vec::new(),
            secret: Secret::default(),
            secret_file: None,
            timeout_ms: 3_000,
            concurrency: 256,
        }
    }
}
