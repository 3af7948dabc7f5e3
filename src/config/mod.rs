//! Settings: the structs are the file. One section, one file; every field says what it means, its
//! unit, its bounds and why its default is what it is. `config.toml` in the repository is written
//! from here and compared in a test.

pub mod abuse;
pub mod backup;
pub mod check;
pub mod example;
pub mod hooks;
pub mod identity;
pub mod load;
pub mod nakama;
pub mod opening;
pub mod operators;
pub mod origin;
pub mod passwords;
pub mod pragma;
pub mod queue;
pub mod rotation;
pub mod secrets;
pub mod sections;

pub use abuse::AbuseConfig;
pub use backup::BackupConfig;
pub use hooks::HooksConfig;
pub use identity::IdentityConfig;
pub use load::{ConfigError, Overrides, load};
pub use nakama::{FollowPolicy, NakamaConfig, RefreshPolicy};
pub use opening::OpeningConfig;
pub use operators::OperatorsConfig;
pub use passwords::PasswordConfig;
pub use pragma::{BackendMode, PragmaConfig, ProviderOptions, Signing};
pub use queue::{Gate, QueueConfig};
pub use secrets::Secrets;
pub use sections::{LimitsConfig, LogConfig, LogFormat, ServerConfig, StoreConfig};

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: ServerConfig,
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
    /// `[log]`
    pub log: LogConfig,
    /// `--dev`: known keys and test identities, loopback only. Never in the file.
    #[serde(skip)]
    pub dev: bool,
    /// Where all of it came from.
    #[serde(skip)]
    pub origin: origin::Origin,
}
