//! Everything that goes into the line, in order, as bytes: so that the same line can be played again
//! and asked why somebody waited.
//!
//! [`Recorder`] is the one way into the queue of a running server: it notes an input and hands it on.
//! A segment of the journal is a whole state ([`Queue::write_exact`]) and the inputs since; [`Playback`]
//! plays it. Now and then there is a proof among the inputs, a hash of the state and of every answer
//! since the segment began, so a replay that is not what happened says so itself.
//!
//! [`entry`] has the form of an input in bytes.

mod bounds;
mod digest;
mod entry;
mod playback;
mod recorder;
#[cfg(test)]
mod tests;

pub use bounds::Bounds;
pub use entry::{BadEntry, Ending};
pub use playback::{Playback, Played, Watcher};
pub use recorder::Recorder;
