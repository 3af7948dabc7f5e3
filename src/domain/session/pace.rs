//! How fast a client is listened to: a leaky bucket in scheduling form (GCRA). Nothing is dropped;
//! the next message is read when its time has come.

/// The rate of one client, in microseconds on a steady clock. It may use up one second's worth at
/// once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    period_us: u64,
    due_us: u64,
}

const BURST_US: u64 = 1_000_000;

impl Pace {
    /// At most `per_second` messages a second; 0: no limit.
    pub const fn new(per_second: u32) -> Self {
        let period_us = match per_second {
            0 => 0,
            n => 1_000_000 / n as u64,
        };
        Self { period_us, due_us: 0 }
    }

    /// When the next message may be read; at or before `now_us`: at once.
    pub const fn ready_us(&self) -> u64 {
        self.due_us.saturating_sub(BURST_US.saturating_sub(self.period_us))
    }

    /// A message was read at `now_us`.
    pub const fn take(&mut self, now_us: u64) {
        let from = if self.due_us > now_us { self.due_us } else { now_us };
        self.due_us = from.saturating_add(self.period_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_messages_may_come_at_once_and_then_each_waits_its_period() {
        let mut pace = Pace::new(10);
        for n in 0..10 {
            assert!(pace.ready_us() <= 5, "message {n}");
            pace.take(5);
        }
        assert_eq!(pace.ready_us(), 100_005);
    }

    #[test]
    fn zero_means_no_limit() {
        let mut pace = Pace::new(0);
        for _ in 0..10_000 {
            assert!(pace.ready_us() <= 5);
            pace.take(5);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_window_takes_more_than_its_share_and_a_second(
            per_second in 1u32..1000, gaps in proptest::collection::vec(0u64..200_000, 1..300),
        ) {
            let mut pace = Pace::new(per_second);
            let (mut now, mut taken) = (0, Vec::new());
            for gap in gaps {
                now = (now + gap).max(pace.ready_us());
                pace.take(now);
                taken.push(now);
            }
            for (from, &start) in taken.iter().enumerate() {
                for (to, &end) in taken.iter().enumerate().skip(from) {
                    let period = 1_000_000 / u64::from(per_second);
                    let most = (end - start) / period + 1_000_000 / period + 1;
                    proptest::prop_assert!((to - from + 1) as u64 <= most);
                }
            }
        }
    }
}
