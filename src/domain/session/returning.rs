//! When whoever is sent away by a stop is to come back: not before the server may be there again, not all
//! in one moment, and before what is kept for them lapses.

/// What is left of the hold when the last comes back, in milliseconds.
const SPARE_MS: u64 = 5_000;
/// The golden ratio's fraction of 2⁶⁴: multiples of it fill a span evenly, however many there are
/// (Knuth, TAOCP 3, §6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A plan for one stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returning {
    /// From the beginning of the stop until the first may come, in milliseconds.
    first_ms: u64,
    /// From the first to the last, in milliseconds.
    spread_ms: u64,
}

impl Returning {
    /// A plan for a stop in which sockets are closed over `closing_ms`. The first come `after_ms` behind
    /// the last of those, the others within `spread_ms` of them; both give way where what is kept for
    /// those who come back is held for `hold_ms` only. `None`: it is held for as long as one likes.
    pub fn new(closing_ms: u64, after_ms: u64, spread_ms: u64, hold_ms: Option<u64>) -> Self {
        let most_ms = hold_ms.map_or(u64::MAX, |hold| hold.saturating_sub(SPARE_MS));
        let first_ms = closing_ms.saturating_add(after_ms).min(most_ms);
        Self { first_ms, spread_ms: spread_ms.min(most_ms - first_ms) }
    }

    /// How long somebody who is told so after `elapsed_ms` of the stop is to stay away, in milliseconds.
    /// Who has numbers in a row is spread evenly; the same number has the same moment.
    pub fn in_ms(&self, elapsed_ms: u64, who: u64) -> u64 {
        let share = u128::from(who.wrapping_mul(GOLDEN)) * u128::from(self.spread_ms + 1);
        // Less than the spread, which is a u64.
        let behind_ms = u64::try_from(share >> 64).unwrap_or(self.spread_ms);
        (self.first_ms + behind_ms).saturating_sub(elapsed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_a_row_fill_the_span_evenly() {
        let plan = Returning::new(5_000, 5_000, 30_000, Some(60_000));
        let mut tenths = [0; 10];
        for who in 1_000..6_000 {
            let back_ms = plan.in_ms(0, who);
            assert!((10_000..=40_000).contains(&back_ms), "{back_ms}");
            tenths[usize::try_from((back_ms - 10_000) * 10 / 30_001).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (490..=510).contains(count)), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn nobody_comes_after_what_is_kept_for_him_or_before_the_sockets_are_closed(
            closing in 0_u64..600_000, after in 0_u64..600_000, spread in 0_u64..3_600_000,
            hold in 5_000_u64..3_600_000, elapsed in 0_u64..600_000, who: u64,
        ) {
            let elapsed = elapsed.min(closing);
            let plan = Returning::new(closing, after, spread, Some(hold));
            let back = plan.in_ms(elapsed, who);
            prop_assert!(back + SPARE_MS <= hold);
            let free = Returning::new(closing, after, spread, None);
            let back = free.in_ms(elapsed, who);
            prop_assert!(back >= closing - elapsed + after);
            prop_assert!(back <= closing - elapsed + after + spread);
        }
    }
}
