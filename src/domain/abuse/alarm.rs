//! Whether this is an attack, and how strong: from how many try to take a place in a second.
//!
//! The alarm rises the moment a threshold is crossed and falls one level a minute, once the rate is below
//! half of what keeps the level: who attacks in waves meets it all the time.

use super::rate::Rate;
use crate::domain::time::UnixMicros;

/// The highest level.
pub const LEVEL_MAX: u8 = 5;
/// How long a level stays after the rate is below half of its threshold, in milliseconds.
const HOLD_MS: u64 = 60_000;

/// The alarm. Level 0 is calm; level 1 begins at the threshold, each further one at twice the rate.
#[derive(Clone, Debug)]
pub struct Alarm {
    threshold: f64,
    rate: Rate,
    level: u8,
    /// The rate was, or without further entries will be, enough for the level until then.
    held_until: UnixMicros,
}

impl Alarm {
    /// An alarm that is calm. `threshold`: entries a second at which it is an attack, above 0.
    pub fn new(threshold: f64) -> Self {
        Self { threshold, rate: Rate::default(), level: 0, held_until: UnixMicros(0) }
    }

    /// Changes the threshold. The level in force falls in its own time.
    pub const fn set_threshold(&mut self, threshold: f64) {
        self.threshold = threshold;
    }

    /// Somebody tries to take a place.
    pub fn note(&mut self, now: UnixMicros) {
        self.fall(now);
        self.rate.note(now);
        let rate = self.rate.per_second(now);
        let begun = (1..=LEVEL_MAX).take_while(|&level| rate >= self.begins_at(level)).count();
        let level = u8::try_from(begun).unwrap_or(LEVEL_MAX);
        if level > self.level {
            self.level = level;
            self.held_until = self.enough_until();
        } else if self.level > 0 {
            self.held_until = self.held_until.max(self.enough_until());
        }
    }

    /// The level at `now`, 0 to [`LEVEL_MAX`].
    pub fn level(&mut self, now: UnixMicros) -> u8 {
        self.fall(now);
        self.level
    }

    fn fall(&mut self, now: UnixMicros) {
        while self.level > 0 {
            let falls_at = self.held_until.plus_ms(HOLD_MS);
            if falls_at > now {
                return;
            }
            self.level -= 1;
            self.held_until = falls_at.max(self.enough_until());
        }
    }

    /// Entries a second at which a level begins.
    fn begins_at(&self, level: u8) -> f64 {
        self.threshold * 2_f64.powi(i32::from(level) - 1)
    }

    fn enough_until(&self) -> UnixMicros {
        self.rate.falls_to(self.begins_at(self.level) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    /// `rate` entries a second, evenly, for so many seconds from `from`.
    fn attack(alarm: &mut Alarm, from: UnixMicros, rate: u64, seconds: u64) -> UnixMicros {
        for n in 0..rate * seconds {
            alarm.note(from.plus_us(n * 1_000_000 / rate));
        }
        from.plus_secs(seconds)
    }

    #[test]
    fn a_rate_below_the_threshold_is_no_attack() {
        let mut alarm = Alarm::new(100.0);
        let now = attack(&mut alarm, START, 90, 60);
        assert_eq!(alarm.level(now), 0);
    }

    #[test]
    fn it_rises_with_the_rate_and_at_once() {
        let level = |rate| {
            let mut alarm = Alarm::new(100.0);
            let now = attack(&mut alarm, START, rate, 30);
            alarm.level(now)
        };
        assert_eq!([level(120), level(230), level(450), level(850)], [1, 2, 3, 4]);
        assert_eq!([level(2_000), level(10_000)], [LEVEL_MAX; 2], "no higher");
        let mut alarm = Alarm::new(100.0);
        let now = attack(&mut alarm, START, 3_000, 1);
        assert!(alarm.level(now) >= 2, "a second of thirty times as much is enough");
    }

    #[test]
    fn it_falls_a_level_a_minute_and_waves_do_not_get_through() {
        let mut alarm = Alarm::new(100.0);
        let mut now = attack(&mut alarm, START, 450, 30);
        assert_eq!(alarm.level(now), 3);
        for wave in 0..5 {
            now = attack(&mut alarm, now.plus_secs(40), 450, 20);
            assert_eq!(alarm.level(now.plus_secs(30)), 3, "wave {wave}");
        }
        assert_eq!(alarm.level(now.plus_secs(66)), 2);
        assert_eq!(alarm.level(now.plus_secs(130)), 1);
        assert_eq!(alarm.level(now.plus_secs(200)), 0);
        let mut unwatched = Alarm::new(100.0);
        let now = attack(&mut unwatched, START, 450, 30);
        assert_eq!(unwatched.level(now.plus_secs(3_600)), 0, "whether anybody looks or not");
    }

    #[test]
    fn a_rate_between_half_and_the_threshold_keeps_the_level_and_raises_none() {
        let mut alarm = Alarm::new(100.0);
        let now = attack(&mut alarm, START, 130, 30);
        let now = attack(&mut alarm, now, 70, 600);
        assert_eq!(alarm.level(now), 1);
        let mut calm = Alarm::new(100.0);
        let now = attack(&mut calm, START, 70, 600);
        assert_eq!(calm.level(now), 0);
    }

    proptest! {
        #[test]
        fn without_entries_the_level_only_falls_and_by_one_a_minute(
            rate in 1_u64..3_000, looks in prop::collection::vec(1_u64..50, 1..20),
        ) {
            let mut alarm = Alarm::new(50.0);
            let mut now = attack(&mut alarm, START, rate, 10);
            let mut before = alarm.level(now);
            for seconds in looks {
                now = now.plus_secs(seconds);
                let level = alarm.level(now);
                prop_assert!(level <= before && before - level <= 1);
                before = level;
            }
        }
    }
}
