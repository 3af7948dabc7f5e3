//! A WebSocket that only tells: no player, no slot, no actor. One task of a front end holds the
//! [`Wire`] and writes to it; what the client does not take in time ends it.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::RequestHead;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::frames::{Frame, Kind, close_payload};
use super::outbox::Outbox;
use super::transport::{Incoming, Transport};
use super::{Denied, SocketLimits};
use crate::clock::Stopwatch;

/// How long a client may take nothing of what is written to it.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait for the client's close frame.
const PARTS_WITHIN: Duration = Duration::from_secs(2);
/// Frames a client may send between two of ours: it has nothing to say but pings and pongs.
const FRAMES_MAX: u32 = 64;

/// Largest message taken, and room for one of ours and the pongs behind it.
const LIMITS: SocketLimits = SocketLimits {
    message_max_bytes: 1_024,
    outbox_messages: 2 * FRAMES_MAX as usize,
    outbox_bytes: 65_536,
    ping_period_ms: None,
    idle_ms: 0,
    messages_per_second: 0,
    follows_max: 0,
};

/// What holds the wire once the handshake is answered.
pub type Teller = Box<dyn FnOnce(Wire) -> LocalBoxFuture<'static, ()>>;

/// A path at which such sockets open, and who decides about it.
pub trait StreamRoute: Send + Sync + 'static {
    /// The path, compared without the query.
    fn path(&self) -> &'static str;
    /// Looks at the request of a client that wants to be told.
    fn admit(
        &self,
        head: &RequestHead,
        peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Teller, Denied>>>>;
}

/// One open socket.
pub struct Wire {
    transport: Transport,
    outbox: Outbox,
    watch: Stopwatch,
    heard_us: u64,
    frames: u32,
}

/// The client is gone, takes nothing, or says what makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct WireGone;

impl Wire {
    /// A wire whose first bytes are `answer`.
    pub(super) fn new(
        stream: impl super::transport::ByteStream,
        early: Vec<u8>,
        answer: Bytes,
    ) -> Self {
        let transport = Transport::new(Box::new(stream), early, LIMITS.message_max_bytes);
        let mut outbox = Outbox::new(&LIMITS);
        outbox.push_answer(answer);
        Self { transport, outbox, watch: Stopwatch::start(), heard_us: 0, frames: 0 }
    }

    /// Sends a text message and waits until the client's connection has taken it.
    ///
    /// # Errors
    ///
    /// [`WireGone`]
    pub async fn send(&mut self, text: Bytes) -> Result<(), WireGone> {
        self.put(Kind::Text, text).await
    }

    /// Asks whether the client is there; the answer shows in [`Wire::silent_us`].
    ///
    /// # Errors
    ///
    /// [`WireGone`]
    pub async fn ping(&mut self) -> Result<(), WireGone> {
        self.put(Kind::Ping, Bytes::new()).await
    }

    /// How long nothing was heard of the client, in microseconds.
    pub fn silent_us(&self) -> u64 {
        self.watch.elapsed_us().saturating_sub(self.heard_us)
    }

    /// Answers pings until the client is gone. May be dropped and called again at any time.
    pub async fn listen(&mut self) -> WireGone {
        poll_fn(|cx| self.poll_listen(cx)).await
    }

    /// Says goodbye and waits for the client to do so, for a moment.
    pub async fn close(mut self, code: u16, reason: &str) {
        if self.put(Kind::Close, close_payload(code, reason)).await.is_ok() {
            let _ = tokio::time::timeout(PARTS_WITHIN, self.listen()).await;
        }
    }

    async fn put(&mut self, kind: Kind, payload: Bytes) -> Result<(), WireGone> {
        self.frames = 0;
        self.outbox.push_frame(kind, payload);
        let mut written = 0;
        let sent = poll_fn(|cx| self.outbox.poll_write(&mut self.transport.io, &mut written, cx));
        match tokio::time::timeout(TAKES_WITHIN, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(WireGone),
        }
    }

    fn poll_listen(&mut self, cx: &mut Context<'_>) -> Poll<WireGone> {
        loop {
            match self.transport.poll_next(cx) {
                Poll::Ready(Incoming::Frame(Frame::Ping(payload))) => {
                    self.outbox.push_frame(Kind::Pong, payload);
                }
                Poll::Ready(Incoming::Frame(Frame::Pong) | Incoming::Partial) => {}
                Poll::Ready(Incoming::Frame(_) | Incoming::Fault(_) | Incoming::Gone) => {
                    return Poll::Ready(WireGone);
                }
                Poll::Pending => break,
            }
            self.heard_us = self.watch.elapsed_us();
            self.frames += 1;
            if self.frames > FRAMES_MAX {
                return Poll::Ready(WireGone);
            }
        }
        let mut written = 0;
        match self.outbox.poll_write(&mut self.transport.io, &mut written, cx) {
            Poll::Ready(Err(_)) => Poll::Ready(WireGone),
            // What is left goes out with the next message, or ends it.
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("heard_us", &self.heard_us).finish_non_exhaustive()
    }
}
