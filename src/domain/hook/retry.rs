//! When what was not heard is told again.

/// Waits between tries, in milliseconds: together about 20 seconds.
const WAITS_MS: [u64; 4] = [250, 1_000, 4_000, 16_000];

/// How long to wait after a number of tries that failed, in milliseconds; `None`: give up.
pub fn retry_after_ms(failed: usize) -> Option<u64> {
    failed.checked_sub(1).and_then(|at| WAITS_MS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_are_made_each_later_than_the_one_before() {
        let waits: Vec<_> = (1..).map_while(retry_after_ms).collect();
        assert_eq!(waits.len(), 4);
        assert!(waits.is_sorted_by(|a, b| a < b), "{waits:?}");
        assert_eq!(retry_after_ms(0), None, "nothing failed");
    }
}
