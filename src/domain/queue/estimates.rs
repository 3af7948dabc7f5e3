//! How good the estimates are, in a small launch whose slots bind.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::examples::{at, enter, queue, settings, standing};
use super::index::mix;
use super::*;

const SLOTS: u64 = 400;
const SESSION_S: f64 = 60.0;

/// A session length, memoryless with the mean above, the same in every run.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few minutes in milliseconds"
)]
fn session_ms(who: u64) -> u64 {
    let unit = (mix(who + 1) >> 11) as f64 / (1_u64 << 53) as f64;
    (-(1.0 - unit).ln() * SESSION_S * 1e3) as u64
}

/// What happens next to a player: polls with a ticket, or leaves the game.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Poll(u64),
    Leave(u64),
}

/// A polite line: everybody polls when told to, plays for a while, and leaves.
struct Game {
    queue: Queue,
    events: BinaryHeap<Reverse<(UnixMicros, Next)>>,
    tickets: HashMap<u64, TicketRef>,
    /// Estimates given once the slots bind: who, when, and how long it should take in ms.
    quotes: Vec<(u64, UnixMicros, u64)>,
    admitted: HashMap<u64, UnixMicros>,
}

impl Game {
    fn hear(&mut self, now: UnixMicros, who: u64, heard: Standing) {
        match heard {
            Standing::Waiting(waiting) => {
                self.tickets.insert(who, waiting.ticket);
                let next = now.plus_ms(waiting.poll_after_ms);
                self.events.push(Reverse((next, Next::Poll(who))));
                if let Some(eta) = waiting.eta.filter(|_| now >= at(120)) {
                    self.quotes.push((who, now, eta.mid_ms));
                }
            }
            Standing::Passed { ticket, pass_until, .. } => {
                // The pass lives 120 s, so that tells when it was given, to the second.
                let given = UnixMicros(pass_until.0 - 120_000_000).max(at(0));
                self.admitted.insert(who, given);
                let player = Player(u128::from(who));
                self.queue.begin_redeem(now, ticket).unwrap();
                self.queue.finish_redeem(now, ticket.number, player, ticket.identity);
                self.queue.connect(now, player).unwrap();
                let leaves = now.plus_ms(session_ms(who));
                self.events.push(Reverse((leaves, Next::Leave(who))));
            }
            other => panic!("{other:?}"),
        }
    }

    fn play(&mut self) {
        while let Some(&Reverse((at, _))) = self.events.peek() {
            if let Some(wake) = self.queue.next_wake().filter(|&wake| wake <= at) {
                self.queue.tick(wake);
                continue;
            }
            let Some(Reverse((now, next))) = self.events.pop() else { return };
            match next {
                Next::Poll(who) => {
                    let heard = standing(self.queue.check(now, self.tickets[&who]));
                    self.hear(now, who, heard);
                }
                Next::Leave(who) => {
                    self.queue.disconnect(now, Player(u128::from(who)), Departure::Ended);
                }
            }
        }
    }
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few minutes")]
fn once_the_slots_bind_an_estimate_is_off_by_a_few_per_cent() {
    let settings = Settings { rate: 40.0, burst: 1, cap: SLOTS, line_max: 5_000, ..settings() };
    let mut game = Game {
        queue: queue(settings),
        events: BinaryHeap::new(),
        tickets: HashMap::new(),
        quotes: Vec::new(),
        admitted: HashMap::new(),
    };
    for who in 1..=4_000 {
        let heard = enter(&mut game.queue, at(0), who);
        game.hear(at(0), who, heard);
    }
    game.play();
    assert_eq!(game.admitted.len(), 4_000, "everybody came in");
    let mut errors: Vec<f64> = game
        .quotes
        .iter()
        .filter_map(|&(who, when, mid_ms)| {
            let actual_ms = game.admitted[&who].since_ms(when);
            (actual_ms >= 60_000).then(|| (mid_ms as f64 / actual_ms as f64 - 1.0).abs())
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    let (median, p90) = (errors[errors.len() / 2], errors[errors.len() * 9 / 10]);
    assert!(errors.len() > 1_000, "{} estimates", errors.len());
    assert!(median <= 0.05 && p90 <= 0.15, "median {median:.3}, 90 % {p90:.3}");
}
