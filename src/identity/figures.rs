//! What came of asking providers: counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::IdentityError;
use crate::domain::account::LinkKind;

/// The kinds that have a provider, in the order of the figures.
pub const KINDS: [LinkKind; 9] = [
    LinkKind::Apple,
    LinkKind::Facebook,
    LinkKind::FacebookInstantGame,
    LinkKind::GameCenter,
    LinkKind::Google,
    LinkKind::Steam,
    LinkKind::Xbox,
    LinkKind::PlayStation,
    LinkKind::Nintendo,
];

/// Figures of one provider, since the start.
#[derive(Debug, Default)]
pub struct ProviderFigures {
    /// Proofs that were accepted.
    pub ok: AtomicU64,
    /// Proofs that were refused.
    pub refused: AtomicU64,
    /// Proofs that could not be checked.
    pub unavailable: AtomicU64,
    /// Requests to the provider.
    pub calls: AtomicU64,
    /// Time those took together, in milliseconds.
    pub calls_ms: AtomicU64,
    /// The longest of them, in milliseconds.
    pub call_ms_max: AtomicU64,
}

impl ProviderFigures {
    /// Counts a request that took `ms` milliseconds.
    pub(super) fn called(&self, ms: u64) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.calls_ms.fetch_add(ms, Ordering::Relaxed);
        self.call_ms_max.fetch_max(ms, Ordering::Relaxed);
    }
}

/// Figures of every provider.
#[derive(Debug, Default)]
pub struct Figures([ProviderFigures; KINDS.len()]);

impl Figures {
    /// The figures of a provider; `None`: this kind has no provider.
    pub fn of(&self, kind: LinkKind) -> Option<&ProviderFigures> {
        self.0.get(place(kind)?)
    }

    /// Each provider with its figures.
    pub fn each(&self) -> impl Iterator<Item = (LinkKind, &ProviderFigures)> {
        KINDS.into_iter().zip(&self.0)
    }

    pub(super) fn count<T>(&self, kind: LinkKind, result: &Result<T, IdentityError>) {
        let Some(figures) = self.of(kind) else { return };
        let counter = match result {
            Ok(_) => &figures.ok,
            Err(IdentityError::Refused(..) | IdentityError::Unverified(..)) => &figures.refused,
            Err(IdentityError::Unavailable(..)) => &figures.unavailable,
            Err(IdentityError::NotConfigured(_)) => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The place of a kind among [`KINDS`].
pub(super) fn place(kind: LinkKind) -> Option<usize> {
    KINDS.iter().position(|known| *known == kind)
}
