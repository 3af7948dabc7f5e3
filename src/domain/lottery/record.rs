//! The published record of a lottery, `lottery.json`, and its three stages.

use serde::{Deserialize, Serialize};

use super::{
    BEACON_MAX, LotteryError, PublicSeed, Seed, ServerSeed, check_entrants, draw, entrants_root,
};
use crate::domain::digest::Digest;
use crate::domain::time::UnixMicros;

/// The format of the record, and of the formulas behind it.
const VERSION: u32 = 1;

/// Names a lottery in files and addresses: 1 to 64 of a to z, 0 to 9 and `-`, beginning with a
/// letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LotteryId(String);

impl LotteryId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LotteryId {
    type Error = LotteryError;

    fn try_from(text: String) -> Result<Self, LotteryError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let good = matches!(text.len(), 1..=64) && text.bytes().all(fits);
        if good && !text.starts_with('-') { Ok(Self(text)) } else { Err(LotteryError::Id) }
    }
}

impl From<LotteryId> for String {
    fn from(id: LotteryId) -> Self {
        id.0
    }
}

impl std::fmt::Display for LotteryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known when an opening is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    id: LotteryId,
    epoch: u32,
    scheduled_at: UnixMicros,
    opens_at: UnixMicros,
    commitment: Digest,
    beacon: String,
}

impl Schedule {
    /// An opening at `opens_at` of the line of `epoch`, with the commitment to `seed` and the
    /// public value that will be used, in words anybody can find it by; empty: none.
    ///
    /// # Errors
    ///
    /// [`LotteryError::Beacon`]
    pub fn new(
        id: LotteryId,
        epoch: u32,
        (scheduled_at, opens_at): (UnixMicros, UnixMicros),
        seed: &ServerSeed,
        beacon: String,
    ) -> Result<Self, LotteryError> {
        check_beacon(&beacon)?;
        Ok(Self { id, epoch, scheduled_at, opens_at, commitment: seed.commitment(), beacon })
    }

    /// Which lottery.
    pub const fn id(&self) -> &LotteryId {
        &self.id
    }

    /// The line whose tickets take part.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// When the doors open.
    pub const fn opens_at(&self) -> UnixMicros {
        self.opens_at
    }

    /// The commitment to the server seed.
    pub const fn commitment(&self) -> Digest {
        self.commitment
    }

    /// Which public value will be used; empty: none.
    pub fn beacon(&self) -> &str {
        &self.beacon
    }
}

fn check_beacon(beacon: &str) -> Result<(), LotteryError> {
    let good = beacon.len() <= BEACON_MAX && !beacon.contains(char::is_control);
    good.then_some(()).ok_or(LotteryError::Beacon)
}

/// What is known when the pre-queue has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When it closed.
    pub at: UnixMicros,
    /// How many stood in it.
    pub entrants: u64,
    /// The root over their ticket numbers.
    pub root: Digest,
}

/// What is known after the draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// When it was drawn.
    pub at: UnixMicros,
    /// The beacon's value.
    pub public_seed: PublicSeed,
    /// The seed that was committed to.
    pub server_seed: ServerSeed,
}

/// How far a lottery is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Announced.
    Scheduled,
    /// The entrants are fixed.
    Closed(Closed),
    /// The order is fixed.
    Drawn(Closed, Drawn),
}

impl Stage {
    const fn word(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Closed(_) => "closed",
            Self::Drawn(..) => "drawn",
        }
    }
}

/// A lottery as it is published. Each step gives the next record and never changes what an earlier
/// one said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Published", into = "Published")]
pub struct Record {
    schedule: Schedule,
    stage: Stage,
}

impl Record {
    /// The first record.
    pub const fn scheduled(schedule: Schedule) -> Self {
        Self { schedule, stage: Stage::Scheduled }
    }

    /// What was known from the start.
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How far it is.
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The entrants, once they are fixed.
    pub const fn closed(&self) -> Option<&Closed> {
        match &self.stage {
            Stage::Scheduled => None,
            Stage::Closed(closed) | Stage::Drawn(closed, _) => Some(closed),
        }
    }

    /// Closes the pre-queue: these are the entrants, ascending.
    ///
    /// # Errors
    ///
    /// [`LotteryError::Stage`], [`LotteryError::NotAscending`], [`LotteryError::TooMany`]
    pub fn close(&self, at: UnixMicros, entrants: &[u64]) -> Result<Self, LotteryError> {
        let Stage::Scheduled = self.stage else { return Err(self.not("scheduled")) };
        check_entrants(entrants)?;
        let root = entrants_root(entrants);
        let closed = Closed { at, entrants: entrants.len() as u64, root };
        Ok(Self { schedule: self.schedule.clone(), stage: Stage::Closed(closed) })
    }

    /// Draws: the last record, and the order as indices into the entrants. The same arguments give
    /// the same order.
    ///
    /// # Errors
    ///
    /// [`LotteryError::Stage`]; a seed, entrants or a public value that do not belong to what was
    /// published.
    pub fn draw(
        &self,
        at: UnixMicros,
        server_seed: ServerSeed,
        public_seed: PublicSeed,
        entrants: &[u64],
    ) -> Result<(Self, Vec<u32>), LotteryError> {
        let closed = self.to_draw()?;
        if server_seed.commitment() != self.schedule.commitment {
            return Err(LotteryError::OtherServerSeed);
        }
        if entrants_root(entrants) != closed.root {
            return Err(LotteryError::OtherEntrants);
        }
        check_public(&self.schedule, &public_seed)?;
        let order = draw(Seed::new(&server_seed, closed.root, &public_seed), entrants);
        let drawn = Drawn { at, public_seed, server_seed };
        let stage = Stage::Drawn(closed.clone(), drawn);
        Ok((Self { schedule: self.schedule.clone(), stage }, order))
    }

    /// The entrants, if it is time to draw.
    ///
    /// # Errors
    ///
    /// [`LotteryError::Stage`], before the pre-queue has closed and after the draw.
    pub const fn to_draw(&self) -> Result<&Closed, LotteryError> {
        match &self.stage {
            Stage::Closed(closed) => Ok(closed),
            Stage::Scheduled | Stage::Drawn(..) => Err(self.not("closed")),
        }
    }

    const fn not(&self, needed: &'static str) -> LotteryError {
        LotteryError::Stage { is: self.stage.word(), needed }
    }
}

fn check_public(schedule: &Schedule, public: &PublicSeed) -> Result<(), LotteryError> {
    let belongs = schedule.beacon.is_empty() == public.is_empty();
    belongs.then_some(()).ok_or(LotteryError::PublicSeed)
}

/// The fields of `lottery.json`: they appear as they become known.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    version: u32,
    id: LotteryId,
    epoch: u32,
    scheduled_at: UnixMicros,
    opens_at: UnixMicros,
    commitment: Digest,
    beacon: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<UnixMicros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entrants: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entrants_root: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_seed: Option<PublicSeed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_seed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drawn_at: Option<UnixMicros>,
}

impl From<Record> for Published {
    fn from(record: Record) -> Self {
        let Record { schedule, stage } = record;
        let (closed, drawn) = match stage {
            Stage::Scheduled => (None, None),
            Stage::Closed(closed) => (Some(closed), None),
            Stage::Drawn(closed, drawn) => (Some(closed), Some(drawn)),
        };
        Self {
            version: VERSION,
            id: schedule.id,
            epoch: schedule.epoch,
            scheduled_at: schedule.scheduled_at,
            opens_at: schedule.opens_at,
            commitment: schedule.commitment,
            beacon: schedule.beacon,
            closed_at: closed.as_ref().map(|closed| closed.at),
            entrants: closed.as_ref().map(|closed| closed.entrants),
            entrants_root: closed.as_ref().map(|closed| closed.root),
            public_seed: drawn.as_ref().map(|drawn| drawn.public_seed.clone()),
            server_seed: drawn.as_ref().map(|drawn| drawn.server_seed.reveal()),
            drawn_at: drawn.as_ref().map(|drawn| drawn.at),
        }
    }
}

impl TryFrom<Published> for Record {
    type Error = LotteryError;

    fn try_from(found: Published) -> Result<Self, LotteryError> {
        let Published { version, id, epoch, scheduled_at, opens_at, commitment, beacon, .. } =
            found;
        if version != VERSION {
            return Err(LotteryError::Version(version));
        }
        check_beacon(&beacon)?;
        let schedule = Schedule { id, epoch, scheduled_at, opens_at, commitment, beacon };
        let closed = match (found.closed_at, found.entrants, found.entrants_root) {
            (None, None, None) => None,
            (Some(at), Some(entrants), Some(root)) => Some(Closed { at, entrants, root }),
            _ => return Err(LotteryError::Incomplete),
        };
        let stage = match (closed, found.drawn_at, found.public_seed, found.server_seed) {
            (None, None, None, None) => Stage::Scheduled,
            (Some(closed), None, None, None) => Stage::Closed(closed),
            (Some(closed), Some(at), Some(public_seed), Some(server_seed)) => {
                let server_seed =
                    ServerSeed::from_hex(&server_seed).ok_or(LotteryError::OtherServerSeed)?;
                check_public(&schedule, &public_seed)?;
                Stage::Drawn(closed, Drawn { at, public_seed, server_seed })
            }
            _ => return Err(LotteryError::Incomplete),
        };
        Ok(Self { schedule, stage })
    }
}
