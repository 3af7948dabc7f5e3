//! The scenes of the figures.

use std::time::Duration;

use super::child::{Server, disk_bytes};
use super::load::{Plan, Run, post, run};

pub const KEY: &str = "Authorization: Basic ZGVmYXVsdGtleTo=\r\n";
pub const OPEN: [(&str, &str); 3] =
    [("QUEUE__RATE", "100000"), ("QUEUE__BURST", "10000"), ("QUEUE__CAP", "100000000")];

pub fn scaled(n: u64) -> u64 {
    let scale = std::env::var("SCALE").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    (n as f64 * scale) as u64
}

pub struct Measured {
    pub per_second: f64,
    pub cpu_us: f64,
}

/// Runs a plan and says what it cost the server.
pub fn measure(name: &str, server: &Server, plan: &Plan<'_>) -> (Measured, Run) {
    let before = server.cpu();
    let run = run(plan);
    let cpu: Duration = server.cpu().saturating_sub(before);
    let measured = Measured {
        per_second: run.per_second(),
        cpu_us: cpu.as_secs_f64() * 1e6 / run.requests as f64,
    };
    println!(
        "{name:<34} {:>9.0}/s  {:>6.1} µs CPU each   p50 {:>6} p99 {:>6} µs   not 200: {}",
        measured.per_second,
        measured.cpu_us,
        run.percentile_us(0.5),
        run.percentile_us(0.99),
        run.not_200
    );
    (measured, run)
}

/// The text of a field in a JSON object.
pub fn field(body: &str, name: &str) -> String {
    let value = body.split(&format!("\"{name}\":\"")).nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}

/// Bare, ours, bare, ours: the ratio of the sums, so that a drifting machine cancels out.
pub fn beside_bare(
    name: &str,
    ours: &Server,
    requests: u64,
    make: &(dyn Fn(u64) -> Vec<u8> + Sync),
    bare_body: &str,
) {
    let bare = Server::bare();
    let bare_request = |_| post("/", "", bare_body);
    let (mut rate, mut cpu) = ((0.0, 0.0), (0.0, 0.0));
    for _ in 0..3 {
        let plan = |at, make| Plan { at, connections: 64, requests, make, keep_every: 0 };
        let (theirs, _) = measure("bare POST", &bare, &plan(bare.at, &bare_request));
        let (mine, _) = measure(name, ours, &plan(ours.at, make));
        rate = (rate.0 + mine.per_second, rate.1 + theirs.per_second);
        cpu = (cpu.0 + mine.cpu_us, cpu.1 + theirs.cpu_us);
    }
    println!(
        "=> {name}: {:.0} % of the bare POST's requests/s, {:.2} × its CPU\n",
        100.0 * rate.0 / rate.1,
        cpu.0 / cpu.1
    );
}

/// `checkticketv1` with 1M waiting.
pub fn polls() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &[("QUEUE__RATE", "0")]);
    let before = server.resident_bytes();
    let waiting = scaled(1_000_000);
    let enter = |_| post("/v1/loginqueue/getinqueuev1", "", "{}");
    let plan =
        Plan { at: server.at, connections: 64, requests: waiting, make: &enter, keep_every: 10 };
    let (_, entered) = measure("getinqueuev1", &server, &plan);
    let each = (server.resident_bytes() - before) as f64 / waiting as f64;
    println!("   {waiting} waiting: {each:.1} bytes resident each");
    let tokens: Vec<String> = entered.bodies.iter().map(|body| field(body, "token")).collect();
    let body = |n: u64| format!("{{\"token\":\"{}\"}}", tokens[(n as usize * 7919) % tokens.len()]);
    let poll = |n| post("/v1/loginqueue/checkticketv1", "", &body(n));
    beside_bare("checkticketv1", &server, scaled(300_000), &poll, &body(0));
}

pub fn device(n: u64) -> Vec<u8> {
    post("/v2/account/authenticate/device", KEY, &format!("{{\"id\":\"bench-device-{n:010}\"}}"))
}

/// Sign-in by device of accounts that exist.
pub fn sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &OPEN);
    let accounts = scaled(100_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 0 };
    measure("new account by device", &server, &plan);
    let again = |n: u64| device((n * 7919) % accounts);
    beside_bare(
        "device sign-in",
        &server,
        scaled(200_000),
        &again,
        "{\"token\":\"bench-device-0000000001\"}",
    );
}

/// New accounts, durable before the answer, up to 1M.
pub fn accounts() {
    let folder = tempfile::tempdir().unwrap();
    // Without the gate: a sign-in would also take a slot for a minute, and this is about accounts.
    let settings = [&OPEN[..], &[("QUEUE__GATE", "off")]].concat();
    let server = Server::anteroom(folder.path(), &settings);
    let before = server.resident_bytes();
    let accounts = scaled(1_000_000);
    let step = accounts / 5;
    for part in 0..5 {
        let make = |n: u64| device(part * step + n);
        let plan =
            Plan { at: server.at, connections: 128, requests: step, make: &make, keep_every: 0 };
        measure("new account by device", &server, &plan);
    }
    let resident = (server.resident_bytes() - before) as f64 / accounts as f64;
    let disk = disk_bytes(&folder.path().join("accounts")) as f64 / accounts as f64;
    println!("   {accounts} accounts: {disk:.0} bytes on disk and {resident:.0} resident each");
    server.stop();
    let disk = disk_bytes(&folder.path().join("accounts")) as f64 / accounts as f64;
    println!("   after a clean stop: {disk:.0} bytes on disk each\n");
}

/// From the command to `/readyz` with 1M accounts stored and 1M tickets out.
pub fn start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &OPEN);
    let accounts = scaled(1_000_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 0 };
    measure("new account by device", &server, &plan);
    server.stop();
    let held = [("QUEUE__RATE", "0")];
    let server = Server::anteroom(folder.path(), &held);
    let enter = |_| post("/v1/loginqueue/getinqueuev1", "", "{}");
    let plan = Plan {
        at: server.at,
        connections: 64,
        requests: scaled(1_000_000),
        make: &enter,
        keep_every: 0,
    };
    measure("getinqueuev1", &server, &plan);
    server.stop();
    for _ in 0..3 {
        let server = Server::anteroom(folder.path(), &held);
        println!("=> start after a clean stop, files in the page cache: {:?}", server.started_in);
        server.stop();
    }
    for _ in 0..3 {
        Server::anteroom(folder.path(), &held).kill();
        let server = Server::anteroom(folder.path(), &held);
        println!("=> start after kill -9, files in the page cache: {:?}", server.started_in);
        server.stop();
    }
    if std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok() {
        let server = Server::anteroom(folder.path(), &held);
        println!("=> start after a clean stop, cold: {:?}", server.started_in);
    } else {
        println!("=> cold start not measured: the page cache cannot be dropped here");
    }
}
