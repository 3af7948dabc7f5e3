//! The scene of Nakama's sockets on the whole server: many with a status, and one status told to a
//! thousand followers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::child::Server;
use super::load::Plan;
use super::scenes::{OPEN, device, field, measure};

const FOLLOWERS: usize = 1_000;

/// Opens sockets with a status until `SOCKETS` (19,000) are there, then lets one player update.
pub fn sockets() {
    let most = std::env::var("SOCKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(19_000);
    let folder = tempfile::tempdir().unwrap();
    // The clients answer no pings.
    let quiet = [
        ("NAKAMA__MESSAGES_PER_SECOND", "10000"),
        ("NAKAMA__PING_PERIOD_MS", "600000"),
        ("NAKAMA__PONG_WAIT_MS", "3600000"),
    ];
    let settings = [&OPEN[..], &quiet].concat();
    let server = Server::anteroom(folder.path(), &settings);
    let plan =
        Plan { at: server.at, connections: 128, requests: most, make: &device, keep_every: 1 };
    let (_, made) = measure("new account by device", &server, &plan);
    let tokens: Vec<String> = made.bodies.iter().map(|body| field(body, "token")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        connect_all(&server, &tokens).await;
        fan_out(&server, &tokens).await;
    });
}

async fn connect_all(server: &Server, tokens: &[String]) {
    let (cpu, resident, watch) = (server.cpu(), server.resident_bytes(), Instant::now());
    let opened: Vec<TcpStream> =
        stream::iter(tokens).map(|token| open(server, token)).buffered(256).collect().await;
    let (took, count) = (watch.elapsed(), opened.len() as u64);
    let cpu = server.cpu().saturating_sub(cpu).as_micros() as f64 / count as f64;
    let each = (server.resident_bytes() - resident) / count;
    println!(
        "=> {count} sockets with a status, none refused: {took:?}, {cpu:.1} µs CPU a connect, \
         {each} bytes resident each\n"
    );
}

/// A socket that has heard its own join.
async fn open(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let request = format!(
        "GET /ws?lang=en&status=true&token={token} HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut answer, mut read) = ([0; 4096], 0);
    while !answer[..read].windows(7).any(|seen| seen == b"\"joins\"") {
        let count = stream.read(&mut answer[read..]).await.unwrap();
        assert!(count > 0, "refused: {}", String::from_utf8_lossy(&answer[..read]));
        read += count;
    }
    stream
}

async fn fan_out(server: &Server, tokens: &[String]) {
    let bytes = Arc::new(AtomicU64::new(0));
    let mut player = open(server, &tokens[0]).await;
    let me = claim(&tokens[0], "uid");
    let follow = format!("{{\"cid\":\"1\",\"status_follow\":{{\"user_ids\":[\"{me}\"]}}}}");
    for token in tokens.iter().skip(1).take(FOLLOWERS) {
        let mut socket = open(server, token).await;
        say(&mut socket, &follow).await;
        let bytes = Arc::clone(&bytes);
        tokio::spawn(async move {
            let mut buffer = [0; 16_384];
            while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
        });
    }
    settle(&bytes).await;
    let mut waste = vec![0; 65_536];
    for burst in [1, 10, 50] {
        let (cpu, before) = (server.cpu(), bytes.load(Ordering::Relaxed));
        let rounds = 1_000 / burst;
        for round in 0..rounds {
            for number in 0..burst {
                let status =
                    format!("{{\"status_update\":{{\"status\":\"{round:04} {number:04}\"}}}}");
                say(&mut player, &status).await;
            }
            settle(&bytes).await;
            while player.try_read(&mut waste).is_ok_and(|count| count > 0) {}
        }
        let events = (rounds * burst * FOLLOWERS) as u64;
        let each = (bytes.load(Ordering::Relaxed) - before) / events;
        let micros = server.cpu().saturating_sub(cpu).as_micros() as f64;
        println!(
            "=> a status told to {FOLLOWERS}, bursts of {burst:>2}: {:.2} µs CPU per delivered \
             event ({each} bytes)",
            micros / events as f64
        );
    }
}

/// Until nothing has come for a while.
async fn settle(bytes: &AtomicU64) {
    let mut before = u64::MAX;
    while before != bytes.load(Ordering::Relaxed) {
        before = bytes.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(if before == 0 { 200 } else { 15 })).await;
    }
}

/// A text frame, masked with zeros.
async fn say(socket: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81];
    if let Ok(short @ ..126) = u8::try_from(text.len()) {
        frame.push(0x80 | short);
    } else {
        frame.push(0xfe); // masked; two bytes of length follow
        frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    socket.write_all(&frame).await.unwrap();
}

/// A claim of a token, as SDKs read it.
fn claim(token: &str, name: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    field(&String::from_utf8(bytes).unwrap(), name)
}
