//! What an operator can set of the queue. Rate, cap, pause and lanes change live.

/// Settings of a [`super::Queue`], in the units it counts in.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Admissions per second; 0 holds the line.
    pub rate: f64,
    /// Admissions that may come at once after a pause; 0: 2 % of the rate, at least 1.
    pub burst: u32,
    /// Share of the rate that admissions begin with after a standstill, above 0 to 1; 1: no slow
    /// start.
    pub slow_start: f64,
    /// Slots; 0 holds the line.
    pub cap: u64,
    /// Whether [`super::Queue::connect`] refuses a player without a slot when the world is full.
    pub strict_cap: bool,
    /// Most tickets that may wait.
    pub line_max: u64,
    /// Shortest lease of a silent ticket, in milliseconds.
    pub lease_ms: u64,
    /// How long a parked ticket keeps its number, in milliseconds.
    pub parked_ms: u64,
    /// How long a pass, and its slot, is kept for its owner, in milliseconds.
    pub pass_ttl_ms: u64,
    /// How long a slot waits for the first socket after sign-in, in milliseconds.
    pub connect_window_ms: u64,
    /// How long a dropped player's slot is held, in milliseconds.
    pub grace_ms: u64,
    /// Whether a clean close frees the slot at once.
    pub clean_close_frees: bool,
    /// Time after a restart before the first admission, in milliseconds.
    pub settle_ms: u64,
    /// Polls per second the whole line may cause.
    pub poll_budget: u32,
    /// Shortest poll interval, in milliseconds.
    pub poll_min_ms: u64,
    /// Longest poll interval, in milliseconds.
    pub poll_max_ms: u64,
    /// Added to every estimate: admission to being in, in milliseconds.
    pub login_ms: u64,
    /// Most members of a party.
    pub party_max: usize,
    /// How long after its first member came a party may be joined, in milliseconds.
    pub party_join_ms: u64,
    /// Largest share of the rate for the grace lane while others wait, 0 to 1.
    pub grace_share: f64,
    /// Weights of the lanes paying, standard and low, each at least 1.
    pub lane_weights: [u32; 3],
}
