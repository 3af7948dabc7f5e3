//! What waits to be written to one client: bounded in messages and bytes, written without copying.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite as _;

use super::frames::{Head, Kind};
use super::transport::Io;
use super::{Outbound, SocketLimits};

/// Frames put into one write: a header and a payload each.
const BATCH: usize = 32;
/// Room kept when nothing waits; a burst gives its memory back.
const KEEP: usize = 4;

struct Queued {
    head: Head,
    head_done: usize,
    payload: Bytes,
}

impl Queued {
    fn left(&self) -> usize {
        self.head.as_slice().len() - self.head_done + self.payload.len()
    }
}

/// Frames on their way to a client, oldest first.
pub(super) struct Outbox {
    queue: VecDeque<Queued>,
    /// Bytes that wait, headers included.
    bytes: usize,
    messages_max: usize,
    bytes_max: usize,
}

impl Outbox {
    pub(super) const fn new(limits: &SocketLimits) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            messages_max: limits.outbox_messages,
            bytes_max: limits.outbox_bytes,
        }
    }

    /// Puts the answer to the handshake in, before everything else. It is always sent.
    pub(super) fn push_answer(&mut self, answer: Bytes) {
        self.bytes += answer.len();
        self.queue.push_front(Queued { head: Head::none(), head_done: 0, payload: answer });
    }

    /// Whether a payload of `length` bytes finds room. One message is always taken when nothing
    /// waits, however long it is.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.queue.is_empty()
            || (self.queue.len() < self.messages_max
                && self.bytes.saturating_add(length) <= self.bytes_max)
    }

    /// Whether so much waits that nothing more should be asked of the client's connection.
    pub(super) fn is_half_full(&self) -> bool {
        self.queue.len() * 2 > self.messages_max || self.bytes * 2 > self.bytes_max
    }

    /// Puts a message at the end. Whoever calls has asked [`Outbox::has_room`].
    pub(super) fn push(&mut self, message: Outbound) {
        match message {
            Outbound::Text(payload) => self.push_frame(Kind::Text, payload),
            Outbound::Binary(payload) => self.push_frame(Kind::Binary, payload),
        }
    }

    /// Puts a frame of any kind at the end.
    pub(super) fn push_frame(&mut self, kind: Kind, payload: Bytes) {
        let head = Head::new(kind, payload.len());
        let queued = Queued { head, head_done: 0, payload };
        self.bytes += queued.left();
        self.queue.push_back(queued);
    }

    /// Forgets what has not begun to go out: a frame cut in the middle would garble the stream.
    pub(super) fn clear_unsent(&mut self) {
        let begun = |front: &Queued| front.head_done > 0 || front.head.as_slice().is_empty();
        self.queue.truncate(usize::from(self.queue.front().is_some_and(begun)));
        self.bytes = self.queue.iter().map(Queued::left).sum();
    }

    /// Writes what the connection takes, many frames at once, and adds the bytes to `written`.
    /// Ready when nothing is left; pending when the client takes no more for now.
    pub(super) fn poll_write(
        &mut self,
        io: &mut Io,
        written: &mut usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); BATCH * 2];
            for (pair, queued) in slices.chunks_exact_mut(2).zip(&self.queue) {
                let head = queued.head.as_slice().get(queued.head_done..).unwrap_or_default();
                if let [first, second] = pair {
                    *first = IoSlice::new(head);
                    *second = IoSlice::new(&queued.payload);
                }
            }
            let count = (self.queue.len() * 2).min(BATCH * 2);
            let slices = slices.get(..count).unwrap_or_default();
            let done = ready!(Pin::new(&mut *io).poll_write_vectored(cx, slices))?;
            if done == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += done;
            self.advance(done);
        }
        if *written > 0 {
            ready!(Pin::new(io).poll_flush(cx))?;
        }
        if self.queue.capacity() > KEEP {
            self.queue.shrink_to(KEEP);
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut done: usize) {
        self.bytes -= done;
        while let Some(front) = self.queue.front_mut() {
            let left = front.left();
            if done >= left {
                done -= left;
                self.queue.pop_front();
                if done == 0 {
                    return;
                }
                continue;
            }
            let head = done.min(front.head.as_slice().len() - front.head_done);
            front.head_done += head;
            front.payload.advance(done - head);
            return;
        }
    }
}

#[cfg(test)]
mod tests;
