//! `[queue.abuse]`: what is asked of those who take places, and who waits behind the others.

use serde::{Deserialize, Serialize};

use crate::domain::abuse::{Settings, When};

/// Entries a second at which it is an attack, where nothing is set: so many times the rate.
const TIMES_RATE: f64 = 20.0;
/// And at least so many.
const ATTACK_MIN: f64 = 100.0;
/// How long after a pass lapsed a sign-in may still be on its way, in seconds.
const LATE_S: u64 = 120;

/// Settings against abuse (`docs/abuse.md`). All but the limits of `[limits]` change live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct AbuseConfig {
    /// When a challenge is put to clients of the queue API before they get a place: "off", "attack" or
    /// "always" (without work while it is calm). Clients of Pragma's and Nakama's protocols cannot answer
    /// one: during an attack their new places are in the low lane, unless this is "off".
    pub challenge: When,
    /// New places a second, over some seconds, at which it is an attack; the alarm rises one level with
    /// each doubling, five at most. 0: twenty times `queue.rate`, 100 at least; to 1000000. Set it above
    /// what your launch will bring.
    pub attack_per_second: u32,
    /// Work of a challenge at the first level of the alarm, in bits: each doubles it. 0 to 24. In a
    /// desktop's browser 10 take a fortieth of a second, 15 most of one; a phone takes some times as long.
    pub bits_min: u8,
    /// The same at the last level. `bits_min` to 24.
    pub bits_max: u8,
    /// Whether new places of suspects are in the low lane. On, since nobody is refused for it and one
    /// sign-in in twenty clears an address; with `false` they are not told apart.
    pub suspects_to_low: bool,
    /// Places of one address (IPv4, or IPv6 /64) that led to no sign-in, within about an hour, at which
    /// it is suspect; eight times as many of one network (/24, or /48). A sign-in pays for twenty. 10 to
    /// 1000000.
    pub suspect_no_shows: u32,
    /// New places a second of one network (IPv4 /24, or IPv6 /48), over some seconds, before the next
    /// ones are in the low lane. 0: no limit; to 1000000.
    pub prefix_per_second: u32,
}

impl Default for AbuseConfig {
    fn default() -> Self {
        Self {
            challenge: When::Off,
            attack_per_second: 0,
            bits_min: 10,
            bits_max: 15,
            suspects_to_low: true,
            suspect_no_shows: 100,
            prefix_per_second: 500,
        }
    }
}

impl AbuseConfig {
    /// The same in the units the rules count in, for a line with this rate and life of a pass.
    pub fn settings(&self, rate: f64, pass_ttl_s: u32) -> Settings {
        let attack = match self.attack_per_second {
            0 => (rate * TIMES_RATE).max(ATTACK_MIN),
            set => f64::from(set),
        };
        Settings {
            challenge: self.challenge,
            attack_per_second: attack,
            bits: (self.bits_min, self.bits_max),
            suspects_to_low: self.suspects_to_low,
            suspect_no_shows: f64::from(self.suspect_no_shows),
            prefix_per_second: f64::from(self.prefix_per_second),
            patience_ms: (u64::from(pass_ttl_s) + LATE_S) * 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_measured_by_the_rate_unless_it_is_set() {
        let attack = |set, rate| {
            let config = AbuseConfig { attack_per_second: set, ..AbuseConfig::default() };
            config.settings(rate, 120).attack_per_second
        };
        let near = |is: f64, should: f64| (is - should).abs() < 1e-9;
        assert!(near(attack(0, 50.0), 1_000.0) && near(attack(0, 0.0), 100.0));
        assert!(near(attack(7, 50.0), 7.0));
    }
}
