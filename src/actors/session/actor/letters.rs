//! What a session makes of its letters.

use std::task::Context as Task;

use super::{Busy, Reply, Session};
use crate::actors::session::Outbound;
use crate::actors::session::post::Letter;
use crate::domain::session::CloseReason;

/// Effects that may wait behind a use case that takes its time.
const EFFECTS_MAX: usize = 1_024;

impl Session {
    pub(super) fn read_letters(&mut self, now_us: u64, task: &mut Task<'_>) -> bool {
        let letters = self.post.take();
        let any = !letters.is_empty();
        for letter in letters {
            if !self.life.is_live() {
                return false;
            }
            match letter {
                Letter::Event(shared) => {
                    self.held_until_us = None;
                    let first = self.dialect.event(&shared);
                    self.say(first, now_us, task);
                    let second = self.dialect.also(&shared);
                    self.say(second, now_us, task);
                }
                Letter::List(news) => {
                    self.effects.extend(self.dialect.list(&news));
                    if self.effects.len() > EFFECTS_MAX {
                        self.close(CloseReason::SlowConsumer, None);
                    }
                }
                Letter::Told(told) => {
                    let said = self.dialect.notification(&told);
                    self.say(said, now_us, task);
                }
                Letter::Changed(changed) => {
                    let said = self.dialect.changed(&changed);
                    self.say(said, now_us, task);
                }
                Letter::Banned(ban) => {
                    let said = self.dialect.banned(&ban);
                    self.say(said, now_us, task);
                }
                Letter::ExtendUntil(at) => self.life.extend(at),
                Letter::Done => self.busy = Busy::No,
                Letter::Followed(presences) => {
                    if let Reply::Followed(reply) = self.answered() {
                        self.insert(reply(&presences));
                        // Before the letters behind it: those are newer than the snapshot.
                        self.work(now_us, task);
                    }
                }
                Letter::Set(set) => {
                    if let Reply::Set(reply) = self.answered() {
                        self.insert(reply(set));
                        // The client hears that it is done before it hears what it did.
                        self.work(now_us, task);
                    }
                }
            }
        }
        any
    }

    fn say(&mut self, said: Option<Outbound>, now_us: u64, task: &mut Task<'_>) {
        if let Some(message) = said {
            self.send(message, now_us, task);
        }
    }

    /// The board has answered: what to make of it.
    fn answered(&mut self) -> Reply {
        match std::mem::replace(&mut self.busy, Busy::No) {
            Busy::Asked { reply, .. } => reply,
            Busy::No | Busy::Calling(_) => Reply::Nothing,
        }
    }
}
