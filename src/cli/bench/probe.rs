//! What one thing costs, measured alone on a server that does nothing else: memory of a ticket and
//! of a socket, CPU of each call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::stream::{StreamExt as _, iter};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::LaunchArgs;
use super::child::Child;
use super::launch::{shard, usher};
use super::player::Let;
use super::stage::{Scene, Stage};
use super::tally::Call;
use super::{nakama, pragma, socket};

/// Calls in flight.
const WIDTH: usize = 64;
/// Calls that bring a fresh server to its working size before anything is measured.
const WARM_UP: u32 = 2_000;

/// Heartbeats of each socket.
const BEATS: u32 = 10;

/// What was found. `null`: not measured.
#[derive(Debug, Default, Serialize)]
pub(super) struct Probed {
    /// Resident bytes of the process for each waiting ticket.
    pub(super) bytes_per_ticket: Option<f64>,
    /// Resident bytes of the process for each idle socket with a status.
    pub(super) bytes_per_socket: Option<f64>,
    /// Resident bytes of the process for each idle Pragma socket, of which a player has two.
    pub(super) bytes_per_pragma_socket: Option<f64>,
    /// CPU of the server for each call, in microseconds.
    pub(super) cpu_us: BTreeMap<&'static str, f64>,
}

/// Measures on own servers.
pub(super) async fn run(args: &LaunchArgs) -> anyhow::Result<Probed> {
    let mut probed = Probed::default();
    if args.probe_tickets > 0 {
        tickets(args, &mut probed).await.context("measuring tickets")?;
    }
    if args.probe_sockets > 0 {
        sockets(args, &mut probed).await.context("measuring sockets")?;
        pragma_logins(args, &mut probed).await.context("measuring Pragma's path")?;
    }
    Ok(probed)
}

/// Nobody is admitted, so all who come wait.
async fn tickets(args: &LaunchArgs, probed: &mut Probed) -> anyhow::Result<()> {
    let child = Child::start(&[("QUEUE__RATE", "0".into())]).await?;
    let probe = Probe::new(args, child);
    let enter = async |_| match pragma::queue(&probe.stage, None).await? {
        Let::Wait(queued) => Ok(queued.ticket),
        Let::In { .. } => Err("nobody should be let in".to_owned()),
    };
    probe.times("warm up", WARM_UP, enter).await?;
    let before = probe.usage()?;
    let tickets = probe.times("tickets", args.probe_tickets, enter).await?;
    let waiting = probe.usage()?;
    let check = async |one: u32| {
        let ticket = tickets.get(one as usize).and_then(Option::as_deref);
        pragma::queue(&probe.stage, ticket).await.map(drop)
    };
    probe.times("polls", args.probe_tickets, check).await?;
    let polled = probe.usage()?;
    let each = f64::from(args.probe_tickets);
    probed.bytes_per_ticket = Some(grown(before.rss, waiting.rss) / each);
    let mut cpu =
        |call: Call, seconds: f64| probed.cpu_us.insert(call.name(), seconds * 1e6 / each);
    cpu(Call::PragmaEnter, waiting.cpu_s - before.cpu_s);
    cpu(Call::PragmaCheck, polled.cpu_s - waiting.cpu_s);
    Ok(())
}

/// No line: sign-ins, then sockets that stay open.
async fn sockets(args: &LaunchArgs, probed: &mut Probed) -> anyhow::Result<()> {
    let child = Child::start(&[
        ("QUEUE__GATE", "off".into()),
        ("QUEUE__CAP", "1000000".into()),
        ("QUEUE__RATE", "100000".into()),
    ])
    .await?;
    let probe = Probe::new(args, child);
    let sign_in = async |one: u32| {
        let name = format!("bench-probe-{one:09}");
        match nakama::sign_in(&probe.stage, &name, false).await? {
            Let::In { with, .. } => Ok(with),
            Let::Wait(_) => Err("nobody should have to wait".to_owned()),
        }
    };
    let count = args.probe_sockets;
    let start = probe.usage()?;
    probe.times("new accounts", count, sign_in).await?;
    let created = probe.usage()?;
    let tokens = probe.times("sign-ins", count, sign_in).await?;
    let before = probe.usage()?;
    let open = async |one: u32| {
        let token = &tokens[one as usize];
        let path = format!("/ws?lang=en&status=true&format=json&token={token}");
        socket::open(&probe.stage, &path, "").await
    };
    let wires = probe.times("sockets", count, open).await?;
    let after = probe.usage()?;
    let each = f64::from(count);
    probed.bytes_per_socket = Some(grown(before.rss, after.rss) / each);
    let mut cpu =
        |name: &'static str, seconds: f64| probed.cpu_us.insert(name, seconds * 1e6 / each);
    cpu("new account by device", created.cpu_s - start.cpu_s);
    cpu(Call::NakamaDevice.name(), before.cpu_s - created.cpu_s);
    cpu(Call::SocketOpen.name(), after.cpu_s - before.cpu_s);
    drop(wires);
    Ok(())
}

/// A line that lets everybody in at once: the whole way in by each protocol, for players who are new;
/// then Pragma's two sockets and what a heartbeat costs.
async fn pragma_logins(args: &LaunchArgs, probed: &mut Probed) -> anyhow::Result<()> {
    let child = Child::start(&[
        ("QUEUE__CAP", "1000000".into()),
        ("QUEUE__RATE", "100000".into()),
        ("QUEUE__BURST", "10000".into()),
    ])
    .await?;
    let mut usher = usher(args, &child.authority, &Arc::default());
    usher.shard = shard(&usher.open()).await?;
    let probe = Probe { child, stage: usher.open() };
    let count = args.probe_sockets;
    let by_device = async |one: u32| {
        let name = format!("bench-login-{one:09}");
        match nakama::sign_in(&probe.stage, &name, false).await? {
            Let::In { .. } => Ok(()),
            Let::Wait(_) => Err("nobody should have to wait".to_owned()),
        }
    };
    let by_pass = async |one: u32| match pragma::queue(&probe.stage, None).await? {
        Let::In { with, .. } => {
            pragma::sign_in(&probe.stage, &format!("bench-pragma-{one:09}"), &with).await
        }
        Let::Wait(_) => Err("nobody should have to wait".to_owned()),
    };
    let start = probe.usage()?;
    probe.times("by device", count, by_device).await?;
    let devices = probe.usage()?;
    let tokens = probe.times("by pass", count, by_pass).await?;
    let before = probe.usage()?;
    let open = async |one: u32| {
        let (social, game) = &tokens[one as usize];
        socket::pragma_pair(&probe.stage, social, game).await
    };
    let mut wires = probe.times("socket pairs", count, open).await?;
    let opened = probe.usage()?;
    let beats = probe.heartbeats(&mut wires).await?;
    let beaten = probe.usage()?;
    let each = f64::from(count);
    probed.bytes_per_pragma_socket = Some(grown(before.rss, opened.rss) / (2.0 * each));
    let mut cpu = |name: &'static str, seconds: f64, each: f64| {
        probed.cpu_us.insert(name, seconds * 1e6 / each)
    };
    cpu("login, new: device, in line", devices.cpu_s - start.cpu_s, each);
    cpu("login, new: queue, pass, V2", before.cpu_s - devices.cpu_s, each);
    cpu("open a pair of sockets", opened.cpu_s - before.cpu_s, each);
    cpu(Call::SocketHeartbeat.name(), beaten.cpu_s - opened.cpu_s, f64::from(beats));
    drop(wires);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
fn grown(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64
}

struct Probe {
    child: Child,
    stage: Stage,
}

impl Probe {
    fn new(args: &LaunchArgs, child: Child) -> Self {
        let scene = Arc::new(Scene::default());
        let stage = usher(args, &child.authority, &scene).open();
        Self { child, stage }
    }

    fn usage(&self) -> anyhow::Result<super::process::Usage> {
        self.child.process().usage().context("the server has ended")
    }

    /// Every socket says that it is alive, over and over, some at once. Gives how many beats were
    /// answered.
    async fn heartbeats(&self, pairs: &mut [socket::Pair]) -> anyhow::Result<u32> {
        let beats = iter(pairs.iter_mut()).map(async |pair| {
            for _ in 0..BEATS {
                socket::heartbeats(&self.stage, pair).await?;
            }
            Ok::<_, String>(2 * BEATS)
        });
        let done: Vec<_> = beats.buffer_unordered(WIDTH).collect().await;
        let done: Result<Vec<u32>, String> = done.into_iter().collect();
        Ok(done.map_err(anyhow::Error::msg)?.into_iter().sum())
    }

    /// Does something so many times, some at once. The first fault ends it.
    async fn times<T>(
        &self,
        name: &'static str,
        count: u32,
        job: impl AsyncFn(u32) -> Result<T, String>,
    ) -> anyhow::Result<Vec<T>> {
        let style = ProgressStyle::with_template("{prefix:>12} {bar:40} {pos:>8} of {len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(count.into()).with_style(style).with_prefix(name);
        let mut done = Vec::new();
        let mut fault = None;
        let mut jobs = iter(0..count).map(|one| job(one)).buffer_unordered(WIDTH);
        while let Some(result) = jobs.next().await {
            match result {
                Ok(result) => done.push(result),
                Err(words) => {
                    fault = Some(words);
                    break;
                }
            }
            bar.inc(1);
        }
        drop(jobs);
        bar.finish_and_clear();
        match fault {
            None => Ok(done),
            Some(words) => Err(anyhow::anyhow!(
                "{words}; the server's last words:\n{}",
                self.child.last_words()
            )),
        }
    }
}

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bytes) = self.bytes_per_ticket {
            writeln!(f, "memory of a ticket      {bytes:>9.0} bytes")?;
        }
        if let Some(bytes) = self.bytes_per_socket {
            writeln!(f, "memory of a socket      {bytes:>9.0} bytes")?;
        }
        if let Some(bytes) = self.bytes_per_pragma_socket {
            writeln!(f, "memory of a Pragma socket {bytes:>7.0} bytes, two for a player")?;
        }
        for (name, micros) in &self.cpu_us {
            writeln!(f, "CPU of {name:28} {micros:>6.1} µs")?;
        }
        Ok(())
    }
}
