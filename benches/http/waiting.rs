//! A line of a million: what it costs the server while everybody does as told, and what ten million take.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::child::Server;
use super::load::{Plan, all, connect, get, post};
use super::scenes::{field, measure, scaled};
use super::streams::Streams;

/// Admissions a second, and arrivals to make up for them.
const RATE: u64 = 500;
/// Connections of those who wait.
const CONNECTIONS: u64 = 64;
/// How long they are watched, in seconds, of which the last so many are counted: by then whoever is
/// near has confirmed as often as everybody does. `ANTEROOM_BENCH_PLAYED_S`: longer.
const PLAYED_S: u64 = 300;
const COUNTED_S: u64 = 100;
/// Fetches of the frame a second without a cache in front (`queue.frame_budget`).
const FRAMES: u64 = 300;

/// The number after a field's name.
fn number(body: &str, name: &str) -> Option<u64> {
    let value = body.split(&format!("\"{name}\":")).nth(1)?;
    value.split([',', '}']).next()?.trim().parse().ok()
}

/// Somebody who waits: when to ask, in milliseconds from the start, the ticket, and whether to open a
/// stream instead.
type Waiter = Reverse<(u64, String, bool)>;

/// What somebody who was answered does next; `None`: it is their turn.
fn next(body: &str, now_ms: u64) -> Option<Waiter> {
    let polls_ms = number(body, "poll_after_ms")?;
    let streams_ms = number(body, "after_ms");
    let at_ms = now_ms + streams_ms.unwrap_or(polls_ms) + now_ms % 1_000;
    Some(Reverse((at_ms, field(body, "ticket"), streams_ms.is_some())))
}

/// How long they are watched.
fn played_s() -> u64 {
    let said = std::env::var("ANTEROOM_BENCH_PLAYED_S").ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(PLAYED_S)
}

/// A line, and those who stand in it.
struct Line {
    server: Server,
    started: Instant,
    /// When all had entered, in milliseconds from the start.
    entered_ms: u64,
    waiters: BinaryHeap<Waiter>,
    watch: bool,
    streams: Streams,
    done: Done,
}

/// What was done since the counting began.
#[derive(Default)]
struct Done {
    since_ms: u64,
    asked: u64,
    frames: u64,
    streams: u64,
    passed: u64,
    cpu: Duration,
}

impl Line {
    /// A million enter who `watch` the frame and open streams when they are invited, or poll.
    fn new(folder: &Path, watch: bool) -> Self {
        let settings = [
            ("QUEUE__RATE", "500"),
            ("QUEUE__CAP", "100000000"),
            ("QUEUE__LINE_MAX", "20000000"),
            ("QUEUE__STREAMS_MAX", if watch { "10000" } else { "0" }),
        ];
        let (server, started) = (Server::anteroom(folder, &settings), Instant::now());
        let make = move |_| enter(watch);
        let requests = scaled(1_000_000);
        let at = server.at;
        let plan = Plan { at, connections: CONNECTIONS, requests, make: &make, keep_every: 1 };
        let (_, entered) = measure("enter", &server, &plan);
        let entered_ms = started.elapsed().as_millis() as u64;
        // Who entered first was told first.
        let told = |(body, at): (&String, u64)| next(body, entered_ms * at / requests);
        let waiters: BinaryHeap<Waiter> = entered.bodies.iter().zip(0..).filter_map(told).collect();
        println!("   {} wait after {entered_ms} ms", waiters.len());
        let streams = Streams::new(server.at);
        Self { server, started, entered_ms, waiters, watch, streams, done: Done::default() }
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// As many requests as there are connections, of whatever is due.
    fn round(&mut self, arrived: &mut u64) -> Vec<Vec<u8>> {
        let (now_ms, mut round) = (self.now_ms(), Vec::new());
        let frames = (now_ms - self.done.since_ms) * FRAMES / 1_000;
        while round.len() < CONNECTIONS as usize {
            if *arrived * 1_000 < RATE * (now_ms - self.entered_ms) {
                *arrived += 1;
                round.push(enter(self.watch));
            } else if self.watch && self.done.frames < frames {
                self.done.frames += 1;
                round.push(get("/v1/queue/frame", ""));
            } else if self.waiters.peek().is_some_and(|Reverse((due, ..))| *due <= now_ms) {
                let Some(Reverse((_, ticket, streams))) = self.waiters.pop() else { break };
                if streams {
                    self.done.streams += 1;
                    self.streams.open(ticket);
                    continue;
                }
                let path = if self.watch { "ticket?watch=1" } else { "ticket" };
                let shown = format!("Authorization: Bearer {ticket}\r\n");
                round.push(get(&format!("/v1/queue/{path}"), &shown));
            } else {
                break;
            }
        }
        round
    }

    fn heard(&mut self, bodies: &[String]) {
        let now_ms = self.now_ms();
        for body in bodies {
            self.done.passed += u64::from(body.contains("\"state\":\"passed\""));
            self.waiters.extend(next(body, now_ms));
        }
    }

    /// Lets them do as they are told.
    fn play(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut streams = runtime.block_on(connect(self.server.at, CONNECTIONS));
        let (mut arrived, mut counts) = (0, false);
        self.done.since_ms = self.entered_ms;
        let played_s = played_s();
        while self.now_ms() - self.entered_ms < played_s * 1_000 {
            if !counts && self.now_ms() - self.entered_ms > (played_s - COUNTED_S) * 1_000 {
                counts = true;
                self.streams.passed();
                let (since_ms, cpu) = (self.now_ms(), self.server.cpu());
                self.done = Done { since_ms, cpu, ..Done::default() };
            }
            let now_ms = self.now_ms();
            let again = self.streams.ended().map(|ticket| Reverse((now_ms, ticket, false)));
            self.waiters.extend(again);
            let round = self.round(&mut arrived);
            if round.is_empty() {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            self.done.asked += round.len() as u64;
            self.heard(&runtime.block_on(all(&mut streams, &round)));
            // None of them is idle for so long that the server closes it.
            streams.rotate_left(round.len());
        }
    }

    fn report(&mut self) {
        self.done.passed += self.streams.passed();
        let seconds = (self.now_ms() - self.done.since_ms) as f64 / 1e3;
        let cpu = self.server.cpu().saturating_sub(self.done.cpu).as_secs_f64();
        let due = self.waiters.peek().map_or(0, |Reverse((due, ..))| *due);
        println!(
            "=> {} waiting, {}: {:.0} requests/s ({RATE} of them entries, {:.0} frames, {:.0} \
             streams), {:.0} hear of their pass a second, {:.0} % of a core, {} ms behind\n",
            self.waiters.len(),
            if self.watch { "watching" } else { "polling" },
            (self.done.asked + self.done.streams) as f64 / seconds,
            self.done.frames as f64 / seconds,
            self.done.streams as f64 / seconds,
            self.done.passed as f64 / seconds,
            100.0 * cpu / seconds,
            self.now_ms().saturating_sub(due),
        );
    }
}

/// A place in line.
fn enter(watch: bool) -> Vec<u8> {
    post(if watch { "/v1/queue/enter?watch=1" } else { "/v1/queue/enter" }, "", "{}")
}

/// Requests a second with a million who wait, by the frame and by polling.
pub fn waiting() {
    for watch in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut line = Line::new(folder.path(), watch);
        line.play();
        line.report();
    }
}

/// What ten million who wait take of the whole process.
pub fn memory() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("QUEUE__RATE", "0"), ("QUEUE__LINE_MAX", "20000000")];
    let server = Server::anteroom(folder.path(), &settings);
    let before = server.resident_bytes();
    let enter = |_| post("/v1/queue/enter", "", "{}");
    let requests = scaled(10_000_000);
    let plan =
        Plan { at: server.at, connections: CONNECTIONS, requests, make: &enter, keep_every: 0 };
    measure("enter", &server, &plan);
    let (all, mib) = (server.resident_bytes(), f64::from(1 << 20));
    println!(
        "=> {requests} waiting: {:.0} MiB resident in all, {:.0} before, {:.1} bytes each\n",
        all as f64 / mib,
        before as f64 / mib,
        (all - before) as f64 / requests as f64
    );
}
