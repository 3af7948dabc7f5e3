//! What systemd hears of the server (`sd_notify(3)`), where it has started it and asks to hear.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Tells a supervisor, if there is one. What it does not hear it asks for in its own way, by a timeout.
#[derive(Debug)]
pub struct Supervisor(Option<(UnixDatagram, SocketAddr)>);

impl Supervisor {
    /// The one whose socket the environment names (`NOTIFY_SOCKET`).
    pub fn of_environment() -> Self {
        Self::at(std::env::var_os("NOTIFY_SOCKET"))
    }

    fn at(name: Option<OsString>) -> Self {
        let address = name.and_then(|name| match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
            _ => SocketAddr::from_pathname(&name).ok(),
        });
        Self(address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address))))
    }

    /// The server answers.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The server stops, in good order.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// The server is not stuck.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    fn tell(&self, what: &str) {
        if let Some((socket, address)) = &self.0 {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }
}

/// How often the supervisor wants to hear that the server is not stuck (`WATCHDOG_USEC`), if at all.
pub fn watchdog() -> Option<Duration> {
    let of = |name: &str| std::env::var(name).ok();
    let for_us = of("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
    let micros: u64 = of("WATCHDOG_USEC")?.parse().ok()?;
    (for_us && micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_hears_by_path_and_by_name_and_none_is_no_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let hears = UnixDatagram::bind(&path).unwrap();
        Supervisor::at(Some(path.into_os_string())).ready();
        let name = format!("anteroom-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        Supervisor::at(Some(format!("@{name}").into())).stopping();
        let mut said = [0; 32];
        let length = hears.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"READY=1");
        let length = by_name.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"STOPPING=1");
        Supervisor::at(None).alive();
    }
}
