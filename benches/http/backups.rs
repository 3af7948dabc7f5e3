//! A backup of a million accounts while players sign in: how long it takes, and what they notice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::child::Server;
use super::load::{Plan, all, connect};
use super::scenes::{OPEN, device, measure, scaled};

/// Sign-ins a second meanwhile: far from what the server can do, so that what is noticed is the backup.
const SIGN_INS: u64 = 2_000;
const CONNECTIONS: u64 = 64;
/// How long they are watched before it begins.
const BEFORE: Duration = Duration::from_secs(20);

/// Signs players in at a steady rate until `ended`; latencies in microseconds, counted from when each
/// was due, sorted.
fn signing_in(server: &Server, accounts: u64, ended: &(dyn Fn() -> bool + Sync)) -> Vec<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (began, at) = (Instant::now(), server.at);
    let mut latencies: Vec<u64> = runtime.block_on(async {
        let lanes =
            connect(at, CONNECTIONS).await.into_iter().zip(0..).map(async |(lane, first)| {
                let (mut lane, mut number, mut took) = ([lane], first, Vec::new());
                while !ended() {
                    let due = began + Duration::from_micros(number * 1_000_000 / SIGN_INS);
                    tokio::time::sleep_until(due.into()).await;
                    all(&mut lane, &[device(number * 7_919 % accounts)]).await;
                    took.push(u64::try_from(due.elapsed().as_micros()).unwrap());
                    number += CONNECTIONS;
                }
                took
            });
        futures_util::future::join_all(lanes).await.into_iter().flatten().collect()
    });
    latencies.sort_unstable();
    latencies
}

fn percentile_ms(sorted: &[u64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize] as f64 / 1e3
}

/// Asks the operator API as the first operator; the session's cookie and proof.
async fn operator(at: &str, code: &str) -> (reqwest::Client, String, String) {
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let who =
        json!({"code": code, "email": "ada@example.org", "password": "a bridge over the river"});
    let answer = client.post(format!("{at}/v1/operator/setup")).body(who.to_string());
    let answer = answer.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (client, cookie, told["csrf"].as_str().unwrap().to_owned())
}

/// What the server says of a backup.
fn back_up(at: &str, code: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, cookie, csrf) = operator(at, code).await;
        let ask = client.post(format!("{at}/v1/operator/backup"));
        let ask = ask.header("cookie", cookie).header("x-anteroom-csrf", csrf).header("origin", at);
        let answer = ask.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&answer).unwrap()
    })
}

/// The scene.
pub fn backups() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [&OPEN[..], &[("QUEUE__GATE", "off")]].concat();
    let mut server = Server::anteroom(folder.path(), &settings);
    let (operators, code) = server.first_operator();
    let accounts = scaled(1_000_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 0 };
    measure("new account by device", &server, &plan);
    let began = Instant::now();
    let without = signing_in(&server, accounts, &|| began.elapsed() > BEFORE);
    let is_made = AtomicBool::new(false);
    let (with, made) = std::thread::scope(|scope| {
        let making = scope.spawn(|| {
            let made = back_up(&operators, &code);
            is_made.store(true, Ordering::Relaxed);
            made
        });
        let with = signing_in(&server, accounts, &|| is_made.load(Ordering::Relaxed));
        (with, making.join().unwrap())
    });
    println!("   {made}");
    let p = |of: &[u64]| [0.5, 0.99, 0.999].map(|share| percentile_ms(of, share));
    println!(
        "=> {accounts} accounts, {SIGN_INS} sign-ins/s: backup of {} MB in {} ms; p50, p99, p99.9 \
         {:.2?} ms without, {:.2?} ms with it: p99 {:.2} ×\n",
        made["bytes"].as_u64().unwrap() / 1_000_000,
        made["took_ms"],
        p(&without),
        p(&with),
        percentile_ms(&with, 0.99) / percentile_ms(&without, 0.99),
    );
}
