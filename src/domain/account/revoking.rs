//! Revoked tokens: what is kept, for how long, and what it says about a token.
//!
//! After the deny-list of protocol-nakama §3.6, made durable and compared with the moment of issue
//! instead of an expiry counted back.

use uuid::Uuid;

use crate::domain::time::UnixMicros;

use super::change::Change;
use super::record::Account;

/// Single tokens an account may have revoked at once. One more and every token issued so far is
/// revoked instead: the list stays short, and nothing revoked comes back.
pub const TOKENS_MAX: usize = 64;

/// What a revocation covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoke {
    /// Every token issued so far.
    All,
    /// Single tokens: their id, their kind and until when they would have lived.
    Tokens(Vec<RevokedToken>),
}

/// One revoked token.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RevokedToken {
    /// Token id (Nakama `tid`, Pragma `jti`).
    pub id: Uuid,
    /// Access and refresh tokens share an id and are revoked apart (protocol-nakama §3.5).
    pub refresh: bool,
    /// When it would have expired, in seconds since the epoch: then the revocation may be
    /// forgotten.
    pub expires_at: u64,
}

/// A family of refresh tokens: the descendants of one sign-in, of which one is current
/// (`nakama.refresh_token`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Family {
    /// The token id they share.
    pub token: Uuid,
    /// The current one's generation; the one of the sign-in is 0.
    pub generation: u32,
    /// When the current one was issued, in microseconds since the epoch.
    pub rotated_at_us: u64,
    /// When the current one expires, in seconds since the epoch.
    pub expires_at: u64,
}

/// What is revoked of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Revoked {
    /// Tokens issued at or before this microsecond are revoked; zero: none.
    pub before_us: u64,
    /// Until when that has to be remembered, in seconds since the epoch: no token issued before
    /// lives longer.
    pub before_until: u64,
    /// Single tokens.
    pub tokens: Vec<RevokedToken>,
    /// Families of refresh tokens that were refreshed, with rotation on.
    pub families: Vec<Family>,
}

impl Revoked {
    /// Whether a token of this account is revoked.
    pub fn covers(&self, token: Uuid, refresh: bool, issued_at_us: u64) -> bool {
        (self.before_us != 0 && issued_at_us <= self.before_us)
            || self.tokens.iter().any(|gone| gone.id == token && gone.refresh == refresh)
    }

    /// The second after which nothing of this has to be remembered.
    pub fn until(&self) -> u64 {
        let before = if self.before_us == 0 { 0 } else { self.before_until };
        let tokens = self.tokens.iter().map(|token| token.expires_at);
        let families = self.families.iter().map(|family| family.expires_at);
        tokens.chain(families).max().unwrap_or(0).max(before)
    }

    /// Revokes everything issued up to `now`; no token lives longer than `token_life_s`.
    fn all(&mut self, now: UnixMicros, token_life_s: u64) {
        self.before_us = self.before_us.max(now.0).max(1);
        self.before_until = now.as_secs().saturating_add(token_life_s).saturating_add(1);
        self.tokens.clear();
        self.families.clear();
    }

    /// Revokes one token; one too many, and everything is.
    pub(super) fn add(&mut self, token: &RevokedToken, now: UnixMicros, token_life_s: u64) {
        let same = |kept: &RevokedToken| kept.id == token.id && kept.refresh == token.refresh;
        self.tokens.retain(|kept| !same(kept) || kept.expires_at > token.expires_at);
        if !self.tokens.iter().any(same) {
            self.tokens.push(token.clone());
        }
        if self.tokens.len() > TOKENS_MAX {
            self.all(now, token_life_s);
        }
    }

    /// Forgets what has expired.
    pub(super) fn prune(&mut self, now: UnixMicros) {
        self.tokens.retain(|token| token.expires_at >= now.as_secs());
        self.families.retain(|family| family.expires_at >= now.as_secs());
    }
}

/// Revokes tokens of an account. `kept` is what was revoked of it before; `token_life_s` the
/// longest life of any token, in seconds.
pub fn revoke(
    account: Account,
    kept: Revoked,
    what: &Revoke,
    now: UnixMicros,
    token_life_s: u64,
) -> Change {
    let mut revoked = kept;
    revoked.prune(now);
    match what {
        Revoke::All => revoked.all(now, token_life_s),
        Revoke::Tokens(tokens) => {
            for token in tokens {
                revoked.add(token, now, token_life_s);
            }
        }
    }
    write(account, revoked)
}

/// The change that keeps what is revoked.
pub(super) fn write(account: Account, revoked: Revoked) -> Change {
    let mut after = account.clone();
    after.revoked_before_us = after.revoked_before_us.max(revoked.before_us);
    Change { revoked: Some(revoked), ..Change::of(Some(account), after) }
}

#[cfg(test)]
#[path = "revoking_tests.rs"]
mod tests;
