//! Who comes to take places, and how many: what is asked of them, and which lane that leads to.
//!
//! Read [`alarm`] for when it is an attack, [`challenge`] for what clients are asked then, [`suspicion`]
//! for who is told apart without asking. [`Guard`] puts them together. Nothing here refuses anybody a
//! place for good: a challenge can be answered, and the low lane comes in too.

pub mod alarm;
mod cells;
pub mod challenge;
mod rate;
pub mod suspicion;

use hashbrown::DefaultHashBuilder;
use serde::{Deserialize, Serialize};

use super::queue::{Lane, Number};
use super::time::UnixMicros;
use alarm::{Alarm, LEVEL_MAX};
use cells::Cells;
use challenge::{Answer, BadAnswer, Bound, Challenge, Challenger};
pub use suspicion::Heads;
use suspicion::Suspicion;

/// Networks whose entries are counted.
const NETWORKS: usize = 16_384;

/// Where somebody asks from: numbers that stand for networks, whatever addresses look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// What one subscriber has: an IPv4 address, an IPv6 /64.
    pub address: u64,
    /// What it lies in: an IPv4 /24, an IPv6 /48.
    pub prefix: u64,
}

/// When a challenge is put before a place is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Never.
    #[default]
    Off,
    /// While the alarm is above 0.
    Attack,
    /// Always: without work while it is calm.
    Always,
}

/// What can be set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// When challenges are put.
    pub challenge: When,
    /// Entries a second at which it is an attack, above 0.
    pub attack_per_second: f64,
    /// Work at the first level of the alarm and at its last, in bits.
    pub bits: (u8, u8),
    /// Whether suspects get the low lane.
    pub suspects_to_low: bool,
    /// Places without a sign-in at which an address is suspect, at least 1.
    pub suspect_no_shows: f64,
    /// Entries a second of one network before the next ones get the low lane; 0: no limit.
    pub prefix_per_second: f64,
    /// How long after its turn a place may still lead to a sign-in, in milliseconds.
    pub patience_ms: u64,
}

/// How somebody comes, as far as a challenge goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Has proven an account or holds a slot: nothing is asked of them.
    Proven,
    /// Has answered a challenge.
    Solved,
    /// Could answer one, and was not asked.
    Unasked,
    /// Cannot answer: Pragma's protocol and Nakama's have no words for it.
    Mute,
}

/// What was found. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A new place, nothing to say.
    Clear,
    /// A new place for somebody who has proven an account.
    Proven,
    /// A new place, in the low lane: a client that cannot answer a challenge, during an attack.
    Unanswered,
    /// A new place, in the low lane: too many places from there led to nothing.
    Suspect,
    /// A new place, in the low lane: too many a second from that network.
    LimitedPrefix,
    /// A challenge was given to somebody who had none.
    Challenged,
    /// A challenge was answered.
    Solved,
    /// It was answered wrongly, by somebody else or from elsewhere; another was given.
    Failed,
    /// It was answered too late; another was given.
    Expired,
    /// It was answered for the second time; another was given.
    Replayed,
    /// Refused for now: too many entries of one address.
    LimitedAddress,
    /// Refused for now: too many entries of one device or account.
    LimitedIdentity,
}

impl Verdict {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// All of them, in the order of the page.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Clear,
        Self::Proven,
        Self::Unanswered,
        Self::Suspect,
        Self::LimitedPrefix,
        Self::Challenged,
        Self::Solved,
        Self::Failed,
        Self::Expired,
        Self::Replayed,
        Self::LimitedAddress,
        Self::LimitedIdentity,
    ];

    /// The word for metrics and wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Proven => "proven",
            Self::Unanswered => "unanswered",
            Self::Suspect => "suspect",
            Self::LimitedPrefix => "limited_prefix",
            Self::Challenged => "challenged",
            Self::Solved => "solved",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Replayed => "replayed",
            Self::LimitedAddress => "limited_address",
            Self::LimitedIdentity => "limited_identity",
        }
    }

    /// The lane it leads to; `None`: whichever it would have been.
    pub const fn lane(self) -> Option<Lane> {
        match self {
            Self::Unanswered | Self::Suspect | Self::LimitedPrefix => Some(Lane::Low),
            _ => None,
        }
    }
}

impl From<BadAnswer> for Verdict {
    fn from(bad: BadAnswer) -> Self {
        match bad {
            BadAnswer::Failed => Self::Failed,
            BadAnswer::Expired => Self::Expired,
            BadAnswer::Replayed => Self::Replayed,
        }
    }
}

/// A place that the line has just given.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// Its number.
    pub number: Number,
    /// The lane it is in.
    pub lane: Lane,
    /// Its turn came at once.
    pub passed: bool,
    /// It will get another number in a draw, by which nobody will know it.
    pub to_be_drawn: bool,
}

/// Everything that is known of those who come.
pub struct Guard {
    settings: Settings,
    alarm: Alarm,
    challenger: Challenger,
    suspicion: Suspicion,
    prefixes: Cells,
}

impl Guard {
    /// A guard who knows nobody yet. `key`: of challenges, made at the start. `hasher`: keyed, so that
    /// nobody can aim at another's cell.
    pub fn new(settings: Settings, key: &[u8; 32], hasher: &DefaultHashBuilder) -> Self {
        Self {
            alarm: Alarm::new(settings.attack_per_second),
            challenger: Challenger::new(key),
            suspicion: Suspicion::new(settings.suspect_no_shows, settings.patience_ms, hasher),
            prefixes: Cells::new(NETWORKS, rate::WINDOW_S, hasher.clone()),
            settings,
        }
    }

    /// Changes the settings. What is known stays known.
    pub const fn set(&mut self, settings: Settings) {
        self.alarm.set_threshold(settings.attack_per_second);
        self.suspicion.set(settings.suspect_no_shows, settings.patience_ms);
        self.settings = settings;
    }

    /// The alarm, 0 (calm) to [`LEVEL_MAX`].
    pub fn level(&mut self, now: UnixMicros) -> u8 {
        self.alarm.level(now)
    }

    /// Asks somebody who can answer. `Ok`: [`Manner::Solved`], or [`Manner::Unasked`] when there is
    /// nothing to ask; whatever answer came then is not looked at.
    ///
    /// # Errors
    ///
    /// A challenge to be answered, and what it is given for.
    pub fn ask(
        &mut self,
        now: UnixMicros,
        answer: Option<Answer<'_>>,
        bound: Bound<'_>,
    ) -> Result<Manner, (Challenge, Verdict)> {
        let level = self.alarm.level(now);
        let asks = match self.settings.challenge {
            When::Off => false,
            When::Attack => level > 0,
            When::Always => true,
        };
        if !asks {
            return Ok(Manner::Unasked);
        }
        let why = match answer.map(|answer| self.challenger.take(now, answer, bound)) {
            None => Verdict::Challenged,
            Some(Err(bad)) => bad.into(),
            Some(Ok(())) => return Ok(Manner::Solved),
        };
        self.alarm.note(now);
        let level = self.alarm.level(now);
        Err((self.challenger.give(now, self.bits(level), bound), why))
    }

    /// Which lane a new place would be in, and why.
    pub fn judge(&mut self, now: UnixMicros, source: Option<Source>, manner: Manner) -> Verdict {
        if manner == Manner::Proven {
            return Verdict::Proven;
        }
        let asks = self.settings.challenge != When::Off;
        if manner == Manner::Mute && asks && self.alarm.level(now) > 0 {
            return Verdict::Unanswered;
        }
        let Some(source) = source else { return Verdict::Clear };
        let limit = self.settings.prefix_per_second * rate::WINDOW_S;
        if limit > 0.0 && self.prefixes.get(source.prefix, now) >= limit {
            return Verdict::LimitedPrefix;
        }
        if self.settings.suspects_to_low && self.suspicion.is_suspect(now, source) {
            return Verdict::Suspect;
        }
        Verdict::Clear
    }

    /// The line gave a place. `false`: it is one that is known already, and counts no more.
    pub fn placed(
        &mut self,
        now: UnixMicros,
        place: Placed,
        source: Option<Source>,
        manner: Manner,
    ) -> bool {
        if self.suspicion.knows(place.number) {
            return false;
        }
        if manner != Manner::Solved {
            // Who solved a challenge was counted when it was given.
            self.alarm.note(now);
        }
        if let Some(source) = source {
            self.prefixes.add(source.prefix, now, 1.0, (0.0, 1e9));
            if !place.to_be_drawn {
                let Placed { number, lane, passed, .. } = place;
                self.suspicion.placed(now, number, lane, source, passed);
            }
        }
        true
    }

    /// A place led to a sign-in, see [`Suspicion::signed_in`].
    pub fn signed_in(&mut self, now: UnixMicros, place: Number, source: Option<Source>) {
        self.suspicion.signed_in(now, place, source);
    }

    /// Judges the places whose turn is over, see [`Suspicion::settle`].
    pub fn settle(&mut self, now: UnixMicros, heads: &Heads) {
        self.suspicion.settle(now, heads);
    }

    /// Work at a level of the alarm: none while it is calm, then from the first to the last evenly.
    fn bits(&self, level: u8) -> u8 {
        let (first, last) = self.settings.bits;
        match level.checked_sub(1) {
            None => 0,
            Some(above) => first + last.saturating_sub(first) * above / (LEVEL_MAX - 1),
        }
    }
}

#[cfg(test)]
mod tests;
