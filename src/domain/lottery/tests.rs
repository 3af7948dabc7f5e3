//! Proofs, orders, stages and files of numbers.

use proptest::prelude::*;

use super::*;
use crate::domain::digest::Digest;
use crate::domain::time::UnixMicros;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

fn numbers(count: u64) -> Vec<u64> {
    (0..count).map(|n| n * n + 3).collect()
}

fn server_seed() -> ServerSeed {
    ServerSeed::new([7; 32])
}

fn schedule(beacon: &str) -> Schedule {
    let id = LotteryId::try_from("season-2".to_owned()).unwrap();
    Schedule::new(id, 9, (NOW, NOW.plus_secs(600)), &server_seed(), beacon.to_owned()).unwrap()
}

/// The formulas are published: they may not change without a new version. These values were computed
/// with Python's hashlib from the formulas of the page.
#[test]
fn the_formulas_are_those_of_the_page() {
    let hex = |digest: Digest| digest.to_string();
    assert_eq!(
        hex(server_seed().commitment()),
        "155d7e06023df66fd72843a14958799d215367927fe2c278971ef3b1e327fcd0"
    );
    let root = entrants_root(&[1, 2, 3]);
    assert_eq!(hex(root), "d978e82d18a319fe63cb12e2733845c866749e56daaad1d341aa80d842d870d3");
    let public: PublicSeed = "00ff".parse().unwrap();
    let seed = Seed::new(&server_seed(), root, &public);
    assert_eq!(seed, Seed::new(&server_seed(), root, &PublicSeed::new(&[0, 255]).unwrap()));
    assert_eq!(draw(seed, &[1, 2, 3]), [1, 0, 2]);
}

/// RFC 6962 §2.1 in its own words, as slow as it is there.
fn plain_root(leaves: &[u64]) -> Digest {
    match leaves {
        [] => Digest::of(&[]),
        [one] => Digest::of(&[&[0], &one.to_be_bytes()]),
        more => {
            let mut half = 1;
            while half * 2 < more.len() {
                half *= 2;
            }
            let (left, right) = more.split_at(half);
            Digest::of(&[&[1], &plain_root(left).0, &plain_root(right).0])
        }
    }
}

#[test]
fn the_root_is_that_of_the_rfc_at_every_size() {
    for count in (0..70).chain([1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 3_072, 5_000]) {
        let numbers = numbers(count);
        assert_eq!(entrants_root(&numbers), plain_root(&numbers), "{count}");
        assert_eq!(Tree::new(numbers.clone()).root(), plain_root(&numbers), "{count}");
    }
}

#[test]
fn every_entrant_has_a_proof_and_nobody_else() {
    for count in (1..40).chain([1_024, 1_025, 2_500]) {
        let tree = Tree::new(numbers(count));
        for number in tree.entrants().iter().step_by(if count > 100 { 37 } else { 1 }) {
            let proof = tree.proof(*number).unwrap();
            assert!(proof.leads_to(tree.root()), "{number} of {count}");
            let stranger = InclusionProof { number: number + 1, ..proof.clone() };
            assert!(!stranger.leads_to(tree.root()), "{number} of {count}");
        }
        assert_eq!(tree.proof(5), None);
    }
    assert_eq!(Tree::new(Vec::new()).proof(3), None);
}

/// The two worst draws are far apart only if the seed decides: each input changes it.
#[test]
fn every_input_changes_the_order() {
    let numbers = numbers(200);
    let (seed, root) = (server_seed(), entrants_root(&numbers));
    let public = |bytes: &[u8]| PublicSeed::new(bytes).unwrap();
    let order = |seed| draw(seed, &numbers);
    let first = order(Seed::new(&seed, root, &public(b"beacon")));
    let others = [
        Seed::new(&ServerSeed::new([8; 32]), root, &public(b"beacon")),
        Seed::new(&seed, entrants_root(&numbers[1..]), &public(b"beacon")),
        Seed::new(&seed, root, &public(b"other")),
        Seed::new(&seed, root, &public(b"")),
    ];
    for other in others {
        assert_ne!(order(other), first);
    }
}

#[test]
fn stages_follow_each_other_and_hold_what_was_said() {
    let numbers = numbers(5);
    let public = PublicSeed::new(b"beacon").unwrap();
    let scheduled = Record::scheduled(schedule("drand round 5"));
    let draw = |record: &Record, seed: ServerSeed, public: &PublicSeed, entrants: &[u64]| {
        record.draw(NOW, seed, public.clone(), entrants).map(drop)
    };
    let early = draw(&scheduled, server_seed(), &public, &numbers);
    assert_eq!(early, Err(LotteryError::Stage { is: "scheduled", needed: "closed" }));
    assert_eq!(scheduled.close(NOW, &[2, 1]), Err(LotteryError::NotAscending));
    assert_eq!(scheduled.close(NOW, &[1, 1]), Err(LotteryError::NotAscending));
    let closed = scheduled.close(NOW, &numbers).unwrap();
    assert!(closed.close(NOW, &numbers).is_err());

    let none = PublicSeed::default();
    assert_eq!(draw(&closed, server_seed(), &none, &numbers), Err(LotteryError::PublicSeed));
    let other = ServerSeed::new([1; 32]);
    assert_eq!(draw(&closed, other, &public, &numbers), Err(LotteryError::OtherServerSeed));
    let fewer = &numbers[1..];
    assert_eq!(draw(&closed, server_seed(), &public, fewer), Err(LotteryError::OtherEntrants));
    let (drawn, order) = closed.draw(NOW, server_seed(), public.clone(), &numbers).unwrap();
    assert_eq!(order.len(), 5);
    assert!(draw(&drawn, server_seed(), &public, &numbers).is_err());

    let closed = Record::scheduled(schedule("")).close(NOW, &numbers).unwrap();
    assert_eq!(draw(&closed, server_seed(), &public, &numbers), Err(LotteryError::PublicSeed));
    assert_eq!(draw(&closed, server_seed(), &none, &numbers), Ok(()));
}

#[test]
fn the_published_record_grows_and_says_the_seed_last() {
    let json = |record: &Record| serde_json::to_value(record).unwrap();
    let keys = |record: &Record| {
        json(record).as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let scheduled = Record::scheduled(schedule(""));
    assert_eq!(keys(&scheduled), "beacon commitment epoch id opens_at scheduled_at version");
    let closed = scheduled.close(NOW, &[4, 8]).unwrap();
    assert!(!json(&closed).to_string().contains(&server_seed().reveal()));
    let (drawn, _) = closed.draw(NOW, server_seed(), PublicSeed::default(), &[4, 8]).unwrap();
    assert_eq!(json(&drawn)["server_seed"], "07".repeat(32));
    for record in [&scheduled, &closed, &drawn] {
        assert_eq!(&serde_json::from_value::<Record>(json(record)).unwrap(), record);
    }

    for field in ["closed_at", "entrants", "entrants_root", "public_seed", "drawn_at"] {
        let mut broken = json(&drawn);
        broken.as_object_mut().unwrap().remove(field);
        let error = serde_json::from_value::<Record>(broken).unwrap_err().to_string();
        assert!(error.contains("some fields"), "{field}: {error}");
    }
    for (field, value) in
        [("version", "2"), ("id", "\"../x\""), ("more", "1"), ("beacon", "\"\\n\"")]
    {
        let mut broken = json(&drawn);
        broken[field] = serde_json::from_str(value).unwrap();
        assert!(serde_json::from_value::<Record>(broken).is_err(), "{field}");
    }
}

#[test]
fn ids_are_safe_as_names_of_folders() {
    for good in ["a", "0", "season-2", &"x".repeat(64)] {
        assert!(LotteryId::try_from(good.to_owned()).is_ok(), "{good}");
    }
    for bad in ["", "-a", "A", "a.b", "..", "a/b", "ä", &"x".repeat(65)] {
        assert!(LotteryId::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}

fn read(text: &[u8], piece: usize, most: usize) -> Result<Vec<u64>, BadNumbers> {
    let mut lines = NumberLines::new(most);
    text.chunks(piece).try_for_each(|piece| lines.take(piece))?;
    lines.finish()
}

#[test]
fn only_plain_numbers_are_read() {
    assert_eq!(read(b"0\n18446744073709551615\n", 3, 2), Ok(vec![0, u64::MAX]));
    assert_eq!(read(b"", 1, 0), Ok(vec![]));
    let big = b"1\n18446744073709551616\n".as_slice();
    for bad in [b"1\n\n".as_slice(), b"1\n2", b"1\n-2\n", b"1\n02\n", b"1\n00\n", b"1\n2\r\n", big]
    {
        assert_eq!(read(bad, 2, 9), Err(BadNumbers::Line(2)), "{bad:?}");
    }
    assert_eq!(read(b"1\n2\n3\n", 2, 2), Err(BadNumbers::TooMany(2)));
}

proptest! {
    #[test]
    fn an_order_is_a_permutation_and_repeats(
        entrants in prop::collection::btree_set(any::<u64>(), 0..300),
        seed in any::<[u8; 32]>(),
    ) {
        let entrants: Vec<u64> = entrants.into_iter().collect();
        let seed =
            Seed::new(&ServerSeed::new(seed), entrants_root(&entrants), &PublicSeed::default());
        let order = draw(seed, &entrants);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert!(sorted.iter().copied().eq(0..u32::try_from(entrants.len()).unwrap()));
        prop_assert_eq!(draw(seed, &entrants), order);
    }

    #[test]
    fn a_changed_proof_leads_elsewhere(
        count in 1_u64..80,
        at in any::<prop::sample::Index>(),
        part in 0_usize..4,
        by in any::<prop::sample::Index>(),
    ) {
        let tree = Tree::new(numbers(count));
        let index = at.index(tree.entrants().len());
        let mut proof = tree.proof(tree.entrants()[index]).unwrap();
        match part {
            0 => proof.number ^= 1 << by.index(64),
            1 if !proof.path.is_empty() => {
                let at = by.index(proof.path.len());
                proof.path[at].0[0] ^= 1;
            }
            2 if !proof.path.is_empty() => drop(proof.path.pop()),
            _ => proof.path.push(Digest::ZERO),
        }
        prop_assert!(!proof.leads_to(tree.root()));
    }

    #[test]
    fn numbers_are_read_back_in_any_pieces(
        numbers in prop::collection::vec(any::<u64>(), 0..50),
        piece in 1_usize..30,
    ) {
        let lines: Vec<String> = numbers.iter().map(|number| format!("{number}\n")).collect();
        let text = lines.concat();
        prop_assert_eq!(read(text.as_bytes(), piece, 50), Ok(numbers));
    }
}
