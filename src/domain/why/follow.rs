//! Follows a ticket, or an owner, through a line that is played again.

use super::story::{Cause, End, Event, Happened, Left, Span, Stands, Story};
use crate::domain::queue::journal::{Ending, Played, Watcher};
use crate::domain::queue::{
    Announcement, Checked, Identity, Input, Lane, Number, Output, Place, Queue, Standing,
};
use crate::domain::time::UnixMicros;

/// A reason that lasts no longer than this between two moments of another is not told by itself.
const BRIEF_US: u64 = 10_000_000;
/// Spans and events of a story; what is beyond is counted and not told one by one.
const SPANS_MAX: usize = 1_024;
const EVENTS_MAX: usize = 4_096;
/// Stories of one owner; older ones are forgotten.
const STORIES_MAX: usize = 256;

/// Who is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The ticket of this number.
    Number(Number),
    /// Whatever ticket this owner has.
    Owner(Identity),
}

/// The line just before an input.
#[derive(Clone, Copy, Debug)]
struct Before {
    place: Place,
    admitted: [u64; Lane::COUNT],
    leases_over: u64,
    /// The input is that one gives up, who stood before ours in the same lane.
    leaver: bool,
}

/// A ticket that is being followed.
#[derive(Clone, Debug)]
struct Followed {
    /// The number it has now.
    number: Number,
    owner: Identity,
    story: Story,
    /// Since when it waits for this reason.
    waits: Option<(UnixMicros, Cause)>,
    /// What has come of the others since.
    admitted: [u64; Lane::COUNT],
    ahead: Left,
    heard_at: UnixMicros,
    announced: Announcement,
}

/// Watches a replay and writes stories down. See the head of this file.
#[derive(Debug)]
pub struct Follower {
    subject: Subject,
    now: Option<Followed>,
    told: Vec<Story>,
    before: Option<Before>,
    /// The last moment played, and how the segment ended.
    at: UnixMicros,
    ending: Option<Ending>,
    proofs_failed: u64,
}

impl Follower {
    /// Nobody is seen yet.
    pub const fn new(subject: Subject) -> Self {
        Self {
            subject,
            now: None,
            told: Vec::new(),
            before: None,
            at: UnixMicros(0),
            ending: None,
            proofs_failed: 0,
        }
    }

    /// A segment begins, with the line as it is. `gap`: what was before it is not on record;
    /// `started`: the server was.
    pub fn begin(&mut self, at: UnixMicros, queue: &Queue, started: bool, gap: bool) {
        if (started || gap)
            && let Some(mut followed) = self.now.take()
        {
            let stopped_at = self.at;
            followed.settle(stopped_at);
            let (happened, cause) = if started {
                let in_order = self.ending == Some(Ending::Stopped);
                (Happened::Stopped { in_order }, Cause::Down)
            } else {
                (Happened::Gap, Cause::Unknown)
            };
            followed.tell(stopped_at, happened);
            if followed.waits.is_some() {
                followed.waits = Some((stopped_at, cause));
            }
            followed.settle(at);
            if started {
                followed.tell(at, Happened::Started);
            }
            let same = followed.story.epoch == queue.epoch();
            let place = queue.place(followed.number);
            if !same || place == Place::Gone {
                self.finish(followed, at, End::Unknown);
            } else {
                followed.stand(queue, at, place);
                self.now = Some(followed);
            }
        }
        self.at = at;
        self.ending = None;
        self.before = None;
        self.look_for(queue, at, None);
    }

    /// The stories so far, in order; the last one may go on.
    pub fn stories(&self) -> Vec<Story> {
        let mut stories = self.told.clone();
        if let Some(followed) = &self.now {
            let mut followed = followed.clone();
            followed.settle(self.at);
            followed.story.until = self.at;
            stories.push(followed.story);
        }
        stories
    }

    /// Whether nothing more is to come.
    pub fn is_over(&self) -> bool {
        matches!(self.subject, Subject::Number(_)) && self.now.is_none() && !self.told.is_empty()
    }

    /// How often the replay was not what happened.
    pub const fn proofs_failed(&self) -> u64 {
        self.proofs_failed
    }

    /// The last moment played.
    pub const fn at(&self) -> UnixMicros {
        self.at
    }

    /// Looks whether whom we look for stands in line now.
    fn look_for(&mut self, queue: &Queue, at: UnixMicros, output: Option<&Output>) {
        if self.now.is_some() || self.is_over() {
            return;
        }
        let number = match self.subject {
            Subject::Number(number) => Some(number),
            Subject::Owner(owner) => queue.number_of(owner),
        };
        let Some(number) = number else { return };
        let place = queue.place(number);
        if place != Place::Gone {
            let followed = Followed::new(queue, at, number, place, output);
            self.now = Some(followed);
        }
    }

    fn finish(&mut self, mut followed: Followed, at: UnixMicros, end: End) {
        followed.settle(at);
        followed.story.until = at;
        followed.story.ended = Some((at, end));
        followed.story.stands = None;
        if self.told.len() >= STORIES_MAX {
            self.told.remove(0);
        }
        self.told.push(followed.story);
    }

    fn step(&mut self, queue: &Queue, at: UnixMicros, input: &Input, output: &Output) {
        let Some(before) = self.before.take() else {
            return self.look_for(queue, at, Some(output));
        };
        let Some(mut followed) = self.now.take() else { return };
        followed.count(queue, &before);
        followed.hear_operators(queue, at, input);
        let number = queue.number_now(followed.number);
        if number != followed.number {
            followed.number = number;
            followed.tell(at, Happened::Drawn { number });
        }
        let place = queue.place(number);
        if followed.is_heard(output) {
            followed.heard(at);
        }
        if let Input::Transfer(ticket, to) = input
            && queue.number_now(ticket.number) == number
            && followed.owner != *to
            && place != Place::Gone
        {
            followed.owner = *to;
            followed.tell(at, Happened::Transferred);
        }
        if place == Place::Gone {
            let end = followed.end(queue, &before, input);
            self.finish(followed, at, end);
            return self.look_for(queue, at, Some(output));
        }
        followed.pass_over(at, before.place, place);
        followed.stand(queue, at, place);
        let lost = matches!(self.subject, Subject::Owner(owner) if owner != followed.owner);
        if lost {
            self.finish(followed, at, End::Replaced);
        } else {
            self.now = Some(followed);
        }
    }
}

impl Watcher for Follower {
    fn before(&mut self, queue: &Queue, _at: UnixMicros, input: &Input) {
        let Some(followed) = &self.now else { return };
        let place = queue.place(followed.number);
        let leaver = match (input, place) {
            (Input::Leave(other), Place::Waiting { lane, .. }) => {
                let other = queue.number_now(*other);
                let stands = queue.place(other);
                other < followed.number
                    && matches!(stands, Place::Waiting { lane: theirs, .. } if theirs == lane)
            }
            _ => false,
        };
        let (admitted, leases_over) = (queue.admitted(), queue.leases_over());
        self.before = Some(Before { place, admitted, leases_over, leaver });
    }

    fn after(&mut self, queue: &Queue, at: UnixMicros, played: &Played) {
        match played {
            Played::Input(input, output) => {
                // The line's own clock never steps back, and what happens happens by it.
                self.at = self.at.max(at).max(queue.now());
                self.step(queue, self.at, input, output);
            }
            Played::Proof(same) => self.proofs_failed += u64::from(!same),
            Played::End(ending) => self.ending = Some(*ending),
        }
    }
}

impl Followed {
    fn new(
        queue: &Queue,
        at: UnixMicros,
        number: Number,
        place: Place,
        output: Option<&Output>,
    ) -> Self {
        let ticket = output.and_then(ticket_in).filter(|(known, _)| *known == number);
        let on_record = ticket.is_some();
        let entered_at = if on_record { at } else { queue.entered_at(number).unwrap_or(at) };
        let (lane, position) = match place {
            Place::Waiting { lane, position } => (lane, Some(position)),
            _ => (queue.lane_of(number), None),
        };
        let story = Story {
            epoch: queue.epoch(),
            number,
            entered_at,
            admitted_at: None,
            ended: None,
            until: at,
            stands: None,
            events: Vec::new(),
            spans: Vec::new(),
            causes: std::collections::BTreeMap::new(),
            ahead: Left::default(),
            admitted: [0; Lane::COUNT],
            heard: 1,
            silent_us: 0,
        };
        let mut followed = Self {
            number: queue.number_now(number),
            owner: queue.owner_of(number),
            story,
            waits: None,
            admitted: [0; Lane::COUNT],
            ahead: Left::default(),
            heard_at: at,
            announced: Announcement::open(),
        };
        followed.tell(entered_at, Happened::Entered { lane, position, on_record });
        followed.announced.clone_from(queue.announcement());
        if followed.announced != Announcement::open() {
            let said = followed.announced.clone();
            followed.tell(at, Happened::Announced { said });
        }
        if !on_record && entered_at < at {
            followed.waits = Some((entered_at, Cause::Unknown));
        }
        if place == Place::Pass {
            followed.admitted(at, lane);
        }
        followed.stand(queue, at, place);
        followed
    }

    fn tell(&mut self, at: UnixMicros, happened: Happened) {
        if self.story.events.len() < EVENTS_MAX {
            self.story.events.push(Event { at, happened });
        }
    }

    fn heard(&mut self, at: UnixMicros) {
        self.story.heard += 1;
        if self.waits.is_some() {
            self.story.silent_us = self.story.silent_us.max(at.since_us(self.heard_at));
        }
        self.heard_at = at;
    }

    fn is_heard(&self, output: &Output) -> bool {
        ticket_in(output).is_some_and(|(number, _)| number == self.number)
    }

    /// What an input did to those who wait beside ours.
    fn count(&mut self, queue: &Queue, before: &Before) {
        let admitted = queue.admitted();
        let Place::Waiting { lane, position } = before.place else { return };
        let mut own = 0;
        for lane in Lane::ALL {
            let came_in = admitted[lane as usize] - before.admitted[lane as usize];
            self.admitted[lane as usize] += came_in;
            self.story.admitted[lane as usize] += came_in;
        }
        let in_lane = admitted[lane as usize] - before.admitted[lane as usize];
        let fewer = match queue.place(self.number) {
            Place::Waiting { lane: now, position: after } if now == lane => {
                position.cast_signed() - after.cast_signed()
            }
            // Out of the lane: whoever was before it is so no more.
            Place::Pass => {
                own = 1;
                (position - 1).cast_signed()
            }
            _ => return,
        };
        let ahead = u64::try_from(fewer).unwrap_or(0);
        let came_in = in_lane.saturating_sub(own).min(ahead);
        let left = u64::from(before.leaver).min(ahead - came_in);
        let silent = ahead - came_in - left;
        let what = Left { admitted: came_in, left, silent, returned: fewer.min(0).unsigned_abs() };
        self.ahead.add(&what);
        self.story.ahead.add(&what);
    }

    fn hear_operators(&mut self, queue: &Queue, at: UnixMicros, input: &Input) {
        match input {
            Input::SetRate(rate) => self.tell(at, Happened::Rate { rate: *rate }),
            Input::SetCap(cap) => self.tell(at, Happened::Cap { cap: *cap }),
            _ => {}
        }
        if self.announced != *queue.announcement() {
            self.announced.clone_from(queue.announcement());
            let said = self.announced.clone();
            self.tell(at, Happened::Announced { said });
        }
    }

    /// From one place to another.
    fn pass_over(&mut self, at: UnixMicros, before: Place, after: Place) {
        match (before, after) {
            (Place::Waiting { lane, .. }, Place::Pass) => self.admitted(at, lane),
            (Place::Parked, Place::Pass) => self.admitted(at, Lane::Grace),
            (Place::Waiting { .. }, Place::Parked) => self.tell(at, Happened::Parked),
            (Place::Pass, Place::Parked) => self.tell(at, Happened::PassLapsed),
            (Place::Parked | Place::Pass, Place::Waiting { lane, position }) => {
                self.tell(at, Happened::Returned { lane, position });
            }
            _ => {}
        }
    }

    fn admitted(&mut self, at: UnixMicros, lane: Lane) {
        self.story.admitted_at = Some(at);
        self.tell(at, Happened::Admitted { lane });
    }

    /// Notes why it waits from now on.
    fn stand(&mut self, queue: &Queue, at: UnixMicros, place: Place) {
        self.story.stands = match place {
            Place::Waiting { lane, position } => Some(Stands { lane, position }),
            _ => None,
        };
        let cause = match place {
            Place::Waiting { .. } => Some(Cause::Bound(queue.bound())),
            Place::Parked => Some(Cause::Away),
            Place::Pass | Place::Gone => None,
        };
        if self.waits.map(|(_, cause)| cause) != cause {
            self.settle(at);
            self.waits = cause.map(|cause| (at, cause));
        }
    }

    /// Puts what has been waited so far into the story.
    fn settle(&mut self, at: UnixMicros) {
        let Some((from, cause)) = self.waits else { return };
        self.waits = Some((at, cause));
        let waited_us = at.since_us(from);
        if waited_us == 0 {
            return;
        }
        *self.story.causes.entry(cause).or_default() += waited_us;
        let admitted = std::mem::take(&mut self.admitted);
        let ahead = std::mem::take(&mut self.ahead);
        self.story.add(Span { from, until: at, cause, admitted, ahead });
    }

    /// How it ended, when it is in line no more.
    fn end(&self, queue: &Queue, before: &Before, input: &Input) -> End {
        let is_ours = |number: Number| queue.number_now(number) == self.number;
        match (input, before.place) {
            (Input::Leave(number), _) if is_ours(*number) => End::Left,
            (Input::FinishRedeem(number, ..), _) if is_ours(*number) => End::SignedIn,
            (Input::AbandonRedeem(number, true), _) if is_ours(*number) => End::GivenBack,
            (_, Place::Waiting { .. }) if queue.leases_over() > before.leases_over => {
                End::LeaseOver
            }
            _ if is_of_time(input) => End::NotBack,
            _ => End::Replaced,
        }
    }
}

/// Whether an input is not about anybody's place.
const fn is_of_time(input: &Input) -> bool {
    !matches!(
        input,
        Input::Enter(..)
            | Input::Join(..)
            | Input::Transfer(..)
            | Input::FinishRedeem(..)
            | Input::AdmitExempt(..)
    )
}

/// The ticket an answer speaks of, and whose it is.
fn ticket_in(output: &Output) -> Option<(Number, Identity)> {
    let (Output::Entered(standing)
    | Output::Joined(Ok(standing))
    | Output::Transferred(Ok(standing))
    | Output::Checked(Checked::Standing(standing))) = output
    else {
        return None;
    };
    match standing {
        Standing::Waiting(waiting) => Some((waiting.ticket.number, waiting.ticket.identity)),
        Standing::Passed { ticket, .. } => Some((ticket.number, ticket.identity)),
        Standing::HoldsSlot | Standing::Refused { .. } => None,
    }
}

impl Story {
    /// Adds a span behind the others; brief ones go into their neighbours.
    fn add(&mut self, mut span: Span) {
        if let [.., before, last] = self.spans.as_slice()
            && before.cause == span.cause
            && last.until.since_us(last.from) < BRIEF_US
            && let Some(brief) = self.spans.pop()
        {
            span = joined(&brief, span);
        }
        let full = self.spans.len() >= SPANS_MAX;
        match self.spans.pop_if(|last| last.cause == span.cause || full) {
            Some(last) => {
                let cause = last.cause;
                self.spans.push(Span { cause, ..joined(&last, span) });
            }
            None => self.spans.push(span),
        }
    }
}

/// Two spans that follow each other, as one for the reason of the later one.
fn joined(before: &Span, mut after: Span) -> Span {
    after.from = before.from;
    for (sum, more) in after.admitted.iter_mut().zip(before.admitted) {
        *sum += more;
    }
    after.ahead.add(&before.ahead);
    after
}
