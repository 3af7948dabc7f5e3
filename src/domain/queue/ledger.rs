//! The ledger: who holds a slot and for how long.
//!
//! A slot belongs to a player, not to a socket. It is reserved at sign-in, live while a socket is
//! open, and in grace after the last one dropped. Passes out are slots too; they are counted by
//! the line, and [`super::Queue`] adds them up.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::exact::sorted;
use super::{Identity, Player, UnixMicros};

/// How long sockets of a player who was signed out are expected to say that they closed.
const ORPHANS_MS: u64 = 300_000;

/// What a slot is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Signed in, no socket yet.
    Reserved { until: UnixMicros },
    /// Online with this many sockets.
    Live { sockets: u32 },
    /// Held for a player who dropped.
    Grace { until: UnixMicros },
    /// Without a socket of ours, in a game server's world by its word.
    InWorld { until: UnixMicros },
}

/// Whether somebody holds a slot, told to whoever watches ([`super::Queue::watch_holders`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub identity: Identity,
    /// Until when at least, if nothing happens; `None`: holds none.
    pub until: Option<UnixMicros>,
}

/// While a player is online nothing but he ends his slot.
const ONLINE: UnixMicros = UnixMicros(u64::MAX);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) identity: Identity,
}

/// Slots by player. `HashMap`s are never iterated where order could be seen: runs must repeat.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    #[serde(with = "sorted::map")]
    slots: HashMap<Player, Slot>,
    #[serde(with = "sorted::map")]
    by_identity: HashMap<Identity, Player>,
    timers: BTreeSet<(UnixMicros, Player)>,
    /// Sockets of signed-out players that have not yet said that they closed.
    #[serde(with = "sorted::map")]
    orphans: HashMap<Player, (u32, UnixMicros)>,
    orphan_timers: BTreeSet<(UnixMicros, Player)>,
    /// Reserved, live, grace, in a game server's world.
    counts: [u64; 4],
    /// Slots taken over from before a restart whose player has not been seen since.
    recovered: BTreeSet<(UnixMicros, Player)>,
    /// What has changed about holders, if somebody watches.
    #[serde(skip)]
    changed: Option<Vec<Holder>>,
}

const fn class(kind: Kind) -> usize {
    match kind {
        Kind::Reserved { .. } => 0,
        Kind::Live { .. } => 1,
        Kind::Grace { .. } => 2,
        Kind::InWorld { .. } => 3,
    }
}

const fn until(kind: Kind) -> Option<UnixMicros> {
    match kind {
        Kind::Reserved { until } | Kind::Grace { until } | Kind::InWorld { until } => Some(until),
        Kind::Live { .. } => None,
    }
}

impl Ledger {
    /// Slots held.
    pub(super) fn held(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Reserved, live and grace slots. Those in a game server's world count as reserved: no socket of
    /// ours says more.
    pub(super) const fn counts(&self) -> [u64; 3] {
        let [reserved, live, grace, in_world] = self.counts;
        [reserved + in_world, live, grace]
    }

    /// Players who are in: by a socket or by a game server's word.
    pub(super) const fn online(&self) -> u64 {
        self.counts[1] + self.counts[3]
    }

    pub(super) fn get(&self, player: Player) -> Option<Slot> {
        self.slots.get(&player).copied()
    }

    /// Whether this identity's player dropped and has a slot held for them.
    pub(super) fn is_away(&self, identity: Identity) -> bool {
        let slot = self.by_identity.get(&identity).and_then(|player| self.slots.get(player));
        slot.is_some_and(|slot| matches!(slot.kind, Kind::Grace { .. }))
    }

    /// Whether this identity's player holds a slot.
    pub(super) fn holds(&self, identity: Identity) -> bool {
        identity != Identity::ANONYMOUS && self.by_identity.contains_key(&identity)
    }

    /// Starts to note who holds a slot; who does already is noted at once.
    pub(super) fn watch(&mut self) {
        // In no order: each identity is there once.
        let held = self.slots.values().filter(|slot| slot.identity != Identity::ANONYMOUS);
        let holder = |slot: &Slot| Holder {
            identity: slot.identity,
            until: Some(until(slot.kind).unwrap_or(ONLINE)),
        };
        self.changed = Some(held.map(holder).collect());
    }

    /// What was noted since the last call, in the order it happened.
    pub(super) fn changed(&mut self) -> impl Iterator<Item = Holder> {
        self.changed.iter_mut().flat_map(|changed| changed.drain(..))
    }

    fn note(&mut self, identity: Identity, until: Option<UnixMicros>) {
        let Some(changed) = &mut self.changed else { return };
        match changed.last_mut() {
            // A slot that changes is taken away and given anew.
            Some(last) if last.identity == identity => last.until = until,
            _ => changed.push(Holder { identity, until }),
        }
    }

    /// Gives the player a slot of this kind, or changes the one he has. A known identity stays
    /// bound when `identity` is nobody's.
    pub(super) fn put(&mut self, player: Player, kind: Kind, identity: Identity) {
        self.write(player, kind, identity, false);
    }

    /// The same for a slot from before a restart.
    pub(super) fn put_recovered(&mut self, player: Player, until: UnixMicros, identity: Identity) {
        self.write(player, Kind::Grace { until }, identity, true);
    }

    fn write(&mut self, player: Player, kind: Kind, identity: Identity, recovered: bool) {
        let before = self.free(player);
        let known = before.map_or(Identity::ANONYMOUS, |slot| slot.identity);
        let identity = if identity == Identity::ANONYMOUS { known } else { identity };
        if identity != Identity::ANONYMOUS
            && let Some(other) = self.by_identity.insert(identity, player)
            && let Some(slot) = self.slots.get_mut(&other)
        {
            // The credential moved to another account: the old slot stays, bound to nobody.
            slot.identity = Identity::ANONYMOUS;
        }
        self.counts[class(kind)] += 1;
        if let Some(until) = until(kind) {
            self.timers.insert((until, player));
            if recovered {
                self.recovered.insert((until, player));
            }
        }
        self.slots.insert(player, Slot { kind, identity });
        if identity != Identity::ANONYMOUS {
            self.note(identity, Some(until(kind).unwrap_or(ONLINE)));
        }
    }

    /// Takes the player's slot away; what it was.
    pub(super) fn free(&mut self, player: Player) -> Option<Slot> {
        let slot = self.slots.remove(&player)?;
        self.counts[class(slot.kind)] -= 1;
        if let Some(until) = until(slot.kind) {
            self.timers.remove(&(until, player));
            self.recovered.remove(&(until, player));
        }
        if slot.identity != Identity::ANONYMOUS {
            self.by_identity.remove(&slot.identity);
            self.note(slot.identity, None);
        }
        Some(slot)
    }

    /// Takes away the slot whose time is over first, if it is over.
    pub(super) fn free_due(&mut self, now: UnixMicros) -> Option<(Player, Slot)> {
        let &(until, player) = self.timers.first()?;
        if until > now {
            return None;
        }
        Some((player, self.free(player)?))
    }

    /// Holds every slot in grace until then at least. Looks at all that run out.
    pub(super) fn hold_on(&mut self, until: UnixMicros) {
        let sooner = self.timers.range(..(until, Player(0)));
        let is_away = |&&(_, player): &&(UnixMicros, Player)| {
            self.slots.get(&player).is_some_and(|slot| matches!(slot.kind, Kind::Grace { .. }))
        };
        let held: Vec<(UnixMicros, Player)> = sooner.filter(is_away).copied().collect();
        for timer in held {
            let recovered = self.recovered.contains(&timer);
            self.write(timer.1, Kind::Grace { until }, Identity::ANONYMOUS, recovered);
        }
    }

    /// When the next slot runs out.
    pub(super) fn next_due(&self) -> Option<UnixMicros> {
        self.timers.first().map(|&(until, _)| until)
    }

    /// The recovered slot that runs out first and whose player has not come back.
    pub(super) fn oldest_recovered(&self) -> Option<Player> {
        self.recovered.first().map(|&(_, player)| player)
    }

    /// Notes that a player without a slot has sockets that are being closed.
    pub(super) fn orphan(&mut self, now: UnixMicros, player: Player, sockets: u32) {
        let known = self.take_orphans(player);
        let until = now.plus_ms(ORPHANS_MS);
        self.orphans.insert(player, (known + sockets, until));
        self.orphan_timers.insert((until, player));
    }

    /// Whether a closing socket is one of those, and not one of the player's new ones.
    pub(super) fn was_orphan(&mut self, now: UnixMicros, player: Player) -> bool {
        while let Some(&(until, stale)) = self.orphan_timers.first()
            && until <= now
        {
            self.take_orphans(stale);
        }
        let Some((sockets, until)) = self.orphans.get_mut(&player) else { return false };
        *sockets -= 1;
        if *sockets == 0 {
            self.orphan_timers.remove(&(*until, player));
            self.orphans.remove(&player);
        }
        true
    }

    fn take_orphans(&mut self, player: Player) -> u32 {
        let Some((sockets, until)) = self.orphans.remove(&player) else { return 0 };
        self.orphan_timers.remove(&(until, player));
        sockets
    }

    /// All slots in the order of their players.
    pub(super) fn sorted(&self) -> Vec<(Player, Slot)> {
        let mut all: Vec<_> = self.slots.iter().map(|(&player, &slot)| (player, slot)).collect();
        all.sort_unstable_by_key(|&(player, _)| player);
        all
    }
}
