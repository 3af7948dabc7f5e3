//! What an opening promises: nobody before it, the drawn order and nothing else after it, a place
//! for every old ticket, and all of that across a crash at any moment.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::examples::{
    START, at, crash, enter, passed, queue, run_until, settings, standing, waiting,
};
use super::super::{Checked, Identity, Reason, Settings, Standing, Waiting};
use super::*;
use crate::domain::lottery::{PublicSeed, Seed, ServerSeed, draw, entrants_root};

/// When the doors open, in seconds from the start.
const OPENS: u64 = 100;

fn lottery() -> LotteryId {
    "season-2".to_owned().try_into().unwrap()
}

/// A line that gathers players for a lottery.
fn gathering(settings: Settings) -> Queue {
    let mut queue = queue(settings);
    queue.schedule_opening(START, Some((at(OPENS), Some(lottery()))));
    queue
}

/// The order anybody computes from what is published.
fn published(entrants: &[Number]) -> Vec<Number> {
    let numbers: Vec<u64> = entrants.iter().map(|number| number.0).collect();
    let seed = Seed::new(
        &ServerSeed::new([7; 32]),
        entrants_root(&numbers),
        &PublicSeed::new(b"nobody knew").unwrap(),
    );
    draw(seed, &numbers).into_iter().map(|index| entrants[index as usize]).collect()
}

fn check(queue: &mut Queue, second: u64, ticket: TicketRef) -> Waiting {
    waiting(standing(queue.check(at(second), ticket)))
}

/// Everybody asks: whoever has been silent when the doors open is passed over.
fn hear(queue: &mut Queue, second: u64, tickets: &[TicketRef]) {
    for ticket in tickets {
        queue.check(at(second), *ticket);
    }
}

/// Who comes in, in order, while everybody asks each second: by the tickets' indices.
fn admitted(queue: &mut Queue, from: u64, tickets: &[TicketRef]) -> Vec<usize> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    for second in from..from + tickets.len() as u64 + 40 {
        run_until(queue, at(second));
        for (who, ticket) in tickets.iter().enumerate() {
            let checked = queue.check(at(second), *ticket);
            if matches!(checked, Checked::Standing(Standing::Passed { .. })) && seen.insert(who) {
                order.push(who);
            }
        }
    }
    order
}

#[test]
fn players_gather_without_places_and_the_draw_gives_them_theirs() {
    let mut queue = gathering(settings());
    let tickets: Vec<_> =
        (1..=40).map(|who| waiting(enter(&mut queue, at(who), who)).ticket).collect();
    let told = check(&mut queue, 60, tickets[0]);
    assert_eq!(told.phase, Phase::Lottery { opens_in_ms: 40_000 });
    assert_eq!((told.place(), told.position, told.eta), (None, 40, None));
    run_until(&mut queue, at(OPENS + 500));
    assert_eq!(queue.figures().passes_out, 0, "the doors do not open by themselves");

    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    assert_eq!(entrants, tickets.iter().map(|ticket| ticket.number).collect::<Vec<_>>());
    assert_eq!(queue.close_prequeue(at(OPENS)), None, "once");
    let late = waiting(enter(&mut queue, at(OPENS), 99));
    assert_eq!(late.place(), Some(41), "behind all entrants");
    assert_eq!(check(&mut queue, OPENS, tickets[5]).phase, Phase::Drawing);

    let order = published(&entrants);
    hear(&mut queue, OPENS + 509, &tickets);
    hear(&mut queue, OPENS + 509, &[late.ticket]);
    assert!(queue.apply_draw(at(OPENS + 510), &order));
    assert!(!queue.apply_draw(at(OPENS + 510), &order), "once");
    assert_eq!(queue.announcement().mode, Mode::Open);
    for (place, old) in (1..).zip(&order).skip(1) {
        let ticket = tickets.iter().find(|ticket| ticket.number == *old).unwrap();
        let told = check(&mut queue, OPENS + 510, *ticket);
        assert_eq!((told.place(), told.reason), (Some(place - 1), Some(Reason::Drawn)));
        assert_eq!(told.ticket.number.0, 40 + place, "numbers follow the order");
        assert_eq!(told.ticket.identity, ticket.identity);
        let again = check(&mut queue, OPENS + 510, told.ticket);
        assert_eq!((again.ticket, again.reason), (told.ticket, None));
    }
    assert_eq!(check(&mut queue, OPENS + 510, late.ticket).position, 40);
}

/// I12: who comes in, and in which order, is what the published values say.
#[test]
fn the_order_admitted_is_the_order_drawn() {
    let mut queue = gathering(settings());
    let mut tickets: Vec<_> =
        (1..=60).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    tickets.extend((61..=65).map(|who| waiting(enter(&mut queue, at(OPENS), who)).ticket));
    let order = published(&entrants);
    hear(&mut queue, OPENS, &tickets);
    assert!(queue.apply_draw(at(OPENS), &order));
    let came = admitted(&mut queue, OPENS, &tickets);
    let expected: Vec<usize> =
        order.iter().map(|number| usize::try_from(number.0).unwrap() - 1).chain(60..65).collect();
    assert_eq!(came, expected);
}

#[test]
fn an_old_ticket_is_good_for_everything() {
    let mut queue = gathering(settings());
    let tickets: Vec<_> =
        (1..=4).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
    queue.close_prequeue(at(OPENS)).unwrap();
    hear(&mut queue, OPENS, &tickets);
    let [first, second, third, fourth] = [2, 0, 3, 1].map(|at: usize| tickets[at]);
    assert!(queue.apply_draw(at(OPENS), &[first, second, third, fourth].map(|t| t.number)));
    let watched = waiting(standing(queue.watch(at(OPENS), third)));
    assert_eq!(watched.place(), Some(2));
    assert!(queue.waits(third) && !queue.waits(first));
    let other = TicketRef { identity: Identity(77), ..third };
    assert_eq!(queue.check(at(OPENS), other), Checked::Forgotten, "an old number of his own");
    // By who he is, for whoever holds no ticket.
    assert_eq!(waiting(enter(&mut queue, at(OPENS), 4)).ticket, watched.ticket);
    assert!(queue.leave(at(OPENS), second.number));
    assert_eq!(queue.check(at(OPENS), second), Checked::Forgotten);
    queue.begin_redeem(at(OPENS), first).unwrap();
    queue.finish_redeem(at(OPENS), first.number, super::super::Player(1), first.identity);
    assert_eq!(queue.figures().reserved, 1);
    assert_eq!(check(&mut queue, OPENS, fourth).position, 2);
}

#[test]
fn who_left_after_the_close_leaves_a_gap() {
    let mut queue = gathering(settings());
    let tickets: Vec<_> =
        (1..=5).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    assert!(queue.leave(at(OPENS), tickets[1].number));
    hear(&mut queue, OPENS, &tickets);
    assert!(queue.apply_draw(at(OPENS), &entrants));
    passed(standing(queue.check(at(OPENS), tickets[0])));
    assert_eq!(queue.check(at(OPENS), tickets[1]), Checked::Forgotten);
    let third = check(&mut queue, OPENS, tickets[2]);
    assert_eq!((third.position, third.ticket.number), (1, Number(8)));
}

#[test]
fn staff_take_no_part_and_lanes_keep_their_shares() {
    let mut queue = gathering(settings());
    let staff = waiting(queue.enter(START, Identity(1), Lane::Staff));
    assert_eq!((staff.place(), staff.phase.name()), (Some(1), "prequeue"));
    let paying = waiting(queue.enter(START, Identity(2), Lane::Paying)).ticket;
    let plain = waiting(enter(&mut queue, START, 3)).ticket;
    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    assert_eq!(entrants, [paying.number, plain.number]);
    hear(&mut queue, OPENS, &[staff.ticket, paying, plain]);
    assert!(queue.apply_draw(at(OPENS), &[plain.number, paying.number]));
    passed(standing(queue.check(at(OPENS), staff.ticket)));
    assert_eq!(check(&mut queue, OPENS, paying).ticket.lane, Lane::Paying);
    assert_eq!(check(&mut queue, OPENS, plain).ticket.lane, Lane::Standard);
}

#[test]
fn without_a_lottery_the_doors_open_by_themselves_in_the_order_of_arrival() {
    let mut queue = queue(settings());
    queue.schedule_opening(START, Some((at(OPENS), None)));
    let first = waiting(enter(&mut queue, START, 1));
    let second = waiting(enter(&mut queue, at(1), 2));
    assert_eq!((first.place(), second.place()), (Some(1), Some(2)));
    assert_eq!(second.phase, Phase::Prequeue { opens_in_ms: 99_000 });
    assert_eq!(queue.next_wake().map(|at| at <= START.plus_secs(OPENS)), Some(true));
    run_until(&mut queue, at(OPENS - 1));
    check(&mut queue, OPENS - 1, first.ticket);
    check(&mut queue, OPENS - 1, second.ticket);
    run_until(&mut queue, at(OPENS));
    passed(standing(queue.check(at(OPENS), first.ticket)));
    assert_eq!(*queue.opening(), Opening::None);
    assert_eq!(check(&mut queue, OPENS, second.ticket).position, 1);
}

#[test]
fn nothing_that_is_announced_opens_the_doors_early() {
    let mut queue = gathering(settings());
    let ticket = waiting(enter(&mut queue, START, 1)).ticket;
    let until = Some(at(20));
    for mode in Mode::ALL {
        queue.announce(at(1), Announcement::new(mode, until, ""));
        run_until(&mut queue, at(2));
        assert!(!queue.announcement().mode.admits(), "{mode:?}");
        assert_eq!(check(&mut queue, 2, ticket).place(), None, "{mode:?}");
    }
    queue.announce(at(10), Announcement::new(Mode::Maintenance, until, "soon"));
    run_until(&mut queue, at(30));
    assert_eq!(queue.announcement().mode, Mode::Prequeue, "what ends gives way to it");
    queue.announce(at(31), Announcement::pause());
    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    assert!(queue.apply_draw(at(OPENS), &entrants));
    assert_eq!(queue.announcement().mode, Mode::Paused, "a pause outlives the draw");
    queue.announce(at(OPENS), Announcement::new(Mode::Drawing, None, ""));
    assert_eq!(queue.announcement().mode, Mode::Open, "nobody announces a draw");
}

#[test]
fn nobody_s_place_lapses_before_the_doors_open_and_everybody_has_time_after() {
    let mut queue = gathering(Settings { rate: 0.1, ..settings() });
    let first = waiting(enter(&mut queue, START, 1)).ticket;
    let second = waiting(enter(&mut queue, START, 2)).ticket;
    run_until(&mut queue, at(4 * 3_600));
    let entrants = queue.close_prequeue(at(4 * 3_600)).unwrap();
    assert_eq!(entrants.len(), 2);
    run_until(&mut queue, at(5 * 3_600));
    assert!(queue.apply_draw(at(5 * 3_600), &entrants));
    run_until(&mut queue, at(5 * 3_600 + 50));
    for ticket in [first, second] {
        assert_ne!(queue.check(at(5 * 3_600 + 50), ticket), Checked::Forgotten);
    }
}

#[test]
fn called_off_it_is_first_come_first_served() {
    let mut queue = gathering(settings());
    let tickets: Vec<_> =
        (1..=5).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
    queue.close_prequeue(at(OPENS)).unwrap();
    hear(&mut queue, OPENS, &tickets);
    queue.schedule_opening(at(OPENS), None);
    assert_eq!(admitted(&mut queue, OPENS, &tickets), [0, 1, 2, 3, 4]);
}

#[test]
fn the_close_waits_for_numbers() {
    let mut queue = Queue::new(settings(), 3, START);
    queue.grant_numbers(Number(6));
    queue.schedule_opening(START, Some((at(OPENS), Some(lottery()))));
    for who in 1..=4 {
        waiting(enter(&mut queue, START, who));
    }
    assert_eq!((queue.entrants_count(), queue.close_prequeue(at(OPENS))), (4, None));
    queue.grant_numbers(Number(9));
    assert_eq!(queue.close_prequeue(at(OPENS)).unwrap().len(), 4);
    assert_eq!(queue.numbers_left(), 0);
}

#[test]
fn an_order_that_is_not_of_the_entrants_is_refused() {
    let mut queue = gathering(settings());
    for who in 1..=3 {
        waiting(enter(&mut queue, START, who));
    }
    assert!(!queue.apply_draw(at(OPENS), &[]), "not closed");
    queue.close_prequeue(at(OPENS)).unwrap();
    let late = waiting(enter(&mut queue, at(OPENS), 9)).ticket.number;
    assert!(!queue.apply_draw(at(OPENS), &[Number(1), late]));
    assert!(!queue.apply_draw(at(OPENS), &[1, 2, 3, 1].map(Number)));
    assert_eq!(queue.announcement().mode, Mode::Drawing);
}

#[test]
fn a_draw_is_forgotten_when_its_places_have_had_their_turn() {
    let mut queue = gathering(Settings { line_max: 20_000, ..settings() });
    let old = waiting(enter(&mut queue, START, 1)).ticket;
    let entrants = queue.close_prequeue(at(OPENS)).unwrap();
    assert!(queue.apply_draw(at(OPENS), &entrants));
    queue.leave(at(OPENS), old.number);
    for _ in 0..5_000 {
        queue.enter(at(OPENS), Identity::ANONYMOUS, Lane::Standard);
    }
    assert!(queue.redirect.is_some());
    for number in 0..5_000 {
        queue.leave(at(OPENS), Number(number));
    }
    run_until(&mut queue, at(OPENS + 2));
    assert!(queue.redirect.is_none() && *queue.opening() == Opening::None);
}

/// At which moment the server is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Never,
    WhileGathering,
    /// The close is in the snapshot, the list of entrants is not published.
    BeforePublishing,
    WhileDrawing,
    /// The order is published and the last snapshot is from before it was applied.
    BeforeTheSnapshot,
    AfterTheSnapshot,
}

/// A restart from this snapshot; who held no ticket is in the log.
fn restart(
    saved: &Snapshot,
    second: u64,
    order: Option<Vec<Number>>,
    tickets: &[TicketRef],
) -> Queue {
    let named = tickets.iter().filter(|ticket| ticket.identity != Identity::ANONYMOUS);
    let recovery = Recovery {
        reserved_until: Number(1_000),
        places: named.map(|t| (t.number, t.identity, t.lane)).collect(),
        order,
        ..Recovery::default()
    };
    let mut queue = crash(saved, Settings { settle_ms: 0, ..settings() }, at(second), recovery);
    queue.grant_numbers(Number(100_000));
    queue
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whenever the server is killed: who took part comes in in the published order, who came later
    /// after them, and nobody is lost or comes in twice.
    #[test]
    fn a_crash_at_any_moment_changes_neither_the_order_nor_who_is_in_it(
        named in proptest::collection::vec(any::<bool>(), 2..30),
        late in 0_u64..4,
        killed in prop::sample::select(vec![
            Crash::Never,
            Crash::WhileGathering,
            Crash::BeforePublishing,
            Crash::WhileDrawing,
            Crash::BeforeTheSnapshot,
            Crash::AfterTheSnapshot,
        ]),
    ) {
        let mut queue = gathering(settings());
        let mut tickets: Vec<TicketRef> = (1..).zip(&named).map(|(who, &named)| {
            let identity = if named { Identity(who) } else { Identity::ANONYMOUS };
            waiting(queue.enter(START, identity, Lane::Standard)).ticket
        }).collect();
        let took_part = tickets.len();
        if killed == Crash::WhileGathering {
            queue = restart(&queue.snapshot(at(5)), 10, None, &tickets);
            for ticket in &tickets {
                prop_assert_eq!(check(&mut queue, 11, *ticket).place(), None);
            }
        }
        let mut entrants = queue.close_prequeue(at(OPENS)).unwrap();
        let closed = queue.snapshot(at(OPENS));
        if killed == Crash::BeforePublishing {
            queue = restart(&closed, OPENS, None, &tickets);
            entrants = queue.entrants();
        }
        tickets.extend((0..late).map(|who| waiting(enter(&mut queue, at(OPENS), 500 + who)).ticket));
        if killed == Crash::WhileDrawing {
            queue = restart(&closed, OPENS, None, &tickets);
        }
        let order = published(&entrants);
        hear(&mut queue, OPENS, &tickets);
        if killed == Crash::BeforeTheSnapshot {
            prop_assert!(queue.apply_draw(at(OPENS), &order));
            queue = restart(&closed, OPENS, Some(order.clone()), &tickets);
        } else {
            prop_assert!(queue.apply_draw(at(OPENS), &order));
        }
        if killed == Crash::AfterTheSnapshot {
            let saved = queue.snapshot(at(OPENS));
            queue = restart(&saved, OPENS, Some(order.clone()), &tickets);
        }
        let came = admitted(&mut queue, OPENS, &tickets);
        let place = |number: &Number| tickets.iter().position(|ticket| ticket.number == *number);
        let expected: Vec<usize> =
            order.iter().filter_map(place).chain(took_part..tickets.len()).collect();
        prop_assert_eq!(came, expected);
    }

    #[test]
    fn every_old_number_leads_to_its_rank_and_no_other_number_anywhere(
        numbers in proptest::collection::btree_set(5_u64..2_000, 1..200),
    ) {
        let entrants: Vec<Number> = numbers.iter().copied().map(Number).collect();
        let order = published(&entrants);
        let redirect = Redirect::new(&order, Number(10_000));
        for number in (0..2_100).map(Number) {
            let rank = order.iter().position(|drawn| *drawn == number);
            let expected = rank.map(|rank| Number(10_000 + rank as u64));
            prop_assert_eq!(redirect.find(number), expected);
        }
    }
}
