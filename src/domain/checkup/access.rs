//! Who can get at the server: keys, ports, proxies.

use core::net::IpAddr; // an address is a value: nothing in `core` can reach a network

use super::Finding;

/// Shortest server key that nobody guesses, in bytes.
const KEY_MIN: usize = 16;

/// The secrets file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// There is none: the first start makes it.
    Missing,
    /// It cannot be used, and why.
    Unusable(String),
    /// It is whole, and for its owner alone.
    Good,
}

/// Whether the secrets can be used.
pub fn secrets(secrets: &Secrets) -> Finding {
    let check = "secrets";
    match secrets {
        Secrets::Missing => Finding::ok(check, "there are none yet: the first start makes them"),
        Secrets::Good => Finding::ok(check, "for their owner alone"),
        Secrets::Unusable(why) => Finding::failed(
            check,
            why,
            "mend it, or put the copy you keep in its place: without it everybody signs in again",
        ),
    }
}

/// The key that every Nakama client sends. `well_known` is the one of all samples.
pub fn server_key(key: &str, well_known: &str) -> Finding {
    let check = "server key";
    let advice = "set another `server_key` in the secrets file, and ship it with your clients";
    if key == well_known {
        let found = "the one of every sample: anybody's script gets as far as your clients";
        return Finding::failed(check, found, advice);
    }
    if key.len() < KEY_MIN {
        let found = format!("{} bytes: short enough to be guessed", key.len());
        return Finding::warning(check, found, advice);
    }
    Finding::ok(check, format!("{} bytes", key.len()))
}

/// A port of operators or game servers, which speaks plain HTTP.
pub fn operators_port(what: &str, ip: IpAddr) -> Finding {
    let check = format!("{what}' port");
    let advice = "tokens pass there in the clear: bind it to loopback and put a proxy with TLS in \
                  front, or keep it in a network of your own";
    if ip.is_loopback() {
        return Finding::ok(&check, "on this machine only");
    }
    if is_private(ip) {
        return Finding::warning(&check, format!("{ip}: in the private network"), advice);
    }
    let found = format!("{ip}: open to everybody who reaches this machine");
    Finding::failed(&check, found, advice)
}

const fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Whose X-Forwarded-For is believed; whether players come through a proxy for all that is known (the
/// port is on loopback, or clients are told to use TLS, which is not spoken here).
pub fn proxies(trusted: &[IpAddr], is_behind_one: bool) -> Finding {
    let check = "proxies";
    if let Some(wide) = trusted.iter().find(|ip| ip.is_unspecified() || ip.is_multicast()) {
        return Finding::failed(
            check,
            format!("{wide} in server.trusted_proxies is no machine's address"),
            "list the address the proxy connects from",
        );
    }
    match (trusted.is_empty(), is_behind_one) {
        (true, true) => Finding::warning(
            check,
            "players seem to come through a proxy, and none is trusted",
            "limits by address count the proxy as one player: list it in server.trusted_proxies",
        ),
        (false, false) => {
            let public = trusted.iter().find(|ip| !ip.is_loopback() && !is_private(**ip));
            match public {
                Some(ip) => Finding::warning(
                    check,
                    format!("{ip} is believed whatever address it names, and is a public address"),
                    "make sure that nobody else can send from there",
                ),
                None => Finding::ok(check, format!("{} trusted", trusted.len())),
            }
        }
        (false, true) => Finding::ok(check, format!("{} trusted", trusted.len())),
        (true, false) => Finding::ok(check, "none: X-Forwarded-For is ignored"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::Level::{Failed, Ok, Warning};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn known_and_short_keys_are_told_and_never_shown() {
        assert_eq!(server_key("defaultkey", "defaultkey").level, Failed);
        let short = server_key("hunter2", "defaultkey");
        assert_eq!(short.level, Warning);
        assert!(!format!("{short:?}").contains("hunter2"));
        assert_eq!(server_key("a-key-that-is-long-enough", "defaultkey").level, Ok);
    }

    #[test]
    fn open_ports_of_operators_are_told() {
        for (address, level) in [
            ("127.0.0.1", Ok),
            ("::1", Ok),
            ("10.0.0.5", Warning),
            ("fd00::1", Warning),
            ("0.0.0.0", Failed),
            ("203.0.113.5", Failed),
            ("::", Failed),
        ] {
            let finding = operators_port("operators", ip(address));
            assert_eq!(finding.level, level, "{address}");
            assert_eq!(finding.check, "operators' port");
        }
    }

    #[test]
    fn proxies_that_are_missing_or_too_many_are_told() {
        assert_eq!(proxies(&[], false).level, Ok);
        assert_eq!(proxies(&[], true).level, Warning);
        assert_eq!(proxies(&[ip("127.0.0.1")], true).level, Ok);
        assert_eq!(proxies(&[ip("0.0.0.0")], true).level, Failed);
        assert_eq!(proxies(&[ip("203.0.113.5")], false).level, Warning);
    }

    #[test]
    fn secrets_that_cannot_be_used_are_told() {
        assert_eq!(secrets(&Secrets::Good).level, Ok);
        assert_eq!(secrets(&Secrets::Missing).level, Ok);
        let open = secrets(&Secrets::Unusable("others may read it".to_owned()));
        assert_eq!((open.level, open.found.as_str()), (Failed, "others may read it"));
    }
}
