//! `[operators]`: how operators sign in to the console.

use serde::{Deserialize, Serialize};

/// Sessions of operators who sign in with a password and an authenticator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorsConfig {
    /// Whether an operator without an authenticator may only look, until one is set up. With `--dev`
    /// it is not asked for.
    pub require_totp: bool,
    /// Longest life of a session, in hours. 1 to 168.
    pub session_h: u64,
    /// A session that is not used for so long ends, in minutes. 1 to 1440.
    pub idle_min: u64,
}

impl Default for OperatorsConfig {
    fn default() -> Self {
        Self { require_totp: true, session_h: 12, idle_min: 60 }
    }
}
