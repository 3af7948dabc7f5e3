//! What is kept of a ticket: 24 bytes.

use super::{Identity, Lane, UnixMicros};

const LANE_SHIFT: u32 = 28;
const LANE_MASK: u32 = 7;
const HAD_PASS: u32 = 1 << 31;
const WATCHES: u32 = 1 << 27;
const SHOWN_MASK: u32 = WATCHES - 1;

/// One ticket. Which state it is in is said by the marks of its block, not here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    identity: u64,
    /// When it was taken, in seconds.
    pub(super) entered_s: u32,
    /// Waiting: when it was last heard of, in seconds, rounded up. Pass or parked: until when.
    pub(super) seen_s: u32,
    /// 27 bits: the position last shown (0: none). 1 bit: watches the frame. 3 bits: the lane. 1 bit: had
    /// a pass once.
    shown_lane: u32,
    /// The poll interval it was given, in seconds, rounded up: at most 18 hours.
    interval_s: u16,
    /// Waiting: the first estimate it was given, counted from `entered_s`, in seconds (0: none).
    /// Pass: by how much its lease outlasts it.
    pub(super) quoted_s: u16,
}

/// Bytes of a record.
pub(super) const RECORD: usize = 24;

impl Record {
    pub(super) fn new(identity: Identity, lane: Lane, now: UnixMicros) -> Self {
        let mut record = Self { identity: identity.0, ..Self::default() };
        record.entered_s = secs(now);
        record.seen_s = secs_up(now);
        record.set_lane(lane);
        record
    }

    pub(super) const fn identity(&self) -> Identity {
        Identity(self.identity)
    }

    pub(super) const fn set_identity(&mut self, identity: Identity) {
        self.identity = identity.0;
    }

    pub(super) const fn lane(&self) -> Lane {
        let lane = ((self.shown_lane >> LANE_SHIFT) & LANE_MASK) as usize;
        if lane < Lane::COUNT { Lane::ALL[lane] } else { Lane::Standard }
    }

    pub(super) const fn set_lane(&mut self, lane: Lane) {
        self.shown_lane =
            (self.shown_lane & !(LANE_MASK << LANE_SHIFT)) | ((lane as u32) << LANE_SHIFT);
    }

    /// The position last shown; `None` before the first answer.
    pub(super) fn shown(&self) -> Option<u64> {
        let shown = self.shown_lane & SHOWN_MASK;
        (shown > 0).then_some(u64::from(shown))
    }

    /// Notes what is shown; 0 forgets it.
    pub(super) fn set_shown(&mut self, position: u64) {
        let shown = u32::try_from(position).unwrap_or(SHOWN_MASK).min(SHOWN_MASK);
        self.shown_lane = (self.shown_lane & !SHOWN_MASK) | shown;
    }

    /// Whether this ticket was admitted once and its pass lapsed.
    pub(super) const fn had_pass(&self) -> bool {
        self.shown_lane & HAD_PASS != 0
    }

    pub(super) const fn set_had_pass(&mut self) {
        self.shown_lane |= HAD_PASS;
    }

    /// The poll interval it was given, in milliseconds.
    pub(super) fn interval_ms(&self) -> u64 {
        u64::from(self.interval_s) * 1_000
    }

    /// Notes when its owner was told to ask again.
    pub(super) fn set_interval_ms(&mut self, ms: u64) {
        self.interval_s = u16::try_from(ms.div_ceil(1_000)).unwrap_or(u16::MAX);
        self.shown_lane &= !WATCHES;
    }

    /// The same for an owner who watches the frame: he is asked to be on time.
    pub(super) fn set_watched_ms(&mut self, ms: u64) {
        self.set_interval_ms(ms);
        self.shown_lane |= WATCHES;
    }

    /// Whether its owner watches the frame.
    pub(super) const fn watches(&self) -> bool {
        self.shown_lane & WATCHES != 0
    }

    /// Until when it keeps its place in silence: `lease_ms`, or three of its poll intervals.
    pub(super) fn lease_until(&self, lease_ms: u64) -> UnixMicros {
        let lease_ms = lease_ms.max(self.interval_ms().saturating_mul(3));
        UnixMicros::from_secs(u64::from(self.seen_s)).plus_ms(lease_ms)
    }

    /// From when on it counts as silent at the head: its poll is overdue by 15 s or by a whole
    /// interval, whichever is longer. Who watches the frame is asked seldom, but shortly before his
    /// turn, so 15 s are enough to know.
    pub(super) fn silent_from(&self) -> UnixMicros {
        let slack_ms = self.interval_ms().max(super::SILENCE_SLACK_MS);
        let slack_ms = if self.watches() { super::SILENCE_SLACK_MS } else { slack_ms };
        UnixMicros::from_secs(u64::from(self.seen_s)).plus_ms(self.interval_ms() + slack_ms)
    }

    /// Becomes a pass until then, and remembers the lease it was promised before.
    pub(super) fn turn_to_pass(&mut self, until_s: u32, lease_until: UnixMicros) {
        let longer_s = secs_up(lease_until).saturating_sub(until_s);
        self.quoted_s = u16::try_from(longer_s).unwrap_or(u16::MAX);
        self.seen_s = until_s;
    }

    /// Until when a pass was promised its place before it became one.
    pub(super) fn lease_of_pass(&self) -> UnixMicros {
        self.until().plus_secs(self.quoted_s.into())
    }

    /// As bytes, for the journal.
    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.identity.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.entered_s.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.seen_s.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.shown_lane.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.interval_s.to_le_bytes());
        bytes[22..].copy_from_slice(&self.quoted_s.to_le_bytes());
        bytes
    }

    /// The record again.
    pub(super) fn from_bytes(bytes: &[u8; RECORD]) -> Self {
        let word = |at: usize| {
            bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |w| u32::from_le_bytes(*w))
        };
        let [interval, more_interval, quoted, more_quoted] = word(20).to_le_bytes();
        Self {
            identity: u64::from(word(0)) | u64::from(word(4)) << 32,
            entered_s: word(8),
            seen_s: word(12),
            shown_lane: word(16),
            interval_s: u16::from_le_bytes([interval, more_interval]),
            quoted_s: u16::from_le_bytes([quoted, more_quoted]),
        }
    }

    /// Pass or parked: until when.
    pub(super) const fn until(&self) -> UnixMicros {
        UnixMicros::from_secs(self.seen_s as u64)
    }
}

/// Whole seconds, rounded down.
pub(super) fn secs(at: UnixMicros) -> u32 {
    u32::try_from(at.as_secs()).unwrap_or(u32::MAX)
}

/// Whole seconds, rounded up: nobody's time is cut short by rounding.
pub(super) fn secs_up(at: UnixMicros) -> u32 {
    u32::try_from(at.0.div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
