//! Whatever is done to a chain, it shows.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::account::AccountId;
use crate::domain::digest::Digest;
use crate::domain::queue::{Identity, Lane, Number};
use crate::domain::time::UnixMicros;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

fn entry(n: u64) -> Entry {
    let who = Pseudonyms::new(&[1; 32]).account(AccountId(Uuid::from_u128(u128::from(n))));
    let what = match n % 4 {
        0 => What::Cap { from: n, to: n + 1 },
        1 => What::Pause { reason: "the shard is \"sick\"\n".into(), until: None },
        2 => What::Admitted {
            epoch: 7,
            number: Some(Number(n)),
            player: None,
            why: OutOfTurn::lane(Lane::Staff).unwrap(),
        },
        _ => What::Other {
            name: "moon".into(),
            details: vec![("phase".into(), "new".into())].into(),
        },
    };
    Entry::of(NOW.plus_us(n), Who::Operator(who), what)
}

/// Lines without their line feeds, and the chain's head.
fn lines(count: u64) -> (Vec<Vec<u8>>, Head) {
    let mut chain = Chain::after(Head::START);
    let lines = (0..count).map(|n| {
        let mut line = chain.add(&entry(n)).unwrap();
        assert_eq!(line.pop(), Some(b'\n'));
        line
    });
    (lines.collect(), chain.head())
}

fn check(lines: &[Vec<u8>], posted: &[Head]) -> Result<Head, Broken> {
    verify(lines.iter().map(Vec::as_slice), posted)
}

#[test]
fn an_untouched_chain_holds() {
    let (lines, head) = lines(9);
    assert_eq!((check(&lines, &[]), head.seq), (Ok(head), 9));
    assert_eq!(check(&lines, &[Head::START, head]), Ok(head));
    assert_eq!(check(&[], &[]), Ok(Head::START));
    assert_eq!(head.to_string().parse(), Ok(head));
}

/// The form is a promise: whoever wrote a program that reads it can go on using it.
#[test]
fn a_line_has_this_form() {
    let mut chain = Chain::after(Head::START);
    let what = What::Admitted {
        epoch: 7,
        number: Some(Number(42)),
        player: Some(Pseudonyms::new(&[1; 32]).identity(Identity(5))),
        why: OutOfTurn::Lottery { lottery: "season-2".into(), place: 3 },
    };
    let line = chain.add(&Entry::of(NOW, Who::Server, what)).unwrap();
    let body = r#"{"seq":1,"at":1800000000000000,"who":"server","what":{"kind":"admitted","epoch":7,"number":42,"player":"PLAYER","by":"lottery","lottery":"season-2","place":3},"prev":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let body = body.replace("PLAYER", &Pseudonyms::new(&[1; 32]).identity(Identity(5)).to_string());
    let hash = Digest::of(&[b"anteroom audit v1\n", &[0; 32], body.as_bytes()]);
    let expected = format!("{},\"hash\":\"{hash}\"}}\n", body.strip_suffix('}').unwrap());
    assert_eq!(String::from_utf8(line).unwrap(), expected);
    assert_eq!(chain.head(), Head { seq: 1, hash });
}

#[test]
fn a_new_number_or_digest_does_not_help() {
    let (mut lines, head) = lines(6);
    let honest = lines.clone();
    // Whoever rewrites the end has to rewrite all of it, and then posted heads do not fit.
    let mut rewritten = Chain::after(Head::START);
    for (n, line) in lines.iter_mut().enumerate() {
        let n = n as u64;
        let changed = if n == 2 { Entry { at: NOW, ..entry(n) } } else { entry(n) };
        *line = rewritten.add(&changed).unwrap();
        line.pop();
    }
    assert_eq!(check(&lines, &[]), Ok(rewritten.head()));
    assert_eq!(check(&lines, &[head]), Err(Broken { seq: 6, why: Why::NotAsPosted }));
    // One record written anew, with a digest that is right: the next one does not follow it.
    let mixed = [&honest[..2], &lines[2..3], &honest[3..]].concat();
    assert_eq!(check(&mixed, &[]), Err(Broken { seq: 4, why: Why::DoesNotFollow }));
}

#[test]
fn one_break_does_not_hide_the_next() {
    let (mut lines, _) = lines(8);
    lines[2] = lines[2].iter().map(|byte| if *byte == b'7' { b'8' } else { *byte }).collect();
    lines.remove(5);
    let mut verifier = Verifier::after(Head::START);
    let broken: Vec<Broken> = lines.iter().filter_map(|line| verifier.take(line).err()).collect();
    assert_eq!(broken.iter().map(|broken| broken.seq).collect::<Vec<_>>(), [3, 7]);
}

#[test]
fn texts_and_lines_have_bounds() {
    let long = "\u{0}".repeat(10_000);
    let details = vec![(Text::from(long.as_str()), Text::from(long.clone())); 100];
    let what = What::Other { name: long.as_str().into(), details: details.into() };
    let line = Chain::after(Head { seq: u64::MAX - 1, hash: Digest::ZERO })
        .add(&Entry::of(UnixMicros(u64::MAX), Who::Partner(long.into()), what))
        .unwrap();
    assert!(line.len() <= LINE_MAX, "{}", line.len());
    assert!(Verifier::anywhere().take(&line[..line.len() - 1]).is_ok());
}

#[test]
fn pseudonyms_depend_on_the_key_and_the_kind() {
    let (ours, theirs) = (Pseudonyms::new(&[1; 32]), Pseudonyms::new(&[2; 32]));
    let account = AccountId(Uuid::from_u128(9));
    assert_eq!(ours.account(account), ours.account(account));
    assert_ne!(ours.account(account), theirs.account(account));
    assert_ne!(ours.identity(Identity(9)), ours.identity(Identity(8)));
    assert_eq!(ours.account(account).to_string().len(), 32);
}

proptest! {
    #[test]
    fn any_edit_is_found(at in 0_usize..12, byte in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (mut lines, _) = lines(12);
        let byte = byte.index(lines[at].len());
        prop_assume!(lines[at][byte] != to);
        lines[at][byte] = to;
        let broken = check(&lines, &[]).unwrap_err();
        prop_assert_eq!(broken.seq, at as u64 + 1);
    }

    #[test]
    fn any_deletion_before_the_end_is_found(from in 0_usize..11, count in 1_usize..12) {
        let (mut lines, head) = lines(12);
        let until = (from + count).min(12);
        lines.drain(from..until);
        if until < 12 {
            let broken = check(&lines, &[]).unwrap_err();
            prop_assert_eq!(broken, Broken { seq: until as u64 + 1, why: Why::DoesNotFollow });
        } else {
            // The end alone shows only against a head.
            prop_assert!(check(&lines, &[]).is_ok());
            prop_assert_eq!(check(&lines, &[head]), Err(Broken { seq: 12, why: Why::NotAsPosted }));
        }
    }

    #[test]
    fn any_other_order_is_found(order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
        let (lines, _) = lines(8);
        let shuffled: Vec<Vec<u8>> = order.iter().map(|at| lines[*at].clone()).collect();
        prop_assert_eq!(check(&shuffled, &[]).is_ok(), order.is_sorted());
    }

    #[test]
    fn a_record_put_in_or_twice_is_found(from in 0_usize..8, to in 0_usize..8) {
        let (mut lines, _) = lines(8);
        lines.insert(to, lines[from].clone());
        prop_assert!(check(&lines, &[]).is_err());
    }

    #[test]
    fn a_line_cut_short_is_found(at in 0_usize..8, keep in any::<prop::sample::Index>()) {
        let (mut lines, _) = lines(8);
        let keep = keep.index(lines[at].len());
        lines[at].truncate(keep);
        prop_assert_eq!(check(&lines, &[]), Err(Broken { seq: at as u64 + 1, why: Why::Unreadable }));
    }
}
