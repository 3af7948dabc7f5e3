//! What outlives the process: accounts (a trait and its engine) and the line's own files.

pub mod line;
pub mod sled;
