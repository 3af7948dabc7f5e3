//! What was answered, and the settings file that follows from it: only what differs from the defaults.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::config::ServerConfig;

/// How players reach the server from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    host: String,
    port: u16,
    is_tls: bool,
}

impl Public {
    /// From an address such as `https://play.example.com` or `http://203.0.113.5:7350`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address such as https://play.example.com");
        let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong()),
        };
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
        let host = url.host_str().filter(|host| is_bare && !host.is_empty()).ok_or_else(wrong)?;
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        Ok(Self { host: host.to_owned(), port, is_tls })
    }
}

/// What is known; `None` and empty: as the defaults have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    pub data: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub public: Option<Public>,
    pub proxies: Vec<IpAddr>,
}

impl Answers {
    /// The settings file.
    pub fn settings(&self) -> String {
        let defaults = ServerConfig::default();
        let mut text = "# What differs from the defaults. Every setting there is: `anteroom config example`.\n"
            .to_owned();
        let mut server = String::new();
        if let Some(data) = self.data.as_ref().filter(|data| **data != defaults.data) {
            let _ = writeln!(server, "data = {}", quoted(&data.to_string_lossy()));
        }
        if let Some(listen) = self.listen.filter(|listen| *listen != defaults.listen) {
            let _ = writeln!(server, "listen = {}", quoted(&listen.to_string()));
        }
        if !self.proxies.is_empty() {
            let proxies: Vec<_> = self.proxies.iter().map(|ip| quoted(&ip.to_string())).collect();
            let _ = writeln!(server, "trusted_proxies = [{}]", proxies.join(", "));
        }
        if !server.is_empty() {
            let _ = write!(text, "\n[server]\n{server}");
        }
        if let Some(Public { host, port, is_tls }) = &self.public {
            let _ = write!(
                text,
                "\n# What Pragma's clients are told to connect to.\n[pragma]\npublic_host = {}\n\
                 public_port = {port}\npublic_tls = {is_tls}\n",
                quoted(host)
            );
        }
        text
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn only_what_differs_is_written_and_it_is_read_back() {
        let nothing = Answers::default().settings();
        assert_eq!(nothing.lines().count(), 1, "{nothing}");
        let defaults = ServerConfig::default();
        let same = Answers {
            data: Some(defaults.data.clone()),
            listen: Some(defaults.listen),
            ..Answers::default()
        };
        assert_eq!(same.settings(), nothing);
        let answers = Answers {
            data: Some("/srv/an \"odd\" place".into()),
            listen: Some("127.0.0.1:9000".parse().unwrap()),
            public: Some(Public::parse("https://play.example.com").unwrap()),
            proxies: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        };
        let config: Config = toml::from_str(&answers.settings()).unwrap();
        assert_eq!(config.server.data, PathBuf::from("/srv/an \"odd\" place"));
        assert_eq!(config.server.listen, "127.0.0.1:9000".parse().unwrap());
        assert_eq!(config.server.trusted_proxies, answers.proxies);
        let pragma = &config.pragma;
        assert_eq!((pragma.public_host.as_str(), pragma.public_port), ("play.example.com", 443));
        assert!(pragma.public_tls);
    }

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        let plain = Public::parse("http://203.0.113.5:7350").unwrap();
        assert_eq!(plain, Public { host: "203.0.113.5".to_owned(), port: 7_350, is_tls: false });
        for wrong in ["play.example.com", "ftp://x", "https://x/path", "https://x?y", ""] {
            assert!(Public::parse(wrong).is_err(), "{wrong}");
        }
    }
}
