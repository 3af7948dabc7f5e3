//! What is found again: after an orderly stop, a crash, a torn write, damage.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::config::Config;
use crate::domain::queue::{Identity, Lane, Number, Queue, Settings, Standing};
use crate::domain::time::UnixMicros;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const EPOCH: u32 = 7;

fn settings() -> Settings {
    Settings { rate: 0.0, ..Config::default().queue.settings() }
}

fn empty_queue() -> Queue {
    Queue::new(settings(), EPOCH, NOW)
}

fn place(number: u64) -> Place {
    Place { number: Number(number), identity: Identity(number + 1_000), lane: Lane::Standard }
}

/// A line in use, with these places on disk.
fn line_with(folder: &Path, places: &[Place]) {
    let (mut files, found) = open(folder).unwrap();
    assert!(matches!(found.start, Start::Empty { .. }));
    files.begin(EPOCH, &empty_queue().snapshot(NOW)).unwrap();
    files.reserve(Number(500)).unwrap();
    files.begin_log(&[]).unwrap();
    let told = write(files, places.iter().copied().map(Order::Place).collect());
    let kept = told.iter().map(|done| if let Done::Places(more) = done { *more } else { 0 });
    assert_eq!(kept.sum::<u64>(), places.len() as u64);
}

/// Runs a writer to its end and returns what it said.
fn write(files: Files, orders: Vec<Order>) -> Vec<Done> {
    let (writer, thread) = files.writer();
    for order in orders {
        writer.order(order);
    }
    drop(writer);
    let (tell, told) = mpsc::channel();
    thread.start(move |done| tell.send(done).unwrap()).unwrap();
    told.iter().collect()
}

fn places_found(folder: &Path) -> Vec<Place> {
    match open(folder).unwrap().1.start {
        Start::Continue { places, reserved_until, .. } => {
            assert_eq!(reserved_until, Number(500));
            places
        }
        Start::Empty { .. } => panic!("the line is gone"),
    }
}

#[test]
fn places_and_numbers_are_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let places: Vec<Place> = (10..40).map(place).collect();
    line_with(dir.path(), &places);
    assert_eq!(places_found(dir.path()), places);
    // Opening changes nothing: again.
    assert_eq!(places_found(dir.path()), places);
}

#[test]
fn only_an_orderly_stop_is_clean_and_only_until_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    line_with(dir.path(), &[place(1)]);
    let clean = || match open(dir.path()).unwrap() {
        (files, Found { start: Start::Continue { clean, .. }, .. }) => (files, clean),
        _ => panic!("the line is gone"),
    };
    let (files, was_clean) = clean();
    assert!(!was_clean);
    let last = Box::new(empty_queue().snapshot(NOW));
    assert_eq!(write(files, vec![Order::Close(last)]), [Done::Closed]);
    let (mut files, was_clean) = clean();
    assert!(was_clean);
    files.reserve(Number(600)).unwrap();
    assert!(!clean().1);
}

#[test]
fn a_torn_end_is_cut_off_and_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("line.log");
    line_with(dir.path(), &[place(1), place(2)]);
    for torn in [&b"x"[..], &[0; 20], &[0; 21], &[0xff; 333]] {
        let len = fs::metadata(&log).unwrap().len();
        OpenOptions::new().append(true).open(&log).unwrap().write_all(torn).unwrap();
        assert_eq!(places_found(dir.path()), [place(1), place(2)]);
        assert_eq!(fs::metadata(&log).unwrap().len(), len, "the torn end is gone");
    }
    OpenOptions::new().append(true).open(&log).unwrap().write_all(b"torn").unwrap();
    let (files, _) = open(dir.path()).unwrap();
    write(files, vec![Order::Place(place(3))]);
    assert_eq!(places_found(dir.path()), [place(1), place(2), place(3)]);
}

#[test]
fn damage_starts_a_new_epoch_and_carries_the_places_over() {
    for file in ["line.snapshot", "line.numbers"] {
        let dir = tempfile::tempdir().unwrap();
        line_with(dir.path(), &[place(5), place(6)]);
        let path = dir.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (mut files, found) = open(dir.path()).unwrap();
        assert!(matches!(found.start, Start::Empty { used } if used.contains(&EPOCH)), "{file}");
        assert_eq!(found.carried, [place(5), place(6)]);
        assert_eq!(fs::read(dir.path().join(format!("{file}.damaged"))).unwrap(), bytes);
        // Killed at any moment before the new line has its log: the places are still carried.
        assert_eq!(open(dir.path()).unwrap().1.carried.len(), 2);
        files.begin(EPOCH + 1, &Queue::new(settings(), EPOCH + 1, NOW).snapshot(NOW)).unwrap();
        let again = open(dir.path()).unwrap().1;
        assert!(matches!(again.start, Start::Continue { places, .. } if places.is_empty()));
        assert_eq!(again.carried.len(), 2);
        files.begin_log(&[place(1), place(2)]).unwrap();
        let settled = open(dir.path()).unwrap().1;
        assert!(matches!(settled.start, Start::Continue { places, .. } if places.len() == 2));
        assert!(settled.carried.is_empty());
    }
}

#[test]
fn a_log_without_its_head_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    line_with(dir.path(), &[place(5)]);
    fs::write(dir.path().join("line.log"), b"short").unwrap();
    assert_eq!(places_found(dir.path()), []);
    assert_eq!(fs::read(dir.path().join("line.log.damaged")).unwrap(), b"short");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    for file in ["line.snapshot", "line.numbers", "line.log"] {
        let dir = tempfile::tempdir().unwrap();
        line_with(dir.path(), &[place(5)]);
        let path = dir.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[5] += 1;
        fs::write(&path, &bytes).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(error, LineFileError::Newer { version: 2, .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn what_a_crash_left_half_written_is_ignored_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    line_with(dir.path(), &[place(5)]);
    for file in ["line.snapshot.tmp", "line.numbers.tmp", "line.log.tmp"] {
        fs::write(dir.path().join(file), b"half").unwrap();
    }
    assert_eq!(places_found(dir.path()), [place(5)]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_kill_before_the_first_number_is_a_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let (mut files, _) = open(dir.path()).unwrap();
    files.begin(EPOCH, &empty_queue().snapshot(NOW)).unwrap();
    fs::remove_file(dir.path().join("line.snapshot")).unwrap();
    let found = open(dir.path()).unwrap().1;
    assert!(matches!(found.start, Start::Empty { used } if used == [EPOCH]));
    assert!(!dir.path().join("line.numbers.damaged").exists());
}

#[test]
fn of_an_identity_with_two_numbers_the_later_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let again = Place { number: Number(9), ..place(5) };
    line_with(dir.path(), &[place(5), place(6), again]);
    fs::remove_file(dir.path().join("line.snapshot")).unwrap();
    assert_eq!(open(dir.path()).unwrap().1.carried, [place(6), again]);
}

#[test]
fn a_log_of_players_who_have_left_is_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let (mut files, _) = open(dir.path()).unwrap();
    let mut queue = empty_queue();
    files.begin(EPOCH, &queue.snapshot(NOW)).unwrap();
    files.reserve(Number(100_000)).unwrap();
    queue.grant_numbers(Number(100_000));
    files.begin_log(&[]).unwrap();
    let places: Vec<Place> = (1..=60_000_u64)
        .map(|who| match queue.enter(NOW, Identity(who), Lane::Standard) {
            Standing::Waiting(waiting) => Place {
                number: waiting.ticket.number,
                identity: Identity(who),
                lane: Lane::Standard,
            },
            other => panic!("the line is held: {other:?}"),
        })
        .collect();
    let (stay, go): (Vec<Place>, Vec<Place>) =
        places.iter().partition(|place| place.identity.0 % 100 == 0);
    for place in &go {
        assert!(queue.leave(NOW, place.number));
    }
    let mut orders: Vec<Order> = places.into_iter().map(Order::Place).collect();
    orders.push(Order::Snapshot(Box::new(queue.snapshot(NOW))));
    let late = Place { number: Number(70_000), identity: Identity(70_000), lane: Lane::Low };
    orders.push(Order::Place(late));
    assert_eq!(write(files, orders).last(), Some(&Done::Places(1)));
    let log = fs::metadata(dir.path().join("line.log")).unwrap().len();
    assert!(log < 20_000, "{log} bytes for {} places", stay.len());
    let found = open(dir.path()).unwrap().1.start;
    let Start::Continue { places, .. } = found else { panic!("gone") };
    assert_eq!(places, [stay, vec![late]].concat());
}
