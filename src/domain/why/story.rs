//! What is told of one ticket.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::domain::queue::{Announcement, Bound, Lane, Number};
use crate::domain::time::UnixMicros;

/// Why somebody waited for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// He was silent when his turn came, and not back yet.
    Away,
    /// The server did not run.
    Down,
    /// Nobody knows: the journal has a gap.
    Unknown,
    /// In line, and the line was bound by this.
    #[serde(untagged)]
    Bound(Bound),
}

/// How those ahead in the same lane became fewer, or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Came in.
    pub admitted: u64,
    /// Gave up.
    pub left: u64,
    /// Were silent when their turn came, or for too long.
    pub silent: u64,
    /// Came back with an older number.
    pub returned: u64,
}

impl Left {
    pub(super) const fn add(&mut self, other: &Self) {
        self.admitted += other.admitted;
        self.left += other.left;
        self.silent += other.silent;
        self.returned += other.returned;
    }
}

/// A while of waiting for one reason. Moments of another one within are counted in
/// [`Story::causes`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// From when.
    pub from: UnixMicros,
    /// Until when.
    pub until: UnixMicros,
    /// Why.
    pub cause: Cause,
    /// Who came in meanwhile, by lane, in the order of [`Lane::ALL`].
    #[serde(serialize_with = "by_lane")]
    pub admitted: [u64; Lane::COUNT],
    /// What became of those ahead.
    pub ahead: Left,
}

/// What happened to the ticket, or to the line while it waited.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// It was taken. `on_record`: this very moment is in the journal; otherwise the time is in whole
    /// seconds and what was before the next event is not known.
    Entered {
        /// Its lane.
        #[serde(serialize_with = "lane_name")]
        lane: Lane,
        /// Its place there; `None`: it came in at once.
        position: Option<u64>,
        /// See above.
        on_record: bool,
    },
    /// Another number is its place now: it was drawn.
    Drawn {
        /// The number.
        number: Number,
    },
    /// It was silent when its turn came, and others came in.
    Parked,
    /// It was heard of again.
    Returned {
        /// Its lane now.
        #[serde(serialize_with = "lane_name")]
        lane: Lane,
        /// Its place there.
        position: u64,
    },
    /// It was admitted.
    Admitted {
        /// From which lane.
        #[serde(serialize_with = "lane_name")]
        lane: Lane,
    },
    /// Nobody came with the pass.
    PassLapsed,
    /// Operators, or the line itself, said something else to everybody.
    Announced {
        /// What.
        #[serde(serialize_with = "announcement")]
        said: Announcement,
    },
    /// Operators changed the rate.
    Rate {
        /// Admissions per second.
        rate: f64,
    },
    /// Operators changed the number of slots.
    Cap {
        /// Slots.
        cap: u64,
    },
    /// Its place went to another owner, with the same number.
    Transferred,
    /// The server stopped. `in_order`: otherwise it was killed, and up to a second before is not on
    /// record.
    Stopped {
        /// See above.
        in_order: bool,
    },
    /// The server was there again.
    Started,
    /// From here on the journal has a gap.
    Gap,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: UnixMicros,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Signed in: the pass was used.
    SignedIn,
    /// Its owner gave it up.
    Left,
    /// A sign-in failed, and its pass was given back.
    GivenBack,
    /// It was silent for longer than its lease.
    LeaseOver,
    /// It was parked, or its pass had lapsed, and its owner did not come back in time.
    NotBack,
    /// Its owner came in, or had a better place, by another ticket.
    Replaced,
    /// It was over when the journal, or the server, went on.
    Unknown,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stands {
    /// Its lane.
    #[serde(serialize_with = "lane_name")]
    pub lane: Lane,
    /// Its place there, from 1.
    pub position: u64,
}

/// The story of a ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Story {
    /// Lifetime of the line.
    pub epoch: u32,
    /// Its number: the one it was taken with, as far as that is known.
    pub number: Number,
    /// When it was taken.
    pub entered_at: UnixMicros,
    /// When it came in: the last time, if it was let in more than once.
    pub admitted_at: Option<UnixMicros>,
    /// How it ended, and when; `None`: it has not, as far as the journal goes.
    pub ended: Option<(UnixMicros, End)>,
    /// As far as the journal was played.
    pub until: UnixMicros,
    /// Its lane and place then; `None`: it does not stand in line any more.
    pub stands: Option<Stands>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Why it waited, in order.
    pub spans: Vec<Span>,
    /// How long it waited for each reason, in microseconds: to the microsecond, where spans are coarse.
    pub causes: BTreeMap<Cause, u64>,
    /// Those ahead of it in its lane when it came: what became of them and of who came back before it.
    pub ahead: Left,
    /// Who came in while it waited, by lane, in the order of [`Lane::ALL`].
    #[serde(serialize_with = "by_lane")]
    pub admitted: [u64; Lane::COUNT],
    /// How often it was heard of.
    pub heard: u64,
    /// The longest it was not heard of while it waited, in microseconds.
    pub silent_us: u64,
}

impl Story {
    /// How long it waited, as far as it is known, in microseconds.
    pub fn waited_us(&self) -> u64 {
        self.causes.values().sum()
    }
}

/// A lane by its word.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde calls it")]
fn lane_name<S: Serializer>(lane: &Lane, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(lane.name())
}

/// Numbers by the words of their lanes.
pub(super) fn by_lane<S: Serializer>(
    numbers: &[u64; Lane::COUNT],
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(Lane::ALL.into_iter().map(Lane::name).zip(numbers))
}

/// What was announced, with the word of the mode.
pub(super) fn announcement<S: Serializer>(said: &Announcement, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Said<'a> {
        mode: &'static str,
        until: Option<UnixMicros>,
        message: &'a str,
    }
    Said { mode: said.mode.name(), until: said.until, message: &said.message }.serialize(to)
}
