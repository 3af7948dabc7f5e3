//! What came of sign-ins: counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{HookError, SignInError, SignedIn};
use crate::identity::IdentityError;

/// Ways to sign in, as metrics name them.
pub const KINDS: [&str; 21] = [
    "device",
    "custom",
    "email",
    "username",
    "unsafe",
    "apple",
    "facebook",
    "facebookinstantgame",
    "gamecenter",
    "google",
    "steam",
    "xbox",
    "psn",
    "nintendo",
    "epic",
    "discord",
    "twitch",
    "okta",
    "auth0",
    "googleworkspace",
    "studio",
];

/// What may come of a sign-in, as metrics name it.
pub const RESULTS: [&str; 7] =
    ["created", "signed_in", "refused", "waiting", "bad_pass", "busy", "unavailable"];

/// What may come of a refresh, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// New tokens were given.
    Renewed,
    /// The token was forged, expired or revoked.
    Invalid,
    /// The token was used after its successor, or its session was signed out meanwhile.
    Reused,
    /// The account is gone or banned.
    Refused,
    /// No answer in time.
    Unavailable,
}

impl Refresh {
    /// Every result.
    pub const ALL: [Self; 5] =
        [Self::Renewed, Self::Invalid, Self::Reused, Self::Refused, Self::Unavailable];

    /// The word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Invalid => "invalid",
            Self::Reused => "reused",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Sign-ins by kind and result, and refreshes by result.
#[derive(Debug, Default)]
pub struct Outcomes {
    sign_ins: [[AtomicU64; RESULTS.len()]; KINDS.len()],
    refreshes: [AtomicU64; Refresh::ALL.len()],
}

impl Outcomes {
    pub(super) fn count(&self, kind: &str, result: &Result<SignedIn, SignInError>) {
        let result = match result {
            Ok(signed_in) if signed_in.created => 0,
            Ok(_) => 1,
            Err(
                SignInError::Refused(_)
                | SignInError::Identity(IdentityError::Refused(..))
                | SignInError::Hook(HookError::Refused(_)),
            ) => 2,
            Err(SignInError::Wait(_)) => 3,
            Err(SignInError::Pass(_)) => 4,
            Err(SignInError::Busy { .. }) => 5,
            Err(SignInError::Call(_) | SignInError::Identity(_) | SignInError::Hook(_)) => 6,
        };
        if let Some(kind) = KINDS.iter().position(|known| *known == kind) {
            self.sign_ins[kind][result].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a refresh.
    pub fn count_refresh(&self, result: Refresh) {
        self.refreshes[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Result and count of refreshes.
    pub fn refreshes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.refreshes.iter().map(|count| count.load(Ordering::Relaxed));
        Refresh::ALL.iter().map(|result| result.name()).zip(counts)
    }

    /// Kind, result and count of each that has happened.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        KINDS.iter().zip(&self.sign_ins).flat_map(|(kind, row)| {
            RESULTS
                .iter()
                .zip(row)
                .map(|(result, count)| (*kind, *result, count.load(Ordering::Relaxed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{LinkKind, STUDIO_FIRST};

    #[test]
    fn a_sign_in_by_any_provider_is_counted_as_its_own() {
        let outcomes = Outcomes::default();
        let kinds = LinkKind::ALL.into_iter().chain([LinkKind::Studio(STUDIO_FIRST)]);
        let names: Vec<_> = kinds.map(LinkKind::name).chain(["username"]).collect();
        for name in &names {
            outcomes.count(name, &Err(SignInError::Busy { retry_after_s: 1 }));
        }
        let mut counted: Vec<_> = outcomes.each().filter(|(.., count)| *count == 1).collect();
        assert_eq!(counted.len(), names.len());
        counted.retain(|(kind, result, _)| !names.contains(kind) || *result != "busy");
        assert_eq!(counted, []);
        assert_eq!(KINDS.len(), names.len(), "and nothing that is no way to sign in");
    }
}
