//! `[queue]`: the line, the gate and the slots.

use serde::{Deserialize, Serialize};

use super::{AbuseConfig, OpeningConfig};
use crate::domain::lane_rules::LaneRule;
use crate::domain::queue::journal::Bounds;
use crate::domain::queue::{AdaptiveSettings, Costs, MassDropSettings, Settings};

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
    /// hold, maintenance); it grows by half every ten seconds. 0.01 to 1; 1: no slow start.
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
    /// How long tickets of a line whose files were lost are taken back in their old order, in seconds
    /// after the start, if the keys were kept (`secrets.toml`). 0 to 86400; 0: not at all.
    pub amnesty_s: u32,
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
    /// Most members of a party: friends who are admitted in the same moment, at the place of the first
    /// of them. 1 to 16; 1: no parties.
    pub party_max: u8,
    /// How long after its first member came a party may be joined, in seconds. 0 to 86400.
    pub party_join_s: u32,
    /// Share of the rate the grace lane may take while others wait, 0 to 1.
    pub grace_share: f64,
    /// Weights of the lanes paying, standard and low: how many of each come in by turns while all
    /// three wait. Each 1 to 1000: no lane is ever starved.
    pub lane_weights: [u32; 3],
    /// Who stands in which lane: in place of this key one section `[[queue.lane_rules]]` each, see
    /// docs/lanes.md. The first that fits counts; without one everybody stands in the standard lane.
    pub lane_rules: Vec<LaneRule>,
    /// How often the line is written to disk, in seconds. 1 to 300.
    pub snapshot_s: u32,
    /// Room for the journal of the line, from which `anteroom why` answers, in megabytes: about six
    /// bytes for each question to the line, and a state of the line an hour. 0 to 1000000; 0: no
    /// journal.
    pub journal_mb: u32,
    /// How long the journal is kept, in hours, as far as there is room. 1 to 8760.
    pub journal_hours: u32,
    /// What a sign-in to a known account by an identifier or a provider costs, in admissions. 0 to
    /// 100. Each takes one when it is admitted; the difference is settled when it is done, so with
    /// dearer sign-ins fewer come in.
    pub cost_known: f64,
    /// What a sign-in by password costs, in admissions: one hash. 0 to 100.
    pub cost_password: f64,
    /// What a new account costs, in admissions. 0 to 100.
    pub cost_new_account: f64,
    /// What a refresh of a session costs, in admissions. 0 to 100; it never waits, and all of them
    /// together take half the rate at most.
    pub cost_refresh: f64,
    /// Share of the players online that has to drop within ten seconds, and 50 at least, to be a mass
    /// drop: their slots are held for longer and they come back in turn. 0 to 1; 0: there are none.
    pub mass_drop_share: f64,
    /// How long the slots of a mass drop are held, in seconds; longer if their return takes longer.
    /// 0 to 3600.
    pub mass_drop_hold_s: u32,
    /// Players of a mass drop who may sign in again a second; others are told when. 1 to 100000.
    pub mass_drop_returns_per_s: u32,
    /// Fetches of the queue API's shared frame a second that the whole line may cause. 1 to 1000000.
    /// Clients are told when to fetch it again.
    pub frame_budget: u32,
    /// Whether a cache (a CDN) answers for the frame: clients then fetch it every five seconds,
    /// whatever the length of the line.
    pub frame_cached: bool,
    /// Streams of the queue API that may be open; who finds no room polls. 0 to 1000000; 0: none.
    pub streams_max: u32,
    /// A stream is opened so many seconds before the turn at most, and later where many come in a
    /// second, so that there is room for all of them. 0 to 86400.
    pub stream_from_s: u32,
    /// `[queue.adaptive]`
    pub adaptive: AdaptiveConfig,
    /// `[queue.opening]`
    pub opening: OpeningConfig,
    /// `[queue.abuse]`
    pub abuse: AbuseConfig,
}

/// `[queue.adaptive]`: how the rate follows what is measured of sign-ins and told by game servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveConfig {
    /// Whether admissions slow down when sign-ins take too long, fail, or game servers say that they
    /// are not well. Never above `queue.rate`. Without sign-ins or reports nothing changes.
    pub enabled: bool,
    /// Time a sign-in may take for nineteen of twenty, in milliseconds: from past the line to an
    /// account, without the identity providers. 20 to 60000; several times what is usual.
    pub target_ms: u32,
    /// Smallest share of `queue.rate`, 0.01 to 1. Also what admissions begin with after the line held
    /// itself, and where they fall when nobody who was let in is heard of for a minute.
    pub floor_share: f64,
    /// Share of sign-ins that get no answer, over ten seconds, at which the line holds itself for 30
    /// seconds, and up to 5 minutes when it fails again. 0.01 to 1; 1: never.
    pub hold_share: f64,
    /// How many have to get no answer at least. 1 to 1000000.
    pub hold_failures: u32,
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        let AdaptiveSettings { enabled, target_ms, floor_share, hold_share, hold_failures } =
            AdaptiveSettings::default();
        Self { enabled, target_ms, floor_share, hold_share, hold_failures }
    }
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
            amnesty_s: 600,
            poll_budget: 20_000,
            poll_min_ms: 1_000,
            poll_max_ms: 300_000,
            seconds_to_login: 10,
            party_max: 5,
            party_join_s: 60,
            grace_share: 0.5,
            lane_weights: [18, 9, 1],
            lane_rules: Vec::new(),
            snapshot_s: 5,
            journal_mb: 256,
            journal_hours: 72,
            cost_known: 1.0,
            cost_password: 1.0,
            cost_new_account: 1.0,
            cost_refresh: 0.0,
            mass_drop_share: 0.1,
            mass_drop_hold_s: 180,
            mass_drop_returns_per_s: 500,
            frame_budget: 300,
            frame_cached: false,
            streams_max: 10_000,
            stream_from_s: 600,
            adaptive: AdaptiveConfig::default(),
            opening: OpeningConfig::default(),
            abuse: AbuseConfig::default(),
        }
    }
}

impl QueueConfig {
    /// What the journal may take; `None`: there is none.
    pub fn journal(&self) -> Option<Bounds> {
        let bounds = Bounds {
            bytes_max: u64::from(self.journal_mb) << 20,
            keep_us: u64::from(self.journal_hours) * 3_600_000_000,
        };
        (self.journal_mb > 0).then_some(bounds)
    }

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
            amnesty_ms: ms(self.amnesty_s),
            poll_budget: self.poll_budget,
            poll_min_ms: u64::from(self.poll_min_ms),
            poll_max_ms: u64::from(self.poll_max_ms),
            login_ms: ms(self.seconds_to_login),
            party_max: usize::from(self.party_max),
            party_join_ms: ms(self.party_join_s),
            grace_share: self.grace_share,
            lane_weights: self.lane_weights,
            costs: Costs {
                sign_in: [self.cost_known, self.cost_password, self.cost_new_account],
                refresh: self.cost_refresh,
            },
            adaptive: AdaptiveSettings {
                enabled: self.adaptive.enabled,
                target_ms: self.adaptive.target_ms,
                floor_share: self.adaptive.floor_share,
                hold_share: self.adaptive.hold_share,
                hold_failures: self.adaptive.hold_failures,
            },
            mass_drop: MassDropSettings {
                share: self.mass_drop_share,
                hold_ms: ms(self.mass_drop_hold_s),
                returns_per_s: self.mass_drop_returns_per_s,
            },
        }
    }
}
