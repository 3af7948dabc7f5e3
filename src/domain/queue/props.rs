//! Random lives of a queue against a plain model of it. Each check names the invariant it keeps
//! (the project's note on login queues, §2.16).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::ledger::Kind;
use super::line::State;
use super::*;

const START: UnixMicros = UnixMicros::from_secs(1_000_000);

fn settings() -> Settings {
    Settings {
        rate: 3.0,
        burst: 2,
        cap: 12,
        strict_cap: true,
        line_max: 60,
        lease_ms: 60_000,
        parked_ms: 40_000,
        pass_ttl_ms: 20_000,
        connect_window_ms: 10_000,
        grace_ms: 8_000,
        clean_close_frees: true,
        settle_ms: 5_000,
        amnesty_ms: 0,
        poll_budget: 100,
        poll_min_ms: 1_000,
        poll_max_ms: 30_000,
        login_ms: 0,
        grace_share: 0.5,
        slow_start: 1.0,
        party_max: PARTY_MAX,
        party_join_ms: 60_000,
        lane_weights: [6, 3, 1],
        costs: Costs { sign_in: [1.0, 2.5, 4.0], refresh: 0.5 },
        adaptive: AdaptiveSettings { hold_failures: 5, ..AdaptiveSettings::default() },
        mass_drop: MassDropSettings::default(),
    }
}
const PARTY_MAX: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Back(u64),
    Enter(u64, u8),
    Join(u64, u8, usize),
    Check(usize),
    Leave(usize),
    Begin(usize),
    Finish(u8),
    Abandon(bool),
    Connect(u8),
    Disconnect(u8, u8),
    SignOut(u8),
    Tick,
    Rate(u8),
    Cap(u8),
    Announce(Mode),
    /// Sign-ins done and failed, the latency, refreshes.
    Report(u32, u32, u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u64..1_500_000).prop_map(Step::Wait),
        1 => (0_u64..90_000_000).prop_map(Step::Wait),
        1 => (0_u64..50_000_000).prop_map(Step::Back),
        10 => (0_u64..24, 0_u8..8).prop_map(|(who, lane)| Step::Enter(who, lane)),
        3 => (0_u64..24, 0_u8..8, 0_usize..400).prop_map(|(who, lane, at)| Step::Join(who, lane, at)),
        10 => (0_usize..400).prop_map(Step::Check),
        1 => (0_usize..400).prop_map(Step::Leave),
        6 => (0_usize..400).prop_map(Step::Begin),
        6 => (0_u8..20).prop_map(Step::Finish),
        1 => any::<bool>().prop_map(Step::Abandon),
        4 => (0_u8..20).prop_map(Step::Connect),
        4 => (0_u8..20, 0_u8..3).prop_map(|(who, how)| Step::Disconnect(who, how)),
        1 => (0_u8..20).prop_map(Step::SignOut),
        4 => Just(Step::Tick),
        1 => (0_u8..9).prop_map(Step::Rate),
        1 => (0_u8..14).prop_map(Step::Cap),
        1 => prop::sample::select(&Mode::ALL[..]).prop_map(Step::Announce),
        2 => Just(Step::Announce(Mode::Open)),
        6 => (0_u32..20, 0_u32..3, 0_u32..1_500, 0_u32..9)
            .prop_map(|(done, failed, ms, renewed)| Step::Report(done, failed, ms, renewed)),
    ]
}

/// The plain model: every ticket there ever was, and what was promised.
struct Model {
    queue: Queue,
    machine: UnixMicros,
    tickets: Vec<TicketRef>,
    states: BTreeMap<Number, State>,
    shown: BTreeMap<Number, (Lane, u64)>,
    lease: BTreeMap<Number, UnixMicros>,
    /// What was taken from the gate: admissions and what was settled; when, how much, and whether
    /// it was an admission.
    taken: Vec<(UnixMicros, f64, bool)>,
    /// Moments the rate changed, and to what.
    rates: Vec<(UnixMicros, f64)>,
    redeemed: BTreeSet<Number>,
    /// Numbers that were in a party once: they may come in before others.
    joined: BTreeSet<Number>,
    in_use: Option<Number>,
    touched: Option<Number>,
    /// Who holds a slot, as somebody who watches knows it.
    holders: BTreeMap<Identity, UnixMicros>,
}

impl Model {
    fn new() -> Self {
        let mut queue = Queue::new(settings(), 7, START);
        queue.grant_numbers(Number(1_000_000));
        queue.watch_holders();
        Self {
            queue,
            machine: START,
            tickets: Vec::new(),
            states: BTreeMap::new(),
            shown: BTreeMap::new(),
            lease: BTreeMap::new(),
            taken: Vec::new(),
            rates: vec![(UnixMicros(0), 3.0)],
            redeemed: BTreeSet::new(),
            joined: BTreeSet::new(),
            in_use: None,
            touched: None,
            holders: BTreeMap::new(),
        }
    }

    fn pick(&self, at: usize) -> Option<TicketRef> {
        let count = self.tickets.len();
        (count > 0).then(|| self.tickets[count - 1 - at % count.min(40)])
    }

    fn heard(&mut self, standing: Standing) -> Result<(), TestCaseError> {
        let (Standing::Waiting(Waiting { ticket, .. }) | Standing::Passed { ticket, .. }) =
            standing
        else {
            return Ok(());
        };
        if !self.tickets.iter().any(|known| known.number == ticket.number) {
            prop_assert!(
                self.tickets.last().is_none_or(|last| last.number < ticket.number),
                "numbers are given in order, once"
            );
            self.tickets.push(ticket);
        }
        self.touched = Some(ticket.number);
        let Standing::Waiting(waiting) = standing else { return Ok(()) };
        if let Some(&(lane, shown)) = self.shown.get(&ticket.number) {
            let kept = lane == ticket.lane && waiting.position <= shown;
            prop_assert!(kept || waiting.reason.is_some(), "I6: {shown} became {waiting:?}");
        }
        self.shown.insert(ticket.number, (ticket.lane, waiting.position));
        self.lease.insert(ticket.number, waiting.lease_until);
        prop_assert!(
            waiting.lease_until >= self.queue.time.now.plus_ms(3 * waiting.poll_after_ms),
            "I11: a lease spans three polls"
        );
        Ok(())
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.machine;
        let lane = |lane: u8| Lane::ALL.get(usize::from(lane)).copied().unwrap_or_default();
        let player = |who: u8| Player(u128::from(who) + 1);
        match *step {
            Step::Wait(us) => self.machine = now.plus_us(us),
            Step::Back(us) => self.machine = UnixMicros(now.0 - us.min(now.0)),
            Step::Enter(who, in_lane) => {
                let standing = self.queue.enter(now, Identity(who), lane(in_lane));
                self.heard(standing)?;
            }
            Step::Join(who, in_lane, at) => self.join(who, lane(in_lane), at)?,
            Step::Check(at) => {
                let Some(ticket) = self.pick(at) else { return Ok(()) };
                if let Checked::Standing(standing) = self.queue.check(now, ticket) {
                    self.heard(standing)?;
                }
            }
            Step::Leave(at) => {
                let Some(ticket) = self.pick(at) else { return Ok(()) };
                self.touched = Some(ticket.number);
                if self.queue.leave(now, ticket.number) {
                    prop_assert_eq!(self.queue.line.state(ticket.number), State::Gone);
                    prop_assert!(!self.queue.leave(now, ticket.number), "leaving is idempotent");
                }
            }
            Step::Begin(at) => self.begin(at)?,
            Step::Finish(who) => self.finish(who, player(who))?,
            Step::Abandon(back) => {
                let Some(number) = self.in_use.take() else { return Ok(()) };
                self.queue.abandon_redeem(now, number, back);
            }
            Step::Connect(who) => drop(self.queue.connect(now, player(who))),
            Step::Disconnect(who, how) => {
                let how =
                    [Departure::Clean, Departure::Dropped, Departure::Ended][usize::from(how)];
                self.queue.disconnect(now, player(who), how);
            }
            Step::SignOut(who) => {
                self.queue.sign_out(now, player(who));
                prop_assert!(self.queue.ledger.get(player(who)).is_none());
            }
            Step::Tick => {
                let wake = self.queue.tick(now);
                prop_assert!(wake.is_none_or(
                    |wake| wake.plus_us(self.queue.time.ahead_us) > self.queue.time.now
                ));
            }
            Step::Rate(rate) => {
                self.queue.set_rate(now, f64::from(rate));
                self.rates.push((self.queue.time.now, f64::from(rate)));
            }
            Step::Cap(cap) => self.queue.set_cap(now, u64::from(cap)),
            Step::Report(done, failed, ms, refreshes) => {
                self.report(Signals {
                    done: [done, 0, 0],
                    failed,
                    refreshes,
                    p95_ms: Some(ms),
                    ..Signals::default()
                })?;
            }
            Step::Announce(mode) => {
                self.queue.announce(now, Announcement::new(mode, None, ""));
            }
        }
        Ok(())
    }

    fn begin(&mut self, at: usize) -> Result<(), TestCaseError> {
        let Some(ticket) = self.pick(at) else { return Ok(()) };
        if self.in_use.is_some() {
            return Ok(());
        }
        let begun = self.queue.begin_redeem(self.machine, ticket);
        if self.redeemed.contains(&ticket.number) {
            prop_assert!(
                begun.is_ok() == self.queue.redeemed.player(ticket.number).is_some(),
                "I5: a redeemed pass is answered only as the retry of its own redemption"
            );
        } else if begun.is_ok() {
            prop_assert_eq!(self.queue.line.state(ticket.number), State::Pass, "I5");
            self.in_use = Some(ticket.number);
        }
        Ok(())
    }

    fn join(&mut self, who: u64, lane: Lane, at: usize) -> Result<(), TestCaseError> {
        let Some(first) = self.pick(at) else { return Ok(()) };
        if let Ok(standing) = self.queue.join(self.machine, Identity(who), lane, first) {
            self.heard(standing)?;
            self.joined.extend([Some(first.number), self.touched].into_iter().flatten());
        }
        Ok(())
    }

    fn finish(&mut self, who: u8, player: Player) -> Result<(), TestCaseError> {
        let Some(number) = self.in_use.take() else { return Ok(()) };
        self.touched = Some(number);
        let identity = Identity(u64::from(who));
        if self.queue.finish_redeem(self.machine, number, player, identity) {
            // Admissions of the redemption itself come before what it settles.
            self.note_transitions(self.queue.time.now)?;
            let work = [Work::Known, Work::Password, Work::NewAccount][usize::from(who % 3)];
            let cost = self.queue.settings.costs.sign_in[work as usize];
            self.taken.push((self.queue.time.now, cost - 1.0, false));
            self.queue.settle(self.machine, work);
        }
        if self.queue.redeemed.player(number) == Some(player) {
            self.redeemed.insert(number);
        }
        Ok(())
    }

    fn report(&mut self, signals: Signals) -> Result<(), TestCaseError> {
        self.queue.report(self.machine, signals);
        let figures = self.queue.figures();
        prop_assert!(figures.rate_in_force <= figures.rate, "never above the operators'");
        Ok(())
    }

    /// What must be true after every step.
    fn verify(&mut self, step: &Step, most: u64, paused: bool) -> Result<(), TestCaseError> {
        let now = self.queue.time.now;
        let admitted = self.note_transitions(now)?;
        // What was said for a time, or by this step, may be over.
        let paused = paused && !self.queue.announcement().mode.admits();
        prop_assert!(admitted == 0 || !paused, "I10");
        let most = most.max(self.queue.settings.cap);
        prop_assert!(self.queue.used() <= most, "I2: {} of {most}", self.queue.used());
        let can = self.queue.announcement().mode.admits()
            && self.queue.gate.is_open(now)
            && self.queue.free() > 0;
        let untouched = matches!(step, Step::Wait(_) | Step::Back(_));
        let nobody = self.queue.line.waiting_total() == 0 || self.queue.parties.any();
        prop_assert!(untouched || !can || nobody, "I8");
        self.verify_positions()?;
        self.verify_holders()?;
        let mut identities = BTreeSet::new();
        for ticket in &self.tickets {
            let here = self.queue.line.state(ticket.number) != State::Gone;
            if here && ticket.identity != Identity::ANONYMOUS {
                prop_assert!(identities.insert(ticket.identity), "I7");
                prop_assert_eq!(self.queue.line.find(ticket.identity), Some(ticket.number), "I7");
            }
        }
        prop_assert_eq!(self.queue.tally.reversals, 0, "I6");
        self.touched = None;
        Ok(())
    }

    /// Finds out what became of every ticket; how many were admitted.
    fn note_transitions(&mut self, now: UnixMicros) -> Result<usize, TestCaseError> {
        let mut admitted = Vec::new();
        let mut waiting = Vec::new();
        for ticket in &self.tickets {
            let state = self.queue.line.state(ticket.number);
            let before = self.states.insert(ticket.number, state);
            match (before, state) {
                (Some(State::Waiting(lane)), State::Pass) => admitted.push((lane, ticket.number)),
                (None, State::Pass) => admitted.push((ticket.lane, ticket.number)),
                (Some(State::Parked), State::Pass) => admitted.push((Lane::Grace, ticket.number)),
                (Some(State::Waiting(_)), State::Gone) if self.touched != Some(ticket.number) => {
                    // Parked and lapsed, or lapsed, or the owner came in by another door.
                    let lease = self.lease[&ticket.number];
                    let in_by = self.queue.ledger.holds(ticket.identity);
                    prop_assert!(lease <= now || in_by, "I4, I11: {ticket:?} lapsed early");
                }
                _ => {}
            }
            if let State::Waiting(lane) = state
                && self.touched != Some(ticket.number)
            {
                waiting.push((lane, ticket.number));
            }
        }
        for &(lane, number) in &admitted {
            let overtaken = waiting.iter().find(|&&(l, n)| l == lane && n < number);
            let alone = !self.joined.contains(&number) && !self.queue.parties.any();
            prop_assert!(overtaken.is_none() || !alone, "I3: {number:?} before {overtaken:?}");
        }
        self.taken.extend(admitted.iter().map(|_| (now, 1.0, true)));
        Ok(admitted.len())
    }

    /// Who watches knows whom the ledger knows.
    fn verify_holders(&mut self) -> Result<(), TestCaseError> {
        for Holder { identity, until } in self.queue.holders_changed() {
            match until {
                Some(until) => drop(self.holders.insert(identity, until)),
                None => drop(self.holders.remove(&identity)),
            }
        }
        let slots = self.queue.ledger.sorted().into_iter().map(|(_, slot)| slot);
        let bound = slots.filter(|slot| slot.identity != Identity::ANONYMOUS);
        let held: BTreeMap<_, _> = bound
            .map(|slot| match slot.kind {
                Kind::Live { .. } => (slot.identity, UnixMicros(u64::MAX)),
                Kind::Reserved { until } | Kind::Grace { until } | Kind::InWorld { until } => {
                    (slot.identity, until)
                }
            })
            .collect();
        prop_assert!(held.keys().all(|&identity| self.queue.ledger.holds(identity)));
        prop_assert_eq!(&self.holders, &held);
        Ok(())
    }

    /// Positions are those of a plain sorted list.
    fn verify_positions(&self) -> Result<(), TestCaseError> {
        for lane in Lane::ALL {
            let mut plain: Vec<Number> = Vec::new();
            plain.extend(
                self.states.iter().filter(|(_, s)| **s == State::Waiting(lane)).map(|(n, _)| *n),
            );
            plain.sort();
            prop_assert_eq!(self.queue.line.waiting()[lane as usize], plain.len() as u64);
            for (at, number) in plain.into_iter().enumerate() {
                prop_assert_eq!(self.queue.line.position(number, lane), at as u64 + 1);
            }
        }
        Ok(())
    }

    /// I1 in admissions' worth, over every time that ends with an admission.
    fn verify_rate(&self) -> Result<(), TestCaseError> {
        for (i, &(from, ..)) in self.taken.iter().enumerate() {
            let mut sum = 0.0;
            for &(to, cost, is_admission) in self.taken.iter().skip(i) {
                sum += cost;
                let bound = self.allowed(from, to) + 2.0_f64.max(PARTY_MAX as f64) + 1.0;
                prop_assert!(
                    !is_admission || sum <= bound + 1e-6,
                    "I1 between {from:?} and {to:?}"
                );
            }
        }
        Ok(())
    }

    fn allowed(&self, from: UnixMicros, to: UnixMicros) -> f64 {
        let ends = self.rates.iter().skip(1).map(|r| r.0).chain([UnixMicros(u64::MAX)]);
        let span = |(&(start, rate), end): (&(UnixMicros, f64), UnixMicros)| {
            rate * end.min(to).since_us(start.max(from)) as f64 / 1e6
        };
        self.rates.iter().zip(ends).map(span).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// I1 to I8, I10, I11 over random lives with clock jumps; positions against a sorted list.
    #[test]
    fn random_lives_keep_the_invariants(steps in prop::collection::vec(step(), 1..250)) {
        let mut model = Model::new();
        for step in &steps {
            let most = model.queue.used().max(model.queue.settings.cap);
            let paused = !model.queue.announcement().mode.admits();
            model.apply(step)?;
            model.verify(step, most, paused)?;
        }
        model.verify_rate()?;
    }

    /// The same inputs at the same moments give the same outputs.
    #[test]
    fn a_log_replays(steps in prop::collection::vec((0_u64..3_000_000, 0_u64..30), 1..100)) {
        let mut queue = Queue::new(settings(), 1, START);
        queue.grant_numbers(Number(1_000));
        let (mut again, mut now) = (queue.clone(), START);
        for (us, who) in steps {
            now = now.plus_us(us);
            let input = Input::Enter(Identity(who), Lane::Standard);
            prop_assert_eq!(queue.handle(now, input.clone()), again.handle(now, input));
            prop_assert_eq!(queue.handle(now, Input::Tick), again.handle(now, Input::Tick));
        }
    }

    /// I14: the whole line polls within its budget, whatever its length.
    #[test]
    fn polls_stay_within_the_budget(
        waiting in 1_u64..3_000_000,
        rate in 1.0_f64..2_000.0,
        budget in 5_000_u32..50_000,
    ) {
        let plain = Settings { poll_budget: budget, poll_max_ms: 300_000, ..settings() };
        // A budget that would call people later than their turn cannot be held; see `poll`.
        let spare = f64::from(budget) * 0.9 - waiting as f64 / 300.0;
        prop_assume!(spare > rate * 300_f64.ln() && f64::from(budget) * 0.9 > rate * 6.8);
        let pace = poll::Pace::new(&plain, waiting, rate);
        let every = (waiting / 20_000).max(1);
        let load: f64 = (1..=waiting).step_by(usize::try_from(every).unwrap())
            .map(|n| every as f64 * 1e3 / pace.interval_ms(Number(n), Some(n as f64 / rate)) as f64)
            .sum();
        prop_assert!(load <= f64::from(budget) * 1.01 + every as f64, "{load} polls/s");
    }

    /// Bitmaps come back as they were.
    #[test]
    fn packing_is_lossless(words in prop::collection::vec(
        prop_oneof![3 => Just(0_u64), 3 => Just(u64::MAX), 2 => any::<u64>()], 0..300)
    ) {
        let packed = packed::Packed::pack(words.iter().copied());
        let mut back: Vec<u64> = packed.words().collect();
        back.resize(words.len(), 0);
        prop_assert_eq!(back, words);
    }

    /// I9: with everybody waiting, each lane gets its share, and low is never starved.
    #[test]
    fn no_lane_starves(
        (paying, standard, low) in (1_u32..40, 1_u32..40, 1_u32..40), share in 0.0_f64..0.9
    ) {
        let mut lanes = lanes::Lanes::new(share, [paying, standard, low]);
        let waiting = [0, 5, 5, 5, 5];
        let (mut got, mut dry) = ([0_u32; Lane::COUNT], 0_u32);
        for turn in 1..=1_000_u32 {
            let lane = lanes.choose(waiting).unwrap();
            lanes.took(lane, waiting);
            got[lane as usize] += 1;
            dry = if lane == Lane::Low { 0 } else { dry + 1 };
            prop_assert!(f64::from(got[1]) <= share * f64::from(turn) + 1.001, "grace over its share");
            prop_assert!(f64::from(dry) <= f64::from(paying + standard + 1) / (1.0 - share) + 3.0, "I9");
        }
        let bound = f64::from(paying + standard + low);
        for (lane, weight) in [(Lane::Paying, paying), (Lane::Standard, standard), (Lane::Low, low)] {
            let expected = f64::from(1_000 - got[1]) * f64::from(weight) / bound;
            prop_assert!((f64::from(got[lane as usize]) - expected).abs() <= bound, "{lane:?}");
        }
    }
}
