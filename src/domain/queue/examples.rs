//! Edge cases of the queue, one by one: each is a rule of design §5.

use super::*;

pub(super) const START: UnixMicros = UnixMicros::from_secs(1_000_000);

pub(super) fn settings() -> Settings {
    Settings {
        rate: 1.0,
        burst: 1,
        cap: 100,
        strict_cap: true,
        line_max: 1_000,
        lease_ms: 60_000,
        parked_ms: 600_000,
        pass_ttl_ms: 120_000,
        connect_window_ms: 60_000,
        grace_ms: 60_000,
        clean_close_frees: true,
        settle_ms: 15_000,
        amnesty_ms: 600_000,
        poll_budget: 20_000,
        poll_min_ms: 1_000,
        poll_max_ms: 300_000,
        login_ms: 0,
        grace_share: 0.5,
        slow_start: 1.0,
        party_max: 5,
        party_join_ms: 60_000,
        lane_weights: [18, 9, 1],
        costs: Costs::default(),
        adaptive: AdaptiveSettings::default(),
        mass_drop: MassDropSettings::default(),
    }
}

pub(super) fn queue(settings: Settings) -> Queue {
    let mut queue = Queue::new(settings, 3, START);
    queue.grant_numbers(Number(100_000));
    queue
}

pub(super) fn at(seconds: u64) -> UnixMicros {
    START.plus_secs(seconds)
}

pub(super) fn enter(queue: &mut Queue, now: UnixMicros, who: u64) -> Standing {
    queue.enter(now, Identity(who), Lane::Standard)
}

#[track_caller]
pub(super) fn waiting(standing: Standing) -> Waiting {
    match standing {
        Standing::Waiting(waiting) => waiting,
        other => panic!("should wait: {other:?}"),
    }
}

#[track_caller]
pub(super) fn passed(standing: Standing) -> TicketRef {
    match standing {
        Standing::Passed { ticket, .. } => ticket,
        other => panic!("should have a pass: {other:?}"),
    }
}

#[track_caller]
pub(super) fn standing(checked: Checked) -> Standing {
    match checked {
        Checked::Standing(standing) => standing,
        Checked::Forgotten => panic!("forgotten"),
    }
}

/// Lets time pass as the actor does: from wake to wake.
pub(super) fn run_until(queue: &mut Queue, until: UnixMicros) {
    while let Some(wake) = queue.next_wake()
        && wake <= until
    {
        queue.tick(wake);
    }
    queue.tick(until);
}

pub(super) fn sign_in(queue: &mut Queue, now: UnixMicros, ticket: TicketRef, player: u128) {
    queue.begin_redeem(now, ticket).unwrap();
    queue.finish_redeem(now, ticket.number, Player(player), ticket.identity);
}

pub(super) fn crash(
    saved: &Snapshot,
    settings: Settings,
    now: UnixMicros,
    recovery: Recovery,
) -> Queue {
    let bytes = postcard::to_stdvec(saved).unwrap();
    Queue::restore(settings, postcard::from_bytes(&bytes).unwrap(), recovery, now)
}

#[test]
fn an_empty_line_with_an_open_gate_passes_on_the_spot() {
    let mut queue = queue(settings());
    let Standing::Passed { on_the_spot, pass_until, .. } = enter(&mut queue, START, 1) else {
        panic!("nobody waits, so nobody has to");
    };
    assert!(on_the_spot);
    assert_eq!(pass_until, at(120));
}

#[test]
fn five_at_once_at_one_per_second_come_in_one_by_one() {
    let mut queue = queue(settings());
    let tickets: Vec<TicketRef> = (1..=5)
        .map(|who| match enter(&mut queue, START, who) {
            Standing::Passed { ticket, .. } if who == 1 => ticket,
            Standing::Waiting(waiting) if waiting.position == who - 1 => waiting.ticket,
            other => panic!("{who}: {other:?}"),
        })
        .collect();
    for second in 1..=4 {
        run_until(&mut queue, at(second).plus_us(0).min(at(second)));
        let admitted = queue.figures().admitted_total.iter().sum::<u64>();
        assert_eq!(admitted, second + 1, "after {second} s");
    }
    passed(standing(queue.check(at(4), tickets[4])));
}

#[test]
fn asking_again_gives_the_same_place() {
    let mut queue = queue(settings());
    enter(&mut queue, START, 1);
    let first = waiting(enter(&mut queue, START, 2));
    waiting(enter(&mut queue, START, 3));
    let again = waiting(enter(&mut queue, START, 2));
    assert_eq!((again.ticket, again.position), (first.ticket, 1));
    let anonymous =
        |queue: &mut Queue| waiting(queue.enter(START, Identity::ANONYMOUS, Lane::Standard));
    assert_ne!(anonymous(&mut queue).ticket.number, anonymous(&mut queue).ticket.number);
}

#[test]
fn rate_zero_and_cap_zero_hold_the_line() {
    for settings in [Settings { rate: 0.0, ..settings() }, Settings { cap: 0, ..settings() }] {
        let mut queue = queue(settings.clone());
        let held = waiting(enter(&mut queue, START, 1));
        assert_eq!((held.phase, held.eta), (Phase::Held, None));
        run_until(&mut queue, at(20));
        waiting(standing(queue.check(at(20), held.ticket)));
        let now = at(21);
        queue.set_rate(now, 1.0);
        queue.set_cap(now, 10);
        assert_eq!(queue.figures().passes_out, 1, "released at once");
    }
}

#[test]
fn a_rate_change_grants_no_second_burst() {
    let mut queue = queue(Settings { rate: 10.0, burst: 5, ..settings() });
    for who in 1..=50 {
        enter(&mut queue, START, who);
    }
    assert_eq!(queue.figures().passes_out, 5);
    for rate in [1.0, 1_000.0, 0.0, 10.0] {
        queue.set_rate(START, rate);
        assert_eq!(queue.figures().passes_out, 5, "at {rate}");
    }
    run_until(&mut queue, at(1));
    assert_eq!(queue.figures().passes_out, 15);
}

#[test]
fn a_raise_from_next_to_nothing_works_at_once() {
    let mut queue = queue(Settings { rate: 0.001, ..settings() });
    for who in 1..=3 {
        enter(&mut queue, START, who);
    }
    queue.set_rate(at(1), 100.0);
    run_until(&mut queue, at(2));
    assert_eq!(queue.figures().passes_out, 3);
}

#[test]
fn a_cap_lowered_below_what_is_held_throws_nobody_out() {
    let mut queue = queue(Settings { rate: 100.0, burst: 10, cap: 5, ..settings() });
    for who in 1..=5 {
        let ticket = passed(enter(&mut queue, START, who));
        sign_in(&mut queue, START, ticket, u128::from(who));
        queue.connect(START, Player(u128::from(who))).unwrap();
    }
    waiting(enter(&mut queue, START, 6));
    queue.set_cap(START, 2);
    assert_eq!(queue.figures().live, 5);
    for who in 1..=3 {
        queue.disconnect(at(1), Player(who), Departure::Ended);
        assert_eq!(queue.figures().passes_out, 0);
    }
    queue.disconnect(at(1), Player(4), Departure::Ended);
    assert_eq!(queue.figures().passes_out, 1, "one of two slots is free again");
}

#[test]
fn pause_holds_and_a_restart_does_not_resume() {
    let mut queue = queue(settings());
    enter(&mut queue, START, 1);
    let second = waiting(enter(&mut queue, START, 2));
    queue.announce(START, Announcement::pause());
    run_until(&mut queue, at(10));
    let polled = waiting(standing(queue.check(at(10), second.ticket)));
    assert_eq!((polled.phase, polled.position, polled.eta), (Phase::Paused, 1, None));
    let recovery = Recovery { clean: true, reserved_until: Number(100_000), ..Recovery::default() };
    let mut queue = crash(&queue.snapshot(at(10)), settings(), at(20), recovery);
    assert!(queue.announcement().mode == Mode::Paused);
    assert_eq!(waiting(standing(queue.check(at(40), second.ticket))).phase, Phase::Paused);
    queue.announce(at(41), Announcement::open());
    passed(standing(queue.check(at(41), second.ticket)));
}

#[test]
fn a_clock_that_steps_back_stops_nothing() {
    let mut queue = queue(settings());
    for who in 1..=5 {
        enter(&mut queue, at(1_000), who);
    }
    // An hour back: the line goes on at one per second of the new clock.
    let back = UnixMicros(START.0 - 3_600_000_000);
    queue.tick(back);
    let wake = queue.next_wake().unwrap();
    assert!(wake > back && wake <= back.plus_secs(1), "{wake:?}");
    queue.tick(back.plus_secs(1));
    queue.tick(back.plus_secs(2));
    assert_eq!(queue.figures().passes_out, 3);
    // And forward again to where it was: nothing is granted twice.
    queue.tick(at(1_002));
    assert_eq!(queue.figures().passes_out, 3);
}

#[test]
fn an_exhausted_block_of_numbers_answers_come_back() {
    let mut queue = Queue::new(settings(), 3, START);
    let full = Standing::Refused { why: Closed::Full, retry_after_ms: 1_000 };
    assert_eq!(enter(&mut queue, START, 1), full);
    queue.grant_numbers(Number(3));
    passed(enter(&mut queue, START, 1));
    waiting(enter(&mut queue, START, 2));
    assert_eq!(enter(&mut queue, START, 3), full);
    waiting(enter(&mut queue, START, 2));
    queue.grant_numbers(Number(10));
    assert_eq!(waiting(enter(&mut queue, START, 3)).ticket.number, Number(3));
}

#[test]
fn a_full_line_refuses_with_a_time_and_keeps_who_is_in() {
    let mut queue = queue(Settings { line_max: 2, rate: 0.0, ..settings() });
    waiting(enter(&mut queue, START, 1));
    let second = waiting(enter(&mut queue, START, 2));
    let third = enter(&mut queue, START, 3);
    assert!(matches!(third, Standing::Refused { why: Closed::Full, retry_after_ms: 1_000.. }));
    waiting(enter(&mut queue, START, 2));
    assert!(queue.leave(START, second.ticket.number));
    waiting(enter(&mut queue, START, 3));
}

#[test]
fn an_unused_pass_is_parked_and_its_owner_returns_in_front() {
    let mut queue = queue(Settings { cap: 1, parked_ms: 600_000, ..settings() });
    let first = passed(enter(&mut queue, START, 1));
    let others: Vec<_> = (2..=4).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
    for now in [at(50), at(100), at(118)] {
        for ticket in &others {
            queue.check(now, *ticket);
        }
    }
    run_until(&mut queue, at(120));
    assert_eq!(queue.figures().parked, 1);
    assert_eq!(queue.begin_redeem(at(121), first), Err(PassRefused::Expired));
    passed(standing(queue.check(at(121), others[0])));
    let back = waiting(standing(queue.check(at(122), first)));
    assert_eq!((back.ticket.lane, back.ticket.number), (Lane::Grace, first.number));
    assert_eq!((back.position, back.reason), (1, Some(Reason::LaneChanged)));
    sign_in(&mut queue, at(123), others[0], 2);
    queue.sign_out(at(124), Player(2));
    passed(standing(queue.check(at(124), first)));
}

#[test]
fn the_silent_at_the_head_are_skipped_and_lapse_later() {
    let settings = Settings { lease_ms: 150_000, parked_ms: 100_000, rate: 0.01, ..settings() };
    let mut queue = queue(settings);
    enter(&mut queue, START, 1);
    let silent = waiting(enter(&mut queue, START, 2)).ticket;
    let present = waiting(enter(&mut queue, START, 3)).ticket;
    for second in (0..100).step_by(5) {
        run_until(&mut queue, at(second));
        waiting(standing(queue.check(at(second), present)));
    }
    run_until(&mut queue, at(100));
    passed(standing(queue.check(at(100), present)));
    assert_eq!(queue.figures().parked, 1);
    run_until(&mut queue, at(201));
    assert_eq!(queue.check(at(201), silent), Checked::Forgotten);
}

#[test]
fn a_lease_lapses_only_after_its_time() {
    let mut queue = queue(Settings { rate: 0.0, ..settings() });
    let kept = waiting(enter(&mut queue, START, 1));
    assert_eq!(kept.lease_until, at(60));
    run_until(&mut queue, at(59));
    let kept = waiting(standing(queue.check(at(59), kept.ticket)));
    assert_eq!(kept.lease_until, at(119));
    run_until(&mut queue, at(155));
    assert_eq!(queue.check(at(155), kept.ticket), Checked::Forgotten);
    assert_eq!(queue.figures().expired_total.lease, 1);
}

#[test]
fn a_pass_in_use_does_not_expire_and_is_redeemed_once() {
    let mut queue = queue(settings());
    let ticket = passed(enter(&mut queue, START, 1));
    queue.begin_redeem(at(119), ticket).unwrap();
    assert_eq!(queue.begin_redeem(at(119), ticket), Err(PassRefused::InUse));
    run_until(&mut queue, at(140));
    assert_eq!(queue.figures().passes_out, 1);
    queue.finish_redeem(at(140), ticket.number, Player(9), ticket.identity);
    assert_eq!((queue.figures().passes_out, queue.figures().reserved), (0, 1));
    // The retry of the same sign-in gets the same answer, and costs nothing.
    queue.begin_redeem(at(141), ticket).unwrap();
    queue.finish_redeem(at(141), ticket.number, Player(9), ticket.identity);
    assert_eq!(queue.figures().reserved, 1);
    assert_eq!(enter(&mut queue, at(142), 1), Standing::HoldsSlot);
    queue.sign_out(at(143), Player(9));
    passed(enter(&mut queue, at(143), 1));
}

#[test]
fn a_failed_sign_in_keeps_the_pass_or_gives_it_back() {
    let mut queue = queue(Settings { cap: 1, burst: 5, ..settings() });
    let ticket = passed(enter(&mut queue, START, 1));
    let next = waiting(enter(&mut queue, START, 2)).ticket;
    queue.begin_redeem(START, ticket).unwrap();
    queue.abandon_redeem(START, ticket.number, false);
    queue.begin_redeem(START, ticket).unwrap();
    queue.abandon_redeem(START, ticket.number, true);
    passed(standing(queue.check(START, next)));
    assert_eq!(queue.check(START, ticket), Checked::Forgotten);
}

#[test]
fn a_slot_belongs_to_the_player_not_the_socket() {
    let mut queue = queue(settings());
    let ticket = passed(enter(&mut queue, START, 1));
    sign_in(&mut queue, START, ticket, 1);
    for _ in 0..3 {
        queue.connect(at(1), Player(1)).unwrap();
    }
    assert_eq!(queue.figures().live, 1);
    queue.disconnect(at(2), Player(1), Departure::Dropped);
    queue.disconnect(at(2), Player(1), Departure::Dropped);
    assert_eq!((queue.figures().live, queue.figures().grace), (1, 0));
    queue.disconnect(at(2), Player(1), Departure::Dropped);
    assert_eq!((queue.figures().live, queue.figures().grace), (0, 1));
    queue.connect(at(50), Player(1)).unwrap();
    queue.disconnect(at(51), Player(1), Departure::Clean);
    assert_eq!((queue.figures().live, queue.figures().grace), (0, 0));
}

#[test]
fn sockets_of_a_signed_out_player_do_not_close_his_new_ones() {
    let mut queue = queue(settings());
    queue.connect(START, Player(1)).unwrap();
    queue.sign_out(START, Player(1));
    queue.connect(at(1), Player(1)).unwrap();
    queue.disconnect(at(2), Player(1), Departure::Ended);
    assert_eq!(queue.figures().live, 1);
    queue.disconnect(at(3), Player(1), Departure::Ended);
    assert_eq!(queue.figures().live, 0);
}

#[test]
fn without_a_slot_a_strict_cap_refuses_and_a_target_counts() {
    let mut queue = queue(Settings { cap: 1, ..settings() });
    queue.connect(START, Player(1)).unwrap();
    let NoSlot { retry_after_ms } = queue.connect(START, Player(2)).unwrap_err();
    assert!((1_000..=30_000).contains(&retry_after_ms));
    let mut queue = super::examples::queue(Settings { cap: 1, strict_cap: false, ..settings() });
    queue.connect(START, Player(1)).unwrap();
    queue.connect(START, Player(2)).unwrap();
    assert_eq!(queue.figures().live, 2);
}

#[test]
fn an_estimate_is_right_while_the_rate_binds() {
    let mut queue = queue(Settings { rate: 10.0, cap: 10_000, ..settings() });
    let mut last = None;
    for who in 1..=601 {
        last = Some(enter(&mut queue, START, who));
    }
    let eta = waiting(last.unwrap()).eta.unwrap();
    assert_eq!(eta.mid_ms, 60_000);
    assert!(eta.low_ms < eta.mid_ms && eta.mid_ms < eta.high_ms);
}

#[test]
fn nobody_can_say_when_the_slots_are_full_and_nobody_leaves() {
    let mut queue = queue(Settings { rate: 10.0, burst: 1, cap: 1, ..settings() });
    enter(&mut queue, START, 1);
    assert_eq!(waiting(enter(&mut queue, START, 2)).eta, None);
}
