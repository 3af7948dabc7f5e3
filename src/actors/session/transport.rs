//! The bytes of one connection: frames in through a small shared buffer, frames out of the outbox.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::frames::{Decoder, Fault, Frame};

/// Read at once. What a paused client may have pending with us is bounded by this.
const SCRATCH: usize = 4096;
/// What is read and thrown away after a fault, while the client may still take our close frame.
const WASTE_MAX: usize = 1 << 20;

thread_local! {
    /// Read buffer of all sockets of a worker: an idle socket keeps none.
    static BUFFER: RefCell<[u8; SCRATCH]> = const { RefCell::new([0; SCRATCH]) };
}

/// A connection that carries bytes both ways: TCP, TLS over it, a pipe in a test.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> ByteStream for T {}

/// One that somebody made with the server.
pub trait Connection: ByteStream {
    /// What is written goes out at once, without waiting for more.
    fn send_at_once(&self);
}

impl Connection for TcpStream {
    fn send_at_once(&self) {
        // Without it answers are later, and no less right.
        let _ = self.set_nodelay(true);
    }
}

impl Connection for TlsStream<TcpStream> {
    fn send_at_once(&self) {
        self.get_ref().0.send_at_once();
    }
}

/// Any such connection.
pub(super) type Io = Box<dyn ByteStream>;

/// What came from the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Frame),
    /// Bytes nobody can read on from.
    Fault(Fault),
    /// The client closed or lost the connection.
    Gone,
    /// Part of a message; there may be more at once.
    Partial,
}

/// One connection after its handshake.
pub(super) struct Transport {
    pub(super) io: Io,
    decoder: Decoder,
    /// Bytes read and not looked at yet.
    rest: Vec<u8>,
    rest_at: usize,
    wasted: Option<usize>,
}

impl Transport {
    /// `early`: what the client sent right behind its handshake.
    pub(super) const fn new(io: Io, early: Vec<u8>, message_max: usize) -> Self {
        let decoder = Decoder::new(message_max);
        Self { io, decoder, rest: early, rest_at: 0, wasted: None }
    }

    /// Reads on: at most one read of the connection, at most one frame given back.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if self.wasted.is_some() {
            return self.poll_waste(cx);
        }
        if self.rest_at < self.rest.len() {
            let mut input = self.rest.get(self.rest_at..).unwrap_or_default();
            let decoded = self.decoder.feed(&mut input);
            self.rest_at = self.rest.len() - input.len();
            if self.rest_at == self.rest.len() {
                (self.rest, self.rest_at) = (Vec::new(), 0);
            }
            if let Some(incoming) = self.judge(decoded) {
                return Poll::Ready(incoming);
            }
        }
        BUFFER.with_borrow_mut(|buffer| {
            let count = match ready!(poll_read(&mut self.io, buffer, cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Incoming::Gone),
                Ok(count) => count,
            };
            let mut input = buffer.get(..count).unwrap_or_default();
            let decoded = self.decoder.feed(&mut input);
            self.rest.extend_from_slice(input);
            Poll::Ready(self.judge(decoded).unwrap_or(Incoming::Partial))
        })
    }

    fn judge(&mut self, decoded: Result<Option<Frame>, Fault>) -> Option<Incoming> {
        match decoded {
            Ok(frame) => frame.map(Incoming::Frame),
            Err(fault) => {
                self.wasted = Some(0);
                (self.rest, self.rest_at) = (Vec::new(), 0);
                self.decoder = Decoder::new(0);
                Some(Incoming::Fault(fault))
            }
        }
    }

    /// After a fault: reads on for a while without looking, since closing with bytes unread would
    /// reset the connection before the client has seen why.
    fn poll_waste(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        BUFFER.with_borrow_mut(|buffer| match ready!(poll_read(&mut self.io, buffer, cx)) {
            Ok(0) | Err(_) => Poll::Ready(Incoming::Gone),
            Ok(count) => {
                let wasted = self.wasted.unwrap_or(0) + count;
                self.wasted = Some(wasted);
                let enough = wasted > WASTE_MAX;
                Poll::Ready(if enough { Incoming::Gone } else { Incoming::Partial })
            }
        })
    }
}

fn poll_read(
    io: &mut Io,
    buffer: &mut [u8; SCRATCH],
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut into = ReadBuf::new(buffer);
    ready!(Pin::new(io).poll_read(cx, &mut into))?;
    Poll::Ready(Ok(into.filled().len()))
}
