//! Where settings come from: the file, then the environment, then flags; unknown keys refused.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};

use super::check::{Invalid, check};
use super::origin::Origin;
use super::{Config, ServerConfig};

/// The settings file, if none is named.
pub const DEFAULT_FILE: &str = "config.toml";

/// What the command line may set; each wins over file and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config`: the file to read; it must exist. Otherwise `config.toml`, if there is one.
    pub file: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--dev`
    pub dev: bool,
}

/// Settings that cannot be used, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `--config` names a file that cannot be read.
    #[error("cannot read the settings file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key that does not exist or a value of the wrong kind. The text names key and source.
    #[error("settings: {0}")]
    Malformed(Box<figment::Error>),
    /// A value out of bounds.
    #[error("settings: {0}")]
    Invalid(#[from] Invalid),
    /// `--dev` opens known doors, so it must stay on this machine.
    #[error(
        "--dev listens on loopback only, not on {0}: it has a known server key and a provider that believes anybody"
    )]
    DevOnPublicAddress(SocketAddr),
}

/// Reads settings: defaults, then the file, then `ANTEROOM__SECTION__KEY`, then flags.
///
/// # Errors
///
/// See [`ConfigError`]; each names the key.
pub fn load(overrides: &Overrides) -> Result<Config, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = &overrides.file {
        let text = read(path)?;
        figment = figment.merge(Toml::string(&text));
    } else if let Ok(text) = std::fs::read_to_string(DEFAULT_FILE) {
        figment = figment.merge(Toml::string(&text));
    }
    let figment = figment.merge(Env::prefixed("ANTEROOM__").split("__"));
    let mut config: Config = figment.extract().map_err(|e| ConfigError::Malformed(Box::new(e)))?;
    apply(overrides, &mut config)?;
    config.origin = Origin::read(overrides, &figment, &config);
    check(&config)?;
    Ok(config)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn apply(overrides: &Overrides, config: &mut Config) -> Result<(), ConfigError> {
    if let Some(data) = &overrides.data {
        config.server.data.clone_from(data);
    }
    if let Some(listen) = overrides.listen {
        config.server.listen = listen;
    }
    if overrides.dev {
        open_dev_doors(config)?;
    }
    Ok(())
}

/// `--dev`: known server key, the UNSAFE provider, test accounts. Loopback only.
fn open_dev_doors(config: &mut Config) -> Result<(), ConfigError> {
    config.dev = true;
    config.pragma.unsafe_provider = true;
    let unsafe_provider = config.pragma.providers.entry("unsafe".to_owned()).or_default();
    unsafe_provider.operator_login = true;
    config.pragma.backend_mode = super::BackendMode::Development;
    if config.server.listen == ServerConfig::default().listen {
        config.server.listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let ports = &mut config.pragma.ports;
    for player in [&mut ports.game_player, &mut ports.social_player] {
        if player.ip().is_unspecified() {
            player.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
    }
    let server = &config.server;
    let ports = config.pragma.ports.each().map(|(_, address)| Some(address));
    let listeners = [Some(server.listen), server.operators, server.partners, server.grpc];
    for address in listeners.into_iter().chain(ports).flatten() {
        if !address.ip().is_loopback() {
            return Err(ConfigError::DevOnPublicAddress(address));
        }
    }
    Ok(())
}

impl ServerConfig {
    /// The operators' listener: as set, or one port above `listen` on loopback. With `listen` on
    /// port 0 it picks a free port too.
    pub fn operators_address(&self) -> SocketAddr {
        self.operators.unwrap_or_else(|| self.above(1))
    }

    /// The game servers' listener: as set, or two ports above `listen` on loopback.
    pub fn partners_address(&self) -> SocketAddr {
        self.partners.unwrap_or_else(|| self.above(2))
    }

    fn above(&self, ports: u16) -> SocketAddr {
        let port = match self.listen.port() {
            0 => 0,
            port => port.saturating_add(ports),
        };
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }

    /// The gRPC listener: as set, or one port below `listen` (protocol-nakama §10.1). With `listen`
    /// on port 0, or with no port below it, it picks a free one.
    pub fn grpc_address(&self) -> SocketAddr {
        let port = self.listen.port().saturating_sub(1);
        self.grpc.unwrap_or_else(|| SocketAddr::new(self.listen.ip(), port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(text: &str, dev: bool) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        load(&Overrides { file: Some(file), dev, ..Overrides::default() })
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = from_text("[queue]\nrat = 5\n", false).unwrap_err().to_string();
        assert!(error.contains("rat") && error.contains("rate"), "{error}");
    }

    #[test]
    fn an_unknown_section_is_named() {
        let error = from_text("[que]\nrate = 5\n", false).unwrap_err().to_string();
        assert!(error.contains("que"), "{error}");
    }

    #[test]
    fn a_value_out_of_bounds_is_named_with_its_bounds() {
        let error = from_text("[queue]\nrate = -1.0\n", false).unwrap_err().to_string();
        assert_eq!(error, "settings: queue.rate must be 0 to 100000, not -1");
    }

    #[test]
    fn the_bypass_needs_a_second_yes_in_production() {
        assert!(from_text("[pragma]\nlogin_queue_bypass = true\n", false).is_err());
        let both = "[pragma]\nlogin_queue_bypass = true\nbypass_in_production = true\n";
        assert!(from_text(both, false).is_ok());
    }

    #[test]
    fn dev_stays_on_loopback() {
        assert!(from_text("", true).unwrap().server.listen.ip().is_loopback());
        let public = from_text("[server]\nlisten = \"192.0.2.1:7350\"\n", true);
        assert!(matches!(public, Err(ConfigError::DevOnPublicAddress(_))));
        let grpc = from_text("[server]\ngrpc = \"192.0.2.1:7349\"\n", true);
        assert!(matches!(grpc, Err(ConfigError::DevOnPublicAddress(_))));
    }

    #[test]
    fn operators_follow_the_listener() {
        let config = from_text("[server]\nlisten = \"0.0.0.0:9000\"\n", false).unwrap();
        assert_eq!(config.server.operators_address(), "127.0.0.1:9001".parse().unwrap());
        assert_eq!(config.server.partners_address(), "127.0.0.1:9002".parse().unwrap());
    }

    #[test]
    fn grpc_is_one_port_below_the_listener_unless_set() {
        let grpc = |text: &str| from_text(text, false).unwrap().server.grpc_address().to_string();
        assert_eq!(grpc(""), "0.0.0.0:7349");
        assert_eq!(grpc("[server]\nlisten = \"127.0.0.1:0\"\n"), "127.0.0.1:0");
        assert_eq!(grpc("[server]\ngrpc = \"[::1]:50051\"\n"), "[::1]:50051");
    }
}
