//! What operators turn while the line moves, as changes that are looked at before they are made and can
//! be taken back.
//!
//! A change is staged, which changes nothing: it says what would come of it. It is applied by its id, and
//! taken back by its id as long as nobody turned the same dial since.

use std::collections::VecDeque;

use uuid::Uuid;

use super::account::AccountId;
use super::queue::Announcement;
use super::time::UnixMicros;

/// Changes that are remembered: those staged, and those made.
pub const KEPT_MAX: usize = 32;
/// How long a staged change can be applied, in seconds.
pub const STAGED_S: u64 = 900;
/// Bounds of the rate, in admissions a second.
pub const RATE_MAX: f64 = 100_000.0;
/// Most slots.
pub const CAP_MAX: u64 = 100_000_000;
/// Largest weight of a lane.
pub const WEIGHT_MAX: u32 = 1_000;

/// How the lanes share the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneShares {
    /// How many of the lanes paying, standard and low come in by turns, each 1 to [`WEIGHT_MAX`].
    pub weights: [u32; 3],
    /// Share of the rate the grace lane may take while others wait, 0 to 1.
    pub grace_share: f64,
}

/// The dials.
#[derive(Clone, Debug, PartialEq)]
pub struct Dials {
    /// Admissions a second that operators allow.
    pub rate: f64,
    /// Slots.
    pub cap: u64,
    /// How the lanes share the rate.
    pub lanes: LaneShares,
    /// What the line does, until when, and what players are told.
    pub announced: Announcement,
}

/// What to turn; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Admissions a second, 0 to [`RATE_MAX`].
    pub rate: Option<f64>,
    /// Slots, 0 to [`CAP_MAX`].
    pub cap: Option<u64>,
    /// How the lanes are to share the rate.
    pub lanes: Option<LaneShares>,
    /// What the line is to do.
    pub announce: Option<Announcement>,
}

/// Why a change makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// It changes nothing.
    #[error("name at least one of rate, cap, lanes and announce")]
    Empty,
    /// The rate is out of bounds.
    #[error("rate is 0 to 100000 admissions a second")]
    Rate,
    /// The cap is out of bounds.
    #[error("cap is 0 to 100000000 slots")]
    Cap,
    /// The shares of the lanes are out of bounds.
    #[error("weights are three numbers of 1 to 1000, grace_share is 0 to 1")]
    Lanes,
    /// The mode is not an operator's: it follows from an opening, or from what is measured.
    #[error("mode is open, paused, draining or maintenance")]
    Mode,
    /// It would be over already.
    #[error("until_ms is over")]
    Over,
}

/// Why a change was not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUndo {
    /// There is no such change, or it is too long ago.
    #[error("no such change, or too many came since")]
    Unknown,
    /// It was taken back.
    #[error("the change was taken back already")]
    Undone,
    /// Somebody turned the same dial since.
    #[error("the same dial was turned since: stage a new change")]
    Overtaken,
}

impl Change {
    /// The change, if it makes sense at this moment.
    ///
    /// # Errors
    ///
    /// [`BadChange`]
    pub fn checked(self, now: UnixMicros) -> Result<Self, BadChange> {
        if self == Self::default() {
            return Err(BadChange::Empty);
        }
        if self.rate.is_some_and(|rate| !(0.0..=RATE_MAX).contains(&rate)) {
            return Err(BadChange::Rate);
        }
        if self.cap.is_some_and(|cap| cap > CAP_MAX) {
            return Err(BadChange::Cap);
        }
        let fits = |lanes: LaneShares| {
            lanes.weights.iter().all(|weight| (1..=WEIGHT_MAX).contains(weight))
                && (0.0..=1.0).contains(&lanes.grace_share)
        };
        if self.lanes.is_some_and(|lanes| !fits(lanes)) {
            return Err(BadChange::Lanes);
        }
        if let Some(announce) = &self.announce {
            if announce.mode.is_of_opening() {
                return Err(BadChange::Mode);
            }
            if announce.until.is_some_and(|until| until <= now) {
                return Err(BadChange::Over);
            }
        }
        Ok(self)
    }

    /// The dials after it.
    pub fn applied_to(&self, before: &Dials) -> Dials {
        Dials {
            rate: self.rate.unwrap_or(before.rate),
            cap: self.cap.unwrap_or(before.cap),
            lanes: self.lanes.unwrap_or(before.lanes),
            announced: self.announce.clone().unwrap_or_else(|| before.announced.clone()),
        }
    }

    /// The change that takes this one back.
    fn back_to(&self, before: &Dials) -> Self {
        Self {
            rate: self.rate.map(|_| before.rate),
            cap: self.cap.map(|_| before.cap),
            lanes: self.lanes.map(|_| before.lanes),
            announce: self.announce.as_ref().map(|_| before.announced.clone()),
        }
    }

    /// Whether the dials it turned are as it left them.
    fn still_stands(&self, now: &Dials) -> bool {
        #[expect(clippy::float_cmp, reason = "the same value, set and read")]
        let rate = self.rate.is_none_or(|rate| rate == now.rate);
        let announced = self.announce.as_ref().is_none_or(|said| *said == now.announced);
        let lanes = self.lanes.is_none_or(|lanes| lanes == now.lanes);
        rate && self.cap.is_none_or(|cap| cap == now.cap) && lanes && announced
    }
}

/// A change that waits to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Staged {
    /// Its id.
    pub id: Uuid,
    /// What it would do.
    pub change: Change,
    /// Who staged it.
    pub by: AccountId,
    /// Until when it can be applied.
    pub expires: UnixMicros,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its id.
    pub id: Uuid,
    /// What it did.
    pub change: Change,
    /// The dials before.
    pub before: Dials,
    /// Who applied it.
    pub by: AccountId,
    /// When.
    pub at: UnixMicros,
    /// Whether it was taken back.
    pub undone: bool,
}

/// Changes staged and made. In memory: a restart forgets what was staged and keeps what was turned.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    staged: VecDeque<Staged>,
    made: VecDeque<Made>,
}

impl Desk {
    /// Stages a change. Beyond [`KEPT_MAX`] the oldest is dropped.
    pub fn stage(&mut self, now: UnixMicros, id: Uuid, change: Change, by: AccountId) -> Staged {
        self.expire(now);
        if self.staged.len() >= KEPT_MAX {
            self.staged.pop_front();
        }
        let staged = Staged { id, change, by, expires: now.plus_secs(STAGED_S) };
        self.staged.push_back(staged.clone());
        staged
    }

    /// Takes a staged change, to apply it or to drop it.
    pub fn take(&mut self, now: UnixMicros, id: Uuid) -> Option<Staged> {
        self.expire(now);
        let at = self.staged.iter().position(|staged| staged.id == id)?;
        self.staged.remove(at)
    }

    /// Remembers a change that was made.
    pub fn made(&mut self, made: Made) {
        if self.made.len() >= KEPT_MAX {
            self.made.pop_front();
        }
        self.made.push_back(made);
    }

    /// The change that takes one back that was made.
    ///
    /// # Errors
    ///
    /// [`NoUndo`]
    pub fn undo(&self, id: Uuid, dials: &Dials) -> Result<Change, NoUndo> {
        let made = self.made.iter().find(|made| made.id == id).ok_or(NoUndo::Unknown)?;
        if made.undone {
            return Err(NoUndo::Undone);
        }
        if !made.change.still_stands(dials) {
            return Err(NoUndo::Overtaken);
        }
        Ok(made.change.back_to(&made.before))
    }

    /// Remembers that a change was taken back.
    pub fn undone(&mut self, id: Uuid) {
        if let Some(made) = self.made.iter_mut().find(|made| made.id == id) {
            made.undone = true;
        }
    }

    /// What is staged, and what was made, the oldest first.
    pub fn all(&mut self, now: UnixMicros) -> (Vec<Staged>, Vec<Made>) {
        self.expire(now);
        (self.staged.iter().cloned().collect(), self.made.iter().cloned().collect())
    }

    fn expire(&mut self, now: UnixMicros) {
        self.staged.retain(|staged| now < staged.expires);
    }
}

/// What would come of a change, by lane in the order of [`super::queue::Lane::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outlook {
    /// How many wait.
    pub waiting: u64,
    /// Seconds until the last of them comes in; `None`: nobody waits, or nobody can say.
    pub last_s: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::Mode;

    const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const OLGA: AccountId = AccountId(Uuid::from_u128(7));

    const EVEN: LaneShares = LaneShares { weights: [1, 1, 1], grace_share: 0.5 };

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn dials() -> Dials {
        Dials { rate: 50.0, cap: 1_000, lanes: EVEN, announced: Announcement::open() }
    }

    fn rate(rate: f64) -> Change {
        Change { rate: Some(rate), ..Change::default() }
    }

    fn make(desk: &mut Desk, number: u128, change: Change, before: &Dials) -> Dials {
        let staged = desk.stage(NOW, id(number), change, OLGA);
        let Staged { id, change, by, .. } = desk.take(NOW, staged.id).unwrap();
        let after = change.applied_to(before);
        desk.made(Made { id, change, before: before.clone(), by, at: NOW, undone: false });
        after
    }

    #[test]
    fn a_change_is_applied_once_and_taken_back_once() {
        let mut desk = Desk::default();
        let pause = Announcement::new(Mode::Paused, None, "A moment.");
        let change = Change { announce: Some(pause), ..rate(20.0) };
        let after = make(&mut desk, 1, change, &dials());
        assert_eq!((after.rate, after.cap, after.announced.mode), (20.0, 1_000, Mode::Paused));
        assert_eq!(desk.take(NOW, id(1)), None);
        let back = desk.undo(id(1), &after).unwrap();
        assert_eq!(back.applied_to(&after), dials());
        assert_eq!(back.cap, None, "what was not turned is not turned back");
        desk.undone(id(1));
        assert_eq!(desk.undo(id(1), &dials()), Err(NoUndo::Undone));
    }

    #[test]
    fn nobody_elses_change_is_taken_back() {
        let mut desk = Desk::default();
        let once = make(&mut desk, 1, rate(20.0), &dials());
        let cap = Change { cap: Some(5), ..Change::default() };
        let twice = make(&mut desk, 2, cap, &once);
        assert_eq!(desk.undo(id(1), &twice), Ok(rate(50.0)), "another dial is no matter");
        let thrice = make(&mut desk, 3, rate(30.0), &twice);
        assert_eq!(desk.undo(id(1), &thrice), Err(NoUndo::Overtaken));
        assert_eq!(desk.undo(id(3), &thrice), Ok(rate(20.0)));
        assert_eq!(desk.undo(id(9), &thrice), Err(NoUndo::Unknown));
    }

    #[test]
    fn what_is_staged_goes_by_itself_and_no_more_than_so_many_are_kept() {
        let mut desk = Desk::default();
        desk.stage(NOW, id(1), rate(1.0), OLGA);
        assert_eq!(desk.take(NOW.plus_secs(STAGED_S), id(1)), None);
        for number in 0..100 {
            desk.stage(NOW, id(number), rate(1.0), OLGA);
            make(&mut desk, 1_000 + number, rate(2.0), &dials());
        }
        let (staged, made) = desk.all(NOW);
        assert_eq!((staged.len(), made.len()), (KEPT_MAX - 1, KEPT_MAX), "one was taken");
        assert_eq!(staged.last().unwrap().id, id(99));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let announce = |mode, until| Change {
            announce: Some(Announcement::new(mode, until, "")),
            ..Change::default()
        };
        let cap = Change { cap: Some(CAP_MAX + 1), ..Change::default() };
        let lanes = |lanes| Change { lanes: Some(lanes), ..Change::default() };
        for (change, why) in [
            (Change::default(), BadChange::Empty),
            (rate(-1.0), BadChange::Rate),
            (rate(f64::NAN), BadChange::Rate),
            (cap, BadChange::Cap),
            (lanes(LaneShares { weights: [1, 0, 1], ..EVEN }), BadChange::Lanes),
            (lanes(LaneShares { grace_share: f64::NAN, ..EVEN }), BadChange::Lanes),
            (announce(Mode::Drawing, None), BadChange::Mode),
            (announce(Mode::Prequeue, None), BadChange::Mode),
            (announce(Mode::Paused, Some(NOW)), BadChange::Over),
        ] {
            assert_eq!(change.checked(NOW), Err(why));
        }
        assert!(announce(Mode::Maintenance, Some(NOW.plus_secs(1))).checked(NOW).is_ok());
    }
}
