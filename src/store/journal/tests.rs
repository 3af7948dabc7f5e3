//! The journal on a real disk.

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::queue::Number;
use crate::domain::queue::journal::Bounds;
use crate::domain::time::UnixMicros;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const BOUNDS: Bounds = Bounds { bytes_max: 1 << 20, keep_us: 3_600_000_000 };

fn head(after_s: u64) -> Head {
    Head {
        program: "0.1.0".to_owned(),
        epoch: 5,
        since: Since::Start,
        began_at: NOW.plus_secs(after_s),
        next: Number(after_s),
    }
}

/// Writes segments of one block each.
fn written(folder: &Path, bounds: Bounds, segments: &[(u64, usize)]) -> u64 {
    let mut journal = Journal::open(folder.to_owned(), bounds).unwrap();
    for &(after_s, bytes) in segments {
        assert!(journal.begin(head(after_s), vec![7; bytes]));
        assert!(journal.add(vec![8; 100]));
    }
    let figures = journal.figures().clone();
    journal.close();
    figures.bytes.load(std::sync::atomic::Ordering::Relaxed)
}

fn serials(folder: &Path) -> Vec<u64> {
    list(folder).unwrap().into_iter().map(|summary| summary.serial).collect()
}

#[test]
fn what_was_written_is_read_and_the_next_start_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(folder.path(), BOUNDS, &[(0, 50), (10, 60)]);
    written(folder.path(), BOUNDS, &[(20, 70)]);
    assert_eq!(serials(folder.path()), [0, 1, 2]);
    let found = list(folder.path()).unwrap();
    assert_eq!(found[0].bytes + found[1].bytes, bytes);
    let read = read(&found[1].path).unwrap();
    assert_eq!((read.head, read.state.len(), read.torn), (head(10), 60, 0));
    assert_eq!(read.blocks, [vec![8; 100]]);
}

#[test]
fn a_torn_or_damaged_end_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), BOUNDS, &[(0, 50)]);
    let path = list(folder.path()).unwrap().remove(0).path;
    let whole = fs::read(&path).unwrap();
    for cut in 1..=109 {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let read = read(&path).unwrap();
        assert_eq!((read.blocks.len(), read.torn), (0, 109 - cut), "{cut}");
    }
    let mut damaged = whole.clone();
    let last = damaged.len() - 3;
    damaged[last] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert_eq!(read(&path).unwrap().blocks.len(), 0);
    damaged[20] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Damaged(_))));
    let mut newer = whole;
    newer[4] = 9;
    fs::write(&path, &newer).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Newer(9))));
    assert_eq!(serials(folder.path()), [0_u64; 0]);
    // What cannot be read is not written over.
    written(folder.path(), BOUNDS, &[(1, 50)]);
    assert_eq!(serials(folder.path()), [1]);
}

#[test]
fn the_oldest_go_first_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    // Room for two and a half: each has its state and as much for what goes in.
    let bounds = Bounds { bytes_max: 800_000, ..BOUNDS };
    let bytes = written(folder.path(), bounds, &[(0, 200_000), (1, 200_000), (2, 200_000)]);
    assert_eq!(serials(folder.path()), [1, 2]);
    assert!(bytes <= bounds.bytes_max, "{bytes}");
    written(folder.path(), bounds, &[(3_601, 100)]);
    assert_eq!(serials(folder.path()), [1, 2, 3], "the first ended an hour ago, not more");
    written(folder.path(), bounds, &[(3_604, 100)]);
    assert_eq!(serials(folder.path()), [2, 3, 4]);
}

#[test]
fn a_state_that_does_not_fit_and_a_disk_that_fails_are_a_gap_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path().to_owned(), BOUNDS).unwrap();
    assert!(journal.begin(head(0), vec![7; 600_000]));
    while journal.add(vec![8; 10]) {
        std::thread::yield_now();
    }
    assert!(journal.begin(head(1), vec![7; 10]), "the next one may be shorter");
    assert!(journal.add(vec![8; 10]));
    journal.close();
    assert_eq!(serials(folder.path()), [0]);
    assert!(!journal.add(vec![8; 10]), "closed");
}
