//! `[queue]`: the line, the gate and the slots.

use serde::{Deserialize, Serialize};

use crate::domain::queue::Settings;

/// Who has to go through the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Everybody: unmodified Nakama clients too, by an implicit ticket.
    #[default]
    All,
    /// Pragma's clients only.
    Pragma,
    /// Nobody. Slots are still counted.
    Off,
}

/// Settings of the login queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "settings, each of its own")]
pub struct QueueConfig {
    /// Who stands in line: "all", "pragma" or "off".
    pub gate: Gate,
    /// Admissions per second. 0 to 100000; 0 holds the line. Changes live.
    pub rate: f64,
    /// Admissions that may come at once after a pause, 0 to 10000; 0 means 2 % of the rate, at least 1.
    pub burst: u32,
    /// Share of the rate that admissions begin with after a standstill of ten seconds or more (pause,
    /// hold, maintenance, restart); it grows by half every ten seconds. 0.01 to 1; 1: no slow start.
    pub slow_start: f64,
    /// Whether admissions stand still. Places are kept. Changes live.
    pub paused: bool,
    /// Slots: players online, in grace and with a pass. 0 to 100000000; 0 holds the line. Changes live.
    pub cap: u64,
    /// Whether a socket without a slot is refused when the world is full (true: the cap is never
    /// exceeded) or counted above it (false: the cap is a target, as Pragma words it).
    pub strict_cap: bool,
    /// Waiting tickets; the next one is told "full" and when to come back. 1 to 100000000.
    pub line_max: u64,
    /// Shortest time a silent ticket keeps its place, in seconds. 30 to 86400. Never shorter than
    /// three of its own poll intervals, and longer by every second the server was down.
    pub lease_s: u32,
    /// How long a ticket that was silent at the head keeps its number, in seconds. 0 to 86400.
    pub parked_s: u32,
    /// Life of a pass, in seconds. 5 to 86400 (86400 is what Pragma ships). Its slot is reserved
    /// as long.
    pub pass_ttl_s: u32,
    /// How long a slot waits for the first socket after sign-in, in seconds. 1 to 3600. A sign-in
    /// within the first tenth of it does not begin it anew.
    pub connect_window_s: u32,
    /// How long a dropped player's slot is held, in seconds. 0 to 3600.
    pub grace_s: u32,
    /// How long a game server's word that a player is in its world holds the slot, in seconds. 10 to
    /// 3600. Heartbeats come three times as often.
    pub server_lease_s: u32,
    /// Whether a socket closed in good order frees its slot at once instead of after grace.
    pub clean_close_frees: bool,
    /// Time after a restart before the first admission, in seconds, so that players who were in
    /// come back first. 0 to 600. Only when anybody held a slot.
    pub settle_s: u32,
    /// Poll requests per second the whole line may cause. 10 to 1000000. Poll intervals follow.
    pub poll_budget: u32,
    /// Shortest poll interval given, in milliseconds. 100 to 60000.
    pub poll_min_ms: u32,
    /// Longest poll interval given, in milliseconds. 1000 to 3600000 (Pragma's
    /// maxCheckTicketPollTimeSeconds).
    pub poll_max_ms: u32,
    /// Added to a shown wait: seconds from admission to being in. 0 to 600 (Pragma's
    /// estimatedSecondsToLogin).
    pub seconds_to_login: u32,
    /// Share of the rate the grace lane may take while others wait, 0 to 1.
    pub grace_share: f64,
    /// Weights of the lanes paying, standard and low: how many of each come in by turns while all
    /// three wait. Each 1 to 1000: no lane is ever starved.
    pub lane_weights: [u32; 3],
    /// How often the line is written to disk, in seconds. 1 to 300.
    pub snapshot_s: u32,
    /// Fetches of the queue API's shared frame a second that the whole line may cause. 1 to 1000000.
    /// Clients are told when to fetch it again.
    pub frame_budget: u32,
    /// Whether a cache (a CDN) answers for the frame: clients then fetch it every five seconds,
    /// whatever the length of the line.
    pub frame_cached: bool,
    /// Streams of the queue API that may be open; who finds no room polls. 0 to 1000000; 0: none.
    pub streams_max: u32,
    /// Who comes in within so many seconds is invited to a stream, while there is room. 0 to 86400.
    pub stream_from_s: u32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            gate: Gate::All,
            rate: 50.0,
            burst: 0,
            slow_start: 0.2,
            paused: false,
            cap: 10_000,
            strict_cap: true,
            line_max: 2_000_000,
            lease_s: 600,
            parked_s: 600,
            pass_ttl_s: 120,
            connect_window_s: 60,
            grace_s: 60,
            server_lease_s: 90,
            clean_close_frees: true,
            settle_s: 15,
            poll_budget: 20_000,
            poll_min_ms: 1_000,
            poll_max_ms: 300_000,
            seconds_to_login: 10,
            grace_share: 0.5,
            lane_weights: [18, 9, 1],
            snapshot_s: 5,
            frame_budget: 1_000,
            frame_cached: false,
            streams_max: 10_000,
            stream_from_s: 600,
        }
    }
}

impl QueueConfig {
    /// The same in the units the rules count in.
    pub fn settings(&self) -> Settings {
        let ms = |seconds: u32| u64::from(seconds) * 1_000;
        Settings {
            rate: self.rate,
            burst: self.burst,
            slow_start: self.slow_start,
            cap: self.cap,
            strict_cap: self.strict_cap,
            line_max: self.line_max,
            lease_ms: ms(self.lease_s),
            parked_ms: ms(self.parked_s),
            pass_ttl_ms: ms(self.pass_ttl_s),
            connect_window_ms: ms(self.connect_window_s),
            grace_ms: ms(self.grace_s),
            clean_close_frees: self.clean_close_frees,
            settle_ms: ms(self.settle_s),
            poll_budget: self.poll_budget,
            poll_min_ms: u64::from(self.poll_min_ms),
            poll_max_ms: u64::from(self.poll_max_ms),
            login_ms: ms(self.seconds_to_login),
            grace_share: self.grace_share,
            lane_weights: self.lane_weights,
        }
    }
}
