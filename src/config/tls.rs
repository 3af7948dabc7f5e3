//! `[tls]`: certificates for the server's own ports.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[tls]`: https, wss and gRPC over TLS without a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// File with the certificate and those that lead to its root, in PEM, the server's own first.
    /// Empty: no TLS. Its contents are read again when it changes, and by SIGHUP.
    pub certificate: PathBuf,
    /// File with the certificate's key, in PEM.
    pub key: PathBuf,
    /// Which ports speak TLS, and nothing else: "players", "grpc", "operators", "partners", and
    /// "pragma" for all of Pragma's own.
    pub listeners: Vec<Ports>,
    /// Oldest version of TLS that is spoken: "1.2" or "1.3".
    pub min_version: MinVersion,
    /// `[tls.acme]`
    pub acme: AcmeConfig,
}

/// `[tls.acme]`: an authority that the server asks for its certificates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeConfig {
    /// Names the certificate is for. Empty: certificates come by the files of `[tls]`. With names they
    /// are fetched into these files and renewed there. The authority must reach a port of `listeners`
    /// other than "grpc" under each name at 443, through nothing that ends TLS.
    pub domains: Vec<String>,
    /// That you agree to the terms of the authority: without, it is not asked.
    pub agree_to_terms: bool,
    /// An e-mail address for what the authority has to say. Empty: none.
    pub contact: String,
    /// Address of the authority's directory.
    pub directory: String,
    /// File with the root certificate of the directory's own address, in PEM. Empty: those of this
    /// machine.
    pub directory_root: PathBuf,
}

/// Ports that have TLS together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ports {
    /// Players' HTTP and sockets.
    Players,
    /// Players' gRPC.
    Grpc,
    /// Operators'.
    Operators,
    /// Game servers'.
    Partners,
    /// Pragma's own six.
    Pragma,
}

/// The oldest version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MinVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            listeners: vec![Ports::Players, Ports::Grpc],
            min_version: MinVersion::default(),
            acme: AcmeConfig::default(),
        }
    }
}

impl Default for AcmeConfig {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            agree_to_terms: false,
            contact: String::new(),
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            directory_root: PathBuf::new(),
        }
    }
}

impl AcmeConfig {
    /// Whether the server fetches its certificates.
    pub fn is_on(&self) -> bool {
        !self.domains.is_empty()
    }
}

impl TlsConfig {
    /// Whether there is TLS at all.
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// Whether these ports speak TLS.
    pub fn serves(&self, ports: Ports) -> bool {
        self.is_on() && self.listeners.contains(&ports)
    }
}

/// Most names of a certificate: the limit of the authority most people use.
const DOMAINS_MAX: usize = 100;

impl TlsConfig {
    /// The first thing that cannot be right: its key and why.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let has_key = !self.key.as_os_str().is_empty();
        if self.is_on() != has_key {
            return Some(("tls.key", "goes with tls.certificate: both or none"));
        }
        if !self.acme.is_on() {
            return None;
        }
        let is_name = |name: &String| {
            let is_of_parts = name.contains('.') && !name.split('.').any(str::is_empty);
            let is_plain = name.bytes().all(|it| it.is_ascii_alphanumeric() || b".-".contains(&it));
            is_of_parts
                && is_plain
                && name.len() <= 253
                && name.parse::<std::net::IpAddr>().is_err()
        };
        if cfg!(not(feature = "acme")) {
            Some(("tls.acme.domains", "this program was built without the feature acme"))
        } else if self.acme.domains.len() > DOMAINS_MAX || !self.acme.domains.iter().all(is_name) {
            Some((
                "tls.acme.domains",
                "must be at most 100 names such as play.example.com, none with a *",
            ))
        } else if !self.is_on() {
            Some(("tls.certificate", "must say where fetched certificates are kept"))
        } else if self.listeners.iter().all(|it| *it == Ports::Grpc) {
            Some(("tls.listeners", "must have a port besides grpc, where the authority looks"))
        } else if !self.acme.agree_to_terms {
            Some(("tls.acme.agree_to_terms", "must be true: the authority asks for it"))
        } else if !self.acme.directory.starts_with("https://") {
            Some(("tls.acme.directory", "must be an https:// address"))
        } else if !self.acme.contact.is_empty() && !self.acme.contact.contains('@') {
            Some(("tls.acme.contact", "must be an e-mail address, or empty"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_authority_needs_is_asked_for_at_the_start() {
        let good = || TlsConfig {
            certificate: "tls/certificate.pem".into(),
            key: "tls/key.pem".into(),
            acme: AcmeConfig {
                domains: vec!["play.example.com".to_owned()],
                agree_to_terms: true,
                ..AcmeConfig::default()
            },
            ..TlsConfig::default()
        };
        let problem = |set: fn(&mut TlsConfig)| {
            let mut config = good();
            set(&mut config);
            config.problem().map(|(key, _)| key)
        };
        if cfg!(not(feature = "acme")) {
            assert_eq!(problem(|_| {}), Some("tls.acme.domains"));
            return;
        }
        assert_eq!(problem(|_| {}), None);
        for name in ["*.example.com", "example", "a..b", "1.2.3.4", "exa mple.com", "x.com/y", ""] {
            let mut config = good();
            config.acme.domains.push(name.to_owned());
            assert_eq!(config.problem().map(|it| it.0), Some("tls.acme.domains"), "{name}");
        }
        let nowhere = |it: &mut TlsConfig| (it.certificate, it.key) = Default::default();
        assert_eq!(problem(nowhere), Some("tls.certificate"));
        assert_eq!(problem(|it| it.key = PathBuf::new()), Some("tls.key"));
        assert_eq!(problem(|it| it.listeners = vec![Ports::Grpc]), Some("tls.listeners"));
        assert_eq!(problem(|it| it.acme.agree_to_terms = false), Some("tls.acme.agree_to_terms"));
        assert_eq!(problem(|it| it.acme.directory = "http://x".into()), Some("tls.acme.directory"));
        assert_eq!(problem(|it| it.acme.contact = "me".into()), Some("tls.acme.contact"));
    }
}
