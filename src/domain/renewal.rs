//! When a certificate that the server fetches itself is fetched anew.

use super::checkup::Certificate;
use super::time::UnixMicros;

/// How long nobody asks again after the first failure, in seconds. Twice as long after each further one:
/// authorities count failures by the hour (Let's Encrypt takes five for a name).
const FIRST_PAUSE_S: u64 = 600;
/// The longest such pause, in seconds.
const LONGEST_PAUSE_S: u64 = 12 * 3_600;

/// What is remembered of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    failures: u32,
    not_before: UnixMicros,
}

impl Renewal {
    /// Whether to ask the authority now for a certificate for `names`. `in_force`: the one there is;
    /// `None`: there is none that it gave.
    ///
    /// A third of a certificate's life is kept in reserve, which is 30 days of 90.
    pub fn is_due(
        &self,
        in_force: Option<&Certificate>,
        names: &[String],
        now: UnixMicros,
    ) -> bool {
        let Some(found) = in_force else { return now >= self.not_before };
        let life_us = found.not_after.since_us(found.not_before);
        let is_old = found.not_after.since_us(now) <= life_us / 3;
        let is_for_all = names.iter().all(|name| found.is_for(name));
        (is_old || !is_for_all) && now >= self.not_before
    }

    /// It came to nothing; in how many seconds the next attempt may be.
    pub fn failed(&mut self, now: UnixMicros) -> u64 {
        let pause_s = FIRST_PAUSE_S.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE_S);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.plus_secs(pause_s);
        pause_s
    }

    /// There is a new one.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const DAY_S: u64 = 86_400;

    fn of_90_days(name: &str) -> Certificate {
        let names = vec![name.to_owned()];
        Certificate { not_before: NOON, not_after: NOON.plus_secs(90 * DAY_S), names }
    }

    #[test]
    fn a_third_of_its_life_before_the_end_or_for_another_name() {
        let (renewal, names) = (Renewal::default(), ["play.example".to_owned()]);
        let due = |found: Option<&Certificate>, days| {
            renewal.is_due(found, &names, NOON.plus_secs(days * DAY_S))
        };
        let good = of_90_days("play.example");
        assert!(due(None, 0));
        assert_eq!(
            [0, 59, 60, 90, 200].map(|day| due(Some(&good), day)),
            [false, false, true, true, true]
        );
        assert!(due(Some(&of_90_days("other.example")), 0));
    }

    #[test]
    fn an_authority_that_says_no_is_left_alone_longer_each_time() {
        let (mut renewal, names) = (Renewal::default(), ["play.example".to_owned()]);
        let mut now = NOON;
        let mut waited = Vec::new();
        for _ in 0..9 {
            assert!(renewal.is_due(None, &names, now));
            let pause_s = renewal.failed(now);
            assert!(!renewal.is_due(None, &names, UnixMicros(now.plus_secs(pause_s).0 - 1)));
            waited.push(pause_s);
            now = now.plus_secs(pause_s);
        }
        assert_eq!(waited, [600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 43_200, 43_200]);
        renewal.succeeded();
        assert_eq!(renewal.failed(now), 600);
    }
}
