//! Settings: the structs are the file. One section, one file; every field says what it means, its
//! unit, its bounds and why its default is what it is. `config.toml` in the repository is written
//! from here and compared in a test.

pub mod abuse;
pub mod backup;
pub mod check;
pub(crate) mod durable;
pub mod example;
pub mod hooks;
pub mod identity;
mod keys;
pub mod load;
pub mod nakama;
pub mod opening;
pub mod operators;
pub mod origin;
pub mod passwords;
pub mod pragma;
pub mod queue;
pub mod reference;
pub mod rotation;
pub mod secrets;
pub mod sections;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use abuse::AbuseConfig;
pub use backup::BackupConfig;
pub use hooks::HooksConfig;
pub use identity::IdentityConfig;
pub use load::{ConfigError, Overrides, load};
pub use nakama::{FollowPolicy, NakamaConfig, RefreshPolicy};
pub use opening::OpeningConfig;
pub use operators::{OperatorProvider, OperatorsConfig};
pub use passwords::PasswordConfig;
pub use pragma::{BackendMode, PragmaConfig, ProviderOptions, Signing};
pub use queue::{Gate, QueueConfig};
pub use secrets::Secrets;
pub use sections::{
    AuditConfig, LimitsConfig, LogConfig, LogFormat, ServerConfig, StoreConfig, TraceConfig,
};
pub use tls::TlsConfig;

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
    /// `[tls]`
    pub tls: TlsConfig,
    /// `[queue]`
    pub queue: QueueConfig,
    /// `[nakama]`
    pub nakama: NakamaConfig,
    /// `[pragma]`
    pub pragma: PragmaConfig,
    /// `[identity]`. Boxed: it is larger than all the others together.
    pub identity: Box<IdentityConfig>,
    /// `[hooks]`
    pub hooks: HooksConfig,
    /// `[operators]`
    pub operators: OperatorsConfig,
    /// `[passwords]`
    pub passwords: PasswordConfig,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[backup]`
    pub backup: BackupConfig,
    /// `[audit]`
    pub audit: AuditConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[trace]`
    pub trace: TraceConfig,
    /// `--dev`: known keys and test identities, loopback only. Never in the file.
    #[serde(skip)]
    pub dev: bool,
    /// Where all of it came from.
    #[serde(skip)]
    pub origin: origin::Origin,
}

impl Config {
    /// Whether clients come by https and wss to the ports of a kind: to the server itself, or to a proxy
    /// in front of it.
    pub fn is_by_tls(&self, ports: tls::Ports) -> bool {
        self.pragma.public_tls || self.tls.serves(ports)
    }

    /// Where operators' programs on this machine find the operators' port.
    pub fn operators_url(&self) -> String {
        let scheme = if self.tls.serves(tls::Ports::Operators) { "https" } else { "http" };
        format!("{scheme}://{}", from_here(self.server.operators_address()))
    }
}

/// How a port is reached on this machine: one that listens everywhere, at the loopback address.
pub fn from_here(mut listening: SocketAddr) -> SocketAddr {
    if listening.ip().is_unspecified() {
        listening.set_ip(match listening.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_listens_everywhere_is_found_at_the_loopback_address() {
        for (listening, found) in [
            ("0.0.0.0:7351", "127.0.0.1:7351"),
            ("[::]:7351", "[::1]:7351"),
            ("10.0.0.5:443", "10.0.0.5:443"),
        ] {
            assert_eq!(from_here(listening.parse().unwrap()).to_string(), found);
        }
    }
}
