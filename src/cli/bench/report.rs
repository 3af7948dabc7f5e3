//! What was measured: one value for people (a table) and for machines (JSON).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::args::{Curve, LaunchArgs, Mix};
use super::probe::Probed;
use super::score::{self, EtaError, Times, Windows};
use super::tally::Tally;
use super::watch::Seen;

/// Everything measured. Names are stable: scripts read them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) asked: Asked,
    pub(super) players: Players,
    pub(super) admissions: Admissions,
    pub(super) order_inversions: u64,
    pub(super) slots: Slots,
    pub(super) eta: Eta,
    /// Microseconds, from sending to the last byte.
    pub(super) calls: BTreeMap<&'static str, Times>,
    pub(super) server: Option<Server>,
    /// Measured before the launch on idle servers of their own.
    pub(super) probed: Probed,
    pub(super) errors: BTreeMap<String, u64>,
    /// Promises that were not kept, in words.
    pub(super) broken: Vec<String>,
}

/// The launch that was played.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    pub(super) players: u32,
    pub(super) rate: f64,
    pub(super) burst: f64,
    pub(super) cap: u64,
    pub(super) curve: Curve,
    pub(super) over_s: f64,
    pub(super) patience_s: f64,
    pub(super) session_s: f64,
    pub(super) mix: Mix,
    pub(super) seed: u64,
}

/// What became of the players.
#[derive(Debug, Serialize)]
pub(super) struct Players {
    pub(super) admitted: usize,
    pub(super) went_online: usize,
    pub(super) gave_up: u64,
    pub(super) still_waiting: u64,
    pub(super) failed: u64,
}

/// Admissions against the rate.
#[derive(Debug, Serialize)]
pub(super) struct Admissions {
    /// From the server's own count; `null`: it shows none.
    pub(super) counted: Option<Windows>,
    /// Most in one second of the clock, by the passes of Pragma's players alone.
    pub(super) busiest_second_by_passes: u64,
    /// What the rate allows in one second.
    pub(super) allowed_in_a_second: f64,
    /// Share of the rate used from the first admission until the cap was nearly reached.
    pub(super) rate_used_until_full: Option<f64>,
}

/// Players online against the cap.
#[derive(Debug, Serialize)]
pub(super) struct Slots {
    /// Most online at once, for certain.
    pub(super) most_online: u64,
    /// Most slots in use, by the server's count: online, signed in, with a pass, in grace.
    pub(super) most_used: Option<u64>,
    /// Mean share of the cap in use, from nearly full until nobody was told to wait any more; by
    /// the server's count, or without one by the players online.
    pub(super) used_when_full: Option<f64>,
}

/// How wrong estimates were.
#[derive(Debug, Serialize)]
pub(super) struct Eta {
    /// Only estimates whose true wait was at least this long count.
    pub(super) from_s: f64,
    pub(super) all: Option<EtaError>,
    /// Those told when 98 % of the slots were taken.
    pub(super) once_full: Option<EtaError>,
}

/// The server's process during the launch.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub(super) cpu_s: f64,
    /// All calls, sockets and admissions together.
    pub(super) cpu_us_per_call: f64,
    pub(super) rss_before: u64,
    pub(super) rss_most: u64,
}

#[expect(clippy::cast_precision_loss, reason = "counts and spans of one run")]
impl Report {
    pub(super) fn new(args: &LaunchArgs, tally: Tally, seen: &Seen, probed: Probed) -> Self {
        let calls = tally.call_count();
        let nearly_full = (args.cap.saturating_mul(98)).div_ceil(100).max(1);
        let (most_online, full_online) = score::online(&tally.online, nearly_full);
        let full = score::filled(&seen.readings, nearly_full).or(full_online);
        let from = score::micros(args.eta_from);
        let eta = |since| score::eta_error(&tally.guesses, from, since);
        let burst = burst(args);
        Self {
            asked: asked(args, burst),
            players: Players {
                admitted: tally.admissions.len(),
                went_online: tally.online.len(),
                gave_up: tally.gave_up,
                still_waiting: tally.left_over,
                failed: tally.failed,
            },
            admissions: Admissions {
                counted: (seen.readings.len() > 1)
                    .then(|| score::windows(&seen.readings, args.rate, burst)),
                busiest_second_by_passes: score::busiest_second(&tally.admissions),
                allowed_in_a_second: args.rate + burst + 1.0,
                rate_used_until_full: score::rate_used(&seen.readings, args.rate, full),
            },
            order_inversions: score::inversions(&tally.admissions, &tally.waits),
            slots: Slots {
                most_online,
                most_used: seen.readings.iter().filter_map(|reading| reading.used).max(),
                used_when_full: full.and_then(|full| {
                    let last = tally.waits.iter().map(|wait| wait.asked).max()?;
                    let used = score::mean_used(&seen.readings, full, last)
                        .or_else(|| score::mean_online(&tally.online, full, last))?;
                    Some(used / args.cap as f64)
                }),
            },
            eta: Eta { from_s: args.eta_from, all: eta(0), once_full: full.and_then(eta) },
            calls: tally
                .calls
                .into_iter()
                .map(|(call, micros)| (call.name(), score::times(micros)))
                .collect(),
            server: server(seen, calls),
            probed,
            errors: tally.errors,
            broken: Vec::new(),
        }
    }
}

/// The burst the server works with: as in `queue.burst`.
fn burst(args: &LaunchArgs) -> f64 {
    if args.burst == 0 { (args.rate * 0.02).ceil().max(1.0) } else { f64::from(args.burst) }
}

fn asked(args: &LaunchArgs, burst: f64) -> Asked {
    Asked {
        players: args.players,
        rate: args.rate,
        burst,
        cap: args.cap,
        curve: args.curve,
        over_s: args.over,
        patience_s: args.patience,
        session_s: args.session,
        mix: args.mix(),
        seed: args.seed,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn server(seen: &Seen, calls: usize) -> Option<Server> {
    let (first, last) = (seen.first?, seen.last?);
    let cpu_s = last.cpu_s - first.cpu_s;
    Some(Server {
        cpu_s,
        cpu_us_per_call: cpu_s * 1e6 / calls.max(1) as f64,
        rss_before: first.rss,
        rss_most: seen.most_rss,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcome(f)?;
        writeln!(
            f,
            "\n{:24} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "call", "count", "p50 ms", "p95 ms", "p99 ms", "max ms"
        )?;
        for (name, times) in &self.calls {
            let ms = |micros: u32| f64::from(micros) / 1_000.0;
            let Times { count, p50, p95, p99, max } = *times;
            let (p50, p95, p99, max) = (ms(p50), ms(p95), ms(p99), ms(max));
            writeln!(f, "{name:24} {count:>9} {p50:>9.2} {p95:>9.2} {p99:>9.2} {max:>9.2}")?;
        }
        if let Some(server) = &self.server {
            let mib = |bytes: u64| bytes / (1 << 20);
            writeln!(
                f,
                "\nserver CPU              {:>9.2} s, {:.1} µs a call",
                server.cpu_s, server.cpu_us_per_call
            )?;
            writeln!(
                f,
                "server memory           {:>9} MiB before, {} MiB at most",
                mib(server.rss_before),
                mib(server.rss_most)
            )?;
        }
        write!(f, "{}", self.probed)?;
        for (words, times) in &self.errors {
            writeln!(f, "error {times:>6} × {words}")?;
        }
        for words in &self.broken {
            writeln!(f, "BROKEN: {words}")?;
        }
        Ok(())
    }
}

impl Report {
    fn outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Players { admitted, went_online, gave_up, still_waiting, failed } = self.players;
        writeln!(f, "players                 {:>9}", self.asked.players)?;
        writeln!(f, "  admitted, online      {admitted:>9} {went_online}")?;
        writeln!(f, "  gave up, still wait   {gave_up:>9} {still_waiting}")?;
        writeln!(f, "  failed                {failed:>9}")?;
        let admissions = &self.admissions;
        writeln!(
            f,
            "rate                    {:>9}/s, {:.0} allowed in any second",
            self.asked.rate, admissions.allowed_in_a_second
        )?;
        match &admissions.counted {
            Some(windows) => {
                writeln!(
                    f,
                    "  busiest second        {:>9.0} by the server's count",
                    windows.busiest_second
                )?;
                writeln!(
                    f,
                    "  above the bound       {:>9.0} in the worst window",
                    windows.above_bound
                )?;
            }
            None => writeln!(f, "  the server shows no count of admissions")?,
        }
        writeln!(
            f,
            "  busiest second        {:>9} by passes alone",
            admissions.busiest_second_by_passes
        )?;
        if let Some(used) = admissions.rate_used_until_full {
            writeln!(f, "  used until full       {:>9.1} %", used * 100.0)?;
        }
        writeln!(f, "order inversions        {:>9}", self.order_inversions)?;
        writeln!(
            f,
            "cap                     {:>9}, most online {}",
            self.asked.cap, self.slots.most_online
        )?;
        if let Some(most) = self.slots.most_used {
            writeln!(f, "  most in use           {most:>9} by the server's count")?;
        }
        if let Some(used) = self.slots.used_when_full {
            writeln!(f, "  used when full        {:>9.1} %", used * 100.0)?;
        }
        for (name, error) in
            [("error of estimates", &self.eta.all), ("  once full", &self.eta.once_full)]
        {
            if let Some(EtaError { estimates, median, p90 }) = error {
                writeln!(
                    f,
                    "{name:23} {:>9.1} % median, {:.1} % p90, of {estimates} whose wait was {} s or more",
                    median * 100.0,
                    p90 * 100.0,
                    self.eta.from_s
                )?;
            }
        }
        Ok(())
    }
}
