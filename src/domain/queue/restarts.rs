//! Restarts, one by one: what is promised before a crash holds after it.

use super::examples::{
    START, at, crash, enter, passed, queue, run_until, settings, sign_in, standing, waiting,
};
use super::*;

/// A line with everything in it: a live player, a pass, and four who wait.
fn busy() -> (Queue, Vec<TicketRef>) {
    let mut queue = queue(Settings { cap: 3, burst: 2, ..settings() });
    let live = passed(enter(&mut queue, START, 1));
    let pass = passed(enter(&mut queue, START, 2));
    let mut tickets = vec![live, pass];
    tickets.extend((3..=6).map(|who| waiting(enter(&mut queue, START, who)).ticket));
    queue.set_rate(START, 0.001);
    sign_in(&mut queue, START, live, 1);
    queue.connect(START, Player(1)).unwrap();
    (queue, tickets)
}

#[test]
fn after_a_crash_everybody_stands_where_he_stood() {
    let (mut queue, tickets) = busy();
    let saved = queue.snapshot(START);
    let after = waiting(enter(&mut queue, at(1), 7)).ticket;
    let recovery = Recovery { reserved_until: Number(100), ..Recovery::default() };
    let mut queue = crash(&saved, Settings { cap: 3, burst: 2, ..settings() }, at(30), recovery);
    assert_eq!(queue.figures().grace, 1, "the live player");
    passed(standing(queue.check(at(31), tickets[1])));
    for (place, ticket) in tickets[2..].iter().chain([&after]).enumerate() {
        let stands = waiting(standing(queue.check(at(31), *ticket)));
        assert_eq!((stands.ticket, stands.position), (*ticket, place as u64 + 1));
        assert_eq!(stands.reason, Some(Reason::Restarted));
        assert_eq!(
            enter(&mut queue, at(31), ticket.identity.0),
            Standing::Waiting(Waiting { reason: None, ..stands })
        );
    }
    queue.grant_numbers(Number(200));
    assert_eq!(waiting(enter(&mut queue, at(32), 8)).ticket.number, Number(100), "never twice");
    let future = TicketRef { number: Number(150), ..after };
    assert_eq!(queue.check(at(32), future), Checked::Forgotten);
    assert_eq!(queue.check(at(32), TicketRef { epoch: 4, ..after }), Checked::Forgotten);
}

#[test]
fn after_a_crash_nobody_comes_in_before_it_settled() {
    let (queue, tickets) = busy();
    let recovery = Recovery { reserved_until: Number(100), ..Recovery::default() };
    let settings = Settings { cap: 3, rate: 2.0, burst: 2, ..settings() };
    let mut queue = crash(&queue.snapshot(START), settings, at(30), recovery);
    run_until(&mut queue, at(44));
    waiting(standing(queue.check(at(44), tickets[2])));
    assert_eq!(queue.figures().admitted_total, [0; Lane::COUNT]);
    run_until(&mut queue, at(46));
    passed(standing(queue.check(at(46), tickets[2])));
}

#[test]
fn a_pass_the_snapshot_does_not_know_is_honoured() {
    let (mut queue, tickets) = busy();
    let saved = queue.snapshot(START);
    queue.set_rate(at(1), 100.0);
    run_until(&mut queue, at(2));
    passed(standing(queue.check(at(2), tickets[2])));
    let recovery = Recovery { reserved_until: Number(100), ..Recovery::default() };
    let full = Settings { cap: 3, burst: 2, ..settings() };
    let mut queue = crash(&saved, full, at(5), recovery.clone());
    queue.begin_redeem(at(6), tickets[2]).unwrap();
    assert_eq!(queue.figures().passes_out, 2);
    queue.finish_redeem(at(6), tickets[2].number, Player(3), tickets[2].identity);
    // Full: it takes the slot of a recovered player who has not come back.
    let mut queue = crash(&saved, settings(), at(5), recovery.clone());
    queue.set_cap(at(5), 2);
    queue.begin_redeem(at(6), tickets[2]).unwrap();
    assert_eq!((queue.figures().grace, queue.figures().passes_out), (0, 2));
    // The player is back: nothing is a phantom, the owner is put first.
    let mut queue = crash(&saved, settings(), at(5), recovery);
    queue.set_cap(at(5), 2);
    queue.connect(at(5), Player(1)).unwrap();
    assert_eq!(queue.begin_redeem(at(6), tickets[2]), Err(PassRefused::StillWaiting));
    assert_eq!(waiting(standing(queue.check(at(6), tickets[2]))).position, 1);
}

#[test]
fn a_redemption_the_registry_knows_gives_the_slot_to_its_player() {
    let (queue, tickets) = busy();
    let recovery = Recovery {
        reserved_until: Number(100),
        redeemed: vec![(tickets[0].number, Player(1)), (tickets[1].number, Player(2))],
        ..Recovery::default()
    };
    let mut queue = crash(&queue.snapshot(START), settings(), at(5), recovery);
    assert_eq!((queue.figures().passes_out, queue.figures().grace), (0, 2));
    queue.connect(at(6), Player(2)).unwrap();
    queue.begin_redeem(at(6), tickets[1]).unwrap();
}

#[test]
fn logged_places_survive_without_a_token() {
    let (mut queue, tickets) = busy();
    let saved = queue.snapshot(START);
    let late = waiting(queue.enter(at(1), Identity(50), Lane::Low)).ticket;
    let recovery = Recovery {
        reserved_until: Number(100),
        places: vec![
            (tickets[2].number, Identity(3), Lane::Standard),
            (late.number, Identity(50), Lane::Low),
        ],
        ..Recovery::default()
    };
    let mut queue = crash(&saved, settings(), at(5), recovery);
    assert_eq!(waiting(enter(&mut queue, at(6), 3)).ticket.number, tickets[2].number);
    let stands = waiting(enter(&mut queue, at(6), 50));
    assert_eq!((stands.ticket.number, stands.ticket.lane), (late.number, Lane::Low));
}

#[test]
fn numbers_nobody_claims_lapse_and_hold_up_nobody() {
    let (queue, tickets) = busy();
    let recovery = Recovery { reserved_until: Number(50_000), ..Recovery::default() };
    let settings = Settings { cap: 50, rate: 10.0, burst: 2, ..settings() };
    let mut queue = crash(&queue.snapshot(START), settings, at(5), recovery);
    queue.set_rate(at(5), 10.0);
    queue.grant_numbers(Number(60_000));
    let newcomer = waiting(enter(&mut queue, at(6), 99));
    for ticket in &tickets[2..] {
        queue.check(at(19), *ticket);
    }
    queue.check(at(19), newcomer.ticket);
    run_until(&mut queue, at(21));
    passed(standing(queue.check(at(21), newcomer.ticket)));
    assert_eq!(queue.figures().admitted_total, [0, 0, 5, 0, 0], "no pass for a phantom");
    let lease = 3 * 300;
    run_until(&mut queue, at(5 + 15 + lease + 60));
    assert_eq!(queue.figures().waiting, [0; Lane::COUNT]);
    assert!(queue.recovered.is_none());
    assert!(queue.line.blocks().count() <= 1, "memory is given back");
}

#[test]
fn a_million_waiting_fit_a_small_snapshot() {
    let mut queue = Queue::new(Settings { rate: 0.0, line_max: 2_000_000, ..settings() }, 1, START);
    queue.grant_numbers(Number(1_000_000));
    for _ in 0..1_000_000 {
        queue.enter(START, Identity::ANONYMOUS, Lane::Standard);
    }
    for number in (0..1_000_000).step_by(3) {
        queue.leave(START, Number(number));
    }
    let bytes = postcard::to_stdvec(&queue.snapshot(START)).unwrap();
    assert!(bytes.len() < 150_000, "{} bytes", bytes.len());
    let recovery =
        Recovery { clean: true, reserved_until: Number(1_000_000), ..Recovery::default() };
    let held = Settings { rate: 0.0, ..settings() };
    let queue = Queue::restore(held, postcard::from_bytes(&bytes).unwrap(), recovery, START);
    assert_eq!(queue.figures().waiting, [0, 0, 666_666, 0, 0]);
    assert_eq!(queue.line.position(Number(999_998), Lane::Standard), 666_666);
}
