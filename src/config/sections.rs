//! The small sections: `[server]`, `[limits]`, `[store]`, `[log]`, `[trace]`, `[audit]`.

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
    /// How long a shutdown may take to let requests and sockets go, in seconds. 0 to 600. Sockets are
    /// closed over the first half of it.
    pub drain_s: u64,
    /// How long after a shutdown has closed the last socket clients are told to come back at the
    /// earliest, in seconds: about as long as a start takes. 0 to 600.
    pub return_after_s: u64,
    /// Over how long after that they are told to come back, each at a moment of its own, in seconds; less
    /// where `queue.grace_s` or `queue.lease_s` would be over before. 0 to 3600.
    pub return_spread_s: u64,
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
            return_after_s: 5,
            return_spread_s: 30,
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

/// `[trace]`: traces for `OpenTelemetry`. `docs/observability.md` says what is in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct TraceConfig {
    /// Where a collector takes OTLP over HTTP: http:// or https://, such as
    /// `"http://127.0.0.1:4318"`; without a path /v1/traces is meant. Empty: nothing is traced. A
    /// header with its token goes into the environment: `OTEL_EXPORTER_OTLP_HEADERS`.
    pub endpoint: String,
    /// Share of requests that are traced if they do not say so themselves. 0 to 1.
    pub sample: f64,
    /// What the traces call this server.
    pub service_name: String,
    /// Whether a `traceparent` that comes with a player's request counts: then players say which of
    /// their requests are traced. On the other ports, and from trusted proxies, it always counts.
    pub follow_players: bool,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            sample: 0.01,
            service_name: "anteroom".into(),
            follow_players: true,
        }
    }
}

impl TraceConfig {
    /// Whether the endpoint is empty or an address that spans can be sent to.
    pub fn is_address(&self) -> bool {
        let host = |scheme| self.endpoint.strip_prefix(scheme).unwrap_or_default();
        let host = [host("http://"), host("https://")].concat();
        self.endpoint.is_empty() || !host.is_empty() && !host.starts_with('/')
    }

    /// The address that spans are sent to.
    pub fn address(&self) -> String {
        let (_, host) = self.endpoint.split_once("://").unwrap_or_default();
        match host.split_once('/') {
            None | Some((_, "")) => format!("{}/v1/traces", self.endpoint.trim_end_matches('/')),
            Some(_) => self.endpoint.clone(),
        }
    }
}

/// `[audit]`: where records of the audit chain go beside their files.
#[derive(
    Clone, Debug, Default, PartialEq, Serialize, Deserialize, documented::DocumentedFields,
)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// "stdout", or a file or named pipe that each record is added to as one line once it is on disk.
    /// Empty: nowhere.
    pub stream: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_a_path_is_the_collectors_usual_one() {
        let of =
            |endpoint: &str| TraceConfig { endpoint: endpoint.into(), ..TraceConfig::default() };
        for plain in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/"] {
            assert_eq!(of(plain).address(), "http://127.0.0.1:4318/v1/traces");
        }
        let whole = "https://otlp.example/anteroom/v1/traces";
        assert_eq!(of(whole).address(), whole);
        for bad in ["127.0.0.1:4318", "grpc://a", "http://", "http:///v1/traces"] {
            assert!(!of(bad).is_address(), "{bad}");
        }
        assert!(of("").is_address() && of(whole).is_address());
    }
}
