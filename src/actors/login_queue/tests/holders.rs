//! Who holds a slot, seen without asking.

use super::*;

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
