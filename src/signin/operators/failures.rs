//! How many refused sign-ins go on record: whoever guesses must not fill the audit chain.

use crate::domain::time::UnixMicros;

/// Records a minute.
const PER_MINUTE: u32 = 30;

/// Counts refusals by the minute.
#[derive(Debug, Default)]
pub(super) struct Failures {
    minute: u64,
    told: u32,
    untold: u64,
}

impl Failures {
    /// One more. `Some`: it goes on record, with how many did not before it.
    pub(super) fn count(&mut self, now: UnixMicros) -> Option<u64> {
        let minute = now.as_secs() / 60;
        if minute != self.minute {
            (self.minute, self.told) = (minute, 0);
        }
        if self.told >= PER_MINUTE {
            self.untold += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_and_the_next_says_how_many_more() {
        let mut failures = Failures::default();
        let at = UnixMicros::from_secs;
        let told = (0..100).filter(|_| failures.count(at(600)).is_some()).count();
        assert_eq!(told, 30);
        assert_eq!(failures.count(at(660)), Some(70));
        assert_eq!(failures.count(at(661)), Some(0));
    }
}
