//! The certificate of the server's own ports.

use super::Finding;
use crate::domain::time::UnixMicros;

/// Below so many days somebody should have been there: those who renew by themselves do at 30.
const SOON_DAYS: u64 = 14;
const DAY_US: u64 = 86_400_000_000;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// From when on it is good.
    pub not_before: UnixMicros,
    /// When it lapses.
    pub not_after: UnixMicros,
    /// Names and addresses it is for.
    pub names: Vec<String>,
}

impl Certificate {
    /// Whether clients take it at this moment.
    ///
    /// # Errors
    ///
    /// Why not, in words for operators.
    pub fn check(&self, now: UnixMicros) -> Result<(), &'static str> {
        if now >= self.not_after {
            return Err("the certificate has lapsed");
        }
        if now < self.not_before {
            return Err("the certificate is not good yet: is the clock right?");
        }
        Ok(())
    }

    /// Whether it is for a name: itself, or `*` in place of its first part (RFC 6125 §6.4.3).
    pub fn is_for(&self, host: &str) -> bool {
        let rest = host.split_once('.').map(|(_, rest)| rest);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => rest.is_some_and(|rest| rest.eq_ignore_ascii_case(parent)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

/// The certificate, if the files hold one that can be used; the name players know the server by, empty:
/// any; whether others on this machine can read the key.
pub fn certificate(
    read: Result<Certificate, String>,
    host: &str,
    is_key_open: bool,
    now: UnixMicros,
) -> Finding {
    let check = "certificate";
    let found = match read {
        Ok(found) => found,
        Err(why) => return Finding::failed(check, why, "the server does not start with it"),
    };
    if let Err(why) = found.check(now) {
        return Finding::failed(check, why, "put a new one in its place; no restart is needed");
    }
    if !host.is_empty() && !found.is_for(host) {
        return Finding::failed(
            check,
            format!("it is for {} and not for {host}", found.names.join(", ")),
            "players refuse it: one for pragma.public_host",
        );
    }
    let days = found.not_after.since_us(now) / DAY_US;
    let left = format!("for {}, {days} days left", found.names.join(", "));
    if days < SOON_DAYS {
        return Finding::warning(check, left, "is anything renewing it?");
    }
    if is_key_open {
        return Finding::warning(check, "others on this machine can read its key", "chmod o-r");
    }
    Finding::ok(check, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::Level::{Failed, Ok as Good, Warning};

    const NOON: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const DAY_S: u64 = 86_400;

    fn of(names: &[&str]) -> Certificate {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Certificate { not_before: NOON, not_after: NOON.plus_secs(90 * DAY_S), names }
    }

    #[test]
    fn a_certificate_is_for_its_names_and_a_star_is_one_part() {
        let both = of(&["play.example", "*.game.example"]);
        for host in ["play.example", "PLAY.example", "eu.game.example"] {
            assert!(both.is_for(host), "{host}");
        }
        for host in ["example", "game.example", "a.eu.game.example", "xplay.example", ""] {
            assert!(!both.is_for(host), "{host}");
        }
    }

    #[test]
    fn what_players_would_refuse_fails_and_what_will_be_is_a_warning() {
        let level = |host, open, days| {
            let now = NOON.plus_secs(days * DAY_S);
            certificate(Ok(of(&["play.example"])), host, open, now).level
        };
        assert_eq!(level("", false, 0), Good);
        assert_eq!(level("play.example", false, 76), Good);
        assert_eq!(level("play.example", false, 77), Warning);
        assert_eq!(level("play.example", false, 90), Failed);
        assert_eq!(level("else.example", false, 0), Failed);
        assert_eq!(level("play.example", true, 0), Warning);
        assert_eq!(certificate(Err("no file".into()), "", false, NOON).level, Failed);
        let early = UnixMicros(NOON.0 - 1);
        assert_eq!(certificate(Ok(of(&[])), "", false, early).level, Failed);
    }
}
