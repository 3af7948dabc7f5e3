//! What can be asked of a measurement.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// A launch: players arrive, stand in line, sign in, are online, leave
    Launch(Box<LaunchArgs>),
}

/// How players arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// Most at once, then fewer and fewer: a launch. `--over` is the mean
    Ramp,
    /// Evenly over `--over` seconds
    Steady,
    /// All in the first second
    Burst,
}

/// A launch and the server it is measured on.
#[derive(Clone, Debug, Args)]
pub struct LaunchArgs {
    /// Server to measure, as <http://HOST:PORT>; without it, an own one on a free port
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Where the target shows its metrics [default: one port above the target]
    #[arg(long, value_name = "URL")]
    pub metrics: Option<String>,
    /// The target is not on this machine, and it is mine
    #[arg(long)]
    pub i_own_this: bool,
    /// Players who want in
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub players: u32,
    /// Admissions per second: set on an own server, expected of a target
    #[arg(long, default_value_t = 100.0)]
    pub rate: f64,
    /// Slots: set on an own server, expected of a target
    #[arg(long, default_value_t = 1_500)]
    pub cap: u64,
    /// Admissions at once after a pause; 0: 2 % of the rate
    #[arg(long, default_value_t = 0)]
    pub burst: u32,
    /// How players arrive
    #[arg(long, value_enum, default_value_t = Curve::Ramp)]
    pub curve: Curve,
    /// Time the arrivals take, in seconds
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub over: f64,
    /// Mean patience of a player in line, in seconds; 0: endless
    #[arg(long, default_value_t = 300.0, value_name = "SECONDS")]
    pub patience: f64,
    /// Mean time a player stays online, in seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    pub session: f64,
    /// All players by one protocol, instead of the mix
    #[arg(long, value_enum, conflicts_with = "mix")]
    pub protocol: Option<Protocol>,
    /// Shares of Pragma players, Nakama players by device, and by e-mail and password
    #[arg(long, default_value = "60,38,2", value_name = "P,D,E", value_parser = mix)]
    pub mix: Mix,
    /// The measurement ends after this many seconds, however many still wait
    #[arg(long, default_value_t = 90.0, value_name = "SECONDS")]
    pub limit: f64,
    /// Estimates are scored when the true wait was at least this long, in seconds
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub eta_from: f64,
    /// What the target adds to estimates (`queue.seconds_to_login`); 0 on an own server
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub seconds_to_login: f64,
    /// Life of a pass on the target (`queue.pass_ttl_s`)
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub pass_ttl: u64,
    /// Nakama's server key of the target
    #[arg(long, default_value = "defaultkey")]
    pub server_key: String,
    /// Tickets to measure memory and CPU with before the launch, on an own server; 0: not at all
    #[arg(long, default_value_t = 200_000)]
    pub probe_tickets: u32,
    /// Sockets to measure memory with before the launch, on an own server; 0: not at all
    #[arg(long, default_value_t = 2_000)]
    pub probe_sockets: u32,
    /// Threads that play
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: u8,
    /// The same number, the same players
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write what was measured
    #[arg(long, default_value = "bench-launch.json", value_name = "FILE")]
    pub json: PathBuf,
}

/// One of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// Queue, pass, `authenticateOrCreateV2`, two sockets.
    Pragma,
    /// Sign-in by device, one socket.
    Nakama,
}

impl Protocol {
    /// The mix that is nothing else.
    pub(super) const fn mix(self) -> Mix {
        match self {
            Self::Pragma => Mix { pragma: 1.0, device: 0.0, email: 0.0 },
            Self::Nakama => Mix { pragma: 0.0, device: 1.0, email: 0.0 },
        }
    }
}

/// Shares of the ways to sign in.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Mix {
    /// Pragma, UNSAFE provider, with queue and pass.
    pub pragma: f64,
    /// Nakama by device, implicit ticket.
    pub device: f64,
    /// Nakama by e-mail and password, implicit ticket.
    pub email: f64,
}

fn mix(text: &str) -> Result<Mix, String> {
    let parts: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.as_deref() {
        Ok(&[pragma, device, email])
            if [pragma, device, email].iter().all(|share| *share >= 0.0)
                && pragma + device + email > 0.0 =>
        {
            Ok(Mix { pragma, device, email })
        }
        _ => Err("three shares, none negative: Pragma, device, e-mail, like 60,38,2".into()),
    }
}

impl LaunchArgs {
    /// The shares that are played.
    pub(super) fn mix(&self) -> Mix {
        self.protocol.map_or(self.mix, Protocol::mix)
    }

    /// Refuses what would hurt somebody, or cannot be measured.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (name, value) in [
            ("--rate", self.rate),
            ("--over", self.over),
            ("--patience", self.patience),
            ("--session", self.session),
            ("--limit", self.limit),
        ] {
            ensure!(value.is_finite() && value >= 0.0, "{name} must not be negative");
        }
        if let Some(target) = &self.target {
            ensure!(
                self.i_own_this || is_loopback(target)?,
                "{target} is not this machine: a launch would hit somebody's server; \
                 if it is yours, say --i-own-this"
            );
        }
        Ok(())
    }
}

/// Whether every address of the target's host is this machine.
fn is_loopback(target: &str) -> anyhow::Result<bool> {
    let authority = authority(target)?;
    let addresses = authority.to_socket_addrs().with_context(|| format!("cannot find {target}"))?;
    let all: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
    Ok(!all.is_empty() && all.iter().all(IpAddr::is_loopback))
}

/// `HOST:PORT` of an address like `http://HOST:PORT`.
pub(super) fn authority(url: &str) -> anyhow::Result<String> {
    let rest = url.strip_prefix("http://").context("the target must start with http://")?;
    let authority = rest.trim_end_matches('/');
    let plain = !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']);
    ensure!(plain, "the target must look like http://HOST:PORT");
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { authority.to_owned() } else { format!("{authority}:80") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_measured_without_asking() {
        for (target, here) in [
            ("http://127.0.0.1:7350", true),
            ("http://127.9.9.9:1/", true),
            ("http://localhost:7350", true),
            ("http://[::1]:7350", true),
            ("http://192.0.2.1:7350", false),
            ("http://0.0.0.0:7350", false),
        ] {
            assert_eq!(is_loopback(target).unwrap(), here, "{target}");
        }
        for odd in
            ["https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1@192.0.2.1:80", "http://"]
        {
            assert!(is_loopback(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_mix_is_three_shares() {
        assert_eq!(mix("1, 0,2"), Ok(Mix { pragma: 1.0, device: 0.0, email: 2.0 }));
        for odd in ["", "1,2", "1,2,3,4", "0,0,0", "-1,1,1", "a,b,c"] {
            assert!(mix(odd).is_err(), "{odd}");
        }
    }
}
