//! What came of sign-ins: counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{SignInError, SignedIn};
use crate::identity::IdentityError;

/// Ways to sign in, as metrics name them.
pub const KINDS: [&str; 14] = [
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
];

/// What may come of a sign-in, as metrics name it.
pub const RESULTS: [&str; 7] =
    ["created", "signed_in", "refused", "waiting", "bad_pass", "busy", "unavailable"];

/// Sign-ins by kind and result.
#[derive(Debug, Default)]
pub struct Outcomes([[AtomicU64; RESULTS.len()]; KINDS.len()]);

impl Outcomes {
    pub(super) fn count(&self, kind: &str, result: &Result<SignedIn, SignInError>) {
        let result = match result {
            Ok(signed_in) if signed_in.created => 0,
            Ok(_) => 1,
            Err(SignInError::Refused(_) | SignInError::Identity(IdentityError::Refused(..))) => 2,
            Err(SignInError::Wait(_)) => 3,
            Err(SignInError::Pass(_)) => 4,
            Err(SignInError::Busy { .. }) => 5,
            Err(SignInError::Call(_) | SignInError::Identity(_)) => 6,
        };
        if let Some(kind) = KINDS.iter().position(|known| *known == kind) {
            self.0[kind][result].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Kind, result and count of each that has happened.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        KINDS.iter().zip(&self.0).flat_map(|(kind, row)| {
            RESULTS
                .iter()
                .zip(row)
                .map(|(result, count)| (*kind, *result, count.load(Ordering::Relaxed)))
        })
    }
}
