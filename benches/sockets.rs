//! What sockets cost: memory of an idle one with a status, CPU of a delivered event, memory of
//! clients that stop reading. The server is a process of its own, so that its figures are its own.
//!
//! Budget: 8 kB resident per idle socket with a status, at 10,000 and at 19,000; 2.5 µs of CPU per
//! delivered event in bursts; 64 kB per stalled client.
//!
//! `cargo bench --bench sockets`; `SOCKETS=1000` for a smaller run. Open files: one a socket.
#![expect(clippy::unwrap_used, reason = "a bench may fail anywhere")]
#![expect(clippy::cast_precision_loss, reason = "figures are shown with three digits")]

use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_http::{HttpService, Request, RequestHead, Response};
use anteroom::actors::session::{
    Channel, Denied, Dialect, DoorParts, Effect, Format, Inbound, NoSlotFor, Others, Outbound,
    Shared, Slots, SocketLimits, SocketRoute, Welcome, upgrade,
};
use anteroom::actors::{Board, CallError, SessionDoor};
use anteroom::clock::Clock;
use anteroom::domain::account::AccountId;
use anteroom::domain::presence::Event;
use anteroom::domain::queue::{Departure, Player};
use anteroom::domain::session::CloseReason;
use anteroom::domain::time::UnixMicros;
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

const SERVER: &str = "ANTEROOM_BENCH_SERVER";
const FOLLOWERS: usize = 1_000;

fn main() {
    if std::env::var_os(SERVER).is_some() {
        return serve();
    }
    let most = std::env::var("SOCKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(19_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        idle(most).await;
        fan_out().await;
        stalled().await;
    });
}

/// Memory per idle socket with a status.
async fn idle(most: usize) {
    let server = Server::start();
    drop(server.open(0).await);
    let empty = server.resident();
    let mut sockets = Vec::new();
    for at in [most / 19 * 10, most] {
        while sockets.len() < at {
            sockets.push(server.open(sockets.len() as u128).await);
        }
        let each = (server.resident() - empty) / at as u64;
        println!("idle sockets with a status: {at:>6}  {each:>5} bytes resident each");
    }
    drop(sockets);
}

/// CPU per delivered event.
async fn fan_out() {
    for burst in [1, 10, 50] {
        let server = Server::start();
        let bytes = Arc::new(AtomicU64::new(0));
        let mut player = server.open(0).await;
        for n in 0..FOLLOWERS {
            let mut socket = server.open(1 + n as u128).await;
            say(&mut socket, b"F").await;
            let bytes = Arc::clone(&bytes);
            tokio::spawn(async move {
                let mut buffer = [0; 16_384];
                while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                    bytes.fetch_add(count as u64, Ordering::Relaxed);
                }
            });
        }
        // Everyone's own join and snapshot first.
        settle(&bytes).await;
        let (cpu, before) = (server.cpu_ticks(), bytes.load(Ordering::Relaxed));
        let rounds = 1_000 / burst;
        for _ in 0..rounds {
            for _ in 0..burst {
                say(&mut player, b"S").await;
            }
            settle(&bytes).await;
        }
        let events = (rounds * burst * FOLLOWERS) as u64;
        let micros = (server.cpu_ticks() - cpu) * 10_000;
        let each = (bytes.load(Ordering::Relaxed) - before) / events;
        println!(
            "fan-out to {FOLLOWERS}, bursts of {burst:>2}: {:.2} µs CPU per delivered event ({each} bytes)",
            micros as f64 / events as f64
        );
    }
}

/// Memory of clients that stop reading while events go on, and whether they are dropped.
async fn stalled() {
    const STALLED: usize = 200;
    let server = Server::start();
    let mut player = server.open(0).await;
    let mut sockets = Vec::new();
    for n in 0..STALLED {
        let mut socket = server.open_narrow(1 + n as u128).await;
        say(&mut socket, b"F").await;
        sockets.push(socket);
    }
    let before = server.resident();
    let mut most = before;
    let mut updates = 0;
    let mut waste = vec![0; 65_536];
    while server.slow() < STALLED as u64 && updates < 100_000 {
        for _ in 0..20 {
            say(&mut player, b"L").await;
            updates += 1;
        }
        while player.try_read(&mut waste).is_ok_and(|count| count > 0) {}
        tokio::task::yield_now().await;
        most = most.max(server.resident());
    }
    println!(
        "stalled clients: {} of {STALLED} dropped after {updates} events of 4 kB; at most {} bytes each",
        server.slow(),
        (most - before) / STALLED as u64
    );
}

/// Until nothing has come for a while.
async fn settle(bytes: &AtomicU64) {
    let mut before = u64::MAX;
    while before != bytes.load(Ordering::Relaxed) {
        before = bytes.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(if before == 0 { 200 } else { 15 })).await;
    }
}

async fn say(socket: &mut TcpStream, word: &[u8; 1]) {
    socket.write_all(&[0x81, 0x81, 0, 0, 0, 0, word[0]]).await.unwrap();
}

/// The server process. Ends when its input does.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .env(SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }

    async fn open(&self, player: u128) -> TcpStream {
        self.open_on(TcpSocket::new_v4().unwrap(), player).await
    }

    async fn open_narrow(&self, player: u128) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        self.open_on(socket, player).await
    }

    async fn open_on(&self, socket: TcpSocket, player: u128) -> TcpStream {
        let mut stream = socket.connect(self.address).await.unwrap();
        let request = format!(
            "GET /b?{player} HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        // The answer's head, then the socket's own join.
        let (mut answer, mut read) = ([0; 4096], 0);
        while !answer[..read].windows(2).any(|two| two == b"+[") {
            let count = stream.read(&mut answer[read..]).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&answer[..read]));
            read += count;
        }
        stream
    }

    fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// User and system time, in hundredths of a second.
    fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Clients dropped because they did not read, as the server says over HTTP.
    fn slow(&self) -> u64 {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.rsplit_once("\r\n\r\n").unwrap().1.parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn serve() {
    actix_web::rt::System::new().block_on(async {
        let door = SessionDoor::new(DoorParts {
            slots: Arc::new(Room),
            board: Board::start(),
            clock: Clock::machine(),
            is_revoked: Arc::new(|_, _, _| false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("{}", listener.local_addr().unwrap());
        let server = actix_server::Server::build()
            .workers(2)
            .backlog(4096)
            .disable_signals()
            .listen("bench", listener, move || {
                let routes: Vec<Arc<dyn SocketRoute>> = vec![Arc::new(Route)];
                let figures = door.figures();
                HttpService::build()
                    .upgrade(upgrade(door.clone(), routes))
                    .h1(move |_: Request| {
                        let slow = figures.closed(CloseReason::SlowConsumer).to_string();
                        async { Ok::<_, actix_http::Error>(Response::ok().set_body(slow)) }
                    })
                    .tcp()
            })
            .unwrap()
            .run();
        let handle = server.handle();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(handle.stop(false));
        });
        server.await.unwrap();
    });
}

/// There is always room.
struct Room;

impl Slots for Room {
    fn connect(
        &self,
        _: Player,
    ) -> LocalBoxFuture<'static, Result<Result<(), NoSlotFor>, CallError>> {
        Box::pin(std::future::ready(Ok(Ok(()))))
    }

    fn disconnect(&self, _: Player, _: Departure) {}
}

struct Route;

impl SocketRoute for Route {
    fn path(&self) -> &'static str {
        "/b"
    }

    fn admit(
        &self,
        head: &RequestHead,
        _: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Welcome, Denied>>>> {
        let player: u128 = head.uri.query().and_then(|n| n.parse().ok()).unwrap_or(0);
        Box::pin(async move {
            Ok(Welcome {
                account: AccountId(Uuid::from_u128(player)),
                session: Uuid::from_u128(player << 64),
                username: format!("player-number-{player}").into(),
                online: true,
                token: Uuid::from_u128(player),
                issued_at_us: 0,
                expires_at: None,
                holds_slot: true,
                when_full: |_| unreachable!("there is always room"),
                others: Others::Keep(16),
                channel: Channel::Nakama,
                resumable: None,
                resume_s: 0,
                limits: SocketLimits {
                    message_max_bytes: 4096,
                    outbox_messages: 64,
                    outbox_bytes: 49_152,
                    ping_period_ms: Some(15_000),
                    idle_ms: 3_600_000,
                    messages_per_second: 0,
                    follows_max: 2_000,
                },
                dialect: Box::new(Words),
            })
        })
    }
}

/// F: follow player 0. S: change the status. L: change it to a long one.
struct Words;

impl Dialect for Words {
    fn opened(&mut self, _: UnixMicros) -> Vec<Effect> {
        Vec::new()
    }

    fn message(&mut self, message: Inbound, _: UnixMicros) -> Vec<Effect> {
        match message {
            Inbound::Text(word) if &word[..] == b"F" => {
                let player = vec![AccountId(Uuid::from_u128(0))];
                vec![Effect::Follow(player, Box::new(|_| Vec::new()))]
            }
            Inbound::Text(word) if &word[..] == b"S" => {
                vec![Effect::SetStatus(Some("in the lobby, looking for two more".into()))]
            }
            _ => vec![Effect::SetStatus(Some("x".repeat(2_000)))],
        }
    }

    fn event(&mut self, event: &Shared) -> Option<Outbound> {
        let encode = |event: &Event| format!("+{:?} -{:?}", event.joins, event.leaves).into();
        Some(Outbound::Text(event.bytes(Format::NakamaJson, encode)))
    }

    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        (Vec::new(), 1000, reason.name())
    }
}
