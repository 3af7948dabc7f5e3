//! Many drop at once, a tenth of the real size: 6,000 of 8,000 with 50 returns a second.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::examples::{at, passed, queue, run_until, settings};
use super::index::mix;
use super::*;

const PLAYERS: u64 = 8_000;
const DROPPED: u64 = 6_000;
/// Game servers' word, where sockets are not the story.
const LEASE_MS: u64 = 90_000;

fn crowd() -> Queue {
    let mass_drop = MassDropSettings { returns_per_s: 50, ..MassDropSettings::default() };
    let mut queue =
        queue(Settings { rate: 5.0, cap: 10_000, line_max: 100_000, mass_drop, ..settings() });
    queue.grant_numbers(Number(1_000_000));
    queue.set_rate(at(0), 100_000.0);
    for who in 1..=PLAYERS {
        let now = at(0).plus_ms(who);
        let ticket = passed(queue.enter(now, Identity(who), Lane::Standard));
        queue.begin_redeem(now, ticket).unwrap();
        queue.finish_redeem(now, ticket.number, Player(who.into()), ticket.identity);
        queue.connect(now, Player(who.into())).unwrap();
    }
    queue.set_rate(at(10), 5.0);
    queue
}

fn used(figures: &Figures) -> u64 {
    figures.live + figures.reserved + figures.passes_out + figures.grace
}

/// Everybody drops within five seconds and tries to come back: two thirds when they are told to, the
/// rest every second. Newcomers come all the while.
#[test]
fn all_who_drop_at_once_are_back_in_turn_and_newcomers_come_in_meanwhile() {
    let mut queue = crowd();
    let mut events: BinaryHeap<Reverse<(UnixMicros, u64)>> = BinaryHeap::new();
    let mut dropping = (1..=DROPPED).map(|who| (at(20).plus_ms(who * 5_000 / DROPPED), who));
    let mut next_drop = dropping.next();
    let newcomers_before = queue.figures().admitted_total[Lane::Standard as usize];
    let first_newcomer = 1_000_000;
    for second in 0..150 {
        events.push(Reverse((at(26 + second), first_newcomer + second * 10)));
    }
    let mut back: HashMap<u64, u64> = HashMap::new();
    let (mut last, mut asked) = (at(20), 0_u64);
    while let Some(Reverse((now, who))) = events.pop() {
        if let Some((drops_at, drops)) = next_drop.filter(|&(drops_at, _)| drops_at <= now) {
            run_until(&mut queue, drops_at);
            queue.disconnect(drops_at, Player(drops.into()), Departure::Dropped);
            events.push(Reverse((drops_at.plus_ms(500 + mix(drops) % 5_000), drops)));
            events.push(Reverse((now, who)));
            next_drop = dropping.next();
            continue;
        }
        run_until(&mut queue, now);
        if who >= first_newcomer {
            for n in 0..10 {
                queue.enter(now, Identity(who + n), Lane::Standard);
            }
            continue;
        }
        asked += 1;
        match queue.enter(now, Identity(who), Lane::Standard) {
            Standing::HoldsSlot => {
                queue.admit_exempt(now, Player(who.into()), Identity(who));
                queue.connect(now, Player(who.into())).expect("a held slot is a slot");
                *back.entry(now.0 / 1_000_000).or_default() += 1;
                last = now;
            }
            Standing::Refused { why: Closed::Returning, retry_after_ms } => {
                let impolite = who % 3 == 0;
                let wait_ms = if impolite { 1_000 } else { retry_after_ms };
                events.push(Reverse((now.plus_ms(wait_ms), who)));
            }
            other => panic!("a slot was lost: {other:?}"),
        }
        assert!(used(&queue.figures()) <= 10_000, "I2");
    }
    assert_eq!(back.values().sum::<u64>(), DROPPED, "all are back");
    let seconds = last.since_ms(at(20)) / 1_000;
    let most = back.values().max().copied().unwrap();
    let newcomers = queue.figures().admitted_total[Lane::Standard as usize] - newcomers_before;
    println!(
        "{DROPPED} back in {seconds} s, {most} a second at most, {asked} asked; {newcomers} new"
    );
    // 120 seconds at 50 a second, and five; turns are dealt, not counted out.
    assert!((110..=135).contains(&seconds), "{seconds} s");
    assert!(most < 100, "{most} in a second");
    assert!(newcomers >= 5 * 120, "{newcomers} newcomers");
    run_until(&mut queue, at(200));
    queue.tick(at(200));
    assert_eq!(queue.figures().mass_drop, None, "it is over");
}

#[test]
fn slots_of_a_mass_drop_outlast_the_grace_and_lapse_in_the_end() {
    let mut queue = crowd();
    for who in 1..=DROPPED {
        queue.disconnect(at(20), Player(who.into()), Departure::Dropped);
    }
    run_until(&mut queue, at(20 + 179));
    assert_eq!(queue.figures().grace, DROPPED);
    run_until(&mut queue, at(20 + 181));
    assert_eq!((queue.figures().grace, queue.figures().live), (0, PLAYERS - DROPPED));
    assert_eq!(queue.figures().mass_drop, None);
}

#[test]
fn a_few_who_drop_are_no_mass_drop_and_nobody_is_put_off() {
    let mut queue = crowd();
    for who in 1..=700_u128 {
        queue.disconnect(at(20), Player(who), Departure::Dropped);
    }
    // A tenth needs 800 of 8,000; and spread over time they are none at all.
    for who in 701..=1_400_u128 {
        queue.disconnect(at(31), Player(who), Departure::Dropped);
    }
    for who in 1_401..=3_000_u128 {
        queue.disconnect(at(45), Player(who), Departure::Ended);
    }
    assert_eq!((queue.figures().mass_drop, queue.figures().mass_drops_total), (None, 0));
    assert_eq!(queue.enter(at(46), Identity(1), Lane::Standard), Standing::HoldsSlot);
    assert_eq!(queue.return_jitter_ms(at(46), Identity(1)), 0);
}

#[test]
fn game_servers_that_fall_silent_drop_their_players_and_lose_none() {
    let mut queue = queue(Settings { rate: 5.0, cap: 2_000, ..settings() });
    for who in 1..=1_000 {
        queue.keep(at(1), Player(who), LEASE_MS);
    }
    run_until(&mut queue, at(92));
    let figures = queue.figures();
    assert_eq!((figures.grace, figures.reserved), (1_000, 0), "in grace, not gone");
    assert_eq!(figures.mass_drop, Some(1_000));
    // The server is heard of again: they were there all the time.
    for who in 1..=1_000 {
        assert!(queue.keep(at(150), Player(who), LEASE_MS));
    }
    run_until(&mut queue, at(151));
    assert_eq!((queue.figures().grace, queue.figures().mass_drop), (0, None));
}
