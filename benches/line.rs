//! What a poll costs on its way through the actor, over HTTP, beside a bare POST of the same size.
//!
//! Budget: at least 85 % of the bare POST's requests a second and at most 1.4 times its CPU for each,
//! with a million waiting; token and JSON of a real poll come on top, so the actor's share should
//! stay below 3 µs. Run with `cargo bench --bench line`; compare within one run.
//!
//! The server is a child process of this program, so that its CPU is its own.

#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measurement: it rounds, and has nobody to answer to when it fails"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use anteroom::actors::login_queue::LineSeeds;
use anteroom::actors::{Audit, Line};
use anteroom::clock::Clock;
use anteroom::config::Config;
use anteroom::domain::queue::{Checked, Identity, Lane, Number, Standing, TicketRef};
use anteroom::domain::time::UnixMicros;
use anteroom::ids::Dice;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// `cargo test` plays it with few and for a moment, so that it still runs when it is needed.
const IS_TEST: bool = cfg!(debug_assertions);
const WAITING: u64 = if IS_TEST { 10_000 } else { 1_000_000 };
const EACH: Duration = Duration::from_millis(if IS_TEST { 100 } else { 4_000 });
const CONNECTIONS: &[u64] = if IS_TEST { &[16] } else { &[1, 16, 64, 256] };
const MODE: &str = "ANTEROOM_BENCH_LINE";

fn main() {
    match std::env::var(MODE) {
        Ok(mode) => serve(&mode).expect("the server runs"),
        Err(_) => drive().expect("the benchmark runs"),
    }
}

/// The ways a poll can be answered.
async fn bare(number: web::Json<u64>) -> HttpResponse {
    answer(number.into_inner())
}

async fn alone(line: web::Data<(Line, u32)>, number: web::Json<u64>) -> HttpResponse {
    shown(line.0.check_alone(ticket(line.1, number.into_inner())).await.ok())
}

async fn together(line: web::Data<(Line, u32)>, number: web::Json<u64>) -> HttpResponse {
    shown(line.0.check(ticket(line.1, number.into_inner())).await.ok())
}

/// The ticket of whoever entered as the `nth`, from 0; numbers begin at 1.
fn ticket(epoch: u32, nth: u64) -> TicketRef {
    TicketRef {
        epoch,
        number: Number(nth + 1),
        lane: Lane::Standard,
        identity: Identity::ANONYMOUS,
        issued_at: UnixMicros(0),
    }
}

fn shown(checked: Option<Checked>) -> HttpResponse {
    match checked {
        Some(Checked::Standing(Standing::Waiting(waiting))) => answer(waiting.position),
        _ => HttpResponse::InternalServerError().finish(),
    }
}

fn answer(position: u64) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "positionInQueue": position }))
}

fn serve(mode: &str) -> std::io::Result<()> {
    let mode = mode.to_owned();
    actix_web::rt::System::new().block_on(async move {
        let data = tempfile::tempdir()?;
        let mut config = Config::default();
        config.queue.rate = 0.0;
        let dice = Dice::seeded(1);
        let seeds = LineSeeds { epoch: 1, identity_key: [0; 16], kept: false, dice };
        let (audit, _failed) = Audit::open(data.path(), Clock::machine(), &[0; 32], None)
            .map_err(std::io::Error::other)?;
        let (line, _stopped) =
            Line::open(&config, data.path(), Clock::machine(), &seeds, &[], &audit)
                .map_err(std::io::Error::other)?;
        if mode != "bare" {
            for _ in 0..WAITING / 5_000 {
                join_all((0..5_000).map(|_| line.enter(Identity::ANONYMOUS, Lane::Standard))).await;
            }
        }
        let shared = web::Data::new((line, seeds.epoch));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/bare", web::post().to(bare))
                .route("/alone", web::post().to(alone))
                .route("/together", web::post().to(together))
        })
        .workers(2)
        .bind("127.0.0.1:0")?;
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush()?;
        server.run().await
    })
}

struct Server {
    child: Child,
    addr: String,
}

impl Server {
    fn start(mode: &str) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(MODE, mode)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut addr = String::new();
        let stdout = child.stdout.take().expect("was asked for");
        BufReader::new(stdout).read_line(&mut addr)?;
        Ok(Self { child, addr: addr.trim().to_owned() })
    }

    /// CPU time so far, in seconds: user and system, of all threads.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .expect("the child runs");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drive() -> std::io::Result<()> {
    println!("{WAITING} waiting, {EACH:?} each; CPU is the server's");
    println!("{:>12} {:>10} {:>12} {:>10}", "connections", "how", "requests/s", "CPU µs");
    for &connections in CONNECTIONS {
        for mode in ["bare", "alone", "together", "bare"] {
            let server = Server::start(mode)?;
            let before = server.cpu();
            let done = load(&server.addr, mode, connections)?;
            let cpu = server.cpu() - before;
            let (rate, each) = (done as f64 / EACH.as_secs_f64(), cpu * 1e6 / done as f64);
            println!("{connections:>12} {mode:>10} {rate:>12.0} {each:>10.2}");
        }
    }
    Ok(())
}

/// Requests answered within the time, over so many connections.
fn load(addr: &str, mode: &str, connections: u64) -> std::io::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let all = (0..connections).map(|who| one(addr, mode, who));
        let counts = join_all(all).await;
        counts.into_iter().sum()
    })
}

async fn one(addr: &str, mode: &str, who: u64) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut done = 0;
    let run = async {
        let mut number = who * 7_919;
        let mut buffer = [0; 1_024];
        loop {
            number = (number + 104_729) % WAITING;
            let body = number.to_string();
            let request = format!(
                "POST /{mode} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).await?;
            let read = stream.read(&mut buffer).await?;
            if !buffer[..read].starts_with(b"HTTP/1.1 200") {
                return Err(std::io::Error::other("a poll failed"));
            }
            done += 1;
        }
        #[expect(unreachable_code, reason = "names the type of the endless loop")]
        Ok(())
    };
    match tokio::time::timeout(EACH, run).await {
        Ok(Err(error)) => Err(error),
        _ => Ok(done),
    }
}
