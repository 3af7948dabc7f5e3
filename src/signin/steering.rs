//! What operators change, by the settings and by the operator API: each change on record before it is
//! made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::actors::audit::NotTaken;
use crate::actors::{Audit, CallError, Line};
use crate::config::QueueConfig;
use crate::domain::account::AccountId;
use crate::domain::audit::{Text, What, Who};
use crate::domain::queue::{Announcement, Figures, Lane, Mode, Tuning};
use crate::domain::steering::{Change, Desk, Dials, LaneShares, Made, NoUndo, Outlook, Staged};
use crate::domain::time::UnixMicros;

/// Why settings were not applied, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// The line did not take or answer a call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The change cannot be put on record, so it was not made.
    #[error("the change was not made: {0}")]
    Audit(#[from] NotTaken),
}

/// Why a change was not applied or not taken back.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nothing of this id is staged (any more).
    #[error("no such change is staged, or it was staged too long ago")]
    NotStaged,
    /// It cannot be taken back.
    #[error(transparent)]
    Undo(#[from] NoUndo),
    /// It could not be made, or nobody knows whether it was.
    #[error(transparent)]
    Steer(#[from] SteerError),
}

impl From<CallError> for ChangeError {
    fn from(error: CallError) -> Self {
        Self::Steer(error.into())
    }
}

/// What would come of a change, by lane in the order of [`Lane::ALL`]: as it is, and after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preview {
    /// As it is.
    pub now: [Outlook; Lane::COUNT],
    /// After the change.
    pub then: [Outlook; Lane::COUNT],
}

/// Turns the line. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Steering {
    line: Line,
    audit: Audit,
    desk: Arc<Mutex<Desk>>,
    /// One change at a time: what one finds is what he changes.
    turning: Arc<tokio::sync::Mutex<()>>,
}

impl Steering {
    /// Steers this line.
    pub fn new(line: Line, audit: Audit) -> Self {
        Self { line, audit, desk: Arc::default(), turning: Arc::default() }
    }

    /// Applies rate, cap, lanes, polls, pause and opening, as far as they differ from what is in force. Places are
    /// kept. An opening that cannot be changed is logged and stays as it is.
    ///
    /// # Errors
    ///
    /// See [`SteerError`]; what came before is applied.
    pub async fn apply(&self, queue: &QueueConfig) -> Result<(), SteerError> {
        self.apply_by(Who::Settings, queue).await
    }

    /// The same by somebody's word.
    ///
    /// # Errors
    ///
    /// As for [`Steering::apply`].
    pub async fn apply_by(&self, who: Who, queue: &QueueConfig) -> Result<(), SteerError> {
        let _turning = self.turning.lock().await;
        let found = self.line.figures().await?;
        // Pausing comes first and resuming last: nobody slips in between.
        if queue.paused && !matches!(found.mode, Mode::Paused | Mode::Maintenance) {
            self.say(who.clone(), Announcement::pause()).await?;
        }
        if found.rate.total_cmp(&queue.rate).is_ne() {
            self.set_rate(who.clone(), found.rate, queue.rate).await?;
        }
        if found.cap != queue.cap {
            self.set_cap(who.clone(), found.cap, queue.cap).await?;
        }
        let tuning = queue.settings().tuning();
        if found.tuning != tuning {
            self.tune(who.clone(), found.tuning, tuning).await?;
        }
        if let Err(error) = self.line.schedule_opening(queue.opening.plan()).await? {
            tracing::error!(%error, "the opening of the settings was not taken up");
        }
        // Anything but a pause was announced otherwise, and is ended so.
        if !queue.paused && found.mode == Mode::Paused {
            self.say(who.clone(), Announcement::open()).await?;
        }
        Ok(())
    }

    /// Opens, pauses, drains or closes the line, with an end and words. Places are kept.
    ///
    /// # Errors
    ///
    /// See [`SteerError`]: nothing was done, or it may have been; saying it again is safe.
    pub async fn announce(&self, said: Announcement) -> Result<(), SteerError> {
        let _turning = self.turning.lock().await;
        self.say(Who::Settings, said).await
    }

    /// Stages a change that was checked ([`Change::checked`]), and says what would come of it. Nothing
    /// changes.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn stage(
        &self,
        id: Uuid,
        change: Change,
        by: AccountId,
    ) -> Result<(Staged, Preview), CallError> {
        let dials = self.dials().await?;
        let then = change.applied_to(&dials);
        let now = self.line.outlook(dials).await?;
        let then = self.line.outlook(then).await?;
        let staged = self.desk().stage(self.line.now(), id, change, by);
        Ok((staged, Preview { now, then }))
    }

    /// Drops a staged change. Whether there was one.
    pub fn drop_staged(&self, id: Uuid) -> bool {
        self.desk().take(self.line.now(), id).is_some()
    }

    /// Makes a staged change.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]: with [`ChangeError::Steer`] a part of it may have been made.
    pub async fn make(&self, id: Uuid, by: AccountId) -> Result<Made, ChangeError> {
        let _turning = self.turning.lock().await;
        let now = self.line.now();
        let Some(staged) = self.desk().take(now, id) else { return Err(ChangeError::NotStaged) };
        let before = self.dials().await?;
        self.turn(&self.operator(by), &before, staged.change.clone()).await?;
        let made = Made { id, change: staged.change, before, by, at: now, undone: false };
        self.desk().made(made.clone());
        Ok(made)
    }

    /// Takes a change back that was made: the dials it turned are as they were before it.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]
    pub async fn undo(&self, id: Uuid, by: AccountId) -> Result<Dials, ChangeError> {
        let _turning = self.turning.lock().await;
        let dials = self.dials().await?;
        let back = self.desk().undo(id, &dials)?;
        let who = self.operator(by);
        let what = What::Undo { change: id.to_string().into() };
        self.audit.record(who.clone(), what).map_err(SteerError::from)?;
        let after = back.applied_to(&dials);
        self.turn(&who, &dials, back).await?;
        self.desk().undone(id);
        Ok(after)
    }

    /// The dials as they are.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn dials(&self) -> Result<Dials, CallError> {
        Ok(self.dials_of(&self.line.figures().await?))
    }

    /// The dials of these figures.
    pub fn dials_of(&self, figures: &Figures) -> Dials {
        let announced = self.line.frame().announced.clone();
        // The frame may be a moment behind after a change of its own accord.
        let announced = if figures.mode == announced.mode {
            announced
        } else {
            Announcement::new(figures.mode, None, "")
        };
        let Tuning { lane_weights: weights, grace_share, .. } = figures.tuning;
        let lanes = LaneShares { weights, grace_share };
        Dials { rate: figures.rate, cap: figures.cap, lanes, announced }
    }

    /// What is staged, and what was made.
    pub fn changes(&self) -> (Vec<Staged>, Vec<Made>) {
        self.desk().all(self.line.now())
    }

    /// When the last of each lane comes in, with these dials.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn outlook(&self, dials: Dials) -> Result<[Outlook; Lane::COUNT], CallError> {
        self.line.outlook(dials).await
    }

    /// What the line's clock says.
    pub fn now(&self) -> UnixMicros {
        self.line.now()
    }

    /// Bytes that the journal of the line takes; `None`: there is none.
    pub fn journal_bytes(&self) -> Option<u64> {
        self.line.journal().map(|journal| journal.bytes.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// The line's figures.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn figures(&self) -> Result<Figures, CallError> {
        self.line.figures().await
    }

    async fn turn(&self, who: &Who, before: &Dials, change: Change) -> Result<(), SteerError> {
        let Change { rate, cap, lanes, announce } = change;
        // Closing comes first and opening last: nobody slips in between.
        let (first, last) = match announce {
            Some(said) if !said.mode.admits() => (Some(said), None),
            said => (None, said),
        };
        if let Some(said) = first {
            self.say(who.clone(), said).await?;
        }
        if let Some(rate) = rate {
            self.set_rate(who.clone(), before.rate, rate).await?;
        }
        if let Some(cap) = cap {
            self.set_cap(who.clone(), before.cap, cap).await?;
        }
        if let Some(lanes) = lanes {
            self.set_lanes(who.clone(), lanes).await?;
        }
        if let Some(said) = last {
            self.say(who.clone(), said).await?;
        }
        Ok(())
    }

    async fn set_rate(&self, who: Who, from: f64, to: f64) -> Result<(), SteerError> {
        self.audit.record(who, What::Rate { from, to })?;
        Ok(self.line.set_rate(to).await?)
    }

    async fn set_cap(&self, who: Who, from: u64, to: u64) -> Result<(), SteerError> {
        self.audit.record(who, What::Cap { from, to })?;
        Ok(self.line.set_cap(to).await?)
    }

    async fn set_lanes(&self, who: Who, to: LaneShares) -> Result<(), SteerError> {
        let before = self.line.figures().await?.tuning;
        let LaneShares { weights: lane_weights, grace_share } = to;
        self.tune(who, before, Tuning { grace_share, lane_weights, ..before }).await
    }

    async fn tune(&self, who: Who, from: Tuning, to: Tuning) -> Result<(), SteerError> {
        self.audit.record(who, What::Lanes { from: words(from), to: words(to) })?;
        Ok(self.line.tune(to).await?)
    }

    async fn say(&self, who: Who, said: Announcement) -> Result<(), SteerError> {
        self.audit.record(who, what_is_said(&said))?;
        Ok(self.line.announce(said).await?)
    }

    /// Puts something else that an operator does on record, before it is done.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]: then it must not be done.
    pub fn record(&self, by: AccountId, what: What) -> Result<(), NotTaken> {
        self.audit.record(self.operator(by), what)
    }

    fn operator(&self, account: AccountId) -> Who {
        Who::Operator(self.audit.pseudonyms().account(account))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shares of the lanes as the audit chain has them.
fn words(tuning: Tuning) -> Text {
    let Tuning { lane_weights: [paying, standard, low], grace_share, poll_budget } = tuning;
    let text = format!(
        "paying {paying}, standard {standard}, low {low}, grace {grace_share}, polls {poll_budget}"
    );
    text.into()
}

fn what_is_said(said: &Announcement) -> What {
    let words = || said.message.as_str().into();
    match said.mode {
        Mode::Open | Mode::Prequeue | Mode::Drawing => What::Resume,
        Mode::Paused => What::Pause { reason: words(), until: said.until },
        Mode::Held => {
            let reason = format!("held {}", said.message).trim_end().into();
            What::Pause { reason, until: said.until }
        }
        Mode::Draining => What::Drain { on: true },
        Mode::Maintenance => What::Maintenance { on: true, message: words() },
    }
}
