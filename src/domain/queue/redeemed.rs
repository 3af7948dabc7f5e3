//! Passes redeemed lately, so that a retry of the same sign-in gets the same answer.

use std::collections::VecDeque;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::exact::sorted;
use super::{Number, Player, UnixMicros};

/// Most redemptions remembered: about 20 MB. Older ones are the registry's to answer for.
const REDEEMED_MAX: usize = 262_144;

/// Redeemed numbers and their players, until their pass would have expired, or a retry is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Redeemed {
    #[serde(with = "sorted::map")]
    players: HashMap<Number, (Player, UnixMicros)>,
    /// One entry for each, by the time it was noted with.
    order: VecDeque<(UnixMicros, Number)>,
}

impl Redeemed {
    pub(super) fn note(&mut self, number: Number, player: Player, until: UnixMicros) {
        if self.players.insert(number, (player, until)).is_none() {
            self.order.push_back((until, number));
        }
        if self.players.len() > REDEEMED_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.players.remove(&oldest);
        }
    }

    pub(super) fn player(&self, number: Number) -> Option<Player> {
        self.players.get(&number).map(|&(player, _)| player)
    }

    /// Whether this one is remembered; if so, until then at least: a retry has begun.
    pub(super) fn renew(&mut self, number: Number, until: UnixMicros) -> bool {
        let known = self.players.get_mut(&number);
        known.map(|(_, known)| *known = (*known).max(until)).is_some()
    }

    /// Forgets those whose time is over.
    pub(super) fn expire(&mut self, now: UnixMicros) {
        while let Some(&(until, number)) = self.order.front()
            && until <= now
        {
            self.order.pop_front();
            match self.players.get(&number) {
                Some(&(_, later)) if later > now => self.order.push_back((later, number)),
                _ => drop(self.players.remove(&number)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{START, at, enter, passed, queue, settings, sign_in};
    use super::super::{Identity, Settings};
    use super::*;

    #[test]
    fn a_retry_that_outlasts_the_memory_of_its_pass_is_still_a_retry() {
        let mut queue = queue(Settings { pass_ttl_ms: 60_000, ..settings() });
        let pass = passed(enter(&mut queue, START, 1));
        sign_in(&mut queue, START, pass, 1);
        queue.sign_out(at(1), Player(1));
        queue.begin_redeem(at(59), pass).unwrap();
        queue.tick(at(61));
        assert!(!queue.finish_redeem(at(62), pass.number, Player(1), Identity(1)), "paid once");
        assert_eq!(queue.figures().reserved, 0, "no second slot");
        queue.tick(at(90));
        assert!(queue.begin_redeem(at(90), pass).is_err(), "forgotten in the end");
    }
}
