//! `LoginQueue`: owns the line, the gate and the ledger; [`Line`]: the way to it.

/// The way to the line.
#[derive(Clone, Debug)]
pub struct Line;
