//! What a stream tells: the frame at first and when something is announced, the ticket whenever there is
//! something new to show, the pass the moment it is given, and why it ends.
//!
//! It looks at the clock when the line posts a frame, about once a second, and keeps nothing for a
//! client that is slow: what is told next is what is so then.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{oneshot, watch};

use super::invitation::is_near;
use super::{Ended, Seat};
use crate::domain::queue::{Announcement, Checked, Frame, Standing};
use crate::domain::time::UnixMicros;
use crate::queue_api::answer::Answer;
use crate::queue_api::ticket::gone;
use crate::queue_api::{App, Refusal, Shown};

/// A ticket is looked at this often at least, in milliseconds; as often as its poll interval says
/// where that is shorter. Renews its lease.
const LOOK_MAX_MS: u64 = 5_000;
/// When to look again after the line did not answer, in milliseconds.
const AGAIN_MS: u64 = 1_000;
/// The other side is asked whether it is there this often, in milliseconds.
const BEAT_MS: u64 = 20_000;

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An event by its name, and its JSON.
    Told(&'static str, Bytes),
    /// Nothing: is anybody there?
    Beat,
}

/// One stream.
pub(super) struct Teller {
    app: App,
    /// `None`: it has a pass to tell and no more.
    seat: Option<Seat>,
    shown: Shown,
    frames: watch::Receiver<Arc<Frame>>,
    turn: oneshot::Receiver<()>,
    announced: Announcement,
    digest: Option<u64>,
    look_at: UnixMicros,
    beat_at: UnixMicros,
    ends_at: Option<UnixMicros>,
    /// What to tell next: at most a frame, a ticket and a beat.
    next: VecDeque<Event>,
    is_over: bool,
}

/// What a stream waits for.
enum Woken {
    Turn,
    Frame,
    Ended(Ended),
    LineGone,
}

/// Why a stream ends though nothing was refused.
#[derive(Serialize)]
struct Notice {
    why: &'static str,
    message: &'static str,
    /// When to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl Teller {
    /// Opens a stream for somebody near the front. `life_ms`: ends after so long.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotInvited`], [`Refusal::StreamsFull`], and those of a poll.
    pub(super) async fn open(
        app: &App,
        shown: Shown,
        life_ms: Option<u64>,
    ) -> Result<Self, Refusal> {
        let ticket = shown.claims.ticket;
        let standing = match app.door.check_ticket(ticket).await? {
            Checked::Standing(standing) => standing,
            Checked::Forgotten => return Err(gone(app, ticket).await),
        };
        let seat = match &standing {
            Standing::Waiting(waiting) if !is_near(app, &app.posted(), waiting) => {
                let retry_after_ms = waiting.poll_after_ms;
                return Err(Refusal::NotInvited { retry_after_ms });
            }
            Standing::Waiting(waiting) => {
                let retry_after_ms = waiting.poll_after_ms;
                let seat = app.streams.enter(ticket);
                Some(seat.ok_or(Refusal::StreamsFull { retry_after_ms })?)
            }
            _ => None,
        };
        let (now, frames) = (app.door.clock.now(), app.door.frames());
        let announced = frames.borrow().announced.clone();
        let mut teller = Self {
            app: app.clone(),
            seat,
            shown,
            frames,
            turn: app.door.turn_of(ticket).await?,
            announced,
            digest: None,
            look_at: now,
            beat_at: now.plus_ms(BEAT_MS),
            ends_at: life_ms.map(|ms| now.plus_ms(ms)),
            next: VecDeque::new(),
            is_over: false,
        };
        if teller.seat.is_some() {
            teller.tell_frame();
        }
        teller.tell(&standing);
        Ok(teller)
    }

    /// What to tell next; `None`: it is over.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.next.pop_front() {
                return Some(event);
            }
            if self.is_over {
                // Whoever reads to the end finds room for the next.
                self.seat = None;
                return None;
            }
            match self.woken().await {
                Woken::Turn => self.look().await,
                Woken::Frame => self.look_around().await,
                Woken::Ended(Ended::Replaced) => {
                    self.end("replaced", "Another stream of this ticket was opened.");
                }
                Woken::Ended(Ended::Leaving) => {
                    self.end("leaving", "The server restarts. Your place is kept: ask again.");
                }
                Woken::LineGone => {
                    self.end("unavailable", "The server is busy. Your place is kept: ask again.");
                }
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let Some(seat) = &mut self.seat else { return Woken::LineGone };
        tokio::select! {
            ended = seat.ended() => Woken::Ended(ended),
            _ = &mut self.turn => Woken::Turn,
            changed = self.frames.changed() => match changed {
                Ok(()) => Woken::Frame,
                Err(_) => Woken::LineGone,
            },
        }
    }

    /// Does what is due now that a frame was posted.
    async fn look_around(&mut self) {
        let announced = self.frames.borrow_and_update().announced.clone();
        let now = self.app.door.clock.now();
        if announced != self.announced {
            self.announced = announced;
            self.tell_frame();
            self.look_at = now;
        }
        if self.ends_at.is_some_and(|at| at <= now) {
            self.end("renew", "Open it again, so that we know you are there.");
        } else if self.look_at <= now {
            self.look().await;
        }
        if self.beat_at <= now {
            self.beat_at = now.plus_ms(BEAT_MS);
            self.next.push_back(Event::Beat);
        }
    }

    /// Sees how the ticket stands; renews its lease.
    async fn look(&mut self) {
        let ticket = self.shown.claims.ticket;
        match self.app.door.look_after(ticket).await {
            Ok(Checked::Standing(standing)) => self.tell(&standing),
            Ok(Checked::Forgotten) => {
                let refusal = gone(&self.app, ticket).await;
                self.put("notice", &refusal.body());
                self.is_over = true;
            }
            Err(_) => self.look_at = self.app.door.clock.now().plus_ms(AGAIN_MS),
        }
        if !self.is_over && self.turn.is_terminated() {
            // It waits on, in another lane.
            match self.app.door.turn_of(self.shown.claims.ticket).await {
                Ok(turn) => self.turn = turn,
                Err(_) => self.end("unavailable", "The server is busy. Ask again."),
            }
        }
    }

    /// Tells how the ticket stands, if that is news.
    fn tell(&mut self, standing: &Standing) {
        let brought = self.shown.brought();
        match Answer::of(&self.app, standing, brought) {
            Ok(Answer::Passed(passed)) => {
                self.put("pass", &passed);
                self.is_over = true;
            }
            Ok(Answer::Waits(waits)) => {
                if let Standing::Waiting(waiting) = standing {
                    self.keep(&waits.ticket);
                    let after_ms = waiting.poll_after_ms.min(LOOK_MAX_MS);
                    self.look_at = self.app.door.clock.now().plus_ms(after_ms);
                }
                let digest = waits.digest();
                if self.digest.replace(digest) != Some(digest) {
                    self.put("ticket", &waits);
                }
            }
            Err(refusal) => {
                self.put("notice", &refusal.body());
                self.is_over = true;
            }
        }
    }

    /// The ticket as it goes on from here.
    fn keep(&mut self, token: &str) {
        if token != self.shown.token
            && let Ok(shown) = Shown::read(&self.app, token)
        {
            self.shown = shown;
        }
    }

    fn tell_frame(&mut self) {
        // Without a frame the ticket still says everything.
        if let Ok(printed) = self.app.frames.read(&self.app) {
            self.next.push_back(Event::Told("frame", printed.body.clone()));
        }
    }

    fn end(&mut self, why: &'static str, message: &'static str) {
        let retry_after_ms = self.app.door.back_in_ms(self.shown.claims.ticket.number);
        self.put("notice", &Notice { why, message, retry_after_ms });
        self.is_over = true;
    }

    fn put(&mut self, name: &'static str, what: &impl Serialize) {
        match serde_json::to_vec(what) {
            Ok(text) => self.next.push_back(Event::Told(name, text.into())),
            Err(error) => tracing::error!(%error, name, "an event could not be written"),
        }
    }
}
