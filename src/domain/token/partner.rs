//! Partner tokens: a game server's, for one shard or for the social backend, for a century and
//! revocable (protocol-pragma §9.2). They belong to no account.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::player::{Claims, PlayerKeys, PlayerTokenError};
use super::signing::KeyError;
use crate::domain::realm::PartnerToken;
use crate::domain::time::UnixMicros;

/// A checked partner token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerClaims {
    /// The pair it belongs to: [`crate::domain::realm::PartnerToken::id`].
    pub partner: Uuid,
    /// The shard it is good for; `None`: it is for the social backend, of every shard.
    pub shard: Option<Uuid>,
    /// What it permits; empty: everything a partner may.
    pub permissions: Vec<String>,
    /// Token id.
    pub jti: Uuid,
    /// When it ends, without the allowance for clocks that differ.
    pub expires_at: UnixMicros,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    iss: &'a str,
    sub: Uuid,
    iat: u64,
    exp: u64,
    jti: Uuid,
    session_type: &'a str,
    backend_type: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    game_shard_id: Option<Uuid>,
    permissions: Vec<String>,
    expires_in_millis: std::borrow::Cow<'a, str>,
}

impl PlayerKeys {
    /// Signs a partner token that is issued at `at` and lives `life_s` seconds; its `expires_at` is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// [`KeyError::Library`]
    pub fn sign_partner(
        &self,
        claims: &PartnerClaims,
        at: UnixMicros,
        life_s: u64,
    ) -> Result<String, KeyError> {
        let iat = at.as_secs();
        self.seal(&Wire {
            iss: "pragma",
            sub: claims.partner,
            iat,
            exp: iat.saturating_add(life_s),
            jti: claims.jti,
            session_type: "PARTNER",
            backend_type: if claims.shard.is_some() { "GAME" } else { "SOCIAL" },
            game_shard_id: claims.shard,
            permissions: claims.permissions.clone(),
            expires_in_millis: life_s.saturating_mul(1_000).to_string().into(),
        })
    }
}

/// The claims of a partner token whose signature is good.
pub(super) fn read(claims: &[u8]) -> Result<PartnerClaims, PlayerTokenError> {
    let decode = PlayerTokenError::Decode;
    let wire: Wire<'_> = serde_json::from_slice(claims).map_err(|_| decode)?;
    let is_whole =
        matches!((wire.backend_type, wire.game_shard_id), ("SOCIAL", None) | ("GAME", Some(_)));
    if wire.iss != "pragma" || !is_whole {
        return Err(decode);
    }
    Ok(PartnerClaims {
        partner: wire.sub,
        shard: wire.game_shard_id,
        permissions: wire.permissions,
        jti: wire.jti,
        expires_at: UnixMicros::from_secs(wire.exp),
    })
}

impl PartnerClaims {
    /// What a token of this record says: for its shard, or (`None`) for the social backend.
    pub fn of(
        record: &PartnerToken,
        shard: Option<Uuid>,
        jti: Uuid,
        expires_at: UnixMicros,
    ) -> Self {
        let (partner, permissions) = (record.id, record.permissions.clone());
        Self { partner, shard, permissions, jti, expires_at }
    }

    /// Whether it permits this.
    pub fn permits(&self, permission: &str) -> bool {
        self.permissions.is_empty() || self.permissions.iter().any(|has| has == permission)
    }
}

impl From<PartnerClaims> for Claims {
    fn from(claims: PartnerClaims) -> Self {
        Self::Partner(claims)
    }
}

#[cfg(test)]
#[path = "partner_tests.rs"]
mod tests;
