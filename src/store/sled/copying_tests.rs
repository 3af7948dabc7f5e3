use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::store::Store;
use crate::store::sled::{Options, SledStore, sync_data};

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(data: &std::path::Path) -> Box<SledStore> {
    let options = Options { cache_mib: 8, salt: [7; 32], sync: sync_data() };
    Box::new(SledStore::open(data, &options).unwrap())
}

/// Commits these writes as the registry would.
fn commit(store: &mut SledStore, writes: &[(u16, Option<u8>)]) {
    for (key, value) in writes {
        let key = [b"~".as_slice(), &key.to_be_bytes()].concat();
        match value {
            Some(value) => store.view.staged.put(&key, vec![*value; 900]),
            None => store.view.staged.remove(&key),
        }
    }
    store.sync().unwrap();
}

fn state(store: &SledStore) -> State {
    let entries = store.db.iter().map(Result::unwrap);
    entries.map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// What pieces make of an empty store.
fn replayed(pieces: &[Piece]) -> State {
    let mut state = State::new();
    for record in pieces.iter().flat_map(Piece::records) {
        match record.unwrap() {
            (key, Some(value)) => drop(state.insert(key.to_vec(), value.to_vec())),
            (key, None) => drop(state.remove(key)),
        }
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However commits and pieces fall between each other, the copy is the store as it was after one
    /// of the commits.
    #[test]
    fn a_copy_is_the_store_between_two_commits(
        steps in proptest::collection::vec(
            proptest::option::of(proptest::collection::vec(
                (0_u16..3_000, proptest::option::of(any::<u8>())), 1..20,
            )),
            1..40,
        ),
    ) {
        let data = tempfile::tempdir().unwrap();
        let mut store = open(data.path());
        commit(&mut store, &(0..2_000).map(|key| (key, Some(1))).collect::<Vec<_>>());
        let mut states = vec![state(&store)];
        let mut copying = store.copies().unwrap().begin().unwrap();
        let (mut pieces, mut is_whole) = (Vec::new(), false);
        for step in steps {
            match step {
                Some(writes) => {
                    commit(&mut store, &writes);
                    states.push(state(&store));
                }
                None if !is_whole => match copying.next_piece().unwrap() {
                    Some(piece) => pieces.push(piece),
                    None => is_whole = true,
                },
                None => {}
            }
        }
        while let Some(piece) = copying.next_piece().unwrap() {
            pieces.push(piece);
        }
        prop_assert!(pieces.len() > 2, "the copy took several steps");
        prop_assert!(states.contains(&replayed(&pieces)));
    }
}

/// Every commit writes the same number at both ends of the keys: a copy from in between two of them
/// would have two numbers.
#[test]
fn a_copy_beside_a_busy_writer_has_all_or_nothing_of_a_commit() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    commit(&mut store, &(0..3_000).map(|key| (key, Some(0))).collect::<Vec<_>>());
    let copies = store.copies().unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut number = 0_u8;
        while matches!(stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
            number = number.wrapping_add(1);
            commit(&mut store, &[(0, Some(number)), (1_500, Some(number)), (2_999, Some(number))]);
        }
        store
    });
    for _ in 0..5 {
        let mut copying = copies.begin().unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = copying.next_piece().unwrap() {
            pieces.push(piece);
        }
        let state = replayed(&pieces);
        let at = |key: u16| state[&[b"~".as_slice(), &key.to_be_bytes()].concat()][0];
        assert_eq!((at(0), at(0)), (at(1_500), at(2_999)));
    }
    drop(stop);
    Box::new(*writer.join().unwrap()).close().unwrap();
}

#[test]
fn one_copy_at_a_time_and_one_that_is_given_up_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    commit(&mut store, &[(1, Some(1))]);
    let copies = store.copies().unwrap();
    let copying = copies.begin().unwrap();
    assert!(matches!(copies.begin(), Err(StoreError::Locked)));
    drop(copying);
    let copying = copies.begin().unwrap();
    drop(copying);
    assert!(store.notes.lock().is_none());
    store.close().unwrap();
    let closed = copies.begin().unwrap().next_piece();
    assert!(matches!(closed, Err(StoreError::Abandoned)));
}

#[test]
fn a_copy_that_nobody_takes_ends_and_holds_up_nobody() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    let mut copying = store.copies().unwrap().begin().unwrap();
    let large: Vec<(u16, Option<u8>)> = (0..4_000).map(|key| (key, Some(1))).collect();
    for _ in 0..20 {
        commit(&mut store, &large); // 3.6 MB each
    }
    let mut took = Ok(None);
    for _ in 0..20 {
        took = copying.next_piece();
        if took.is_err() {
            break;
        }
    }
    let error = took.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("too slow"));
    drop(copying);
    store.close().unwrap();
}
