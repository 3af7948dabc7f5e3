//! `[nakama]`: the client API on the first port.

use serde::{Deserialize, Serialize};

/// Settings of Nakama's protocol. Keys and secrets are in the secrets file, not here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct NakamaConfig {
    /// Life of an access token, in seconds. 1 to 86400. Well above the 300 s at which SDKs refresh.
    pub token_expiry_s: u64,
    /// Life of a refresh token, in seconds. 1 to 31536000.
    pub refresh_expiry_s: u64,
    /// Whether a sign-in revokes all earlier sessions of the account.
    pub single_session: bool,
    /// Whether a new socket closes the account's other ones.
    pub single_socket: bool,
    /// Devices an account may link. 1 to 1000.
    pub devices_max: u32,
    /// Largest WebSocket message taken, in bytes. 256 to 1048576.
    pub message_max_bytes: usize,
    /// Server ping frames, in milliseconds. 1000 to 600000; must be shorter than
    /// `pong_wait_ms`.
    pub ping_period_ms: u64,
    /// Silence after which a socket is dropped, in milliseconds. 2000 to 3600000.
    pub pong_wait_ms: u64,
    /// Messages waiting for a slow client before it is dropped. 1 to 10000.
    pub outbox_messages: usize,
    /// Bytes waiting for a slow client before it is dropped. 1024 to 16777216.
    pub outbox_bytes: usize,
    /// Players a socket may follow. 1 to 100000.
    pub follows_max: usize,
    /// Sockets one account may have open. 1 to 1000.
    pub sockets_per_account: usize,
    /// Friends, invitations and blocks of an account. Invitations from others stop at half of it.
    /// 10 to 100000.
    pub friends_max: u32,
    /// Notifications kept for an account; the oldest go. 1 to 10000.
    pub notifications_max: usize,
    /// Whom a player may follow: "anyone", as Nakama; or "friends".
    pub follow: FollowPolicy,
    /// Whether those whom a player has blocked no longer see when they are online. Nakama shows
    /// them.
    pub blocks_hide_presence: bool,
    /// What a refresh does to the refresh token. "keep": it stays good until it expires, as in
    /// Nakama. "rotate": each refresh replaces it, and a token used after its successor ends the
    /// session.
    pub refresh_token: RefreshPolicy,
    /// With "rotate": how long a replaced refresh token gets the same successor again, in seconds,
    /// for clients that refresh in parallel or lose an answer. 60 to 86400.
    pub refresh_retry_s: u64,
    /// How long a socket outlives its access token unless the session is refreshed, in seconds.
    /// 0: for ever, as Nakama; to 86400.
    pub socket_outlives_token_s: u64,
    /// Messages a second a socket may send before it is slowed down. 1 to 10000.
    pub messages_per_second: u32,
    /// Whether players see nobody else's ids at providers (Google, Steam, ...). Whoever looks
    /// somebody up by Facebook id sees that one.
    pub hide_provider_ids: bool,
    /// Headers for answers that lack them, each as "name=value".
    pub response_headers: Vec<String>,
}

/// Whom a player may follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FollowPolicy {
    /// Anybody whose id or name they know.
    #[default]
    Anyone,
    /// Their friends.
    Friends,
}

/// What a refresh does to the refresh token (protocol-nakama §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefreshPolicy {
    /// It stays good.
    #[default]
    Keep,
    /// It is replaced.
    Rotate,
}

impl Default for NakamaConfig {
    fn default() -> Self {
        Self {
            token_expiry_s: 900,
            refresh_expiry_s: 30 * 86_400,
            single_session: false,
            single_socket: false,
            devices_max: 64,
            message_max_bytes: 4096,
            ping_period_ms: 15_000,
            pong_wait_ms: 25_000,
            outbox_messages: 64,
            outbox_bytes: 49_152,
            follows_max: 2_000,
            sockets_per_account: 16,
            friends_max: 5_000,
            notifications_max: 500,
            follow: FollowPolicy::Anyone,
            blocks_hide_presence: true,
            refresh_token: RefreshPolicy::Keep,
            refresh_retry_s: 120,
            socket_outlives_token_s: 0,
            messages_per_second: 60,
            hide_provider_ids: true,
            response_headers: Vec::new(),
        }
    }
}
