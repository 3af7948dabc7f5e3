//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

pub mod calls;
pub mod envelope;
pub mod http;
pub mod socket;

/// Heartbeat of a player's socket.
const HEARTBEAT: &str = "PlayerSessionRpc.HeartbeatV1Request";
/// Ends the session.
const LOGOUT: &str = "PlayerSessionRpc.RequestLogoutV1Request";
/// Puts a new token under a live session.
const SESSION_REFRESH: &str = "PlayerSessionRpc.SessionRefreshV1Request";
/// A new pair of tokens for an old one.
const REFRESH_TOKENS: &str = "AccountRpc.RefreshTokensV1Request";

/// Message types that are served; all others are unknown.
#[cfg(test)]
pub(super) const SERVED: [&str; 4] = [HEARTBEAT, LOGOUT, SESSION_REFRESH, REFRESH_TOKENS];
