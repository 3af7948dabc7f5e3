//! Where places are taken that nobody comes to use: a score for each address and each network.
//!
//! A place whose turn came and that led to no sign-in counts against the address and the network that
//! took it; a sign-in pays for twenty of them, to those who took its place. So an address that many
//! share is as good as its players are: one in twenty who comes to play keeps it clear, and players who
//! come and go in earnest never get it near. A score refuses nobody: it only leads to the low lane.
//!
//! Whether a turn has come is read off the line itself, so nobody is blamed for a line that stands still.
//! What is kept: so many open places, so many scores; a place that finds no room is not judged.

use std::collections::BTreeSet;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::Source;
use super::cells::Cells;
use crate::domain::queue::{Lane, Number};
use crate::domain::time::UnixMicros;

/// Places that a sign-in pays for.
const PAYS: f64 = 20.0;
/// How many times the score of an address a network's may have: it has up to 256 of them, or 65,536.
const NETWORK: f64 = 8.0;
/// A score fades to a third in this time, in seconds.
const WINDOW_S: f64 = 3_600.0;
/// Addresses and networks that are told apart.
const ADDRESSES: usize = 65_536;
const NETWORKS: usize = 16_384;
/// Open places that are kept, about 100 bytes each.
const PLACES_MAX: usize = 100_000;
/// Places judged by one call at most.
const STEPS_MAX: usize = 1_024;
/// A frame this much younger than a place has seen it, in milliseconds.
const SEEN_MS: u64 = 2_000;

/// Where each lane's head is, at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// The moment.
    pub at: UnixMicros,
    /// The first number that waits in each lane, in the order of [`Lane::ALL`]; `None`: nobody does.
    pub first: [Option<Number>; Lane::COUNT],
}

/// The scores, and the places that are still open.
pub struct Suspicion {
    /// Score at which an address is suspect.
    limit: f64,
    /// How long after its turn came a place may still lead to a sign-in, in milliseconds.
    patience_ms: u64,
    places: HashMap<Number, Place>,
    waiting: BTreeSet<(Lane, Number)>,
    called: BTreeSet<(UnixMicros, Number)>,
    addresses: Cells,
    networks: Cells,
}

#[derive(Clone, Copy)]
struct Place {
    source: Source,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Waits { lane: Lane, since: UnixMicros },
    Called { until: UnixMicros },
}

impl Suspicion {
    /// Nobody is suspect. `limit`: places without a sign-in at which an address is, at least 1.
    pub fn new(limit: f64, patience_ms: u64, hasher: &DefaultHashBuilder) -> Self {
        Self {
            limit,
            patience_ms,
            places: HashMap::new(),
            waiting: BTreeSet::new(),
            called: BTreeSet::new(),
            addresses: Cells::new(ADDRESSES, WINDOW_S, hasher.clone()),
            networks: Cells::new(NETWORKS, WINDOW_S, hasher.clone()),
        }
    }

    /// Changes the limit and the patience; scores stay.
    pub const fn set(&mut self, limit: f64, patience_ms: u64) {
        self.limit = limit;
        self.patience_ms = patience_ms;
    }

    /// Whether a place is among the open ones.
    pub fn knows(&self, place: Number) -> bool {
        self.places.contains_key(&place)
    }

    /// A place was taken. `passed`: its turn came at once.
    pub fn placed(
        &mut self,
        now: UnixMicros,
        number: Number,
        lane: Lane,
        source: Source,
        passed: bool,
    ) {
        if self.places.len() >= PLACES_MAX {
            return;
        }
        let waits = Place { source, state: State::Waits { lane, since: now } };
        if self.places.insert(number, waits).is_none() {
            self.waiting.insert((lane, number));
        }
        if passed {
            self.call(now, number);
        }
    }

    /// The place with this number led to a sign-in, which came from `source`: who took the place is
    /// paid, or, where nobody knows any more who that was, who signs in.
    pub fn signed_in(&mut self, now: UnixMicros, number: Number, source: Option<Source>) {
        let taken = self.places.get(&number).copied();
        if let Some(place) = taken {
            self.forget(number, place);
        }
        if let Some(source) = taken.map(|place| place.source).or(source) {
            self.score(now, source, -PAYS);
        }
    }

    /// Judges the places whose turn is over. Cheap when there is nothing to judge.
    pub fn settle(&mut self, now: UnixMicros, heads: &Heads) {
        for lane in Lane::ALL {
            self.call_lane(now, lane, heads);
        }
        for _ in 0..STEPS_MAX {
            let Some(&(until, number)) = self.called.first() else { return };
            if until > now {
                return;
            }
            match self.places.get(&number).copied() {
                Some(place) => {
                    self.forget(number, place);
                    self.score(now, place.source, 1.0);
                }
                None => drop(self.called.pop_first()),
            }
        }
    }

    /// Whether so many places of this address or its network led to nothing that the next ones are to
    /// wait behind the others.
    pub fn is_suspect(&self, now: UnixMicros, source: Source) -> bool {
        self.addresses.get(source.address, now) >= self.limit
            || self.networks.get(source.prefix, now) >= self.limit * NETWORK
    }

    /// Calls whoever is before the head of their lane.
    fn call_lane(&mut self, now: UnixMicros, lane: Lane, heads: &Heads) {
        let first = heads.first[lane as usize];
        for _ in 0..STEPS_MAX {
            let Some(number) = self.first_waiting(lane) else { return };
            let has_come = match first {
                Some(first) => number < first,
                None => self.was_seen(number, heads.at),
            };
            if !has_come {
                return;
            }
            self.call(now, number);
        }
    }

    fn first_waiting(&self, lane: Lane) -> Option<Number> {
        let range = (lane, Number(0))..=(lane, Number(u64::MAX));
        self.waiting.range(range).next().map(|&(_, number)| number)
    }

    /// Whether a place was there when the line was looked at.
    fn was_seen(&self, number: Number, at: UnixMicros) -> bool {
        match self.places.get(&number).map(|place| place.state) {
            Some(State::Waits { since, .. }) => since.plus_ms(SEEN_MS) <= at,
            _ => true,
        }
    }

    /// The turn of a place came.
    fn call(&mut self, now: UnixMicros, number: Number) {
        let until = now.plus_ms(self.patience_ms);
        let Some(place) = self.places.get_mut(&number) else { return };
        if let State::Waits { lane, .. } = place.state {
            place.state = State::Called { until };
            self.waiting.remove(&(lane, number));
            self.called.insert((until, number));
        }
    }

    fn forget(&mut self, number: Number, place: Place) {
        self.places.remove(&number);
        match place.state {
            State::Waits { lane, .. } => drop(self.waiting.remove(&(lane, number))),
            State::Called { until } => drop(self.called.remove(&(until, number))),
        }
    }

    /// A score is bounded on both sides, so that nobody saves up for an attack and a few who sign in
    /// clear an address.
    fn score(&mut self, now: UnixMicros, source: Source, change: f64) {
        let bounds = |limit: f64| (-limit, 4.0 * limit);
        self.addresses.add(source.address, now, change, bounds(self.limit));
        self.networks.add(source.prefix, now, change, bounds(self.limit * NETWORK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const PATIENCE_MS: u64 = 240_000;
    const LIMIT: u64 = 100;
    const DORM: Source = Source { address: 1, prefix: 100 };

    fn fresh() -> Suspicion {
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        Suspicion::new(LIMIT as f64, PATIENCE_MS, &DefaultHashBuilder::default())
    }

    /// Nobody waits any more at `at`.
    fn nobody(at: UnixMicros) -> Heads {
        Heads { at, first: [None; Lane::COUNT] }
    }

    fn head(at: UnixMicros, lane: Lane, number: u64) -> Heads {
        let mut heads = nobody(at);
        heads.first[lane as usize] = Some(Number(number));
        heads
    }

    /// Places that nobody comes to use, taken and judged.
    fn no_shows(all: &mut Suspicion, from: u64, many: u64, source: Source) -> UnixMicros {
        for number in from..from + many {
            all.placed(START, Number(number), Lane::Standard, source, true);
        }
        let judged = START.plus_ms(PATIENCE_MS);
        all.settle(judged, &nobody(judged));
        judged
    }

    #[test]
    fn who_takes_places_and_never_comes_is_suspect_until_players_come() {
        let mut all = fresh();
        let now = no_shows(&mut all, 1, LIMIT, DORM);
        assert!(all.is_suspect(now, DORM));
        assert!(!all.is_suspect(now, Source { address: 2, ..DORM }), "the neighbour");
        all.signed_in(now, Number(9_999), Some(DORM));
        assert!(!all.is_suspect(now, DORM), "one who came pays for twenty");
        let now = no_shows(&mut all, 1_000, 4 * LIMIT, DORM);
        assert!(all.is_suspect(now.plus_secs(1_800), DORM));
        assert!(!all.is_suspect(now.plus_secs(3 * 3_600), DORM), "forgotten in time");
    }

    #[test]
    fn a_network_is_suspect_when_many_of_its_addresses_are_used_a_little() {
        let mut all = fresh();
        let mut now = START;
        for address in 0..40 {
            let source = Source { address, prefix: 100 };
            now = no_shows(&mut all, address * 1_000, 25, source);
        }
        assert!(all.is_suspect(now, Source { address: 77, prefix: 100 }), "a new address of it");
        assert!(!all.is_suspect(now, Source { address: 77, prefix: 101 }));
    }

    #[test]
    fn nobody_is_blamed_before_the_turn_came_however_long_the_line_stands() {
        let mut all = fresh();
        for number in 1..=2 * LIMIT {
            all.placed(START, Number(number), Lane::Standard, DORM, false);
        }
        let mut now = START;
        for _ in 0..48 {
            now = now.plus_secs(1_800);
            all.settle(now, &head(now, Lane::Standard, 1));
            assert!(!all.is_suspect(now, DORM));
        }
        all.settle(now, &head(now, Lane::Standard, LIMIT + 1));
        all.settle(now.plus_ms(PATIENCE_MS - 1), &nobody(START));
        assert!(!all.is_suspect(now, DORM), "called, and still in time");
        all.settle(now.plus_ms(PATIENCE_MS), &nobody(START));
        assert!(all.is_suspect(now.plus_ms(PATIENCE_MS), DORM));
        assert_eq!(all.places.len() as u64, LIMIT, "the others still wait");
    }

    #[test]
    fn a_place_newer_than_the_frame_has_not_been_called() {
        let mut all = fresh();
        all.placed(START, Number(1), Lane::Low, DORM, false);
        all.settle(START, &nobody(START));
        assert_eq!(all.called.len(), 0);
        all.settle(START, &nobody(START.plus_ms(SEEN_MS)));
        assert_eq!(all.called.len(), 1);
    }

    #[test]
    fn a_sign_in_pays_whoever_took_the_place_wherever_it_came_from() {
        let mut all = fresh();
        let now = no_shows(&mut all, 1, LIMIT, DORM);
        let elsewhere = Source { address: 5, prefix: 500 };
        all.placed(now, Number(5_000), Lane::Low, DORM, true);
        all.signed_in(now, Number(5_000), Some(elsewhere));
        assert!(!all.is_suspect(now, DORM));
        assert!(!all.knows(Number(5_000)));
        all.placed(now, Number(5_001), Lane::Low, DORM, false);
        all.signed_in(now, Number(5_001), None);
        assert_eq!((all.waiting.len(), all.called.len()), (0, 0));
    }

    #[test]
    fn the_memory_is_bounded_and_what_finds_no_room_is_not_judged() {
        let mut all = fresh();
        for number in 0..2 * PLACES_MAX as u64 {
            all.placed(START, Number(number), Lane::Standard, DORM, number % 2 == 0);
        }
        assert_eq!(all.places.len(), PLACES_MAX);
        assert_eq!(all.waiting.len() + all.called.len(), PLACES_MAX);
        let later = START.plus_secs(3_600);
        for _ in 0..=PLACES_MAX / STEPS_MAX {
            all.settle(later, &nobody(later));
        }
        for _ in 0..=PLACES_MAX / STEPS_MAX {
            all.settle(later.plus_secs(3_600), &nobody(later));
        }
        assert!(all.places.is_empty() && all.waiting.is_empty() && all.called.is_empty());
    }

    proptest! {
        /// However many share an address, and in whatever order they come and go: as long as those
        /// who take places sign in, it is clear.
        #[test]
        fn an_address_whose_entrants_sign_in_is_never_suspect(
            waits_s in prop::collection::vec(0_u64..7_200, 1..400),
        ) {
            let mut all = fresh();
            let mut due: Vec<_> = waits_s.iter().enumerate().map(|(at, wait)| (*wait, at as u64)).collect();
            for number in 0..waits_s.len() as u64 {
                all.placed(START, Number(number), Lane::Standard, DORM, false);
            }
            due.sort_unstable();
            for (wait, number) in due {
                let now = START.plus_secs(wait);
                // Their turns come in order, at the latest when they sign in.
                all.settle(now, &head(now, Lane::Standard, 0));
                all.signed_in(now, Number(number), Some(DORM));
                prop_assert!(!all.is_suspect(now, DORM));
            }
            let later = START.plus_secs(100_000);
            all.settle(later, &nobody(later));
            prop_assert!(!all.is_suspect(later, DORM));
        }

        /// One in twenty who comes to play keeps an address clear.
        #[test]
        fn one_in_twenty_is_enough(order in prop::collection::vec(0_u8..20, 200..600)) {
            let mut all = fresh();
            let mut now = START;
            let mut owed = 0_i64;
            for (number, share) in order.iter().enumerate() {
                now = now.plus_secs(1);
                all.placed(now, Number(number as u64), Lane::Standard, DORM, true);
                if *share == 0 {
                    all.signed_in(now, Number(number as u64), Some(DORM));
                    owed = (owed - 20).max(-100);
                } else {
                    owed += 1;
                }
                all.settle(now, &nobody(now));
                prop_assert!(!all.is_suspect(now, DORM) || owed >= 100 - 1);
            }
        }
    }
}
