//! A mass drop: many players gone within seconds, because a network, a region or a game server is.
//!
//! They will all be back, and would all be back at once. So their slots are held for longer, and each
//! has a turn: a moment of the time that their number takes at the pace set, which follows from who
//! they are and not from how often they try. Who signs in before is told how long that is, and loses
//! nothing; who tries more often gains nothing. Newcomers stand in line as ever: who holds a slot does
//! not pay the gate.

use serde::{Deserialize, Serialize};

use super::index::mix;
use super::settings::MassDropSettings;
use super::{Closed, Identity, Queue, Standing, UnixMicros};

/// Fewer drops than this are no mass drop, whatever their share.
const DROPS_MIN: u64 = 50;
/// Time they happen within, in seconds.
const WITHIN_S: u64 = 10;
const BUCKETS: usize = 10;
/// Turns begin so long after it was noticed: it still goes on, and how many they will be nobody knows.
/// In milliseconds.
const LULL_MS: u64 = 5_000;
/// It is over when this share of those who dropped is still away, as one in so many: once everybody
/// has had a turn, and before that.
const OVER_ONE_IN: u64 = 10;
const OVER_EARLY_ONE_IN: u64 = 100;
/// However many dropped, nobody is sent away for longer, in milliseconds.
const WINDOW_MAX_MS: u64 = 3_600_000;

/// One mass drop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Event {
    since: UnixMicros,
    /// Slots lost so far.
    dropped: u64,
}

/// Watches for mass drops. See the head of this file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MassDrop {
    settings: MassDropSettings,
    /// Drops of the last seconds, each at its second modulo their number.
    drops: [u32; BUCKETS],
    /// The last second noted.
    second: u64,
    event: Option<Event>,
    count: u64,
}

impl MassDrop {
    pub(super) const fn new(settings: MassDropSettings) -> Self {
        Self { settings, drops: [0; BUCKETS], second: 0, event: None, count: 0 }
    }

    /// Slots lost in the mass drop that goes on; `None`: none does.
    pub(super) fn dropped(&self) -> Option<u64> {
        self.event.map(|event| event.dropped)
    }

    /// Mass drops so far.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// A player drops who was one of `live`.
    fn note(&mut self, now: UnixMicros, live: u64) {
        if self.settings.share <= 0.0 {
            return;
        }
        let second = now.0 / 1_000_000;
        let steps = (second - self.second.min(second)).min(WITHIN_S);
        for step in 0..steps {
            self.drops[bucket(second - step)] = 0;
        }
        self.second = second;
        let here = &mut self.drops[bucket(second)];
        *here = here.saturating_add(1);
        if let Some(event) = &mut self.event {
            event.dropped += 1;
        }
        let drops: u64 = self.drops.iter().map(|&count| u64::from(count)).sum();
        #[expect(clippy::cast_precision_loss, reason = "players; exact enough for a share")]
        let many = drops as f64 > self.settings.share * (live + drops - 1) as f64;
        let is_new = self.event.is_none_or(|event| now.since_ms(event.since) > WITHIN_S * 2_000);
        if drops >= DROPS_MIN && many && is_new {
            let known = self.event.map_or(drops, |event| event.dropped);
            self.event = Some(Event { since: now, dropped: known });
            self.count += 1;
        }
    }

    /// Ends it when its time is over or nearly everybody is back: `away` still are not. Until when
    /// their slots are held, if it ends now.
    fn look(&mut self, now: UnixMicros, away: u64) -> Option<UnixMicros> {
        let event = self.event?;
        let ms = now.since_ms(event.since);
        let had_turns = ms >= LULL_MS + self.window_ms(event);
        let one_in = if had_turns { OVER_ONE_IN } else { OVER_EARLY_ONE_IN };
        let settled = ms > WITHIN_S * 1_000;
        let most_back = settled && away.saturating_mul(one_in) <= event.dropped;
        let until = self.until(event);
        if most_back || until <= now {
            self.event = None;
            return Some(until);
        }
        None
    }

    /// Time their return takes at the pace set, in milliseconds.
    fn window_ms(&self, event: Event) -> u64 {
        let pace = u64::from(self.settings.returns_per_s.max(1));
        (event.dropped.saturating_mul(1_000) / pace).clamp(1_000, WINDOW_MAX_MS)
    }

    /// Until when slots are held: as set, and never shorter than the turns given out and a minute.
    fn until(&self, event: Event) -> UnixMicros {
        let window_ms = self.window_ms(event) + 60_000;
        event.since.plus_ms(self.settings.hold_ms.max(window_ms))
    }

    /// Until when slots in grace are held on; `None`: no mass drop goes on.
    pub(super) fn held_until(&self, now: UnixMicros) -> Option<UnixMicros> {
        let until = self.until(self.event?);
        (until > now).then_some(until)
    }

    /// How long until it is this identity's turn, in milliseconds; 0: now.
    fn turn_in_ms(&self, now: UnixMicros, identity: Identity) -> u64 {
        let Some(event) = self.event else { return 0 };
        let at_ms = mix(identity.0 ^ event.since.0) % self.window_ms(event);
        event.since.plus_ms(LULL_MS + at_ms).since_ms(now)
    }
}

fn bucket(second: u64) -> usize {
    usize::try_from(second % WITHIN_S).unwrap_or(0)
}

impl Queue {
    /// Whether a mass drop goes on: whoever holds a slot and signs in asks the line
    /// ([`Queue::enter`]) for their turn.
    pub fn is_mass_drop(&self) -> bool {
        self.mass_drop.event.is_some()
    }

    /// How long a player who dropped should wait before coming back, in milliseconds; 0: not at all.
    /// At most an hour, and always shorter than the slot is held.
    pub fn return_jitter_ms(&self, now: UnixMicros, identity: Identity) -> u64 {
        self.mass_drop.turn_in_ms(self.time.now.max(now), identity)
    }

    /// What somebody who holds a slot is told when it is not their turn yet.
    pub(super) fn put_off(&mut self, now: UnixMicros, identity: Identity) -> Option<Standing> {
        if !self.is_mass_drop() || !self.ledger.is_away(identity) {
            return None;
        }
        let retry_after_ms = self.mass_drop.turn_in_ms(now, identity);
        if retry_after_ms == 0 {
            return None;
        }
        self.tally.put_off += 1;
        Some(Standing::Refused { why: Closed::Returning, retry_after_ms })
    }

    /// A player drops: until when the slot is held; `None`: not at all.
    pub(super) fn note_drop(&mut self, now: UnixMicros) -> Option<UnixMicros> {
        self.mass_drop.note(now, self.ledger.online());
        self.grace_until(now).max(self.mass_drop.held_until(now))
    }

    /// Ends a mass drop that is over.
    pub(super) fn look_for_returns(&mut self, now: UnixMicros) {
        if self.is_mass_drop() {
            let [_, _, away] = self.ledger.counts();
            if let Some(until) = self.mass_drop.look(now, away).filter(|&until| until > now) {
                // Some may have been told to come later than their own grace lasts.
                self.ledger.hold_on(until);
            }
        }
    }
}
