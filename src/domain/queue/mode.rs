//! What operators, or the queue itself, have said of the line: open, paused, held, draining, closed
//! for maintenance; until when, and what players are told.

use serde::{Deserialize, Serialize};

use super::index::mix;
use super::{Closed, Queue, Standing, UnixMicros};

/// Longest message players are shown, in characters.
pub const MESSAGE_MAX: usize = 200;

/// Newcomers who are turned away come back no sooner than this after it is over, in milliseconds.
const CLOSED_MIN_MS: u64 = 5_000;
/// And within this time more.
const CLOSED_SPREAD_MS: u64 = 60_000;

/// Whether people come in, and whether newcomers may stand in line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Both.
    #[default]
    Open,
    /// Nobody comes in: an operator said so. Places are kept, newcomers stand in line.
    Paused,
    /// As paused, for sign-ins fail: the queue said so itself, or an operator.
    Held,
    /// Who stands in line comes in; newcomers are turned away.
    Draining,
    /// Nobody comes in, newcomers are turned away, and no place is lost however long it takes.
    Maintenance,
    /// Nobody comes in yet, newcomers stand in line, and no place is lost: an opening is ahead. Follows
    /// from [`Queue::schedule_opening`], not from what is announced.
    Prequeue,
    /// As in the pre-queue, while its order is drawn.
    Drawing,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Paused,
        Self::Held,
        Self::Draining,
        Self::Maintenance,
        Self::Prequeue,
        Self::Drawing,
    ];

    /// The word for settings, wires and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Draining => "draining",
            Self::Maintenance => "maintenance",
            Self::Prequeue => "prequeue",
            Self::Drawing => "drawing",
        }
    }

    /// Whether anybody is admitted.
    pub const fn admits(self) -> bool {
        matches!(self, Self::Open | Self::Draining)
    }

    /// Whether it follows from an opening and is never announced.
    pub const fn is_of_opening(self) -> bool {
        matches!(self, Self::Prequeue | Self::Drawing)
    }

    /// Whether newcomers may stand in line.
    pub const fn takes_newcomers(self) -> bool {
        !matches!(self, Self::Draining | Self::Maintenance)
    }
}

/// A mode, its end, and the words for players.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The mode.
    pub mode: Mode,
    /// When the line is open again by itself; `None`: when somebody says so.
    pub until: Option<UnixMicros>,
    /// What players are told; empty: nothing but the mode. See [`Announcement::new`].
    pub message: String,
}

impl Announcement {
    /// The line is open.
    pub fn open() -> Self {
        Self::default()
    }

    /// Admissions stop until further notice.
    pub fn pause() -> Self {
        Self::new(Mode::Paused, None, "")
    }

    /// Any mode. The message is one line: what is no printable character becomes a space, and what
    /// is beyond [`MESSAGE_MAX`] characters is cut.
    pub fn new(mode: Mode, until: Option<UnixMicros>, message: &str) -> Self {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        let message = message.trim().chars().map(printable).take(MESSAGE_MAX).collect();
        Self { mode, until, message }
    }
}

impl Queue {
    /// Changes what the line does. From this call on nobody is admitted if the mode says so; places
    /// are kept, and a restart changes nothing. What is over already is as good as open.
    pub fn announce(&mut self, now: UnixMicros, announced: Announcement) {
        let now = self.begin(now);
        self.obey(now, announced);
        self.done(now);
    }

    /// What was announced last.
    pub const fn announcement(&self) -> &Announcement {
        &self.announced
    }

    /// Ends what was announced for a time.
    pub(super) fn expire_announcement(&mut self, now: UnixMicros) {
        if self.announced_until().is_some_and(|until| until <= now) {
            self.obey(now, Announcement::open());
        }
    }

    /// When what was announced ends by itself. An opening ends otherwise.
    pub(super) fn announced_until(&self) -> Option<UnixMicros> {
        self.announced.until.filter(|_| !self.announced.mode.is_of_opening())
    }

    /// Announces, as far as the opening allows.
    pub(super) fn obey(&mut self, now: UnixMicros, announced: Announcement) {
        let is_over =
            !announced.mode.is_of_opening() && announced.until.is_some_and(|until| until <= now);
        let announced = if is_over { Announcement::open() } else { announced };
        let announced = self.as_opening_allows(announced);
        let before = std::mem::replace(&mut self.announced, announced);
        let after = self.announced.mode;
        if before.mode == after {
            return;
        }
        if before.mode == Mode::Maintenance {
            // Nobody could know when it would be over: everybody has a lease's time to come back.
            self.kept_until = now.plus_ms(self.settings.lease_ms);
        }
        if before.mode == Mode::Held {
            self.adaptive.let_go(now, self.throttle.ceiling());
        }
        if after.admits() && !before.mode.admits() {
            self.throttle.stood_still(self.mode_since, now);
            self.apply_throttle(now);
            self.settings_changed_at = now;
        }
        if after.admits() != before.mode.admits() {
            self.mode_since = now;
        }
    }

    /// What newcomers are told while none are taken.
    pub(super) fn refuse_closed(&mut self) -> Option<Standing> {
        let why = match self.announced.mode {
            Mode::Draining => Closed::Draining,
            Mode::Maintenance => Closed::Maintenance,
            Mode::Open | Mode::Paused | Mode::Held | Mode::Prequeue | Mode::Drawing => {
                return None;
            }
        };
        self.tally.refused_closed += 1;
        let over_ms = self.announced.until.map_or(0, |until| until.since_ms(self.time.now));
        // They do not all come back in the same second.
        let spread_ms = CLOSED_MIN_MS + mix(self.tally.refused_closed) % CLOSED_SPREAD_MS;
        Some(Standing::Refused { why, retry_after_ms: over_ms.saturating_add(spread_ms) })
    }

    /// Until when nobody's place lapses, whatever its lease says; `None`: the whole time.
    pub(super) fn keeps_until(&self) -> Option<UnixMicros> {
        let keeps = self.announced.mode == Mode::Maintenance || self.opening.is_pending();
        (!keeps).then_some(self.kept_until)
    }

    /// Whether nobody's place lapses now.
    pub(super) fn keeps_everybody(&self, now: UnixMicros) -> bool {
        self.keeps_until().is_none_or(|kept_until| now < kept_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::examples::{
        at, enter, passed, queue, run_until, settings, standing, waiting,
    };
    use crate::domain::queue::{Phase, Settings};

    fn refused(standing: Standing) -> (Closed, u64) {
        let Standing::Refused { why, retry_after_ms } = standing else { panic!("{standing:?}") };
        (why, retry_after_ms)
    }

    #[test]
    fn a_pause_with_an_end_ends_by_itself() {
        let mut queue = queue(settings());
        passed(enter(&mut queue, at(0), 1));
        let second = waiting(enter(&mut queue, at(0), 2));
        queue.announce(at(0), Announcement::new(Mode::Paused, Some(at(60)), "back in a minute"));
        let polled = waiting(standing(queue.check(at(30), second.ticket)));
        assert_eq!(polled.phase, Phase::Paused);
        run_until(&mut queue, at(60));
        assert_eq!(*queue.announcement(), Announcement::open());
        passed(standing(queue.check(at(60), second.ticket)));
    }

    #[test]
    fn a_drain_lets_in_who_waits_and_nobody_new() {
        let mut queue = queue(settings());
        passed(enter(&mut queue, at(0), 1));
        let second = waiting(enter(&mut queue, at(0), 2));
        queue.announce(at(0), Announcement::new(Mode::Draining, Some(at(600)), ""));
        let (why, again_ms) = refused(enter(&mut queue, at(1), 3));
        assert_eq!(why, Closed::Draining);
        assert!((604_000..=665_000).contains(&again_ms), "after it is over, spread: {again_ms}");
        run_until(&mut queue, at(2));
        passed(standing(queue.check(at(2), second.ticket)));
        passed(enter(&mut queue, at(600), 3));
    }

    #[test]
    fn maintenance_costs_nobody_a_place_however_long_it_takes() {
        let settings = Settings { parked_ms: 60_000, lease_ms: 60_000, rate: 0.5, ..settings() };
        let mut queue = queue(settings);
        passed(enter(&mut queue, at(0), 1));
        let second = waiting(enter(&mut queue, at(0), 2));
        let third = waiting(enter(&mut queue, at(0), 3));
        queue.announce(at(1), Announcement::new(Mode::Maintenance, None, "a new world"));
        run_until(&mut queue, at(4 * 3_600));
        assert_eq!(refused(enter(&mut queue, at(4 * 3_600), 4)).0, Closed::Maintenance);
        let polled = waiting(standing(queue.check(at(4 * 3_600), second.ticket)));
        assert_eq!((polled.phase, polled.position), (Phase::Maintenance, 1));
        queue.announce(at(5 * 3_600), Announcement::open());
        passed(standing(queue.check(at(5 * 3_600 + 2), second.ticket)));
        // The third slept through it all and has a lease's time after it.
        run_until(&mut queue, at(5 * 3_600 + 50));
        passed(standing(queue.check(at(5 * 3_600 + 50), third.ticket)));
        run_until(&mut queue, at(6 * 3_600));
    }

    #[test]
    fn a_message_is_one_printable_line() {
        let long = Announcement::new(Mode::Paused, None, &"x".repeat(500));
        assert_eq!(long.message.len(), MESSAGE_MAX);
        assert_eq!(Announcement::new(Mode::Paused, None, " a\nb\u{7}c ").message, "a b c");
    }
}
