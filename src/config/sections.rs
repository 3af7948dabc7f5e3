//! The small sections: `[server]`, `[limits]`, `[store]`, `[log]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[server]`: listeners, folder, shutdown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Players: Nakama REST and /ws, Pragma player routes. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Operators: /metrics, Pragma operator routes; loopback by default. Empty: one port above `listen`, on loopback.
    pub operators: Option<SocketAddr>,
    /// Game servers: Pragma partner routes, slots; loopback by default. Empty: two ports above
    /// `listen`, on loopback.
    pub partners: Option<SocketAddr>,
    /// Players who speak gRPC. Empty: one port below `listen`, on the same address.
    pub grpc: Option<SocketAddr>,
    /// The server's folder.
    pub data: PathBuf,
    /// HTTP worker threads; 0: one for each core. 0 to 256.
    pub workers: usize,
    /// Open connections per listener and worker. 16 to 1000000.
    pub connections_max: usize,
    /// How long a shutdown may take to let requests and sockets go, in seconds. 0 to 600.
    pub drain_s: u64,
    /// Whether the settings file is read again when it changes, as by SIGHUP. It is looked at every two
    /// seconds.
    pub watch_settings: bool,
    /// Addresses of proxies whose X-Forwarded-For is believed. Empty: the header is ignored.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 7350)),
            operators: None,
            partners: None,
            grpc: None,
            data: PathBuf::from("data"),
            workers: 0,
            connections_max: 100_000,
            drain_s: 10,
            watch_settings: false,
            trusted_proxies: Vec::new(),
        }
    }
}

/// `[limits]`: how often one address may ask, before anything is looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Largest request body, in bytes. 1024 to 16777216.
    pub body_max_bytes: usize,
    /// Sign-ins a second from one address (IPv4, or IPv6 /64). 0: no limit; to 1000000.
    pub sign_in_per_second: u32,
    /// Sign-ins an address may make at once. 1 to 1000000.
    pub sign_in_burst: u32,
    /// Wrong passwords a minute for one account before it is refused for a minute. 1 to 1000.
    pub wrong_passwords_per_minute: u32,
    /// Sign-ins and sign-ups a minute from one address through Pragma's web portal, where nobody
    /// queues. 0: no limit; to 1000000.
    pub portal_per_minute: u32,
    /// New places in line a second from one address. 0: no limit; to 1000000.
    pub enter_per_second: u32,
    /// New places an address may take at once. 1 to 1000000.
    pub enter_burst: u32,
    /// Entries a minute through the queue API by one device or one account; its place is kept. 0: no
    /// limit; to 1000000.
    pub enter_identity_per_minute: u32,
    /// Polls of one ticket a second before it is told to slow down; its place is safe. 1 to 1000.
    pub poll_per_second: u32,
    /// Callers that may wait for one actor at once. 16 to 1000000.
    pub callers_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body_max_bytes: 262_144,
            sign_in_per_second: 50,
            sign_in_burst: 500,
            wrong_passwords_per_minute: 10,
            portal_per_minute: 10,
            enter_per_second: 50,
            enter_burst: 500,
            enter_identity_per_minute: 30,
            poll_per_second: 5,
            callers_max: 8_192,
        }
    }
}

/// `[store]`: the embedded database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Memory for cached pages, in MiB. 8 to 1048576.
    pub cache_mib: u64,
    /// Longest time a write waits for company before the shared flush, in microseconds. Only when
    /// the last flush was shared, too: a lone write never waits. 0 to 100000.
    pub commit_wait_us: u64,
    /// Most writes that share a flush. 1 to 65536.
    pub commit_max: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { cache_mib: 128, commit_wait_us: 2_000, commit_max: 512 }
    }
}

/// `[log]`: structured logs on standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// What to log: "error", "warn", "info", "debug", "trace", or a tracing filter.
    pub level: String,
    /// "text" or "json".
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}
