//! What came of asking providers: counted for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::IdentityError;
use super::studio::StudioName;
use crate::domain::account::LinkKind;

/// The kinds that have a provider built in.
pub const KINDS: [LinkKind; 15] = [
    LinkKind::Apple,
    LinkKind::Facebook,
    LinkKind::FacebookInstantGame,
    LinkKind::GameCenter,
    LinkKind::Google,
    LinkKind::Steam,
    LinkKind::Xbox,
    LinkKind::PlayStation,
    LinkKind::Nintendo,
    LinkKind::Epic,
    LinkKind::Discord,
    LinkKind::Twitch,
    LinkKind::Okta,
    LinkKind::Auth0,
    LinkKind::GoogleWorkspace,
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

/// Figures of every provider, each with the word that labels it.
#[derive(Debug)]
pub struct Figures(BTreeMap<LinkKind, (String, ProviderFigures)>);

impl Figures {
    /// Nothing yet, of the built-in providers and of these.
    pub(super) fn new(studio: &[StudioName]) -> Self {
        let built_in = KINDS.into_iter().map(|kind| (kind, kind.name().to_owned()));
        let theirs =
            studio.iter().map(|own| (LinkKind::Studio(own.number), own.name.to_ascii_lowercase()));
        let all = built_in.chain(theirs);
        Self(all.map(|(kind, name)| (kind, (name, ProviderFigures::default()))).collect())
    }

    /// The figures of a provider; `None`: this kind has no provider.
    pub fn of(&self, kind: LinkKind) -> Option<&ProviderFigures> {
        self.0.get(&kind).map(|(_, figures)| figures)
    }

    /// Each provider's word with its figures.
    pub fn each(&self) -> impl Iterator<Item = (&str, &ProviderFigures)> {
        self.0.values().map(|(name, figures)| (name.as_str(), figures))
    }

    /// The word of a provider for logs and metrics.
    pub(super) fn word(&self, kind: LinkKind) -> &str {
        self.0.get(&kind).map_or(kind.name(), |(name, _)| name)
    }

    /// Every kind that has a provider.
    pub(super) fn kinds(&self) -> impl Iterator<Item = LinkKind> {
        self.0.keys().copied()
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
