use proptest::prelude::*;

use super::*;
use crate::domain::queue::examples::{
    START, at, crash, enter, passed, queue, run_until, settings, standing, waiting,
};
use crate::domain::queue::{Lane, Recovery, Settings};

const ANEW: UnixMicros = UnixMicros::from_secs(1_000_100);

fn after(seconds: u64) -> UnixMicros {
    ANEW.plus_secs(seconds)
}

/// Tickets 1 to `count` of a line that is then lost.
fn tickets(count: u64) -> Vec<TicketRef> {
    let mut queue = queue(Settings { rate: 0.0, ..settings() });
    (1..=count).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect()
}

/// The line that begins without files.
fn anew(settings: Settings) -> Queue {
    let mut queue = Queue::new(settings, 77, ANEW);
    queue.expect_returners(ANEW);
    queue.grant_numbers(Number(SPAN + 10_000));
    queue
}

fn place(queue: &mut Queue, now: UnixMicros, ticket: TicketRef) -> u64 {
    waiting(standing(queue.check(now, ticket))).position
}

#[test]
fn who_stood_before_stands_before_who_came_since_and_in_the_old_order() {
    let (tickets, mut queue) = (tickets(100), anew(settings()));
    let newcomer = enter(&mut queue, after(0), 500);
    passed(newcomer);
    let newcomer = waiting(enter(&mut queue, after(0), 501));
    let told = waiting(standing(queue.check(after(0), tickets[70])));
    assert_eq!((told.position, told.reason), (1, Some(Reason::Restarted)));
    assert_eq!(told.ticket.epoch, 77);
    assert_eq!(place(&mut queue, after(0), tickets[9]), 1);
    assert_eq!(place(&mut queue, after(0), tickets[99]), 3);
    assert_eq!(place(&mut queue, after(0), told.ticket), 2, "the new ticket is good as well");
    assert_eq!(place(&mut queue, after(0), tickets[70]), 2, "and shown again it is the same place");
    assert_eq!(place(&mut queue, after(0), newcomer.ticket), 4);
    run_until(&mut queue, after(14));
    assert_eq!(place(&mut queue, after(14), tickets[9]), 1, "nobody comes in for a while");
    assert_eq!(place(&mut queue, after(14), tickets[3]), 1, "so that others can come back before");
    run_until(&mut queue, after(17));
    passed(standing(queue.check(after(17), tickets[3])));
}

#[test]
fn a_ticket_is_taken_back_once() {
    let (tickets, mut queue) = (tickets(3), anew(settings()));
    let back = waiting(standing(queue.check(after(0), tickets[0]))).ticket;
    assert!(queue.leave(after(1), back.number));
    assert_eq!(queue.check(after(1), tickets[0]), Checked::Forgotten);
    assert_eq!(queue.check(after(1), back), Checked::Forgotten);
    let saved = queue.snapshot(after(2));
    let reserved_until = Number(SPAN + 10_000);
    let mut queue =
        crash(&saved, settings(), after(3), Recovery { reserved_until, ..Recovery::default() });
    assert_eq!(queue.check(after(3), tickets[0]), Checked::Forgotten, "after a crash too");
    assert_eq!(place(&mut queue, after(3), tickets[2]), 1);
}

#[test]
fn nothing_is_taken_back_when_the_time_is_over_or_nothing_was_lost() {
    let tickets = tickets(3);
    let mut over = anew(settings());
    place(&mut over, after(599), tickets[0]);
    assert_eq!(over.check(after(600), tickets[1]), Checked::Forgotten);
    let mut off = anew(Settings { amnesty_ms: 0, ..settings() });
    assert_eq!(off.check(after(1), tickets[1]), Checked::Forgotten);
    let mut other = queue(settings());
    let stranger = TicketRef { epoch: 9, ..tickets[0] };
    assert_eq!(other.check(at(1), stranger), Checked::Forgotten);
}

#[test]
fn of_two_lines_that_were_lost_the_later_one_counts() {
    let (tickets, mut queue) = (tickets(2), anew(settings()));
    let later = |ticket: TicketRef| TicketRef { epoch: 8, issued_at: at(50), ..ticket };
    place(&mut queue, after(0), tickets[0]);
    place(&mut queue, after(0), later(TicketRef { number: Number(7_000_000_000), ..tickets[1] }));
    assert_eq!(queue.check(after(0), tickets[1]), Checked::Forgotten);
}

#[test]
fn who_came_anew_before_thinking_of_the_ticket_gets_the_old_place() {
    let (tickets, mut queue) = (tickets(9), anew(Settings { rate: 0.0, ..settings() }));
    let anew = waiting(enter(&mut queue, after(0), 4)).ticket;
    place(&mut queue, after(0), tickets[8]);
    assert_eq!(place(&mut queue, after(0), tickets[3]), 1);
    assert_eq!(queue.check(after(0), anew), Checked::Forgotten);
    assert_eq!(queue.line.waiting_total(), 2, "one place for one identity (I7)");
}

#[test]
fn a_place_taken_back_is_kept_through_a_crash_that_no_snapshot_saw() {
    let (tickets, mut queue) = (tickets(30), anew(Settings { rate: 0.0, ..settings() }));
    place(&mut queue, after(0), tickets[20]);
    let saved = queue.snapshot(after(1));
    let told = waiting(standing(queue.check(after(2), tickets[5]))).ticket;
    let reserved_until = Number(SPAN + 10_000);
    let recovery = Recovery { reserved_until, ..Recovery::default() };
    let mut queue = crash(&saved, Settings { rate: 0.0, ..settings() }, after(5), recovery);
    assert_eq!(place(&mut queue, after(5), told), 1);
    assert_eq!(place(&mut queue, after(5), tickets[20]), 2);
    assert_eq!(place(&mut queue, after(5), tickets[5]), 1);
}

proptest! {
    /// However they come back and whoever comes in between, the old ones are admitted in their
    /// order, before the others (I3).
    #[test]
    fn the_old_order_holds(
        shown in proptest::sample::subsequence((0..60_usize).collect::<Vec<_>>(), 1..60)
            .prop_shuffle(),
        newcomers in 0..5_u64,
    ) {
        let (tickets, mut queue) = (tickets(60), anew(Settings { burst: 1, ..settings() }));
        // The gate's first admission, so that the others wait.
        passed(enter(&mut queue, after(0), 400));
        for who in 0..newcomers {
            enter(&mut queue, after(0), 500 + who);
        }
        let mut order: Vec<TicketRef> = shown
            .iter()
            .map(|&at| waiting(standing(queue.check(after(0), tickets[at]))).ticket)
            .collect();
        order.sort_by_key(|ticket| ticket.identity);
        for (at, &ticket) in order.iter().enumerate() {
            prop_assert_eq!(place(&mut queue, after(1), ticket), at as u64 + 1);
        }
        prop_assert_eq!(queue.line.waiting()[Lane::Standard as usize], shown.len() as u64 + newcomers);
    }
}
