//! A gateway: which type of session it serves, and of which backend (protocol-pragma §1.2). The port
//! a request comes to decides it.

use crate::domain::token::{Claims, SessionType};

/// Which half of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendType {
    /// Accounts, friends, presence.
    Social,
    /// One game shard.
    Game,
}

impl BackendType {
    /// The backend a token is for.
    pub const fn of(claims: &Claims) -> Self {
        if claims.shard().is_some() { Self::Game } else { Self::Social }
    }
}

/// What a port serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Whose sessions.
    pub session: SessionType,
    /// Of which backend; `None`: both, and the token says which.
    pub backend: Option<BackendType>,
}

impl Gateway {
    /// Whether a good token is for this gateway.
    pub fn takes(self, claims: &Claims) -> bool {
        claims.session_type() == self.session
            && self.backend.is_none_or(|backend| backend == BackendType::of(claims))
    }

    /// Whether what belongs to this backend is answered here.
    pub fn serves(self, backend: BackendType) -> bool {
        self.backend.is_none_or(|ours| ours == backend)
    }
}
