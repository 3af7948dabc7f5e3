//! What must hold after every input.

use std::collections::{BTreeMap, BTreeSet};

use anteroom::domain::queue::{
    Costs, Figures, Identity, Input, Lane, Number, Player, Queue, Settings, TicketRef, Waiting,
};
use anteroom::domain::time::UnixMicros;

use crate::books::used;

/// What is remembered to check later answers against. Times are true times: they never step back.
pub struct Checks {
    /// Most admissions at one moment: a burst, or a party.
    burst: f64,
    burst_alone: f64,
    strict: bool,
    costs: Costs,
    before: Figures,
    /// Admissions not yet paid for by the rate: a leaky bucket, equal to looking at all windows.
    level: f64,
    /// The same as the gate has to see it: after a restart it grants no burst.
    owed: f64,
    /// What sign-ins since the last picture cost beyond an admission each: a crash forgets it.
    unsaved: f64,
    /// How long the line's time still stands, after a clock that stepped back a little.
    stands_us: u64,
    at: UnixMicros,
    shown: BTreeMap<Number, (Lane, u64)>,
    /// When each ticket came to its lane, as far as answers have told.
    lane_since: BTreeMap<Number, (Lane, UnixMicros)>,
    last_wait: BTreeMap<Number, (Lane, UnixMicros)>,
    /// Tickets that were in a party once: they may come in before others, or after.
    joined: BTreeSet<Number>,
    /// Latest passes by lane: number → when it was last known to wait.
    passed: [BTreeMap<Number, UnixMicros>; Lane::COUNT],
    /// The place each owner was told of last.
    places: BTreeMap<Identity, TicketRef>,
    /// Who used each pass, and which were paid for.
    redeemed: BTreeMap<Number, Player>,
    settled: BTreeSet<Number>,
}

fn admitted(figures: &Figures) -> u64 {
    figures.admitted_total.iter().sum()
}

impl Checks {
    pub fn new(settings: &Settings, before: Figures, at: UnixMicros) -> Self {
        let party = u32::try_from(settings.party_max).unwrap();
        Self {
            burst: f64::from(settings.burst.max(party)),
            burst_alone: f64::from(settings.burst),
            strict: settings.strict_cap,
            costs: settings.costs,
            before,
            level: 0.0,
            owed: 0.0,
            unsaved: 0.0,
            stands_us: 0,
            at,
            shown: BTreeMap::new(),
            lane_since: BTreeMap::new(),
            last_wait: BTreeMap::new(),
            joined: BTreeSet::new(),
            passed: Default::default(),
            places: BTreeMap::new(),
            redeemed: BTreeMap::new(),
            settled: BTreeSet::new(),
        }
    }

    /// After a restart: totals start anew, and what was admitted but not told is open again. `then`:
    /// slots used and admissions owed when the picture was taken.
    pub fn restarted(&mut self, now: UnixMicros, after: Figures, then: (u64, f64)) {
        let (used_most, owed_then) = then;
        assert!(used(&after) <= used_most.max(after.cap), "I2 after a restart: {after:?}");
        self.pay(now);
        self.level = (self.level - std::mem::take(&mut self.unsaved)).max(0.0);
        let fresh = admitted(&after);
        self.before = after;
        self.owed = self.owed.max(owed_then).max(self.burst_alone);
        self.admit(fresh);
        self.shown.clear();
        self.lane_since.clear();
        self.last_wait.clear();
        self.places.clear();
        self.passed = Default::default();
    }

    /// A picture was taken.
    pub fn saved(&mut self) {
        self.unsaved = 0.0;
    }

    fn pay(&mut self, now: UnixMicros) {
        #[expect(clippy::cast_precision_loss, reason = "a simulated hour is small")]
        let paid = |us: u64| us as f64 / 1e6 * self.before.rate_in_force;
        let us = now.since_us(self.at);
        let moved_us = us.saturating_sub(self.stands_us);
        self.level = (self.level - paid(us)).max(0.0);
        self.owed = (self.owed - paid(moved_us)).max(0.0);
        self.stands_us = self.stands_us.saturating_sub(us);
        self.at = now;
    }

    /// The machine's clock jumps forward: to the gate that is time like any other.
    #[expect(clippy::cast_precision_loss, reason = "an hour at most")]
    pub fn jumped(&mut self, by_us: u64) {
        // What the gate makes of it shows when it opens; later than now would be later than it must.
        self.level = (self.level - by_us as f64 / 1e6 * self.before.rate_in_force).max(0.0);
        self.stands_us = self.stands_us.saturating_sub(by_us);
        // A sign-in may be on its way, and what is known of its pass runs out with the jump.
        self.settled.clear();
    }

    /// The machine's clock steps back: the line's time stands still for so long if that is less than
    /// a second, and goes on at once if it is more.
    pub fn stepped_back(&mut self, by_us: u64) {
        let stands_us = self.stands_us + by_us;
        self.stands_us = if stands_us < 1_000_000 { stands_us } else { 0 };
    }

    /// How long the line's time still stands, in microseconds.
    pub fn stands_us(&self) -> u64 {
        self.stands_us
    }

    fn admit(&mut self, count: u64) {
        for _ in 0..count {
            self.level += 1.0;
            self.owed += 1.0;
            assert!(self.level <= self.burst + 1.0 + 1e-6, "I1: {} above the rate", self.level);
        }
    }

    /// Admissions' worth the gate may count as not yet paid for.
    pub fn owed(&self) -> f64 {
        self.owed
    }

    /// Seconds until the gate must open; `None`: it stands.
    pub fn opens_in_s(&self) -> Option<f64> {
        let rate = self.before.rate_in_force;
        (rate > 0.0).then(|| (self.owed - (self.burst_alone - 1.0)).max(0.0) / rate)
    }

    pub fn after(&mut self, now: UnixMicros, input: &Input, after: Figures) {
        self.pay(now);
        if let Input::Settle(work) = input {
            // I1 is about what admissions cost, not about their number.
            let difference = self.costs.sign_in[*work as usize] - 1.0;
            self.level = (self.level + difference).max(0.0);
            self.owed = (self.owed + difference).max(0.0);
            self.unsaved += difference.max(0.0);
        }
        if let Input::Report(signals) = input {
            // What refreshes cost comes off the admissions, as far as the gate lets it.
            self.owed += f64::from(signals.refreshes) * self.costs.refresh;
        }
        let count = admitted(&after) - admitted(&self.before);
        self.admit(count);
        // What was said for a time may just be over.
        let paused = !self.before.mode.admits() && !after.mode.admits();
        assert!(count == 0 || !paused, "I10: admitted while paused by {input:?}");
        let above = match input {
            Input::Connect(_) => !self.strict,
            Input::Keep(..) => true,
            _ => false,
        };
        let most = used(&self.before).max(after.cap).max(self.before.cap) + u64::from(above);
        assert!(used(&after) <= most, "I2: {input:?} {after:?}");
        assert_eq!(after.position_reversals, 0, "I6: {input:?}");
        self.before = after;
    }

    /// Two tickets are of one party.
    pub fn join(&mut self, numbers: [Number; 2]) {
        self.joined.extend(numbers);
    }

    /// A ticket was told that it waits.
    pub fn waits(&mut self, now: UnixMicros, waiting: &Waiting) {
        let (number, lane) = (waiting.ticket.number, waiting.ticket.lane);
        if let Some(position) = waiting.place() {
            if let Some(&(old, before)) = self.shown.get(&number) {
                let kept = old == lane && position <= before;
                assert!(kept || waiting.reason.is_some(), "I6: {before} in {old:?}: {waiting:?}");
            }
            self.shown.insert(number, (lane, position));
        }
        let since = match self.lane_since.get(&number) {
            Some(&(old, since)) if old == lane && waiting.reason.is_none() => since,
            // New here, or was parked meanwhile and says so.
            _ => now,
        };
        self.lane_since.insert(number, (lane, since));
        self.last_wait.insert(number, (lane, now));
        let overtook = self.passed[lane as usize].range(number..).find(|&(_, &at)| at > since);
        let alone = !self.joined.contains(&number);
        assert!(
            overtook.is_none() || !alone,
            "I3: {number:?} waits since {since:?}, passed: {overtook:?}"
        );
    }

    /// A ticket was told that it is a pass.
    pub fn passes(&mut self, number: Number, from: Lane) {
        if let Some((lane, at)) = self.last_wait.remove(&number)
            && lane == from
            && !self.joined.contains(&number)
        {
            self.passed[lane as usize].insert(number, at);
        }
        self.forget(number);
    }

    /// Whoever has two places has told of one that is gone.
    pub fn stands(&mut self, ticket: TicketRef, queue: &Queue) {
        if ticket.identity == Identity::ANONYMOUS {
            return;
        }
        let Some(old) = self.places.insert(ticket.identity, ticket) else { return };
        let other = queue.current(old).number != ticket.number;
        assert!(!other || !queue.waits(old), "I7: {old:?} and {ticket:?}");
    }

    /// The owner's place is another's now.
    pub fn moves(&mut self, owner: Identity) {
        self.places.remove(&owner);
    }

    /// The registry gives a pass to a player.
    pub fn redeems(&mut self, pass: Number, player: Player) {
        let first = *self.redeemed.entry(pass).or_insert(player);
        assert_eq!(first, player, "I5: {pass:?} is another's");
    }

    /// A pass was used for the first time, says the line.
    pub fn settles(&mut self, pass: Number) {
        assert!(self.settled.insert(pass), "I5: {pass:?} was used twice");
    }

    /// A ticket is not followed any further.
    pub fn forget(&mut self, number: Number) {
        self.shown.remove(&number);
        self.lane_since.remove(&number);
        self.last_wait.remove(&number);
    }
}
