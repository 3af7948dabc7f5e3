//! Refresh tokens that are replaced at each use (protocol-nakama §3.4).
//!
//! SDKs refresh in parallel with one token, and some keep the old one when an answer is lost. So a
//! token that was just replaced gets the same successor again for a while; after that its use means
//! that somebody else holds it, and the whole family ends.

use uuid::Uuid;

use super::change::Change;
use super::record::Account;
use super::refusal::Refusal;
use super::revoking::{self, Family, Revoked, RevokedToken};
use crate::domain::time::UnixMicros;

/// Families an account may have at once. One more ends the one that was refreshed longest ago.
pub const FAMILIES_MAX: usize = 32;

/// A refresh token that is good in itself, brought to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its id, shared by the family.
    pub token: Uuid,
    /// Its generation.
    pub generation: u32,
    /// Life of a new refresh token, in seconds.
    pub life_s: u64,
    /// How long a replaced token gets the same successor again, in seconds.
    pub retry_s: u64,
}

/// The token that takes its place: issued alike, so a repeat gets the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    /// Its generation.
    pub generation: u32,
    /// When it was issued first.
    pub issued_at: UnixMicros,
}

/// A decision: what to write, and what to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// `None`: nothing changes, it is a repeat.
    pub change: Option<Change>,
    /// The successor; or that the token was used twice, which ends the family.
    pub answer: Result<Successor, Refusal>,
}

/// Replaces a refresh token. `kept` is what was revoked of the account; `token_life_s` the longest
/// life of any token, in seconds.
pub fn rotate(
    account: Account,
    mut kept: Revoked,
    asked: Presented,
    now: UnixMicros,
    token_life_s: u64,
) -> Rotated {
    kept.prune(now);
    let family = kept.families.iter().position(|family| family.token == asked.token);
    let known = family.and_then(|at| kept.families.get(at)).copied();
    let current = known.map_or(0, |family| family.generation);
    if asked.generation == current {
        return next(account, kept, asked, now, token_life_s);
    }
    let repeat = known.filter(|family| {
        asked.generation.saturating_add(1) == family.generation
            && now.since_us(UnixMicros(family.rotated_at_us)) <= asked.retry_s * 1_000_000
    });
    if let Some(family) = repeat {
        let issued_at = UnixMicros(family.rotated_at_us);
        let answer = Ok(Successor { generation: family.generation, issued_at });
        return Rotated { change: None, answer };
    }
    Rotated {
        change: Some(end_family(account, kept, asked, now, token_life_s)),
        answer: Err(Refusal::RefreshReused),
    }
}

fn next(
    account: Account,
    mut kept: Revoked,
    asked: Presented,
    now: UnixMicros,
    token_life_s: u64,
) -> Rotated {
    let generation = asked.generation.saturating_add(1);
    // Not born revoked after a clock that stepped back, and later than what it replaces.
    let before = kept.families.iter().find(|family| family.token == asked.token);
    let earliest = kept.before_us.max(before.map_or(0, |family| family.rotated_at_us));
    let issued_at = UnixMicros(now.0.max(earliest.saturating_add(1)));
    kept.families.retain(|family| family.token != asked.token);
    if kept.families.len() >= FAMILIES_MAX {
        let oldest = kept.families.iter().enumerate().min_by_key(|(_, it)| it.rotated_at_us);
        if let Some((at, _)) = oldest {
            let gone = kept.families.swap_remove(at);
            let token = RevokedToken { id: gone.token, refresh: true, expires_at: gone.expires_at };
            kept.add(&token, now, token_life_s);
        }
    }
    kept.families.push(Family {
        token: asked.token,
        generation,
        rotated_at_us: issued_at.0,
        expires_at: issued_at.as_secs().saturating_add(asked.life_s),
    });
    Rotated {
        change: Some(revoking::write(account, kept)),
        answer: Ok(Successor { generation, issued_at }),
    }
}

/// Revokes what the family has, access tokens too.
fn end_family(
    account: Account,
    mut kept: Revoked,
    asked: Presented,
    now: UnixMicros,
    token_life_s: u64,
) -> Change {
    kept.families.retain(|family| family.token != asked.token);
    let expires_at = now.as_secs().saturating_add(token_life_s);
    for refresh in [false, true] {
        kept.add(&RevokedToken { id: asked.token, refresh, expires_at }, now, token_life_s);
    }
    revoking::write(account, kept)
}

#[cfg(test)]
#[path = "rotating_tests.rs"]
mod tests;
