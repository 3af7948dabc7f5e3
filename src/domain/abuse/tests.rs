//! The guard as entrances use it.

use super::*;

const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const HOME: Source = Source { address: 1, prefix: 100 };
const PHONE: Bound<'_> = Bound { prefix: 100, device_key: Some("the-secret-of-ada") };

fn settings(challenge: When) -> Settings {
    Settings {
        challenge,
        attack_per_second: 10.0,
        bits: (4, 8),
        suspects_to_low: true,
        suspect_no_shows: 100.0,
        prefix_per_second: 0.0,
        patience_ms: 240_000,
    }
}

fn guard(settings: Settings) -> Guard {
    Guard::new(settings, &[7; 32], &DefaultHashBuilder::default())
}

fn place(number: u64) -> Placed {
    Placed { number: Number(number), lane: Lane::Standard, passed: true, to_be_drawn: false }
}

/// So many take places within a second.
fn attack(guard: &mut Guard, from: u64, many: u64) {
    for number in from..from + many {
        guard.placed(START, place(number), Some(HOME), Manner::Mute);
    }
}

fn solved(challenge: &Challenge) -> String {
    let good = |nonce: &String| {
        challenge::solves(Answer { challenge: &challenge.text, nonce }, challenge.bits)
    };
    (0..u32::MAX).map(|n| n.to_string()).find(good).unwrap()
}

#[test]
fn off_asks_nothing_and_puts_nobody_behind_whatever_comes() {
    let mut guard = guard(settings(When::Off));
    attack(&mut guard, 0, 10_000);
    assert_eq!(guard.level(START), LEVEL_MAX, "told, all the same");
    assert_eq!(guard.ask(START, None, PHONE), Ok(Manner::Unasked));
    assert_eq!(guard.judge(START, Some(HOME), Manner::Mute), Verdict::Clear);
}

#[test]
fn an_attack_brings_challenges_with_more_work_the_stronger_it_is() {
    let mut guard = guard(settings(When::Attack));
    assert_eq!(guard.ask(START, None, PHONE), Ok(Manner::Unasked));
    attack(&mut guard, 0, 60);
    let (given, why) = guard.ask(START, None, PHONE).unwrap_err();
    assert_eq!((given.bits, why), (4, Verdict::Challenged));
    let nonce = solved(&given);
    let answer = Answer { challenge: &given.text, nonce: &nonce };
    assert_eq!(guard.ask(START, Some(answer), PHONE), Ok(Manner::Solved));
    assert_eq!(guard.judge(START, Some(HOME), Manner::Solved), Verdict::Clear);
    let (_, why) = guard.ask(START, Some(answer), PHONE).unwrap_err();
    assert_eq!(why, Verdict::Replayed);
    attack(&mut guard, 100, 10_000);
    assert_eq!(guard.ask(START, None, PHONE).unwrap_err().0.bits, 8);
    let later = START.plus_secs(3_600);
    assert_eq!(guard.ask(later, Some(answer), PHONE), Ok(Manner::Unasked), "over");
}

#[test]
fn always_asks_without_work_while_it_is_calm_and_the_mute_are_as_good_as_others() {
    let mut guard = guard(settings(When::Always));
    let (given, why) = guard.ask(START, None, PHONE).unwrap_err();
    assert_eq!((given.bits, why), (0, Verdict::Challenged));
    assert_eq!(guard.judge(START, Some(HOME), Manner::Mute), Verdict::Clear);
}

#[test]
fn who_only_asks_for_challenges_raises_the_alarm_and_who_answers_counts_once() {
    let mut silent = guard(settings(When::Always));
    (0..60).for_each(|_| drop(silent.ask(START, None, PHONE)));
    assert_eq!(silent.level(START), 1);
    let mut earnest = guard(settings(When::Always));
    for number in 0..49 {
        let (given, _) = earnest.ask(START, None, PHONE).unwrap_err();
        let answer = Answer { challenge: &given.text, nonce: "" };
        let manner = earnest.ask(START, Some(answer), PHONE).unwrap();
        assert!(earnest.placed(START, place(number), Some(HOME), manner));
    }
    assert_eq!(earnest.level(START), 0);
}

#[test]
fn in_an_attack_the_mute_wait_behind_and_the_proven_do_not() {
    let mut guard = guard(settings(When::Attack));
    attack(&mut guard, 0, 60);
    let verdict = guard.judge(START, Some(HOME), Manner::Mute);
    assert_eq!((verdict, verdict.lane()), (Verdict::Unanswered, Some(Lane::Low)));
    let verdict = guard.judge(START, Some(HOME), Manner::Proven);
    assert_eq!((verdict, verdict.lane()), (Verdict::Proven, None));
}

#[test]
fn suspects_wait_behind_whether_they_work_or_not_but_not_if_they_prove_an_account() {
    let mut set = settings(When::Off);
    let mut guard = guard(set);
    attack(&mut guard, 0, 150);
    let now = START.plus_secs(240);
    guard.settle(now, &Heads { at: now, first: [None; Lane::COUNT] });
    for manner in [Manner::Mute, Manner::Unasked, Manner::Solved] {
        assert_eq!(guard.judge(now, Some(HOME), manner), Verdict::Suspect);
    }
    assert_eq!(guard.judge(now, Some(HOME), Manner::Proven), Verdict::Proven);
    assert_eq!(guard.judge(now, None, Manner::Mute), Verdict::Clear, "nobody knows from where");
    set.suspects_to_low = false;
    guard.set(set);
    assert_eq!(guard.judge(now, Some(HOME), Manner::Mute), Verdict::Clear);
}

#[test]
fn too_many_from_one_network_wait_behind_until_it_slows_down() {
    let mut guard = guard(Settings { prefix_per_second: 20.0, ..settings(When::Off) });
    attack(&mut guard, 0, 99);
    assert_eq!(guard.judge(START, Some(HOME), Manner::Unasked), Verdict::Clear);
    attack(&mut guard, 100, 1);
    assert_eq!(guard.judge(START, Some(HOME), Manner::Unasked), Verdict::LimitedPrefix);
    let neighbour = Source { address: 1, prefix: 101 };
    assert_eq!(guard.judge(START, Some(neighbour), Manner::Unasked), Verdict::Clear);
    let later = START.plus_secs(1);
    assert_eq!(guard.judge(later, Some(HOME), Manner::Unasked), Verdict::Clear);
}

#[test]
fn a_place_counts_once_however_often_its_owner_asks() {
    let mut guard = guard(settings(When::Attack));
    assert!(guard.placed(START, place(1), Some(HOME), Manner::Mute));
    for _ in 0..1_000 {
        assert!(!guard.placed(START, place(1), Some(HOME), Manner::Mute));
    }
    assert_eq!(guard.level(START), 0);
}

#[test]
fn every_verdict_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = Verdict::ALL.iter().map(|v| v.name()).collect();
    assert_eq!(names.len(), Verdict::COUNT);
    for (at, verdict) in Verdict::ALL.iter().enumerate() {
        assert_eq!(*verdict as usize, at);
    }
}
