//! `[passwords]`: how passwords are hashed, and how many at once.

use serde::{Deserialize, Serialize};

/// argon2id parameters (OWASP password storage) and the hashing pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash, in KiB. 8192 to 1048576.
    pub memory_kib: u32,
    /// Passes over the memory. 1 to 20.
    pub iterations: u32,
    /// Threads of the pool; 0: one for each core. 0 to 64.
    pub threads: usize,
    /// Hashes that may wait; the next caller gets 429 and when to come back. 1 to 100000.
    pub queue_max: usize,
    /// Whether an unknown address and a wrong password get the same answer (401), so that nobody can
    /// ask who has an account. false: 404 for an unknown one, as Nakama answers.
    pub uniform_answer: bool,
    /// Longest password taken, in bytes. 64 to 4096.
    pub length_max: usize,
    /// Whether new passwords that everybody tries first are refused. Those in use stay good.
    pub refuse_common: bool,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            threads: 0,
            queue_max: 128,
            uniform_answer: true,
            length_max: 512,
            refuse_common: true,
        }
    }
}
