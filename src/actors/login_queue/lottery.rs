//! The thread that holds lotteries: draws them, and has each stage on disk before anybody is told.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::domain::lottery::{LotteryId, PublicSeed, Record, Schedule, ServerSeed, Stage};
use crate::domain::queue::Number;
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::store::lottery::{Lotteries, LotteryFileError};

/// Schedules at one moment: more are told that the names are used up.
const NAMES_MAX: u32 = 100;

/// What is asked of the thread.
#[derive(Debug)]
pub(super) enum Step {
    /// Commit to a seed, and publish that.
    Schedule { epoch: u32, now: UnixMicros, opens_at: UnixMicros, beacon: String },
    /// Publish who takes part.
    Close { id: LotteryId, now: UnixMicros, entrants: Vec<Number> },
    /// Draw, and publish the order.
    Draw { id: LotteryId, now: UnixMicros, public_seed: PublicSeed },
}

/// What came of a step.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub(super) enum Stepped {
    Scheduled(Record),
    Closed(Record),
    /// The entrants' numbers, first place first.
    Drawn(Record, Vec<Number>),
    /// It cannot be done; nothing has changed.
    Refused(String),
    /// The disk failed: it may have been done or not.
    Failed(String),
}

/// The way to the thread, which ends when this is dropped. One step at a time.
#[derive(Debug)]
pub(super) struct Desk(SyncSender<Step>);

impl Desk {
    /// Starts the thread. `tell` is called on it.
    pub(super) fn start(
        mut lotteries: Lotteries,
        dice: Dice,
        tell: impl Fn(Stepped) + Send + 'static,
    ) -> io::Result<Self> {
        let (steps, inbox) = sync_channel(1);
        let run = move || {
            for step in inbox {
                tell(match take(&mut lotteries, &dice, step) {
                    Ok(stepped) => stepped,
                    Err(LotteryFileError::Io(error)) => Stepped::Failed(error.to_string()),
                    Err(error) => Stepped::Refused(error.to_string()),
                });
            }
        };
        std::thread::Builder::new().name("lottery".into()).spawn(run)?;
        Ok(Self(steps))
    }

    /// Asks for a step; `false`: the thread is gone, or another step is on its way.
    pub(super) fn ask(&self, step: Step) -> bool {
        self.0.try_send(step).is_ok()
    }
}

fn take(lotteries: &mut Lotteries, dice: &Dice, step: Step) -> Result<Stepped, LotteryFileError> {
    match step {
        Step::Schedule { epoch, now, opens_at, beacon } => {
            if let Some(record) = scheduled_before(lotteries, epoch, opens_at, &beacon)? {
                return Ok(Stepped::Scheduled(record));
            }
            let seed = ServerSeed::new(dice.bytes());
            for nth in 1..=NAMES_MAX {
                let id = name(opens_at, nth)?;
                let times = (now, opens_at);
                let schedule = Schedule::new(id, epoch, times, &seed, beacon.clone())?;
                match lotteries.schedule(schedule, &seed) {
                    Err(LotteryFileError::Exists(_)) => {}
                    done => return done.map(Stepped::Scheduled),
                }
            }
            Ok(Stepped::Refused("too many openings were scheduled at this time".to_owned()))
        }
        Step::Close { id, now, entrants } => {
            let entrants: Vec<u64> = entrants.into_iter().map(|number| number.0).collect();
            lotteries.close(&id, now, &entrants).map(Stepped::Closed)
        }
        Step::Draw { id, now, public_seed } => {
            let (record, order) = lotteries.draw(&id, now, public_seed)?;
            Ok(Stepped::Drawn(record, order.into_iter().map(Number).collect()))
        }
    }
}

/// The commitment that was made to this very opening, before a crash or a restart.
fn scheduled_before(
    lotteries: &Lotteries,
    epoch: u32,
    opens_at: UnixMicros,
    beacon: &str,
) -> Result<Option<Record>, LotteryFileError> {
    for id in lotteries.ids()? {
        // A damaged one is an error where it is needed, not here.
        let Ok(record) = lotteries.record(&id) else { continue };
        let schedule = record.schedule();
        let same = schedule.epoch() == epoch
            && schedule.opens_at() == opens_at
            && schedule.beacon() == beacon;
        if same && *record.stage() == Stage::Scheduled && lotteries.can_be_drawn(&id) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// `opening-2027-01-15t080000z`, and with a number from the second of that time on.
fn name(opens_at: UnixMicros, nth: u32) -> Result<LotteryId, LotteryFileError> {
    let seconds = i64::try_from(opens_at.as_secs()).unwrap_or(i64::MAX);
    let time = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
    let mut name = format!("opening-{}", time.to_lowercase().replace(':', ""));
    if nth > 1 {
        name = format!("{name}-{nth}");
    }
    Ok(LotteryId::try_from(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_named_after_its_time() {
        let at = UnixMicros::from_secs(1_800_000_000);
        assert_eq!(name(at, 1).unwrap().as_str(), "opening-2027-01-15t080000z");
        assert_eq!(name(at, 2).unwrap().as_str(), "opening-2027-01-15t080000z-2");
    }

    #[test]
    fn the_same_opening_keeps_its_commitment_and_another_gets_one_of_its_own() {
        let data = tempfile::tempdir().unwrap();
        let mut lotteries = Lotteries::open(data.path()).unwrap();
        let (dice, now) = (Dice::seeded(1), UnixMicros::from_secs(1_800_000_000));
        let mut schedule = |epoch, after, beacon: &str| {
            let opens_at = now.plus_secs(after);
            let step = Step::Schedule { epoch, now, opens_at, beacon: beacon.to_owned() };
            match take(&mut lotteries, &dice, step).unwrap() {
                Stepped::Scheduled(record) => record.schedule().clone(),
                other => panic!("{other:?}"),
            }
        };
        let first = schedule(1, 60, "round 1");
        assert_eq!(schedule(1, 60, "round 1"), first);
        let others = [schedule(1, 60, "round 2"), schedule(1, 61, "round 1"), schedule(2, 60, "")];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(other.id(), first.id());
            let differs = |one: &Schedule| one.commitment() != other.commitment();
            assert!(differs(&first) && others[..at].iter().all(differs), "a seed of its own");
        }
    }
}
