//! A gateway: which type of session it serves, and of which backend (protocol-pragma §1.2). The port
//! a request comes to decides it.

use crate::domain::token::{BackendType, Claims, SessionType};

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
            && self.backend.is_none_or(|backend| backend == claims.backend())
    }

    /// Whether what belongs to this backend is answered here.
    pub fn serves(self, backend: BackendType) -> bool {
        self.backend.is_none_or(|ours| ours == backend)
    }
}
