//! Plays a segment of the journal.

use super::digest::{Answer as _, Digest};
use super::entry::{BadEntry, Cursor, Ending, Entry, read};
use crate::domain::queue::{Input, NotExact, Output, Queue, UnixMicros};

/// One step of a replay.
#[derive(Clone, Debug, PartialEq)]
pub enum Played {
    /// This went in, and this came of it.
    Input(Input, Output),
    /// Whether the replay is what happened, up to here.
    Proof(bool),
    /// The segment ends.
    End(Ending),
}

/// A line that is played again.
#[derive(Clone, Debug)]
pub struct Playback {
    queue: Queue,
    digest: Digest,
}

impl Playback {
    /// The line at the beginning of a segment.
    ///
    /// # Errors
    ///
    /// [`NotExact`].
    pub fn new(state: &[u8]) -> Result<Self, NotExact> {
        Ok(Self { queue: Queue::read_exact(state)?, digest: Digest::default() })
    }

    /// The line as it is now.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Plays a block; `see` is shown every step, with the line before and after an input being that of
    /// [`Watcher::before`] and [`Watcher::after`].
    ///
    /// # Errors
    ///
    /// [`BadEntry`]: what is behind it cannot be read.
    pub fn play(&mut self, block: &[u8], watcher: &mut dyn Watcher) -> Result<(), BadEntry> {
        let (mut rest, mut cursor) = (block, Cursor::default());
        while !rest.is_empty() {
            match read(&self.queue, &mut cursor, &mut rest)? {
                Entry::Input(input) => {
                    watcher.before(&self.queue, cursor.at, &input);
                    let output = self.queue.handle(cursor.at, input.clone());
                    output.add_to(&mut self.digest);
                    watcher.after(&self.queue, cursor.at, &Played::Input(input, output));
                }
                Entry::Proof(proof) => {
                    let same = self.digest.with_state(&self.queue) == proof;
                    watcher.after(&self.queue, cursor.at, &Played::Proof(same));
                }
                Entry::End(ending) => {
                    watcher.after(&self.queue, cursor.at, &Played::End(ending));
                }
            }
        }
        Ok(())
    }
}

/// Somebody who looks on while a line is played.
pub trait Watcher {
    /// The line before an input goes in.
    fn before(&mut self, _queue: &Queue, _at: UnixMicros, _input: &Input) {}

    /// The line after a step.
    fn after(&mut self, queue: &Queue, at: UnixMicros, played: &Played);
}
