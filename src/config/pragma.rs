//! `[pragma]`: Pragma's login flow on the first port.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::domain::token::Signing;
use crate::domain::token::{BackendType, SessionType};

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
    /// Host of the social backend in `/v1/info`, where it has one of its own; empty: `public_host`.
    pub public_social_host: String,
    /// Port that `/v1/info` gives clients; 0: the port the request came to, or, with Pragma's own
    /// ports, that of each backend.
    pub public_port: u16,
    /// Whether clients reach the server by https and wss (behind a proxy).
    pub public_tls: bool,
    /// The default game shard.
    pub game_shard: Uuid,
    /// Further game shards whose players sign in here; their game backends run elsewhere.
    pub shards: Vec<Uuid>,
    /// `[pragma.ports]`
    pub ports: PragmaPorts,
    /// The game title that the shards belong to, as presences name it.
    pub game_title: Uuid,
    /// How session tokens are signed: `EdDSA`, `ES256` or `RS256`.
    pub signing: Signing,
    /// Life of a player token, in minutes. 1 to 525600.
    pub player_token_min: u64,
    /// Life of an operator token, in minutes. 1 to 525600.
    pub operator_token_min: u64,
    /// When clients are told to refresh, in minutes. 1 to 525600.
    pub player_refresh_min: u64,
    /// Half-width of the random window around the refresh time, in minutes. 0 to 60.
    pub player_refresh_variance_min: u64,
    /// What goes into extSessionInfo of every token: "accountTags", "playerGroups", "createdAt"; what
    /// makes it longer than 2 KiB is left out.
    pub session_info: Vec<SessionInfo>,
    /// Life of a partner token, in hours; it can be revoked. 1 to 876000.
    pub partner_token_h: u64,
    /// Whether a ban ends the player's sessions at once and revokes their tokens. If not, it counts
    /// from the next sign-in or refresh on.
    pub bans_end_sessions: bool,
    /// Who becomes an operator with every permission by signing in: "PROVIDER:account id" or
    /// "PROVIDER:verified e-mail" each. Empty: the first operator of a server in development.
    pub bootstrap_admins: Vec<String>,
    /// Shortest display name a player may choose, in characters. 1 to 128.
    pub display_name_min: usize,
    /// Longest display name, in characters; names of providers are cut to it. 1 to 128.
    pub display_name_max: usize,
    /// Whether players may change their display name.
    pub display_name_changes: bool,
    /// How long after a change the next one has to wait, in days. 0 to 3650.
    pub display_name_cooldown_days: u32,
    /// `[pragma.providers.<name>]`: what each identity provider may be used for.
    pub providers: BTreeMap<String, ProviderOptions>,
    /// Origins of web portals that may call the portal's sign-in from a browser.
    pub portal_origins: Vec<String>,
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
    /// How long a player whose socket was lost finds the session as it was, in seconds. 0 to 3600.
    pub reconnect_grace_s: u64,
    /// Largest inbound frame, in bytes. 1024 to 16777216.
    pub message_max_bytes: usize,
    /// Invitations to be friends that a player may have sent and not got answered. 1 to 100000.
    pub invites_sent_max: usize,
    /// Invitations to be friends that may wait for a player's answer. 1 to 100000. How many friends,
    /// invitations and blocks there may be in all is `nakama.friends_max`.
    pub invites_received_max: usize,
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

/// Something game servers may learn of a player from the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionInfo {
    /// The texts of the account's tags.
    AccountTags,
    /// The names of its player groups.
    PlayerGroups,
    /// When it was made, in seconds since the epoch.
    CreatedAt,
}

/// `[pragma.ports]`: Pragma's own six ports, each bound to one backend and one type of session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct PragmaPorts {
    /// Whether they are opened beside those of `[server]`.
    pub enabled: bool,
    /// Players at the game backend: the login queue, game sockets.
    pub game_player: SocketAddr,
    /// Players at the social backend: sign-in, social sockets.
    pub social_player: SocketAddr,
    /// Game servers at the game backend.
    pub game_partner: SocketAddr,
    /// Game servers at the social backend.
    pub social_partner: SocketAddr,
    /// Operators at the game backend.
    pub game_operator: SocketAddr,
    /// Operators at the social backend.
    pub social_operator: SocketAddr,
}

impl Default for PragmaPorts {
    fn default() -> Self {
        let all = |port| SocketAddr::from(([0, 0, 0, 0], port));
        let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            enabled: false,
            game_player: all(10_000),
            social_player: all(11_000),
            game_partner: here(10_100),
            social_partner: here(11_100),
            game_operator: here(10_200),
            social_operator: here(11_200),
        }
    }
}

/// `[pragma.providers.<name>]`, by the provider's name in lower case: what it may be used for
/// (protocol-pragma §4.5). Its credentials are in `[identity.<name>]`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, documented::DocumentedFields,
)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct ProviderOptions {
    /// Whether players may sign in by it.
    pub player_login: bool,
    /// Whether operators may sign in by it. Restrict such a provider by domain, group or role.
    pub operator_login: bool,
    /// Whether players may link it.
    pub linking: bool,
    /// Whether players may unlink it.
    pub unlinking: bool,
    /// How long after an unlink another account of this provider has to wait to be linked, in days.
    /// 0 to 3650.
    pub linking_cooldown_days: u32,
    /// Whether only the very account that was linked before may ever be linked again.
    pub one_association: bool,
    /// Whether the player portal shows a button for it.
    pub portal_button: bool,
    /// Whether other players see that it is linked.
    pub visible: bool,
}

impl Default for ProviderOptions {
    fn default() -> Self {
        Self {
            player_login: true,
            operator_login: false,
            linking: true,
            unlinking: false,
            linking_cooldown_days: 0,
            one_association: false,
            portal_button: false,
            visible: true,
        }
    }
}

/// A port's place: whose sessions, at which backend.
pub type PortOf = (SessionType, BackendType);

impl PragmaConfig {
    /// Every game shard whose players sign in here, this server's own first.
    pub fn every_shard(&self) -> impl Iterator<Item = Uuid> + '_ {
        let further = self.shards.iter().copied().filter(|shard| *shard != self.game_shard);
        std::iter::once(self.game_shard).chain(further)
    }

    /// Whether this is a game shard whose players sign in here.
    pub fn knows_shard(&self, shard: Uuid) -> bool {
        shard == self.game_shard || self.shards.contains(&shard)
    }
}

impl PragmaPorts {
    /// Every port, whether or not they are opened.
    pub const fn each(&self) -> [(PortOf, SocketAddr); 6] {
        use BackendType::{Game, Social};
        use SessionType::{Operator, Partner, Player};
        [
            ((Player, Game), self.game_player),
            ((Player, Social), self.social_player),
            ((Partner, Game), self.game_partner),
            ((Partner, Social), self.social_partner),
            ((Operator, Game), self.game_operator),
            ((Operator, Social), self.social_operator),
        ]
    }
}

impl Default for PragmaConfig {
    fn default() -> Self {
        Self {
            name: "anteroom".into(),
            backend_mode: BackendMode::Production,
            public_host: String::new(),
            public_social_host: String::new(),
            public_port: 0,
            public_tls: false,
            game_shard: Uuid::from_u128(1),
            shards: Vec::new(),
            ports: PragmaPorts::default(),
            game_title: Uuid::from_u128(1),
            signing: Signing::EdDSA,
            player_token_min: 1440,
            operator_token_min: 2_880,
            player_refresh_min: 45,
            player_refresh_variance_min: 5,
            session_info: Vec::new(),
            partner_token_h: 876_000,
            bans_end_sessions: false,
            bootstrap_admins: Vec::new(),
            display_name_min: 3,
            display_name_max: 32,
            display_name_changes: false,
            display_name_cooldown_days: 0,
            providers: BTreeMap::new(),
            portal_origins: Vec::new(),
            unsafe_provider: false,
            login_queue_bypass: false,
            bypass_in_production: false,
            strict_tickets: false,
            idle_timeout_s: 90,
            reconnect_grace_s: 60,
            message_max_bytes: 1 << 20,
            invites_sent_max: 100,
            invites_received_max: 100,
        }
    }
}
