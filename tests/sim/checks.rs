//! What must hold after every input.

use std::collections::{BTreeMap, BTreeSet};

use anteroom::domain::queue::{Costs, Figures, Input, Lane, Number, Settings, Waiting};
use anteroom::domain::time::UnixMicros;

/// What is remembered to check later answers against. Times are true times: they never step back.
pub struct Checks {
    /// Most admissions at one moment: a burst, or a party.
    burst: f64,
    strict: bool,
    costs: Costs,
    before: Figures,
    /// Admissions not yet paid for by the rate: a leaky bucket, equal to looking at all windows.
    level: f64,
    at: UnixMicros,
    shown: BTreeMap<Number, (Lane, u64)>,
    /// When each ticket came to its lane, as far as answers have told.
    lane_since: BTreeMap<Number, (Lane, UnixMicros)>,
    last_wait: BTreeMap<Number, (Lane, UnixMicros)>,
    /// Tickets that were in a party once: they may come in before others, or after.
    joined: BTreeSet<Number>,
    /// Latest passes by lane: number → when it was last known to wait.
    passed: [BTreeMap<Number, UnixMicros>; Lane::COUNT],
}

fn used(figures: &Figures) -> u64 {
    figures.live + figures.reserved + figures.passes_out + figures.grace
}

fn admitted(figures: &Figures) -> u64 {
    figures.admitted_total.iter().sum()
}

impl Checks {
    pub fn new(settings: &Settings, before: Figures, at: UnixMicros) -> Self {
        let party = u32::try_from(settings.party_max).unwrap();
        Self {
            burst: f64::from(settings.burst.max(party)),
            strict: settings.strict_cap,
            costs: settings.costs,
            before,
            level: 0.0,
            at,
            shown: BTreeMap::new(),
            lane_since: BTreeMap::new(),
            last_wait: BTreeMap::new(),
            joined: BTreeSet::new(),
            passed: Default::default(),
        }
    }

    /// After a restart: totals start anew, and what was admitted but not told is open again.
    pub fn restarted(&mut self, now: UnixMicros, after: Figures, used_most: u64) {
        assert!(used(&after) <= used_most.max(after.cap), "I2 after a restart: {after:?}");
        self.pay(now);
        let fresh = admitted(&after);
        self.before = after;
        self.admit(fresh);
        self.shown.clear();
        self.lane_since.clear();
        self.last_wait.clear();
        self.passed = Default::default();
    }

    fn pay(&mut self, now: UnixMicros) {
        #[expect(clippy::cast_precision_loss, reason = "a simulated hour is small")]
        let dt_s = now.since_us(self.at) as f64 / 1e6;
        self.level = (self.level - dt_s * self.before.rate_in_force).max(0.0);
        self.at = now;
    }

    fn admit(&mut self, count: u64) {
        for _ in 0..count {
            self.level += 1.0;
            assert!(self.level <= self.burst + 1.0 + 1e-6, "I1: {} above the rate", self.level);
        }
    }

    /// Admissions' worth not yet paid for.
    pub fn level(&self) -> f64 {
        self.level
    }

    pub fn after(&mut self, now: UnixMicros, input: &Input, after: Figures) {
        self.pay(now);
        let count = admitted(&after) - admitted(&self.before);
        self.admit(count);
        if let Input::Settle(work) = input {
            // I1 is about what admissions cost, not about their number.
            self.level = (self.level + self.costs.sign_in[*work as usize] - 1.0).max(0.0);
        }
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
        if let Some(&(old, position)) = self.shown.get(&number) {
            let kept = old == lane && waiting.position <= position;
            assert!(kept || waiting.reason.is_some(), "I6: {position} in {old:?}, now {waiting:?}");
        }
        self.shown.insert(number, (lane, waiting.position));
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

    /// A ticket is not followed any further.
    pub fn forget(&mut self, number: Number) {
        self.shown.remove(&number);
        self.lane_since.remove(&number);
        self.last_wait.remove(&number);
    }
}
