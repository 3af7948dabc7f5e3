use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::store::contract::{self, any_id, create, device};

use super::home::Home;
use super::*;
use crate::domain::account::Link;

fn options() -> Options {
    Options { cache_mib: 8, salt: [7; 32], sync: sync_data() }
}

fn open(data: &Path) -> Box<SledStore> {
    Box::new(SledStore::open(data, &options()).unwrap())
}

/// Copies a folder as it is: what a backup, or a disk after a crash, would hold.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The snapshot sled would open with.
fn snapshot(data: &Path) -> PathBuf {
    let is_snapshot =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("snap.");
    let entries = std::fs::read_dir(data.join("accounts")).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(is_snapshot).max().expect("sled writes snapshots")
}

fn raw(data: &Path) -> ::sled::Db {
    ::sled::Config::new().path(data.join("accounts")).flush_every_ms(None).open().unwrap()
}

fn let_go(db: ::sled::Db, data: &Path) {
    db.flush().unwrap();
    drop(db);
    let file = File::open(data.join("accounts/db")).unwrap();
    opening::wait_until_unlocked(&file).unwrap();
}

#[test]
fn the_contract_holds() {
    contract::check(|part| {
        let data = tempfile::tempdir().unwrap();
        part(&|| open(data.path()));
    });
}

#[test]
fn staff_of_an_older_format_is_found() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    let made = create(store.as_ref(), &device("ada"), None);
    store.stage(&made).unwrap();
    let mut hired = made.after.clone();
    hired.dossier_mut().roles = vec![uuid::Uuid::max()];
    let change = Change::of(Some(made.after), hired);
    store.stage(&change).unwrap();
    store.sync().unwrap();
    store.close().unwrap();
    let db = raw(data.path());
    assert!(db.remove(keys::staff(change.after.id)).unwrap().is_some());
    db.insert(keys::FORMAT, 5_u32.to_be_bytes().as_slice()).unwrap();
    let_go(db, data.path());
    let store = open(data.path());
    assert_eq!(store.reads().staff().unwrap(), [change.after]);
    store.close().unwrap();
}

#[test]
fn a_new_account_of_a_device_is_one_key() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    store.sync().unwrap();
    let keys = store.db.len();
    for number in 0..10 {
        let change = create(store.as_ref(), &device(&number.to_string()), None);
        store.stage(&change).unwrap();
    }
    store.sync().unwrap();
    assert_eq!(store.db.len(), keys + 10 + 1, "and the count");
    store.close().unwrap();
}

/// The link was unlinked at its home and is used anew: the account gets another id.
#[test]
fn a_link_whose_home_is_taken_is_found_by_the_index() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    let first = create(store.as_ref(), &device("1"), None);
    store.stage(&first).unwrap();
    let mut moved = first.after.clone();
    moved.links = vec![device("2")];
    store.stage(&Change::of(Some(first.after), moved.clone())).unwrap();
    assert!(!store.reads().is_free(store.reads().id_for(&device("1")).unwrap()).unwrap());
    let second = create(store.as_ref(), &device("1"), Some(any_id(9)));
    store.stage(&second).unwrap();
    store.sync().unwrap();
    store.close().unwrap();
    let store = open(data.path());
    assert_eq!(store.reads().account_by_link(&device("1")).unwrap(), Some(second.after));
    assert_eq!(store.reads().account_by_link(&device("2")).unwrap(), Some(moved));
    store.close().unwrap();
}

/// Where a link was found is remembered; what is found is what is stored now.
#[test]
fn a_link_that_moves_is_found_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    let reader = store.reader();
    let second = device("second");
    let mut accounts = Vec::new();
    for name in ["1", "2"] {
        let made = create(store.as_ref(), &device(name), None);
        store.stage(&made).unwrap();
        accounts.push(made.after);
    }
    let link_to = |mut account: Account| {
        account.links.push(second.clone());
        account
    };
    let linked = link_to(accounts[0].clone());
    store.stage(&Change::of(Some(accounts[0].clone()), linked.clone())).unwrap();
    store.sync().unwrap();
    for _ in 0..2 {
        assert_eq!(reader.account_by_link(&second).unwrap(), Some(linked.clone()));
    }
    store.stage(&Change::of(Some(linked), accounts[0].clone())).unwrap();
    assert_eq!(store.reads().account_by_link(&second).unwrap(), None, "staged");
    store.sync().unwrap();
    assert_eq!(reader.account_by_link(&second).unwrap(), None);
    let linked = link_to(accounts[1].clone());
    store.stage(&Change::of(Some(accounts[1].clone()), linked.clone())).unwrap();
    assert_eq!(store.reads().account_by_link(&second).unwrap(), Some(linked.clone()), "staged");
    store.sync().unwrap();
    for _ in 0..2 {
        assert_eq!(reader.account_by_link(&second).unwrap(), Some(linked.clone()));
    }
    store.close().unwrap();
}

#[test]
fn an_unfinished_snapshot_is_removed_and_nothing_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(data.path());
    for number in 0..2_000_u64 {
        let change = create(store.as_ref(), &device(&number.to_string()), None);
        store.stage(&change).unwrap();
    }
    store.sync().unwrap();
    store.close().unwrap();

    let folder = data.path().join("accounts");
    let snapshot = snapshot(data.path());
    let bytes = std::fs::read(&snapshot).unwrap();
    let name = snapshot.file_name().unwrap().to_str().unwrap();
    let number = u64::from_str_radix(&name["snap.".len()..], 16).unwrap();
    let leftover = folder.join(format!("snap.{:016X}.generating", number + 1));
    std::fs::write(&leftover, &bytes[..bytes.len() / 2]).unwrap();

    // The test is worth something only while sled trips over such a file.
    let twin = tempfile::tempdir().unwrap();
    copy(data.path(), twin.path());
    let trips = std::panic::catch_unwind(|| raw(twin.path()).len());
    assert!(trips.is_err(), "sled opens with the leftover: it need not be removed any more");

    let store = open(data.path());
    assert!(!leftover.exists());
    assert_eq!(store.count(), 2_000);
    for number in 0..2_000_u64 {
        let link = device(&number.to_string());
        assert!(store.reads().account_by_link(&link).unwrap().is_some(), "{number}");
    }
    store.close().unwrap();
}

#[test]
fn newer_data_is_refused_with_words_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).close().unwrap();
    let db = raw(data.path());
    db.insert(keys::FORMAT, &7_u32.to_be_bytes()).unwrap();
    let_go(db, data.path());

    let Err(error) = SledStore::open(data.path(), &options()) else {
        panic!("newer data was opened");
    };
    assert!(matches!(error, StoreError::Newer { found: 7, known: 6 }));
    assert!(error.to_string().contains("newer version"), "{error}");
    let file = File::open(data.path().join("accounts/db")).unwrap();
    opening::wait_until_unlocked(&file).unwrap();
    let db = raw(data.path());
    assert_eq!(db.get(keys::FORMAT).unwrap().unwrap().as_ref(), 7_u32.to_be_bytes());
    let_go(db, data.path());
}

#[test]
fn a_folder_that_is_not_ours_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let db = raw(data.path());
    db.insert("something", "else").unwrap();
    let_go(db, data.path());
    let opened = SledStore::open(data.path(), &options());
    assert!(matches!(opened, Err(StoreError::Corrupt(_))));
}

/// Whoever opens again at once waits for sled's late unlock instead of failing.
#[test]
fn a_closed_store_can_be_opened_at_once() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        open(data.path()).close().unwrap();
        let_go(raw(data.path()), data.path());
    }
}

/// A start after a clean stop reads a snapshot and not the log.
#[test]
fn closing_leaves_a_snapshot_of_what_was_written() {
    let data = tempfile::tempdir().unwrap();
    let mut snapshots = Vec::new();
    for name in ["1", "2"] {
        let mut store = open(data.path());
        let change = create(store.as_ref(), &device(name), None);
        store.stage(&change).unwrap();
        store.sync().unwrap();
        store.close().unwrap();
        snapshots.push(snapshot(data.path()));
    }
    assert!(snapshots[0] < snapshots[1]);
    let store = open(data.path());
    assert_eq!(snapshot(data.path()), snapshots[1], "opening found nothing newer");
    assert_eq!(store.count(), 2);
    store.close().unwrap();
}

/// Ids say nothing about devices: another folder gives the same device another id.
#[test]
fn homes_differ_with_the_salt() {
    let [one, other] = [[1; 32], [2; 32]].map(|salt| Home::new(&salt).of(&device("1")));
    assert_ne!(one, other);
    assert_eq!(one, Home::new(&[1; 32]).of(&device("1")));
    let custom = Link { kind: crate::domain::account::LinkKind::Custom, ..device("1") };
    assert_ne!(one, Home::new(&[1; 32]).of(&custom));
    assert_eq!(one.0.get_version_num(), 4);
}

/// Cuts the power: what the disk holds is what was written when our last sync was called, and of
/// what was written after it any part may have got there or not. Copies the folder in place of the
/// sync; then lets the next commit write, takes some pages of that, and opens the mixture.
/// Everything acknowledged by then has to be there, whole.
#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    const COMMITS: u64 = 60;
    const EACH: u64 = 40;
    let (data, images) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let taken = Arc::new(Mutex::new(0_u64));
    let (folder, target) = (data.path().join("accounts"), images.path().to_owned());
    let taking = taken.clone();
    let options = Options {
        sync: Arc::new(move |file| {
            let mut number = taking.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            if number.is_multiple_of(10) {
                copy(&folder, &target.join(format!("{number}/accounts")));
            }
            file.sync_data()
        }),
        ..options()
    };
    let mut store = Box::new(SledStore::open(data.path(), &options).unwrap());
    let mut later = Vec::new();
    for commit in 1..=COMMITS {
        for number in 0..EACH {
            let link = device(&format!("{commit}-{number}"));
            let mut change = create(store.as_ref(), &link, None);
            change.redeemed = Some(crate::domain::account::PassUse {
                epoch: 1,
                number: commit * EACH + number,
                remember_until: UnixMicros::from_secs(9_999),
            });
            store.stage(&change).unwrap();
            // An update of an older account in the same commit.
            if let Some(link) = (commit > 1).then(|| device(&format!("{}-{number}", commit - 1))) {
                let before = store.reads().account_by_link(&link).unwrap().unwrap();
                let after = Account { display_name: "seen".into(), ..before.clone() };
                store.stage(&Change::of(Some(before), after)).unwrap();
            }
        }
        store.sync().unwrap();
        if commit % 10 == 1 && commit > 1 {
            later.push((commit - 1, std::fs::read(data.path().join("accounts/db")).unwrap()));
        }
    }
    store.close().unwrap();
    assert_eq!(later.len(), 5);

    for (commit, later) in later {
        for pattern in 0..4_u64 {
            let image = tempfile::tempdir().unwrap();
            copy(&images.path().join(commit.to_string()), image.path());
            tear(&image.path().join("accounts/db"), &later, pattern);
            let store = open(image.path());
            for earlier in 1..=commit {
                for number in 0..EACH {
                    let link = device(&format!("{earlier}-{number}"));
                    let account = store.reads().account_by_link(&link).unwrap();
                    let account = account.unwrap_or_else(|| panic!("{commit}/{pattern}: {link:?}"));
                    let seen = account.display_name == "seen";
                    assert!(seen || earlier >= commit, "{commit}/{pattern}: an update is lost");
                    let pass = earlier * EACH + number;
                    assert_eq!(store.redeemed_by(1, pass).unwrap(), Some(account.id));
                }
            }
            let count = store.count();
            assert!(count == commit * EACH || count == (commit + 1) * EACH, "whole or not at all");
            store.close().unwrap();
        }
    }
}

/// Lets some pages of what was written later reach the disk. Pattern 0: none.
fn tear(file: &Path, later: &[u8], pattern: u64) {
    const PAGE: usize = 4096;
    let mut disk = std::fs::read(file).unwrap();
    disk.resize(disk.len().max(later.len()), 0);
    for (page, bytes) in later.chunks(PAGE).enumerate() {
        let start = page * PAGE;
        let roll =
            (page as u64 + 1).wrapping_mul(pattern.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 63;
        if pattern != 0 && roll == 1 {
            disk[start..start + bytes.len()].copy_from_slice(bytes);
        }
    }
    std::fs::write(file, disk).unwrap();
}
