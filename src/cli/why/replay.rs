//! Plays the journal that is on disk.

use std::path::Path;

use super::super::moment::written;
use crate::domain::queue::journal::{Playback, Watcher};
use crate::domain::queue::{Number, Queue};
use crate::domain::time::UnixMicros;
use crate::domain::token::ticket::TicketError;
use crate::domain::why::{Follower, Onlooker, Scene, Story, Subject};
use crate::store::journal::{self, Head, JournalError, Since, Summary};

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum WhyError {
    /// There is no journal.
    #[error("there is no journal: queue.journal_mb is 0, or no server has run on this folder")]
    NoJournal,
    /// Older than the journal.
    #[error("that is not in the journal any more: it begins at {}", written(*.0))]
    Over(UnixMicros),
    /// Not given yet.
    #[error("this number had not been given when the journal ended, at {}", written(*.0))]
    NotGiven(UnixMicros),
    /// It was given, and is not seen.
    #[error("this ticket does not stand in line anywhere in the journal, from {} to {}{}",
        written(*.from), written(*.until), if *.gaps { "; but it has gaps" } else { "" })]
    NotSeen {
        /// The journal begins.
        from: UnixMicros,
        /// And ends.
        until: UnixMicros,
        /// Part of it is missing.
        gaps: bool,
    },
    /// No such lifetime.
    #[error("the journal has nothing of a line with epoch {0}")]
    OtherEpoch(u32),
    /// He did not wait at that moment.
    #[error("this owner did not wait at that moment; leave --at away for the last time they did")]
    NobodyThen,
    /// In a gap.
    #[error("the journal has a gap at that moment")]
    Gap,
    /// No ticket.
    #[error("--token: {0}")]
    Token(TicketError),
    /// The keys cannot be read.
    #[error("{0}")]
    Secrets(String),
    /// The files.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Who is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) subject: Subject,
    /// Lifetime of the line; `None`: the latest with this number.
    pub(super) epoch: Option<u32>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) stories: Vec<Story>,
    /// How often the replay was not what happened.
    pub(super) proofs_failed: u64,
    /// A version of the program that wrote it and is not this one.
    pub(super) other_version: Option<String>,
    /// A part of the journal that was needed is missing.
    pub(super) gaps: bool,
    /// As far as it goes.
    pub(super) until: UnixMicros,
}

/// The journal of a server.
#[derive(Debug)]
pub(super) struct Replay(Vec<Summary>);

/// Somebody who looks on and is told where segments begin.
trait Looker: Watcher {
    fn begin(&mut self, head: &Head, queue: &Queue, gap: bool);
}

impl Looker for Follower {
    fn begin(&mut self, head: &Head, queue: &Queue, gap: bool) {
        Self::begin(self, head.began_at, queue, head.since == Since::Start, gap);
    }
}

impl Looker for Onlooker {
    fn begin(&mut self, head: &Head, queue: &Queue, _gap: bool) {
        Self::begin(self, head.began_at, queue);
    }
}

/// What became of playing a segment.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    /// It could not be played to its end, which may be because it is being written.
    broken: bool,
    /// The next number at its end.
    next: Number,
}

impl Replay {
    pub(super) fn open(data: &Path) -> Result<Self, WhyError> {
        let segments =
            journal::list(&data.join("queue").join(journal::FOLDER)).map_err(JournalError::Io)?;
        if segments.is_empty() { Err(WhyError::NoJournal) } else { Ok(Self(segments)) }
    }

    /// The stories of one subject, in order: at least one.
    pub(super) fn stories(&self, asked: Asked) -> Result<Found, WhyError> {
        if asked.epoch.is_some() || matches!(asked.subject, Subject::Owner(_)) {
            return self.stories_of(asked);
        }
        let mut epochs: Vec<u32> = self.0.iter().map(|summary| summary.head.epoch).collect();
        epochs.dedup();
        let mut unseen = None;
        for epoch in epochs.into_iter().rev() {
            match self.stories_of(Asked { epoch: Some(epoch), ..asked }) {
                Ok(found) => return Ok(found),
                Err(error) => unseen = unseen.or(Some(error)),
            }
        }
        Err(unseen.unwrap_or(WhyError::NoJournal))
    }

    fn stories_of(&self, asked: Asked) -> Result<Found, WhyError> {
        let first = self.first_for(asked)?;
        let mut follower = Follower::new(asked.subject);
        let (mut gaps, mut other_version, mut next) = (false, None, Number(0));
        let mut behind: Option<(u64, Segment)> = None;
        for summary in &self.0[first..] {
            if asked.epoch.is_some_and(|epoch| epoch != summary.head.epoch)
                && follower.stories().is_empty()
            {
                continue;
            }
            let gap = behind.is_some_and(|(serial, segment)| {
                let missing = summary.serial != serial + 1 || segment.broken;
                summary.head.since == Since::Gap || missing && summary.head.since != Since::Start
            });
            gaps |= gap;
            if summary.head.program != env!("CARGO_PKG_VERSION") {
                other_version = Some(summary.head.program.clone());
            }
            let played = play(summary, gap, &mut follower)?;
            next = played.next;
            behind = Some((summary.serial, played));
            if follower.is_over() {
                break;
            }
        }
        let (stories, until) = (follower.stories(), follower.at());
        if stories.is_empty() {
            return Err(self.unseen(asked, first, next, until, gaps));
        }
        let proofs_failed = follower.proofs_failed();
        Ok(Found { stories, proofs_failed, other_version, gaps, until })
    }

    /// The line at one moment.
    pub(super) fn scene(&self, at: UnixMicros) -> Result<Scene, WhyError> {
        let oldest = self.0.first().map_or(UnixMicros(0), |summary| summary.head.began_at);
        let index = self.0.iter().rposition(|summary| summary.head.began_at <= at);
        let index = index.ok_or(WhyError::Over(oldest))?;
        let mut onlooker = Onlooker::new(at);
        let played = play(&self.0[index], false, &mut onlooker)?;
        let next = self.0.get(index + 1);
        let scene = onlooker.scene().cloned().ok_or(WhyError::Gap)?;
        // What was lost lies between the last that was seen and the segment that says so.
        let lost = next.is_some_and(|next| next.head.since == Since::Gap || played.broken);
        if lost && !onlooker.is_over() { Err(WhyError::Gap) } else { Ok(scene) }
    }

    /// The segment to begin with: the last one in which the number may have been given.
    fn first_for(&self, Asked { subject, epoch }: Asked) -> Result<usize, WhyError> {
        let Subject::Number(number) = subject else { return Ok(0) };
        let of_line = |summary: &Summary| epoch.is_none_or(|epoch| epoch == summary.head.epoch);
        if let Some(epoch) = epoch
            && !self.0.iter().any(of_line)
        {
            return Err(WhyError::OtherEpoch(epoch));
        }
        let may = |summary: &Summary| of_line(summary) && summary.head.next <= number;
        let known = self.0.iter().rposition(may);
        // Given before all of it: it may stand in line where the journal begins.
        Ok(known.or_else(|| self.0.iter().position(of_line)).unwrap_or(0))
    }

    fn unseen(
        &self,
        asked: Asked,
        first: usize,
        next: Number,
        until: UnixMicros,
        gaps: bool,
    ) -> WhyError {
        let head = self.0.get(first).map(|summary| &summary.head);
        let from = head.map_or(UnixMicros(0), |head| head.began_at);
        match asked.subject {
            Subject::Number(number) if head.is_some_and(|head| number < head.next) => {
                WhyError::Over(from)
            }
            Subject::Number(number) if number >= next => WhyError::NotGiven(until),
            _ => WhyError::NotSeen { from, until, gaps },
        }
    }
}

/// Plays a segment.
fn play(summary: &Summary, gap: bool, looker: &mut dyn Looker) -> Result<Segment, WhyError> {
    let segment = match journal::read(&summary.path) {
        Ok(segment) => segment,
        Err(JournalError::Damaged(_)) => return Ok(Segment { broken: true, ..Segment::default() }),
        Err(error) => return Err(error.into()),
    };
    let Ok(mut playback) = Playback::new(&segment.state) else {
        return Ok(Segment { broken: true, ..Segment::default() });
    };
    looker.begin(&summary.head, playback.queue(), gap);
    let mut broken = segment.torn > 0;
    for block in &segment.blocks {
        if playback.play(block, looker).is_err() {
            broken = true;
            break;
        }
    }
    Ok(Segment { broken, next: playback.queue().next_number() })
}
