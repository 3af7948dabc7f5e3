//! An invitation: somebody may become an operator by a code that is shown once.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::codes;
use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;

/// How long an invitation is good, in milliseconds.
pub const INVITATION_LIFE_MS: u64 = 24 * 3_600 * 1_000;

/// Somebody may become an operator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The hash of its code.
    pub hash: [u8; 32],
    /// Who is meant, in the inviter's words.
    pub label: String,
    /// The roles that come with it.
    pub roles: Vec<Uuid>,
    /// Until when, in milliseconds since the epoch.
    pub expires_ms: u64,
}

/// An invitation that was made, and its code. Only the code's hash is kept.
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Its code, which says whose dossier it hangs on.
    pub code: String,
}

impl Invitation {
    /// A new one, that hangs on this operator.
    pub fn make(
        by: AccountId,
        label: String,
        roles: Vec<Uuid>,
        (id, secret): (Uuid, &[u8; 16]),
        now: UnixMicros,
    ) -> Invited {
        let code = format!("{}.{}", by.0.simple(), codes::shown(secret));
        let expires_ms = now.as_millis().saturating_add(INVITATION_LIFE_MS);
        let invitation = Self { id, hash: codes::hash(&code), label, roles, expires_ms };
        Invited { invitation, code }
    }

    /// Whose dossier the invitation of a code hangs on; `None`: it is no such code.
    pub fn inviter(code: &str) -> Option<AccountId> {
        let (id, _) = code.trim().split_once('.')?;
        Uuid::try_parse(id).ok().map(AccountId)
    }

    /// Whether a code is this one's, and in time.
    pub fn opens(&self, code: &str, now: UnixMicros) -> bool {
        self.expires_ms > now.as_millis() && codes::is_same(&self.hash, &codes::hash(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_its_invitation_for_a_day() {
        let (ada, now) = (AccountId(Uuid::from_u128(7)), UnixMicros::from_secs(1_000));
        let made = |secret| Invitation::make(ada, "bob".into(), vec![], (Uuid::nil(), secret), now);
        let Invited { invitation, code } = made(&[5; 16]);
        assert_eq!(Invitation::inviter(&code), Some(ada));
        assert!(invitation.opens(&code, now) && invitation.opens(&code.to_lowercase(), now));
        assert!(!invitation.opens(&made(&[6; 16]).code, now));
        assert!(!invitation.opens(&code, now.plus_secs(24 * 3_600)));
        assert_eq!(Invitation::inviter("AAAAA-AAAAA"), None);
    }
}
