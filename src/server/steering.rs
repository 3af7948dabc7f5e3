//! What operators change by the settings: each change on record before it is made.

use crate::actors::{Audit, CallError, Line};
use crate::config::QueueConfig;
use crate::domain::audit::{What, Who};
use crate::domain::queue::{Announcement, Mode};
use crate::store::audit::NotTaken;

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

/// Turns the line to what the settings say. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Steering {
    pub(super) line: Line,
    pub(super) audit: Audit,
}

impl Steering {
    /// Applies rate, cap, pause and opening, as far as they differ from what is in force. Places are
    /// kept. An opening that cannot be changed is logged and stays as it is.
    ///
    /// # Errors
    ///
    /// See [`SteerError`]; what came before is applied.
    pub(super) async fn apply(&self, queue: &QueueConfig) -> Result<(), SteerError> {
        let found = self.line.figures().await?;
        // Pausing comes first and resuming last: nobody slips in between.
        if queue.paused && !matches!(found.mode, Mode::Paused | Mode::Maintenance) {
            self.announce(Who::Settings, Announcement::pause()).await?;
        }
        if found.rate.total_cmp(&queue.rate).is_ne() {
            self.record(What::Rate { from: found.rate, to: queue.rate })?;
            self.line.set_rate(queue.rate).await?;
        }
        if found.cap != queue.cap {
            self.record(What::Cap { from: found.cap, to: queue.cap })?;
            self.line.set_cap(queue.cap).await?;
        }
        if let Err(error) = self.line.schedule_opening(queue.opening.plan()).await? {
            tracing::error!(%error, "the opening of the settings was not taken up");
        }
        // Anything but a pause was announced otherwise, and is ended so.
        if !queue.paused && found.mode == Mode::Paused {
            self.announce(Who::Settings, Announcement::open()).await?;
        }
        Ok(())
    }

    /// Opens, pauses, drains or closes the line, with an end and words. Places are kept.
    ///
    /// # Errors
    ///
    /// See [`SteerError`]: nothing was done, or it may have been; saying it again is safe.
    pub(super) async fn announce(&self, who: Who, said: Announcement) -> Result<(), SteerError> {
        self.audit.record(who, what_is_said(&said))?;
        Ok(self.line.announce(said).await?)
    }

    fn record(&self, what: What) -> Result<(), NotTaken> {
        self.audit.record(Who::Settings, what)
    }
}

fn what_is_said(said: &Announcement) -> What {
    let words = || said.message.as_str().into();
    match said.mode {
        Mode::Open | Mode::Prequeue | Mode::Drawing => What::Resume,
        Mode::Paused | Mode::Held => What::Pause { reason: words(), until: said.until },
        Mode::Draining => What::Drain { on: true },
        Mode::Maintenance => What::Maintenance { on: true, message: words() },
    }
}
