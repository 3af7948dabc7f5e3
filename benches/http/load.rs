//! Keep-alive HTTP/1.1 over plain sockets: the client must cost less than what it measures.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a run of requests came to.
pub struct Run {
    pub requests: u64,
    pub took: Duration,
    pub latencies_us: Vec<u32>,
    pub bodies: Vec<String>,
    pub not_200: u64,
}

impl Run {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }

    pub fn percentile_us(&self, share: f64) -> u32 {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }
}

/// What to run.
pub struct Plan<'a> {
    pub at: SocketAddr,
    pub connections: u64,
    pub requests: u64,
    /// The bytes of request number n.
    pub make: &'a (dyn Fn(u64) -> Vec<u8> + Sync),
    /// Keep every n-th body; 0: none.
    pub keep_every: u64,
}

/// Runs a plan over two threads.
pub fn run(plan: &Plan<'_>) -> Run {
    let next = AtomicU64::new(0);
    let watch = Instant::now();
    let parts: Vec<Run> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let lanes = (0..plan.connections / 2).map(|_| lane(plan, &next));
                        futures_util::future::join_all(lanes).await
                    })
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let took = watch.elapsed();
    let mut whole =
        Run { requests: 0, took, latencies_us: Vec::new(), bodies: Vec::new(), not_200: 0 };
    for part in parts {
        whole.requests += part.requests;
        whole.not_200 += part.not_200;
        whole.latencies_us.extend(part.latencies_us);
        whole.bodies.extend(part.bodies);
    }
    whole
}

async fn lane(plan: &Plan<'_>, next: &AtomicU64) -> Run {
    let mut stream = TcpStream::connect(plan.at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut run = Run {
        requests: 0,
        took: Duration::ZERO,
        latencies_us: Vec::new(),
        bodies: Vec::new(),
        not_200: 0,
    };
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= plan.requests {
            return run;
        }
        let watch = Instant::now();
        stream.write_all(&(plan.make)(n)).await.unwrap();
        let (head, end) = read_answer(&mut stream, &mut buffer).await;
        run.latencies_us.push(u32::try_from(watch.elapsed().as_micros()).unwrap_or(u32::MAX));
        run.requests += 1;
        if !buffer.starts_with(b"HTTP/1.1 200") {
            run.not_200 += 1;
        }
        if plan.keep_every > 0 && n.is_multiple_of(plan.keep_every) {
            run.bodies.push(String::from_utf8_lossy(&buffer[head..end]).into_owned());
        }
        buffer.drain(..end);
    }
}

/// Where the body starts and ends in the buffer.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (usize, usize) {
    loop {
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
            let length = text
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            let end = head + 4 + length;
            while buffer.len() < end {
                assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server hung up");
            }
            return (head + 4, end);
        }
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server hung up");
    }
}

/// So many connections.
pub async fn connect(at: SocketAddr, count: u64) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    streams
}

/// A request on each of the first connections, at once; the bodies of the answers.
pub async fn all(streams: &mut [TcpStream], requests: &[Vec<u8>]) -> Vec<String> {
    let asked = streams.iter_mut().zip(requests).map(async |(stream, request)| {
        stream.write_all(request).await.unwrap();
        let mut buffer = Vec::with_capacity(4096);
        let (head, end) = read_answer(stream, &mut buffer).await;
        String::from_utf8_lossy(&buffer[head..end]).into_owned()
    });
    futures_util::future::join_all(asked).await
}

/// A GET.
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A POST with a JSON body.
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
