//! Who holds a slot, seen without asking.

use super::*;
use crate::domain::queue::{Closed, Mode, Work};

/// The ledger's word counts at every moment, though whoever holds a slot does not ask for it.
#[actix::test]
async fn who_holds_a_slot_is_told_without_the_line_until_it_is_gone() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let mut config = config();
    config.limits.callers_max = 2;
    let open = |clock: &Clock| {
        let audit = audit(data.path());
        Line::open(&config, data.path(), clock.clone(), &seeds(), &[], &audit)
    };
    let (line, _stopped) = open(&clock).unwrap();
    let (player, identity) = (Player(1), Identity(1));
    let online = async |line: &Line| {
        line.connect(player).await.unwrap().unwrap();
        line.admit_exempt(player, identity).unwrap();
        // What is told without waiting goes out behind what is ready on this thread.
        tokio::task::yield_now().await;
        line.turn().await;
    };
    online(&line).await;
    let busy = [line.0.callers.take(), line.0.callers.take()];
    assert_eq!(line.enter(Identity(2), Lane::Standard).await, Err(CallError::Overloaded));
    assert_eq!(line.enter(identity, Lane::Standard).await, Ok(Standing::HoldsSlot));
    drop(busy);

    line.sign_out(player).await.unwrap();
    assert!(line.leave(enter(&line, 1).await).await.unwrap());
    line.disconnect(player, Departure::Clean);

    online(&line).await;
    line.disconnect(player, Departure::Dropped);
    line.turn().await;
    clock.advance_ms(u64::from(config.queue.grace_s) * 1_000 - 1);
    assert_eq!(line.enter(identity, Lane::Standard).await, Ok(Standing::HoldsSlot));
    clock.advance_ms(1);
    assert!(line.leave(enter(&line, 1).await).await.unwrap());

    online(&line).await;
    line.close().await;
    assert_eq!(line.enter(identity, Lane::Standard).await, Err(CallError::NoAnswer));
    drop(line);
    let (line, _stopped) = open(&clock).unwrap();
    line.turn().await;
    let _busy = [line.0.callers.take(), line.0.callers.take()];
    assert_eq!(line.enter(identity, Lane::Standard).await, Ok(Standing::HoldsSlot));
}

/// After a mass drop the copy is not asked: each has a turn, and nobody loses the slot.
#[actix::test]
async fn after_a_mass_drop_whoever_holds_a_slot_is_told_when_to_come() {
    const PLAYERS: u64 = 200;
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let mut config = config();
    config.queue.mass_drop_returns_per_s = 10;
    let audit = audit(data.path());
    let (line, _stopped) =
        Line::open(&config, data.path(), clock.clone(), &seeds(), &[], &audit).unwrap();
    for who in 1..=PLAYERS {
        line.connect(Player(who.into())).await.unwrap().unwrap();
        line.admit_exempt(Player(who.into()), Identity(who)).unwrap();
    }
    tokio::task::yield_now().await;
    (1..=PLAYERS).for_each(|who| line.disconnect(Player(who.into()), Departure::Dropped));
    line.turn().await;
    let mut put_off = 0;
    for who in 1..=PLAYERS {
        match line.enter(Identity(who), Lane::Standard).await.unwrap() {
            Standing::HoldsSlot => {}
            Standing::Refused { why: Closed::Returning, retry_after_ms } => {
                assert!(retry_after_ms <= 25_000, "200 at 10 a second: {retry_after_ms}");
                put_off += 1;
            }
            other => panic!("a slot was lost: {other:?}"),
        }
    }
    assert!(put_off > PLAYERS * 9 / 10, "{put_off} put off");
    clock.advance_ms(25_000);
    line.turn().await;
    for who in 1..=PLAYERS {
        let standing = line.enter(Identity(who), Lane::Standard).await;
        assert_eq!(standing, Ok(Standing::HoldsSlot));
        line.connect(Player(who.into())).await.unwrap().unwrap();
    }
    assert_eq!(line.figures().await.unwrap().live, PLAYERS);
    line.turn().await;
    assert_eq!(line.figures().await.unwrap().mass_drop, None);
}

/// What is measured where sign-ins happen reaches the rules, and the rate follows.
#[actix::test]
async fn the_line_hears_its_sensors_once_a_second() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let mut config = config();
    config.queue.rate = 100.0;
    let audit = audit(data.path());
    let (line, _stopped) =
        Line::open(&config, data.path(), clock.clone(), &seeds(), &[], &audit).unwrap();
    for _ in 0..3 {
        (0..60).for_each(|_| line.sensors().signed_in(Work::Known, 4_000));
        clock.advance_ms(1_000);
        line.turn().await;
    }
    let figures = line.figures().await.unwrap();
    let expected = 60.0 * 0.95;
    assert!((figures.rate_in_force - expected).abs() < 0.1, "{}", figures.rate_in_force);
    assert!((figures.rate - 100.0).abs() < 0.1, "what is set stays");
    (0..200).for_each(|_| line.sensors().failed());
    clock.advance_ms(1_000);
    line.turn().await;
    assert_eq!(line.figures().await.unwrap().mode, Mode::Held);
}
