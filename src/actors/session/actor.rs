//! `Session`: the actor behind one WebSocket.
//!
//! One task does everything: its timers, its letters, the dialect's effects, reading, writing. It
//! never waits for its client: what the client does not take stays in the outbox until that is full
//! or too old. It reads on only when it has finished with what it read (natural back-pressure).

mod letters;

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use actix::{Actor, ActorContext as _, ActorFuture, AsyncContext as _, Context};
use bytes::Bytes;
use tokio::time::Sleep;

use super::dialect::{ReplyToSet, ReplyWith};
use super::door::Seat;
use super::frames::{Frame, Kind, close_payload};
use super::handshake::come_back;
use super::outbox::Outbox;
use super::post::Post;
use super::transport::{Incoming, Transport};
use super::{Channel, Dialect, Effect, Inbound, Others, Outbound, SessionDoor, Welcome};
use crate::clock::Stopwatch;
use crate::domain::presence::Newcomer;
use crate::domain::session::{CloseReason, Due, Life, Pace};

/// Messages worked on before other sessions of the worker get a turn.
const ROUNDS: usize = 16;
/// How long the answer to the handshake waits for the board. The client then learns in one write
/// that it is connected and online, and who is told so is.
const HOLD_US: u64 = 200_000;
/// How long the board may take to answer.
const BOARD_US: u64 = 10_000_000;

/// What the session waits for before it goes on with the next effect.
enum Busy {
    No,
    /// A use case.
    Calling(Pin<Box<dyn Future<Output = Vec<Effect>>>>),
    /// The board, and what to make of its answer.
    Asked {
        reply: Reply,
        until_us: u64,
    },
}

/// What to make of the board's answer.
enum Reply {
    Nothing,
    Followed(ReplyWith),
    Set(ReplyToSet),
}

/// One WebSocket.
pub(super) struct Session {
    transport: Transport,
    outbox: Outbox,
    /// Nothing is written before this.
    held_until_us: Option<u64>,
    dialect: Box<dyn Dialect>,
    effects: VecDeque<Effect>,
    busy: Busy,
    life: Life,
    pace: Pace,
    watch: Stopwatch,
    timer: Pin<Box<Sleep>>,
    post: Arc<Post>,
    door: SessionDoor,
    seat: Seat,
    follows_max: usize,
    peer_closed: bool,
    /// Who it is and how it opens, until it has.
    opening: Option<Opening>,
}

struct Opening {
    who: Newcomer,
    online: bool,
    others: Others,
    revoked: bool,
}

impl Session {
    /// Starts the session on this worker. `revoked`: the token was revoked while it was let in.
    /// `answer` is what the client is told first.
    pub(super) fn start(
        transport: Transport,
        answer: Bytes,
        welcome: Welcome,
        seat: Seat,
        door: SessionDoor,
    ) {
        let limits = welcome.limits;
        let watch = Stopwatch::start();
        let is_revoked = &door.parts().is_revoked;
        let revoked = is_revoked(welcome.account, welcome.token, welcome.issued_at_us);
        let opening = Opening {
            who: Newcomer {
                account: welcome.account,
                session: welcome.session,
                username: welcome.username,
                takes_rich: welcome.channel == Channel::PragmaSocial,
            },
            online: welcome.online,
            others: welcome.others,
            revoked,
        };
        let mut outbox = Outbox::new(&limits);
        outbox.push_answer(answer);
        let session = Self {
            transport,
            outbox,
            held_until_us: opening.online.then_some(HOLD_US),
            dialect: welcome.dialect,
            effects: VecDeque::new(),
            busy: Busy::No,
            life: Life::new(limits.timing(), welcome.expires_at),
            pace: Pace::new(limits.messages_per_second),
            watch,
            timer: Box::pin(tokio::time::sleep_until(watch.at_us(0))),
            post: seat.post(),
            door,
            seat,
            follows_max: limits.follows_max,
            peer_closed: false,
            opening: Some(opening),
        };
        Actor::start(session);
    }

    fn open(&mut self) {
        let Some(opening) = self.opening.take() else {
            return;
        };
        self.seat.opened(opening.others);
        let board = &self.door.parts().board;
        board.open(self.seat.key(), opening.who, opening.online, Arc::clone(&self.post));
        if opening.revoked {
            self.close(CloseReason::Kicked, None);
        } else {
            self.effects.extend(self.dialect.opened(self.door.parts().clock.now()));
        }
    }

    /// Does all there is to do now. Ready: the session is over.
    fn drive(&mut self, task: &mut Task<'_>) -> Poll<()> {
        self.post.wake(task.waker());
        for _ in 0..ROUNDS {
            let now_us = self.watch.elapsed_us();
            self.keep_time(now_us);
            if let Some(reason) = self.post.asked_to_close() {
                self.close(reason, None);
            }
            let mut more = self.read_letters(now_us, task);
            more |= self.work(now_us, task);
            more |= self.listen(now_us, task);
            if more {
                continue;
            }
            let was_full = self.outbox.is_half_full();
            self.write(now_us, task);
            if self.life.is_over() {
                return Poll::Ready(());
            }
            let reads_on = was_full && !self.outbox.is_half_full();
            if !reads_on && !self.rings(now_us, task) {
                return Poll::Pending;
            }
        }
        // The others' turn; then we go on.
        self.write(self.watch.elapsed_us(), task);
        task.waker().wake_by_ref();
        if self.life.is_over() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn keep_time(&mut self, now_us: u64) {
        match self.life.due(now_us, self.door.parts().clock.now()) {
            Due::Close(reason) => self.close(reason, None),
            Due::Ping if self.outbox.has_room(0) => {
                self.outbox.push_frame(Kind::Ping, Bytes::new());
            }
            // Cut: life is over, which `drive` sees next.
            Due::Ping | Due::Nothing | Due::Cut => {}
        }
        if matches!(self.busy, Busy::Asked { until_us, .. } if now_us >= until_us) {
            self.close(CloseReason::Internal, None);
        }
    }

    /// Sets the timer for what falls due next; whether that is at once.
    fn rings(&mut self, now_us: u64, task: &mut Task<'_>) -> bool {
        let due = self.life.next_us(now_us, self.door.parts().clock.now());
        let board = match self.busy {
            Busy::Asked { until_us, .. } => Some(until_us),
            _ => None,
        };
        let pace = (self.is_free() && self.pace.ready_us() > now_us).then(|| self.pace.ready_us());
        let held = self.held_until_us;
        let next = due.into_iter().chain(board).chain(pace).chain(held).min();
        let Some(next_us) = next else {
            return false;
        };
        // A timer that rings too early looks again; only a later one has to be brought forward.
        let at = self.watch.at_us(next_us.max(now_us.saturating_add(1)));
        if self.timer.is_elapsed() || self.timer.deadline() > at {
            self.timer.as_mut().reset(at);
        }
        self.timer.as_mut().poll(task).is_ready()
    }

    /// Carries out effects until there are none or one has to be waited for.
    fn work(&mut self, now_us: u64, task: &mut Task<'_>) -> bool {
        let mut any = false;
        while self.life.is_live() {
            if let Busy::Calling(call) = &mut self.busy {
                let Poll::Ready(effects) = call.as_mut().poll(task) else {
                    return any;
                };
                self.busy = Busy::No;
                self.insert(effects);
            }
            if !matches!(self.busy, Busy::No) {
                return any;
            }
            let Some(effect) = self.effects.pop_front() else {
                return any;
            };
            any = true;
            self.apply(effect, now_us, task);
        }
        any
    }

    fn apply(&mut self, effect: Effect, now_us: u64, task: &mut Task<'_>) {
        let key = self.seat.key();
        let board = &self.door.parts().board;
        let reply = match effect {
            Effect::Send(message) => return self.send(message, now_us, task),
            Effect::Call(call) => {
                self.busy = Busy::Calling(call);
                return;
            }
            Effect::ExtendUntil(at) => return self.life.extend(at),
            Effect::Close(reason) => return self.close(reason, None),
            Effect::SetStatus(status) => {
                board.set_status(key, status.map(Into::into));
                Reply::Nothing
            }
            Effect::SetRich(ask, reply) => {
                board.set_rich(key, ask);
                Reply::Set(reply)
            }
            Effect::Unfollow(accounts) => {
                board.unfollow(key, accounts);
                Reply::Nothing
            }
            Effect::Follow(accounts, reply) => {
                board.follow(key, accounts, self.follows_max);
                Reply::Followed(reply)
            }
        };
        self.busy = Busy::Asked { reply, until_us: now_us.saturating_add(BOARD_US) };
    }

    /// These effects come before those that wait already.
    fn insert(&mut self, effects: Vec<Effect>) {
        for effect in effects.into_iter().rev() {
            self.effects.push_front(effect);
        }
    }

    /// Whether the last message is dealt with, so that the next may be read.
    fn is_free(&self) -> bool {
        matches!(self.busy, Busy::No) && self.effects.is_empty()
    }

    /// Reads at most one frame; whether there may be more.
    fn listen(&mut self, now_us: u64, task: &mut Task<'_>) -> bool {
        if self.life.is_over() {
            return false;
        }
        if self.life.is_live() {
            let listens = self.is_free() && !self.outbox.is_half_full();
            self.life.listen(listens, now_us);
            if !listens || self.pace.ready_us() > now_us {
                return false;
            }
        }
        let Poll::Ready(incoming) = self.transport.poll_next(task) else {
            return false;
        };
        self.life.heard(now_us);
        match incoming {
            Incoming::Gone => self.lose(),
            Incoming::Fault(fault) => {
                tracing::debug!(%fault, "client sent what can't be read");
                let reason = match fault.close_code() {
                    1009 => CloseReason::TooBig,
                    _ => CloseReason::Malformed,
                };
                self.close(reason, Some(fault.close_code()));
            }
            Incoming::Frame(Frame::Close(code)) => self.part(code, now_us),
            Incoming::Frame(frame) if self.life.is_live() => {
                self.take(frame, now_us);
                // What is answered at once is answered before anything that came meanwhile.
                self.work(now_us, task);
            }
            Incoming::Frame(_) | Incoming::Partial => {}
        }
        !self.life.is_over()
    }

    fn take(&mut self, frame: Frame, now_us: u64) {
        self.pace.take(now_us);
        let (message, bytes) = match frame {
            Frame::Text(text) => (Some(Inbound::Text(text.clone())), text.len()),
            Frame::Binary(binary) => (Some(Inbound::Binary(binary.clone())), binary.len()),
            Frame::Ping(payload) => {
                let bytes = payload.len();
                // A client that pings without reading is answered when it reads.
                if self.outbox.has_room(bytes) {
                    self.outbox.push_frame(Kind::Pong, payload);
                }
                (None, bytes)
            }
            Frame::Pong | Frame::Close(_) => (None, 0),
        };
        self.door.counters().count_in(bytes);
        if let Some(message) = message {
            let now = self.door.parts().clock.now();
            self.effects.extend(self.dialect.message(message, now));
        }
    }

    fn send(&mut self, message: Outbound, now_us: u64, task: &mut Task<'_>) {
        if !self.life.is_live() {
            return;
        }
        let length = message.payload().len();
        if !self.outbox.has_room(length) {
            self.write(now_us, task);
        }
        if self.outbox.has_room(length) {
            self.door.counters().count_out(1, 0);
            self.outbox.push(message);
        } else {
            self.close(CloseReason::SlowConsumer, None);
        }
    }

    fn write(&mut self, now_us: u64, task: &mut Task<'_>) {
        if self.life.is_live() && self.held_until_us.is_some_and(|until_us| now_us < until_us) {
            return;
        }
        self.held_until_us = None;
        let mut written = 0;
        let done = self.outbox.poll_write(&mut self.transport.io, &mut written, task);
        self.door.counters().count_out(0, written);
        match done {
            Poll::Ready(Ok(())) => {
                self.life.took(true, now_us);
                self.life.drained(self.peer_closed, now_us);
            }
            Poll::Ready(Err(_)) => self.lose(),
            Poll::Pending if written > 0 => self.life.took(false, now_us),
            Poll::Pending => self.life.stuck(now_us),
        }
    }

    /// Starts closing: gives up the place at once, then lets the last messages and the close frame
    /// go out. `code` overrides the dialect's where the framing itself was broken.
    fn close(&mut self, reason: CloseReason, code: Option<u16>) {
        if !self.life.is_live() {
            return;
        }
        self.leave(reason, false);
        if reason == CloseReason::SlowConsumer {
            self.outbox.clear_unsent();
        }
        let (last, usual, words) = self.dialect.closing(reason);
        self.door.counters().count_out(last.len(), 0);
        for message in last {
            self.outbox.push(message);
        }
        let words = if code.is_some_and(|code| code != usual) { "" } else { words };
        let payload = match self.post.back_in_s().filter(|_| reason == CloseReason::Shutdown) {
            Some(back_in_s) => close_payload(usual, &come_back(words, back_in_s)),
            None => close_payload(code.unwrap_or(usual), words),
        };
        self.outbox.push_frame(Kind::Close, payload);
    }

    /// The client's close frame: echoed, after which the connection ends.
    fn part(&mut self, code: Option<u16>, now_us: u64) {
        self.peer_closed = true;
        if self.life.is_live() {
            self.leave(CloseReason::AsRequested, true);
            self.outbox.clear_unsent();
            let payload = code.map_or_else(Bytes::new, |code| close_payload(code, ""));
            self.outbox.push_frame(Kind::Close, payload);
        } else {
            self.life.parted();
        }
        self.life.heard(now_us);
    }

    /// The connection is gone.
    fn lose(&mut self) {
        self.leave(CloseReason::Dropped, false);
        self.life.end();
    }

    fn leave(&mut self, reason: CloseReason, said_goodbye: bool) {
        self.seat.leave(reason, said_goodbye);
        self.effects.clear();
        self.busy = Busy::No;
        self.life.close(self.watch.elapsed_us());
    }

    /// A rule of the dialect panicked: this session ends, the others go on.
    fn break_down(&mut self) {
        tracing::error!(session = self.seat.key().0, "a session panicked and is closed");
        if !self.life.is_live() {
            return self.life.end();
        }
        self.leave(CloseReason::Internal, false);
        self.outbox.clear_unsent();
        self.outbox.push_frame(Kind::Close, close_payload(1011, ""));
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.spawn(Drive);
    }
}

/// The one thing the actor does.
struct Drive;

impl ActorFuture<Session> for Drive {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        ctx: &mut Context<Session>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        // Caught here, since actix polls an actor once more while it drops it: a second panic on
        // the way out would end the process.
        let driven = catch_unwind(AssertUnwindSafe(|| {
            session.open();
            session.drive(task)
        }));
        let driven = driven.unwrap_or_else(|_| {
            session.break_down();
            task.waker().wake_by_ref();
            Poll::Pending
        });
        if driven.is_ready() || session.life.is_over() {
            ctx.stop();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
