//! `[pragma]`: Pragma's login flow on the first port.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::domain::token::Signing;

/// Settings of Pragma's protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct PragmaConfig {
    /// Name in `/v1/info`.
    pub name: String,
    /// "PRODUCTION" or "DEVELOPMENT" in `/v1/info`; DEVELOPMENT also fills debugDetails.
    pub backend_mode: BackendMode,
    /// Host that `/v1/info` gives clients; empty: the Host header of the request.
    pub public_host: String,
    /// Port that `/v1/info` gives clients; 0: the port the request came to.
    pub public_port: u16,
    /// Whether clients reach the server by https and wss (behind a proxy).
    pub public_tls: bool,
    /// The default game shard.
    pub game_shard: Uuid,
    /// Further game shards whose players sign in here; their game backends run elsewhere.
    pub shards: Vec<Uuid>,
    /// How session tokens are signed: `EdDSA`, `ES256` or `RS256`.
    pub signing: Signing,
    /// Life of a player token, in minutes. 1 to 525600.
    pub player_token_min: u64,
    /// When clients are told to refresh, in minutes. 1 to 525600.
    pub player_refresh_min: u64,
    /// Half-width of the random window around the refresh time, in minutes. 0 to 60.
    pub player_refresh_variance_min: u64,
    /// Life of an operator's token, in minutes. 1 to 525600.
    pub operator_token_min: u64,
    /// Life of a partner token, in hours; it can be revoked. 1 to 876000.
    pub partner_token_h: u64,
    /// Whether a ban ends the player's sessions at once and revokes their tokens. If not, it counts
    /// from the next sign-in or refresh on.
    pub bans_end_sessions: bool,
    /// Who becomes an operator with every permission by signing in: "PROVIDER:account id" or
    /// "PROVIDER:verified e-mail" each. Empty: the first operator of a server in development.
    pub bootstrap_admins: Vec<String>,
    /// The UNSAFE test provider: anybody is who they say. On with --dev; never in production.
    pub unsafe_provider: bool,
    /// No pass token is asked for (devLoginQueueBypass). Refused in PRODUCTION without
    /// `bypass_in_production`.
    pub login_queue_bypass: bool,
    /// Second, explicit yes for `login_queue_bypass` in PRODUCTION.
    pub bypass_in_production: bool,
    /// Answer a forgotten ticket with 401 instead of a fresh place at the end.
    pub strict_tickets: bool,
    /// A session without any message ends after this many seconds. 5 to 3600.
    pub idle_timeout_s: u64,
    /// Largest inbound frame, in bytes. 1024 to 16777216.
    pub message_max_bytes: usize,
}

/// `backendMode` of `/v1/info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BackendMode {
    /// Errors keep their details to themselves.
    #[default]
    Production,
    /// Errors carry details.
    Development,
}

impl PragmaConfig {
    /// Every game shard whose players sign in here, this server's own first.
    pub fn every_shard(&self) -> impl Iterator<Item = Uuid> + '_ {
        let further = self.shards.iter().copied().filter(|shard| *shard != self.game_shard);
        std::iter::once(self.game_shard).chain(further)
    }

    /// Whether the players of a shard sign in here.
    pub fn knows_shard(&self, shard: Uuid) -> bool {
        self.every_shard().any(|known| known == shard)
    }
}

impl Default for PragmaConfig {
    fn default() -> Self {
        Self {
            name: "anteroom".into(),
            backend_mode: BackendMode::Production,
            public_host: String::new(),
            public_port: 0,
            public_tls: false,
            game_shard: Uuid::from_u128(1),
            shards: Vec::new(),
            signing: Signing::EdDSA,
            player_token_min: 1440,
            player_refresh_min: 45,
            player_refresh_variance_min: 5,
            operator_token_min: 2_880,
            partner_token_h: 876_000,
            bans_end_sessions: false,
            bootstrap_admins: Vec::new(),
            unsafe_provider: false,
            login_queue_bypass: false,
            bypass_in_production: false,
            strict_tickets: false,
            idle_timeout_s: 90,
            message_max_bytes: 1 << 20,
        }
    }
}
