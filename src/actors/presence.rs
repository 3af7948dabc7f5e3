//! `Presence`: who is online and who follows whom; [`Board`]: the way to it.

/// The way to the board.
#[derive(Clone, Debug)]
pub struct Board;
