//! One request for a token, however many bring it, and none while its answer is known.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use tokio::sync::Notify;

use super::*;
use crate::domain::account::Link;

fn memory(life_s: u64, most: usize) -> (Remembered, Clock) {
    let clock = Clock::manual(UnixMicros::from_secs(1_800_000_000));
    (Remembered::new(clock.clone(), &Dice::seeded(1), life_s, most), clock)
}

fn verified(id: &str) -> Verified {
    Verified::of(Link { kind: LinkKind::Steam, id: id.to_owned() })
}

async fn ask(
    memory: &Remembered,
    token: &str,
    asked: &Arc<AtomicUsize>,
    outcome: Outcome,
) -> Outcome {
    let asked = Arc::clone(asked);
    let ask = async move {
        asked.fetch_add(1, Ordering::SeqCst);
        outcome
    };
    memory.or_ask(LinkKind::Steam, 0, token, ask).await
}

#[tokio::test]
async fn a_good_answer_is_known_for_its_time() {
    let (memory, clock) = memory(120, 10);
    let asked = Arc::default();
    for _ in 0..3 {
        assert_eq!(ask(&memory, "t", &asked, Ok(verified("1"))).await, Ok(verified("1")));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.advance_ms(119_999);
    let _ = ask(&memory, "t", &asked, Ok(verified("1"))).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.advance_ms(1);
    let _ = ask(&memory, "t", &asked, Ok(verified("1"))).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_bad_answer_is_not_kept_and_the_same_text_of_another_kind_is_another_token() {
    let (memory, _) = memory(120, 10);
    let asked = Arc::default();
    let no = IdentityError::Refused(LinkKind::Steam, "no");
    assert_eq!(ask(&memory, "t", &asked, Err(no.clone())).await, Err(no));
    assert_eq!(ask(&memory, "t", &asked, Ok(verified("1"))).await, Ok(verified("1")));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let other = memory.or_ask(LinkKind::Xbox, 0, "t", async { Ok(verified("2")) }).await;
    assert_eq!(other, Ok(verified("2")));
}

#[tokio::test]
async fn the_oldest_go_and_zero_seconds_keep_nothing() {
    let (memory, _) = memory(120, 2);
    let asked = Arc::default();
    for token in ["a", "b", "c", "b", "c"] {
        let _ = ask(&memory, token, &asked, Ok(verified("1"))).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let _ = ask(&memory, "a", &asked, Ok(verified("1"))).await;
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let (forgetful, _) = super::tests::memory(0, 2);
    for _ in 0..2 {
        let _ = ask(&forgetful, "a", &asked, Ok(verified("1"))).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn those_who_ask_at_once_share_a_request_that_outlives_them() {
    let (memory, _) = memory(120, 1);
    let (go, asked) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let slow = |asked: &Arc<AtomicUsize>| {
        let (go, asked) = (Arc::clone(&go), Arc::clone(asked));
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            go.notified().await;
            Ok(verified("1"))
        }
    };
    let mut first = Box::pin(memory.or_ask(LinkKind::Steam, 0, "t", slow(&asked)));
    assert!((&mut first).now_or_never().is_none());
    let full = memory.or_ask(LinkKind::Steam, 0, "u", slow(&asked)).await;
    assert!(matches!(full, Err(IdentityError::Unavailable(..))));
    let mut second = Box::pin(memory.or_ask(LinkKind::Steam, 0, "t", slow(&asked)));
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    go.notify_one();
    assert_eq!(second.await, Ok(verified("1")));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_that_panics_is_no_answer_and_can_be_made_again() {
    let (memory, _) = memory(120, 1);
    let broken =
        memory.or_ask(LinkKind::Steam, 0, "t", async { panic!("as the test wants it") }).await;
    assert!(matches!(broken, Err(IdentityError::Unavailable(..))));
    let again = memory.or_ask(LinkKind::Steam, 0, "t", async { Ok(verified("1")) }).await;
    assert_eq!(again, Ok(verified("1")));
}
