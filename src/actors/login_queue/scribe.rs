//! The line's end of the journal: hands over what was noted once a second, begins a segment when the
//! last one is long enough, and leaves a gap when the disk is too slow. Nobody waits for any of it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::domain::queue::journal::{Ending, Recorder};
use crate::domain::time::UnixMicros;
use crate::store::journal::{Figures, Head, Journal, Since};

/// Blocks are handed over this often, in microseconds.
const FLUSH_EVERY_US: u64 = 1_000_000;
/// And when they have so many bytes.
const BLOCK_BYTES: usize = 64 << 10;
/// A segment lasts no longer, in microseconds.
const SEGMENT_US: u64 = 3_600_000_000;
/// After a gap the whole state is written no sooner, in microseconds.
const RETRY_US: u64 = 10_000_000;

/// A longer line is not written down: its state would keep everybody waiting, and take the room of hours.
const LONGEST_LINE: u64 = 2_000_000;

#[derive(Clone, Copy, Debug)]
enum State {
    /// A segment is being written.
    Writing {
        /// When it ends at the latest.
        until: UnixMicros,
        /// Bytes left for what goes in.
        left: u64,
    },
    /// Nothing is, before then.
    Lost(UnixMicros),
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Scribe {
    /// `None`: there is no journal, or it is closed.
    journal: Option<Journal>,
    state: State,
    flush_at: UnixMicros,
}

impl Scribe {
    pub(super) const fn new(journal: Option<Journal>) -> Self {
        Self { journal, state: State::Lost(UnixMicros(0)), flush_at: UnixMicros(0) }
    }

    /// What is counted; `None`: there is no journal.
    pub(super) fn figures(&self) -> Option<Arc<Figures>> {
        self.journal.as_ref().map(|journal| Arc::clone(journal.figures()))
    }

    /// Begins the journal of this run.
    pub(super) fn start(&mut self, queue: &mut Recorder, now: UnixMicros) {
        self.begin(queue, now, Since::Start);
    }

    /// Hands over what is due. Called after every message.
    pub(super) fn turn(&mut self, queue: &mut Recorder, now: UnixMicros) {
        let noted = queue.noted();
        if now < self.flush_at && noted < BLOCK_BYTES || self.journal.is_none() {
            return;
        }
        self.flush_at = now.plus_us(FLUSH_EVERY_US);
        match &mut self.state {
            State::Lost(until) if *until <= now => self.begin(queue, now, Since::Gap),
            State::Lost(_) => {}
            State::Writing { until, left } => {
                *left = left.saturating_sub(noted as u64);
                let ends = *left == 0 || *until <= now;
                let block = if ends { queue.end(Ending::Continued) } else { queue.take() };
                if !self.add(block) {
                    self.lose(queue, now);
                } else if ends {
                    self.begin(queue, now, Since::Continued);
                }
            }
        }
    }

    /// Ends the journal of this run in good order.
    pub(super) fn end(&mut self, queue: &mut Recorder) {
        if matches!(self.state, State::Writing { .. }) {
            self.add(queue.end(Ending::Stopped));
        }
        self.state = State::Lost(UnixMicros(u64::MAX));
    }

    /// Waits for the disk; only when the line has stopped.
    pub(super) fn close(&mut self) {
        if let Some(mut journal) = self.journal.take() {
            journal.close();
        }
    }

    fn add(&self, block: Vec<u8>) -> bool {
        block.is_empty() || self.journal.as_ref().is_some_and(|journal| journal.add(block))
    }

    fn begin(&mut self, queue: &mut Recorder, now: UnixMicros, since: Since) {
        let Some(journal) = &self.journal else { return };
        if queue.figures().waiting.iter().sum::<u64>() > LONGEST_LINE {
            queue.pause();
            self.state = State::Lost(now.plus_us(RETRY_US));
            return;
        }
        let head = Head {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: queue.epoch(),
            since,
            began_at: now,
            next: queue.next_number(),
        };
        let state = queue.begin(now, Vec::new());
        let left = journal.bounds().segment_bytes().max(state.len() as u64);
        if journal.begin(head, state) {
            self.state = State::Writing { until: now.plus_us(SEGMENT_US), left };
        } else {
            self.lose(queue, now);
        }
    }

    fn lose(&mut self, queue: &mut Recorder, now: UnixMicros) {
        queue.pause();
        self.state = State::Lost(now.plus_us(RETRY_US));
        if let Some(journal) = &self.journal {
            journal.figures().gaps.fetch_add(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::QueueConfig;
    use crate::domain::queue::journal::Bounds;
    use crate::domain::queue::{Number, Queue};
    use crate::store::journal;

    const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const SECOND_US: u64 = 1_000_000;

    #[test]
    fn a_segment_ends_by_its_length_and_by_the_hour_and_a_disk_that_fails_leaves_a_gap() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("journal");
        let bounds = Bounds { bytes_max: 64 << 10, keep_us: u64::MAX };
        let journal = Journal::open(folder.clone(), bounds).unwrap();
        let figures = Arc::clone(journal.figures());
        let mut queue = Queue::new(QueueConfig::default().settings(), 3, START);
        queue.grant_numbers(Number(1_000));
        let mut queue = Recorder::new(queue);
        let mut scribe = Scribe::new(Some(journal));
        scribe.start(&mut queue, START);
        let mut now = START;
        let mut turn = |scribe: &mut Scribe, after_us: u64, ticks: u32| {
            now = now.plus_us(after_us);
            for _ in 0..ticks {
                queue.tick(now);
            }
            scribe.turn(&mut queue, now);
        };
        turn(&mut scribe, SECOND_US, 10_000);
        turn(&mut scribe, SECOND_US, 1);
        turn(&mut scribe, SEGMENT_US, 1);
        while journal::list(&folder).unwrap().len() < 3 {
            std::thread::yield_now();
        }
        std::fs::remove_dir_all(&folder).unwrap();
        turn(&mut scribe, SEGMENT_US, 1);
        while !figures.has_failed() {
            std::thread::yield_now();
        }
        turn(&mut scribe, SECOND_US, 1);
        assert_eq!(figures.gaps.load(Relaxed), 1);
        std::fs::create_dir(&folder).unwrap();
        turn(&mut scribe, RETRY_US - 1, 1);
        turn(&mut scribe, SECOND_US, 1);
        turn(&mut scribe, SECOND_US, 1);
        scribe.close();
        let found = journal::list(&folder).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].head.since, Since::Gap);
        assert_eq!(figures.gaps.load(Relaxed), 1);
        assert_eq!(journal::read(&found[0].path).unwrap().blocks.len(), 1);
    }
}
