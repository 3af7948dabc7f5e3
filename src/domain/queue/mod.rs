//! The login queue: a line, a gate and a ledger of slots, joined in one state machine.
//!
//! Read `queue` for the machine, then its parts: `line` (order under abandonment), `gate`
//! and `throttle` and `adaptive` (rate), `ledger` (slots), `lanes`, `mode`, `opening`, `eta`, `poll`. `admission` is what happens by itself as time
//! passes, `slots` what happens after admission, `massdrop` when many drop at once, `recovery` what survives a restart,
//! `amnesty` what survives the loss of every file, `replay` the
//! same machine behind one function. The invariants I1 to I14 are those of the project's note on
//! login queues; each test names the one it keeps.

mod adaptive;
#[cfg(test)]
mod adaptive_tests;
mod admission;
mod amnesty;
mod answer;
mod block;
#[cfg(test)]
mod estimates;
mod eta;
mod exact;
#[cfg(test)]
mod examples;
mod fenwick;
mod figures;
pub mod frame;
mod gate;
mod index;
pub mod journal;
mod lanes;
mod ledger;
mod line;
mod massdrop;
#[cfg(test)]
mod massdrop_tests;
pub mod mode;
mod opening;
mod packed;
mod parties;
mod patience;
mod poll;
#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts, compared with a tolerance")]
mod props;
#[expect(clippy::module_inception, reason = "the machine is called what the room is called")]
mod queue;
mod record;
mod recovery;
mod redeemed;
mod replay;
#[cfg(test)]
mod restarts;
mod servers;
pub mod settings;
mod sight;
mod signals;
mod slots;
mod snapshot;
pub mod standing;
mod throttle;
mod transfer;

pub use exact::NotExact;
pub use figures::Figures;
pub use frame::Frame;
pub use ledger::Holder;
pub use mode::{Announcement, Mode};
pub use opening::{LotteryPlan, Opening, OpeningPlan, Range};
pub use parties::NoParty;
pub use poll::{FRONT_CONFIRM_S, NEAR_CONFIRM_S};
pub use queue::{Admission, Checked, Queue};
pub use recovery::Recovery;
pub use replay::{Input, Output};
pub use settings::{AdaptiveSettings, Costs, MassDropSettings, Settings, Tuning, Work};
pub use sight::{Bound, Place, Seen, SlotState};
pub use signals::Signals;
pub use slots::NoSlot;
pub use snapshot::Snapshot;
pub use standing::{
    Closed, Departure, Eta, Identity, Lane, Number, PassRefused, Phase, Player, Reason, Standing,
    TicketRef, Waiting,
};
pub use transfer::{NotTransferred, Whereabouts};

use crate::domain::time::UnixMicros;

/// How long a poll may be overdue at the head before its ticket counts as silent.
const SILENCE_SLACK_MS: u64 = 15_000;
/// How long a pass in use does not expire.
const IN_USE_MS: u64 = 30_000;
/// When to come back if the line has no number to give.
const NUMBERS_RETRY_MS: u64 = 1_000;
