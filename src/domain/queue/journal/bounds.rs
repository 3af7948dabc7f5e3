//! How much of it is kept.

/// What the journal may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// All segments together, in bytes.
    pub bytes_max: u64,
    /// How long a segment is kept after its end, in microseconds.
    pub keep_us: u64,
}

impl Bounds {
    /// Inputs in a segment, in bytes: 32 MB, less in a small journal.
    pub const fn segment_bytes(&self) -> u64 {
        let share = self.bytes_max / 8;
        if share < 32 << 20 { share } else { 32 << 20 }
    }
}
