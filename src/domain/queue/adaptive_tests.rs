//! The loop closed: a backend that queues what it cannot do at once, and the rate that follows it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::examples::{at, enter, passed, queue, run_until, settings, standing, waiting};
use super::index::mix;
use super::settings::{AdaptiveSettings, Costs, Work};
use super::*;

/// Admissions per second the operators allow.
const CEILING: f64 = 1_000.0;
/// Workers of the backend.
const WORKERS: usize = 20;
/// What is not waiting: the network, the disk; in milliseconds.
const BASE_MS: u64 = 20;

/// A backend of `WORKERS` that take exponential times, and a line in front of it that never empties.
struct Backend {
    dice: u64,
    /// Sign-ins a second it can do, now.
    capacity: f64,
    /// Sign-ins on their way from the line to the door: when they arrive.
    coming: BinaryHeap<Reverse<u64>>,
    /// Waiting for a worker: since when.
    waiting: VecDeque<u64>,
    /// When each worker is free, and since when its sign-in has been here.
    workers: Vec<Option<(u64, u64)>>,
    now_ms: u64,
    done: Vec<u64>,
    /// Credit of admissions.
    credit: f64,
    /// Time from the line to the door at most, in milliseconds.
    travel_ms: u64,
    /// Latencies are told this much off to either side, as a share.
    noise: f64,
    /// Reports on their way.
    late: VecDeque<Signals>,
    /// Reports that are late.
    delay: usize,
}

impl Backend {
    fn new(capacity: f64) -> Self {
        Self {
            dice: 1,
            capacity,
            coming: BinaryHeap::new(),
            waiting: VecDeque::new(),
            workers: vec![None; WORKERS],
            now_ms: 0,
            done: Vec::new(),
            credit: 0.0,
            travel_ms: 1,
            noise: 0.0,
            late: VecDeque::new(),
            delay: 0,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn unit(&mut self) -> f64 {
        self.dice += 1;
        (mix(self.dice) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive")]
    #[expect(clippy::cast_precision_loss, reason = "twenty workers")]
    fn millisecond(&mut self, rate: f64) {
        self.now_ms += 1;
        self.credit += rate / 1e3;
        while self.credit >= 1.0 {
            self.credit -= 1.0;
            let travel = (self.unit() * self.travel_ms as f64) as u64;
            self.coming.push(Reverse(self.now_ms + travel));
        }
        let now = self.now_ms;
        while self.coming.peek().is_some_and(|&Reverse(at)| at <= now) {
            self.coming.pop();
            self.waiting.push_back(now);
        }
        for worker in 0..self.workers.len() {
            if let Some((free, since)) = self.workers[worker]
                && free <= now
            {
                self.done.push(now - since + BASE_MS);
                self.workers[worker] = None;
            }
            if self.workers[worker].is_none()
                && let Some(since) = self.waiting.pop_front()
            {
                let mean_ms = self.workers.len() as f64 / self.capacity * 1e3;
                let took = -(1.0 - self.unit()).ln() * mean_ms;
                self.workers[worker] = Some((now + took.round() as u64, since));
            }
        }
    }

    /// What sensors would say of the last second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive")]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    fn signals(&mut self) -> Signals {
        let mut took = std::mem::take(&mut self.done);
        took.sort_unstable();
        let p95 = took.get(took.len() * 95 / 100).copied();
        let off = 1.0 + (self.unit() * 2.0 - 1.0) * self.noise;
        Signals {
            done: [took.len() as u32, 0, 0],
            p95_ms: p95.map(|ms| (ms as f64 * off) as u32),
            ..Signals::default()
        }
    }

    /// Lets seconds pass; the rate in force in each.
    fn run(&mut self, queue: &mut Queue, seconds: u64) -> Vec<f64> {
        let mut rates = Vec::new();
        for _ in 0..seconds {
            let rate = queue.figures().rate_in_force;
            rates.push(rate);
            (0..1_000).for_each(|_| self.millisecond(rate));
            let signals = self.signals();
            self.late.push_back(signals);
            if self.late.len() > self.delay {
                let told = self.late.pop_front().unwrap();
                queue.report(UnixMicros(at(0).0 + self.now_ms * 1_000), told);
            }
        }
        rates
    }
}

fn line() -> Queue {
    queue(Settings { rate: CEILING, cap: 1_000_000, ..settings() })
}

/// Least and most of it.
fn range(rates: &[f64]) -> (f64, f64) {
    rates.iter().fold((f64::INFINITY, 0.0), |(low, high), &rate| (low.min(rate), high.max(rate)))
}

#[track_caller]
fn assert_within(rates: &[f64], of: f64, low: f64, high: f64) {
    let (least, most) = range(rates);
    assert!(least >= of * low && most <= of * high, "{least:.0} to {most:.0} of {of}: {rates:.0?}");
}

#[test]
fn a_backend_that_can_do_it_all_is_left_alone() {
    let (mut backend, mut queue) = (Backend::new(1_300.0), line());
    assert_within(&backend.run(&mut queue, 120), CEILING, 1.0, 1.0);
}

#[test]
fn a_backend_that_slows_to_half_has_its_rate_in_five_seconds_and_no_swings_follow() {
    for seed in 0..4 {
        let (mut backend, mut queue) = (Backend::new(1_200.0), line());
        backend.dice = seed << 32;
        backend.run(&mut queue, 30);
        backend.capacity = 600.0;
        let rates = backend.run(&mut queue, 180);
        assert_within(&rates[5..], 600.0, 0.9, 1.1);
        backend.capacity = 1_200.0;
        let rates = backend.run(&mut queue, 120);
        assert!(rates.windows(2).all(|pair| pair[1] >= pair[0]), "never back: {rates:.0?}");
        assert_within(&rates[100..], CEILING, 1.0, 1.0);
    }
}

#[test]
fn noise_late_signals_and_the_way_to_the_door_cause_no_swings() {
    for (noise, delay, travel_ms) in [(0.3, 0, 1), (0.0, 2, 1), (0.0, 0, 8_000), (0.3, 2, 8_000)] {
        let (mut backend, mut queue) = (Backend::new(1_200.0), line());
        (backend.noise, backend.delay, backend.travel_ms) = (noise, delay, travel_ms);
        backend.run(&mut queue, 30);
        backend.capacity = 600.0;
        let rates = backend.run(&mut queue, 300);
        // What was on its way when it slowed is seen later; five seconds from when it shows.
        let settled = 5 + delay + usize::try_from(travel_ms / 1_000).unwrap();
        assert_within(&rates[settled..], 600.0, 0.9, 1.15);
    }
}

#[test]
fn small_rates_follow_too() {
    let (mut backend, mut queue) = (Backend::new(60.0), line());
    queue.set_rate(at(0), 50.0);
    // Few workers: a sign-in takes no longer than the target unless it has to wait.
    backend.workers.truncate(4);
    backend.run(&mut queue, 30);
    backend.capacity = 30.0;
    let rates = backend.run(&mut queue, 300);
    assert_within(&rates[8..], 30.0, 0.6, 1.25);
}

#[test]
fn a_backend_that_is_slow_and_keeps_up_is_not_starved() {
    let (mut backend, mut queue) = (Backend::new(60.0), line());
    queue.set_rate(at(0), 50.0);
    backend.run(&mut queue, 30);
    // Twenty workers who take 667 ms each: one in twenty sign-ins takes two seconds by itself.
    backend.capacity = 30.0;
    let rates = backend.run(&mut queue, 300);
    // So few a second say late whether fewer get done.
    assert_within(&rates[15..], 30.0, 0.65, 1.25);
}

fn good(count: u32) -> Signals {
    Signals { done: [count, 0, 0], p95_ms: Some(50), ..Signals::default() }
}

fn bad(done: u32, failed: u32) -> Signals {
    Signals { failed, ..good(done) }
}

fn rate(queue: &Queue) -> f64 {
    queue.figures().rate_in_force
}

fn mode(queue: &mut Queue, second: u64) -> Mode {
    run_until(queue, at(second));
    queue.figures().mode
}

#[test]
fn a_line_whose_sign_ins_fail_holds_itself_and_tries_again_at_the_floor() {
    let mut queue = queue(Settings { rate: 100.0, slow_start: 0.2, ..settings() });
    queue.report(at(0), bad(80, 15));
    assert_eq!(mode(&mut queue, 1), Mode::Open, "fifteen are too few to tell");
    queue.report(at(1), bad(20, 15));
    assert_eq!(mode(&mut queue, 1), Mode::Held);
    let until = queue.announcement().until;
    assert_eq!((until, queue.announcement().message.as_str()), (Some(at(31)), ""));
    let waits = waiting(enter(&mut queue, at(2), 1));
    assert_eq!((waits.phase, waits.position), (Phase::Held, 1), "a place is kept");
    assert_eq!(mode(&mut queue, 31), Mode::Open);
    assert!((rate(&queue) - 10.0).abs() < 1e-6, "at the floor: {}", rate(&queue));
    // It fails again: twice as long, and five minutes at most.
    let mut second = 31;
    for hold in [60, 120, 240, 300, 300] {
        queue.report(at(second + 1), bad(0, 30));
        assert_eq!(mode(&mut queue, second + hold), Mode::Held);
        second += hold + 1;
        assert_eq!(mode(&mut queue, second), Mode::Open);
    }
    // It goes well: the rate grows, and the next hold is a short one.
    for later in 0..200 {
        queue.report(at(second + later), good(10));
    }
    assert!((rate(&queue) - 100.0).abs() < 1e-6, "{}", rate(&queue));
    queue.report(at(second + 220), bad(0, 30));
    assert_eq!(queue.announcement().until, Some(at(second + 250)));
    assert_eq!(queue.figures().held_total, 7);
}

#[test]
fn what_operators_said_stands() {
    for mode in [Mode::Paused, Mode::Maintenance, Mode::Draining] {
        let mut queue = queue(settings());
        queue.announce(at(0), Announcement::new(mode, None, "by hand"));
        queue.report(at(1), bad(0, 500));
        assert_eq!(queue.announcement().mode, mode);
    }
    let mut queue = queue(settings());
    queue.report(at(1), bad(0, 500));
    queue.announce(at(2), Announcement::open());
    assert_eq!(queue.figures().mode, Mode::Open, "and may end what the line said");
}

#[test]
fn silence_is_not_health_and_what_never_spoke_is_not_silent() {
    let mut queue = queue(Settings { rate: 10.0, cap: 10_000, ..settings() });
    passed(enter(&mut queue, at(0), 1));
    run_until(&mut queue, at(300));
    assert!((rate(&queue) - 10.0).abs() < 1e-6, "nobody ever reported");
    queue.report(at(300), good(5));
    run_until(&mut queue, at(600));
    assert!((rate(&queue) - 10.0).abs() < 1e-6, "nobody was let in, so nothing is missing");
    passed(enter(&mut queue, at(600), 2));
    queue.report(at(630), Signals::default());
    run_until(&mut queue, at(659));
    assert!((rate(&queue) - 10.0).abs() < 1e-6);
    run_until(&mut queue, at(660));
    assert!((rate(&queue) - 1.0).abs() < 1e-6, "the floor: {}", rate(&queue));
    for second in 660..720 {
        queue.report(at(second), good(1));
    }
    assert!((rate(&queue) - 10.0).abs() < 1e-6, "heard again: {}", rate(&queue));
}

#[test]
fn game_servers_health_is_a_share_of_the_rate() {
    let mut queue = queue(Settings { rate: 100.0, ..settings() });
    let told = |health| Signals { health: Some(health), ..Signals::default() };
    for (second, health, expected) in [(1, 0.9, 100.0), (2, 0.4, 50.0), (3, 0.0, 10.0)] {
        queue.report(at(second), told(health));
        assert!((rate(&queue) - expected).abs() < 1e-6, "{health}: {}", rate(&queue));
    }
    queue.report(at(62), good(1));
    assert!((rate(&queue) - 10.0).abs() < 1e-6, "their word counts for a minute");
    queue.report(at(63), good(1));
    assert!((rate(&queue) - 100.0).abs() < 1e-6);
}

#[test]
fn a_full_hashing_pool_and_those_who_hold_slots_leave_less_for_the_line() {
    let mut queue = queue(Settings { rate: 100.0, ..settings() });
    for second in 1..4 {
        let pool = Signals { returns: 30, pool_depth: 100, pool_size: 128, ..good(50) };
        queue.report(at(second), pool);
    }
    assert!((rate(&queue) - (80.0 * 0.95 - 30.0)).abs() < 1e-6, "{}", rate(&queue));
}

#[test]
fn nothing_is_followed_when_that_is_switched_off() {
    let adaptive = AdaptiveSettings { enabled: false, ..AdaptiveSettings::default() };
    let mut queue = queue(Settings { rate: 100.0, adaptive, ..settings() });
    queue.report(at(1), Signals { p95_ms: Some(60_000), health: Some(0.0), ..bad(10, 500) });
    assert_eq!((rate(&queue), queue.figures().mode), (100.0, Mode::Open));
}

#[test]
fn a_dear_sign_in_is_paid_for_by_those_behind_it() {
    let costs = Costs { sign_in: [0.5, 1.0, 3.0], refresh: 0.1 };
    let mut queue = queue(Settings { rate: 1.0, costs, ..settings() });
    let admit_at = |queue: &mut Queue, who| match enter(queue, at(0), who) {
        Standing::Passed { ticket, .. } => ticket,
        other => panic!("{other:?}"),
    };
    let first = admit_at(&mut queue, 1);
    let second = waiting(enter(&mut queue, at(0), 2)).ticket;
    queue.begin_redeem(at(0), first).unwrap();
    assert!(queue.finish_redeem(at(0), first.number, Player(1), first.identity));
    queue.settle(at(0), Work::NewAccount);
    assert!(!queue.finish_redeem(at(0), first.number, Player(1), first.identity), "a retry");
    run_until(&mut queue, at(2));
    waiting(standing(queue.check(at(2), second)));
    run_until(&mut queue, at(3));
    passed(standing(queue.check(at(3), second)));
    // Half of it comes back.
    queue.settle(at(3), Work::Known);
    let third = waiting(enter(&mut queue, at(3), 3)).ticket;
    run_until(&mut queue, at(3).plus_ms(500));
    passed(standing(queue.check(at(3).plus_ms(500), third)));
    // Refreshes take what they cost, and half the rate at most.
    queue.report(at(10), Signals { refreshes: 1_000, ..Signals::default() });
    let fourth = waiting(enter(&mut queue, at(10), 4)).ticket;
    run_until(&mut queue, at(10).plus_ms(600));
    passed(standing(queue.check(at(10).plus_ms(600), fourth)));
}
