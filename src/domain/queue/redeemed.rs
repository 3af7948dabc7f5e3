//! Passes redeemed lately, so that a retry of the same sign-in gets the same answer.

use std::collections::VecDeque;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::exact::sorted;
use super::{Number, Player, UnixMicros};

/// Most redemptions remembered: about 20 MB. Older ones are the registry's to answer for.
const REDEEMED_MAX: usize = 262_144;

/// Redeemed numbers and their players, until their pass would have expired.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Redeemed {
    #[serde(with = "sorted::map")]
    players: HashMap<Number, Player>,
    order: VecDeque<(UnixMicros, Number)>,
}

impl Redeemed {
    pub(super) fn note(&mut self, number: Number, player: Player, until: UnixMicros) {
        if self.players.insert(number, player).is_none() {
            self.order.push_back((until, number));
        }
        if self.players.len() > REDEEMED_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.players.remove(&oldest);
        }
    }

    pub(super) fn player(&self, number: Number) -> Option<Player> {
        self.players.get(&number).copied()
    }

    /// Forgets those whose time is over.
    pub(super) fn expire(&mut self, now: UnixMicros) {
        while let Some(&(until, number)) = self.order.front()
            && until <= now
        {
            self.order.pop_front();
            self.players.remove(&number);
        }
    }
}
