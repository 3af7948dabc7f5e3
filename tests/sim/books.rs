//! Accounts that must balance: tickets, slots, the audit chain, who holds a slot, turns of the lanes,
//! polls.

use std::collections::BTreeSet;

use anteroom::domain::audit::{self, Chain, Entry, Head, Verifier, What, Who};
use anteroom::domain::queue::{
    Closed, Figures, Identity, Input, Lane, Output, Queue, Settings, Standing,
};
use anteroom::domain::time::UnixMicros;

use crate::wire::standing_in;

/// The lanes that share by weight, as the settings order their weights.
const WEIGHTED: [Lane; 3] = [Lane::Paying, Lane::Standard, Lane::Low];
/// The lanes whose admissions go to the audit chain.
const LANES_OUT_OF_TURN: [Lane; 4] = [Lane::Staff, Lane::Grace, Lane::Low, Lane::Paying];
/// Polls are counted over so many seconds.
const POLLS_S: u64 = 60;

/// What is written down of every input.
pub struct Books {
    weights: [u32; WEIGHTED.len()],
    burst: u64,
    with_parties: bool,
    budget: f64,
    before: Figures,
    /// Nothing is unknown yet: there was no restart.
    is_first_run: bool,
    /// Who holds a slot, from what the line says of every change.
    holders: BTreeSet<Identity>,
    /// Admissions of others since a lane had one, while somebody waited in it.
    since: [u64; Lane::COUNT],
    /// Admissions from the grace lane since one of another, while somebody waited there.
    grace_run: u64,
    chain: Chain,
    lines: Vec<Vec<u8>>,
    /// What the chain should say, by lane.
    out_of_turn: [u64; Lane::COUNT],
    polls: u64,
    polls_since: UnixMicros,
    rate_most: f64,
}

impl Books {
    pub fn new(settings: &Settings, queue: &mut Queue, now: UnixMicros) -> Self {
        queue.watch_holders();
        queue.watch_out_of_turn();
        Self {
            weights: settings.lane_weights,
            burst: settings.burst.into(),
            with_parties: settings.party_max > 1,
            budget: settings.poll_budget.into(),
            before: queue.figures(),
            is_first_run: true,
            holders: BTreeSet::new(),
            since: [0; Lane::COUNT],
            grace_run: 0,
            chain: Chain::after(Head::START),
            lines: Vec::new(),
            out_of_turn: [0; Lane::COUNT],
            polls: 0,
            polls_since: now,
            rate_most: 0.0,
        }
    }

    /// The audit chain goes on; who holds a slot is told anew.
    pub fn restarted(&mut self, now: UnixMicros, queue: &mut Queue) {
        let admitted = queue.figures().admitted_total;
        for lane in LANES_OUT_OF_TURN {
            assert_eq!(admitted[lane as usize], 0, "I13: admitted before anybody could note it");
        }
        queue.watch_holders();
        queue.watch_out_of_turn();
        self.is_first_run = false;
        self.holders.clear();
        self.note_holders(queue);
        self.before = queue.figures();
        self.since = [0; Lane::COUNT];
        self.grace_run = 0;
        self.begin_polls(now);
    }

    /// Before an input, when numbers were granted.
    pub fn numbers_granted(&mut self, queue: &Queue) {
        self.before.numbers_left = queue.numbers_left();
    }

    pub fn after(
        &mut self,
        now: UnixMicros,
        (input, output): (&Input, &Output),
        after: Figures,
        queue: &mut Queue,
    ) {
        let taken: [u64; Lane::COUNT] =
            std::array::from_fn(|at| after.admitted_total[at] - self.before.admitted_total[at]);
        self.note_holders(queue);
        self.check_holders(input, output);
        self.write_chain(now, &taken, queue);
        if self.is_first_run {
            self.check_tickets(input, &after);
            self.check_slots(input, &after);
        }
        if !self.with_parties {
            self.check_turns(&taken, &after);
        }
        self.rate_most = self.rate_most.max(after.rate_in_force);
        self.before = after;
    }

    fn note_holders(&mut self, queue: &mut Queue) {
        for holder in queue.holders_changed() {
            match holder.until {
                Some(_) => self.holders.insert(holder.identity),
                None => self.holders.remove(&holder.identity),
            };
        }
    }

    /// I13: the changes told add up to what the line itself goes by.
    fn check_holders(&self, input: &Input, output: &Output) {
        let (Input::Enter(identity, _), Some(standing)) = (input, standing_in(output)) else {
            return;
        };
        let holds = matches!(
            standing,
            Standing::HoldsSlot | Standing::Refused { why: Closed::Returning, .. }
        );
        assert_eq!(holds, self.holders.contains(identity), "I13: {input:?} {standing:?}");
    }

    /// I13: what goes to the audit chain is what came in out of turn.
    fn write_chain(&mut self, now: UnixMicros, taken: &[u64; Lane::COUNT], queue: &mut Queue) {
        let mut noted = [(0, None); Lane::COUNT];
        for admission in queue.admitted_out_of_turn() {
            let (count, span) = &mut noted[admission.lane as usize];
            *count += 1;
            let (first, last) = span.unwrap_or((admission.number, admission.number));
            *span = Some((first.min(admission.number), last.max(admission.number)));
        }
        for lane in LANES_OUT_OF_TURN {
            let (count, span) = noted[lane as usize];
            assert_eq!(count, taken[lane as usize], "I13: {lane:?}");
            let Some((first, last)) = span else { continue };
            self.out_of_turn[lane as usize] += count;
            let (epoch, lane) = (queue.epoch(), lane.name().into());
            let what = What::AdmittedMany { epoch, lane, count, first, last };
            let entry = Entry::of(now, Who::Server, what);
            self.lines.push(self.chain.add(&entry).unwrap());
        }
    }

    /// I4: no ticket comes from nowhere, and none goes without a reason that is counted.
    fn check_tickets(&self, input: &Input, after: &Figures) {
        let (before, gone) = (&self.before, |f: &Figures| {
            let expired = f.expired_total;
            f.left_total + expired.lease + expired.parked + f.given_back_total
        });
        let here = |f: &Figures| f.waiting.iter().sum::<u64>() + f.parked + f.passes_out;
        let new = match input {
            Input::Enter(..) | Input::Join(..) => before.numbers_left - after.numbers_left,
            // A newcomer's number is the only one an input takes; a close sets some aside.
            Input::ClosePrequeue => 0,
            _ => {
                assert_eq!(before.numbers_left, after.numbers_left, "I4: {input:?} took a number");
                0
            }
        };
        assert!(new <= 1, "I7: {input:?} took {new} numbers");
        // A pass that is used, and another place of the same owner.
        let used_most = match input {
            Input::FinishRedeem(..) => 2,
            Input::AdmitExempt(..) => 1,
            _ => 0,
        };
        let expected = here(before) + new - (gone(after) - gone(before));
        let is = here(after);
        assert!(
            is <= expected && expected <= is + used_most,
            "I4: {input:?}: {expected} tickets expected, {is} here"
        );
    }

    /// I13: the ledger is the sum of its changes, each with its reason.
    fn check_slots(&self, input: &Input, after: &Figures) {
        let freed = |f: &Figures| {
            let expired = f.expired_total;
            expired.pass + expired.grace + expired.reserved + f.given_back_total
        };
        let (taken_most, freed_most) = match input {
            Input::Connect(_) | Input::Keep(..) => (1, 0),
            Input::FinishRedeem(..) => (1, 2),
            Input::Leave(_)
            | Input::Transfer(..)
            | Input::AdmitExempt(..)
            | Input::Disconnect(..)
            | Input::SignOut(_)
            | Input::GiveUp(..) => (0, 1),
            _ => (0, 0),
        };
        let total = |f: &Figures| f.admitted_total.iter().sum::<u64>();
        let sum = used(&self.before) + total(after)
            - total(&self.before)
            - (freed(after) - freed(&self.before));
        let is = used(after);
        assert!(
            is <= sum + taken_most && sum <= is + freed_most,
            "I13: {input:?}: the changes add up to {sum}, the ledger says {is}"
        );
    }

    /// I9: a lane in which somebody waits has its turn within a round of the others.
    fn check_turns(&mut self, taken: &[u64; Lane::COUNT], after: &Figures) {
        let waits =
            |lane: Lane| self.before.waiting[lane as usize] > 0 && after.waiting[lane as usize] > 0;
        let of_weighted: u64 = WEIGHTED.iter().map(|&lane| taken[lane as usize]).sum();
        let all: u64 = self.weights.iter().map(|&weight| u64::from(weight)).sum();
        for (lane, weight) in WEIGHTED.into_iter().zip(self.weights) {
            let at = lane as usize;
            let others = of_weighted - taken[at];
            self.since[at] = match (waits(lane), taken[at]) {
                (false, _) => 0,
                (true, 0) => self.since[at] + others,
                (true, _) => others,
            };
            let most = all - u64::from(weight) + self.burst;
            assert!(self.since[at] <= most, "I9: {lane:?} waits for {} others", self.since[at]);
        }
        // Half of the turns are for the grace lane at most, and at least if it has use for them.
        let grace = taken[Lane::Grace as usize];
        let at = Lane::Grace as usize;
        self.since[at] = match (waits(Lane::Grace), grace) {
            (false, _) => 0,
            (true, 0) => self.since[at] + of_weighted,
            (true, _) => of_weighted,
        };
        assert!(self.since[at] <= 2 + self.burst, "I9: grace waits for {}", self.since[at]);
        let any_waits = WEIGHTED.into_iter().any(waits);
        self.grace_run = match (any_waits, of_weighted) {
            (false, _) => 0,
            (true, 0) => self.grace_run + grace,
            (true, _) => grace,
        };
        assert!(self.grace_run <= 2 + self.burst, "I9: {} of grace in a row", self.grace_run);
    }

    /// I14: a client that comes when it was told to.
    pub fn polls(&mut self, now: UnixMicros) {
        if now.since_ms(self.polls_since) >= POLLS_S * 1_000 {
            self.check_polls();
            self.begin_polls(now);
        }
        self.polls += 1;
    }

    /// Counts anew: not everybody obeyed.
    pub fn begin_polls(&mut self, now: UnixMicros) {
        (self.polls, self.polls_since) = (0, now);
        self.rate_most = self.before.rate_in_force;
    }

    #[expect(clippy::cast_precision_loss, reason = "a minute's polls")]
    fn check_polls(&self) {
        // Fewer than so many polls for each admission, and passes would lapse before anybody asks.
        let most = self.budget.max(6.0 * self.rate_most) * POLLS_S as f64;
        // Who came in this minute was told to come by the line as it was then.
        let slack = 100.0;
        let polls = self.polls as f64;
        assert!(polls <= most + slack, "I14: {polls} polls in a minute, not {most}");
    }

    /// I13: the chain holds, and what it says adds up.
    pub fn finish(self) {
        let lines = self.lines.iter().map(|line| &line[..line.len() - 1]);
        audit::verify(lines.clone(), &[self.chain.head()]).expect("I13: the chain holds");
        let mut verifier = Verifier::after(Head::START);
        let mut said = [0; Lane::COUNT];
        for line in lines {
            let what = verifier.take(line).unwrap().what;
            let lane = Lane::ALL.into_iter().find(|lane| what["lane"] == lane.name());
            said[lane.expect("a lane") as usize] += what["count"].as_u64().expect("a count");
        }
        assert_eq!(said, self.out_of_turn, "I13: the chain's sum");
    }
}

/// Slots held.
pub fn used(figures: &Figures) -> u64 {
    figures.live + figures.reserved + figures.passes_out + figures.grace
}
