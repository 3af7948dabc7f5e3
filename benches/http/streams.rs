//! Streams of those whose turn is near: opened, read until the pass comes, closed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryIter, channel};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::load::get;

/// Addresses they come from: one has too few ports for a closed connection to rest for a minute.
const ADDRESSES: u64 = 8;

/// Streams, on a thread of their own.
pub struct Streams {
    open: UnboundedSender<String>,
    ended: Receiver<String>,
    passed: Arc<AtomicU64>,
}

impl Streams {
    pub fn new(at: SocketAddr) -> Self {
        let ((open, mut asked), (sender, ended)) = (unbounded_channel::<String>(), channel());
        let passed = Arc::new(AtomicU64::new(0));
        let counts = passed.clone();
        std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut number = 0;
                while let Some(ticket) = asked.recv().await {
                    number += 1;
                    tokio::spawn(one(at, number, ticket, counts.clone(), sender.clone()));
                }
            });
        });
        Self { open, ended, passed }
    }

    pub fn open(&self, ticket: String) {
        self.open.send(ticket).unwrap();
    }

    /// Tickets whose streams ended without a pass: they poll.
    pub fn ended(&self) -> TryIter<'_, String> {
        self.ended.try_iter()
    }

    /// Passes told of since the last call.
    pub fn passed(&self) -> u64 {
        self.passed.swap(0, Ordering::Relaxed)
    }
}

/// Reads a stream until the pass comes, or it ends.
async fn one(
    at: SocketAddr,
    number: u64,
    ticket: String,
    passed: Arc<AtomicU64>,
    ended: Sender<String>,
) {
    if told(at, number, &ticket).await.unwrap_or(false) {
        passed.fetch_add(1, Ordering::Relaxed);
    } else {
        let _ = ended.send(ticket);
    }
}

async fn told(at: SocketAddr, number: u64, ticket: &str) -> std::io::Result<bool> {
    let socket = TcpSocket::new_v4()?;
    let from = Ipv4Addr::new(127, 0, 0, 2 + (number % ADDRESSES) as u8);
    socket.bind(SocketAddr::from((from, 0)))?;
    let mut stream = socket.connect(at).await?;
    let headers = format!("Authorization: Bearer {ticket}\r\nAccept: text/event-stream\r\n");
    stream.write_all(&get("/v1/queue/stream", &headers)).await?;
    let mut heard = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut heard).await? == 0 {
            return Ok(false);
        }
        if heard.windows(11).any(|bytes| bytes == b"event: pass") {
            return Ok(true);
        }
    }
}
