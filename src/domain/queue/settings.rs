//! What an operator can set of the queue. Rate, cap, pause and lanes change live.

use serde::{Deserialize, Serialize};

/// Settings of a [`super::Queue`], in the units it counts in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How long tickets of a line that was lost are taken, in milliseconds; 0: not at all.
    pub amnesty_ms: u64,
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
    /// What sign-ins cost.
    pub costs: Costs,
    /// How the rate follows what is measured.
    pub adaptive: AdaptiveSettings,
    /// What happens when many drop at once.
    pub mass_drop: MassDropSettings,
}

/// What of the settings changes live beside rate and cap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Largest share of the rate for the grace lane while others wait, 0 to 1.
    pub grace_share: f64,
    /// Weights of the lanes paying, standard and low, each at least 1.
    pub lane_weights: [u32; 3],
    /// Polls per second the whole line may cause.
    pub poll_budget: u32,
}

impl Settings {
    /// What of them changes live beside rate and cap.
    pub const fn tuning(&self) -> Tuning {
        let Self { grace_share, lane_weights, poll_budget, .. } = *self;
        Tuning { grace_share, lane_weights, poll_budget }
    }
}

/// What passed the gate, as far as its cost goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// A sign-in to an account by an identifier or a provider's word.
    Known = 0,
    /// A sign-in by password: one hash.
    Password = 1,
    /// An account was made.
    NewAccount = 2,
}

impl Work {
    /// How many kinds there are.
    pub const COUNT: usize = 3;
}

/// What sign-ins cost, in admissions. The gate takes 1 when it admits; the difference is settled when
/// the sign-in is done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// By kind, in the order of [`Work`].
    pub sign_in: [f64; Work::COUNT],
    /// Of a refresh of tokens, which never waits; 0: none.
    pub refresh: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { sign_in: [1.0; Work::COUNT], refresh: 0.0 }
    }
}

/// How the rate follows what is measured. See `adaptive`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveSettings {
    /// Whether it does.
    pub enabled: bool,
    /// A sign-in slower than this, for one in twenty, means that the backend has too much to do; in
    /// milliseconds.
    pub target_ms: u32,
    /// Smallest share of the operators' rate, above 0 to 1.
    pub floor_share: f64,
    /// Share of sign-ins that fail over ten seconds that makes the line hold itself; 1: never.
    pub hold_share: f64,
    /// And how many have to fail at least.
    pub hold_failures: u32,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            target_ms: 1_000,
            floor_share: 0.1,
            hold_share: 0.2,
            hold_failures: 20,
        }
    }
}

/// What happens when many players drop at once. See `massdrop`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MassDropSettings {
    /// Share of the live players that drops within ten seconds; 0: there are no mass drops.
    pub share: f64,
    /// How long their slots are held, in milliseconds.
    pub hold_ms: u64,
    /// How many shall come back a second.
    pub returns_per_s: u32,
}

impl Default for MassDropSettings {
    fn default() -> Self {
        Self { share: 0.1, hold_ms: 180_000, returns_per_s: 500 }
    }
}
