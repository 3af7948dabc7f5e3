//! Those who hold a connection open to hear of their turn at once.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::domain::queue::Number;

/// Entries of connections that are gone are looked for when there are this many more than the last
/// time.
const SWEEP_EVERY: usize = 4_096;

/// Who waits for which number's turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: HashMap<Number, Vec<oneshot::Sender<()>>>,
    sweep_at: usize,
}

impl Turns {
    /// Somebody wants to hear when this number waits no more.
    pub(super) fn follow(&mut self, number: Number, who: oneshot::Sender<()>) {
        if self.waiting.len() >= self.sweep_at {
            self.waiting.retain(|_, all| {
                all.retain(|who| !who.is_closed());
                !all.is_empty()
            });
            self.sweep_at = self.waiting.len() + SWEEP_EVERY;
        }
        let all = self.waiting.entry(number).or_default();
        all.retain(|who| !who.is_closed());
        all.push(who);
    }

    /// Tells those who wait for these numbers.
    pub(super) fn came(&mut self, numbers: impl Iterator<Item = Number>) {
        for number in numbers {
            for who in self.waiting.remove(&number).into_iter().flatten() {
                // Who is gone need not know.
                let _ = who.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_gone_is_forgotten() {
        let mut turns = Turns::default();
        for number in 0..3 * SWEEP_EVERY as u64 {
            drop(turns.follow_for_test(Number(number)));
        }
        assert!(turns.waiting.len() <= SWEEP_EVERY + 1, "{}", turns.waiting.len());
        let mut stays = turns.follow_for_test(Number(7));
        turns.came([Number(7), Number(8)].into_iter());
        assert_eq!(stays.try_recv(), Ok(()));
    }

    impl Turns {
        fn follow_for_test(&mut self, number: Number) -> oneshot::Receiver<()> {
            let (who, turn) = oneshot::channel();
            self.follow(number, who);
            turn
        }
    }
}
