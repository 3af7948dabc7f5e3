//! A launch before it happens: people as they come, wait, give up, play and leave, in simulated time,
//! in front of the queue itself.
//!
//! [`launch`] says what is planned, [`crowd`] what people are like, [`curve`] when they come; [`run`]
//! plays it with [`agenda`], [`tally`] counts, [`outcome`] says what came of it, [`recommend`] what
//! to set, and [`recorded`] how far off a day that has happened. Dice are passed in.

mod agenda;
mod crowd;
mod curve;
mod draw;
mod launch;
mod outcome;
mod recommend;
mod recorded;
mod run;
mod tally;
#[cfg(test)]
mod tests;

pub use crowd::{Crowd, Mix};
pub use curve::Curve;
pub use draw::{FOR_EVER_MS, Spread, exponential, percentile, unit};
pub use launch::{LIMIT_MAX_S, Launch, Polling, Scenario, Unplayable};
pub use outcome::{EtaError, Group, Line, Memory, Outcome, Polls, Slots, Waits};
pub use recommend::{Advice, Machine, advise};
pub use recorded::{Minute, Off, compare};
pub use run::{Progress, Run};
pub use tally::{People, Sample};
