//! What is found again: after a stop, a crash, a full disk, damage.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::*;
use crate::domain::audit::{Broken, Entry, Head, What, Who, Why};
use crate::domain::time::UnixMicros;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

fn entry(n: u64) -> Entry {
    Entry::of(NOW.plus_us(n), Who::Settings, What::Cap { from: n, to: n + 1 })
}

/// Runs a writer to its end and returns what it said.
fn write<D: Disk>(files: Files<D>, numbers: std::ops::Range<u64>) -> Vec<Done> {
    write_with(files, numbers, 64 << 20)
}

fn write_with<D: Disk>(files: Files<D>, numbers: std::ops::Range<u64>, bytes: u64) -> Vec<Done> {
    let (writer, thread) = files.writer_with(bytes);
    for n in numbers {
        writer.record(entry(n)).unwrap();
    }
    drop(writer);
    let (tell, told) = mpsc::channel();
    thread.start(move |done| tell.send(done).unwrap()).unwrap();
    told.iter().collect()
}

fn last_head(told: &[Done]) -> Option<Head> {
    told.iter().rev().find_map(|done| match done {
        Done::Written { head, .. } => Some(*head),
        _ => None,
    })
}

fn opened(path: &Path) -> (Files, Found) {
    open(path, NOW).unwrap()
}

const SOUND: Found = Found { torn: 0, broken: None };

/// Records, breaks and unfinished bytes of a folder.
fn follow(path: &Path) -> (Vec<u64>, Vec<Broken>, u64) {
    let (mut records, mut broken, mut unfinished) = (Vec::new(), Vec::new(), 0);
    read(path, |item| {
        match item {
            Item::Record(seen, line) => {
                assert!(line.ends_with(b"\"}"));
                records.push(seen.head.seq);
            }
            Item::Broken(_, found) => broken.push(found),
            Item::Unfinished(bytes) => unfinished = bytes,
        }
        Ok(())
    })
    .unwrap();
    (records, broken, unfinished)
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_chain_goes_on_after_every_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut head = Head::START;
    for round in 0..4 {
        let (files, found) = opened(dir.path());
        assert_eq!((files.head(), found), (head, SOUND));
        let told = write(files, round * 5..round * 5 + 5);
        assert_eq!(told.last(), Some(&Done::Closed));
        head = last_head(&told).unwrap();
    }
    assert_eq!(follow(dir.path()), ((1..=20).collect(), vec![], 0));
    assert_eq!(files_of(dir.path()).len(), 1);
}

#[test]
fn the_chain_goes_on_across_files() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..6 {
        // Each group finds the file full.
        let told = write_with(opened(dir.path()).0, round * 3..round * 3 + 3, 1);
        assert_eq!(last_head(&told).unwrap().seq, round * 3 + 3);
    }
    let files = files_of(dir.path());
    assert_eq!(files.len(), 6);
    assert!(files[1].ends_with("audit-00000000000000000004.jsonl"), "{files:?}");
    assert_eq!(follow(dir.path()), ((1..=18).collect(), vec![], 0));

    // Old files may be taken away: what is left is still a chain. A gap is none.
    fs::rename(&files[0], dir.path().join("elsewhere")).unwrap();
    assert_eq!(follow(dir.path()), ((4..=18).collect(), vec![], 0));
    fs::rename(&files[3], dir.path().join("elsewhere")).unwrap();
    assert_eq!(follow(dir.path()).1, [Broken { seq: 13, why: Why::DoesNotFollow }]);
}

#[test]
fn a_torn_end_is_cut_off_whatever_its_length() {
    let dir = tempfile::tempdir().unwrap();
    let head = last_head(&write(opened(dir.path()).0, 0..3)).unwrap();
    let file = &files_of(dir.path())[0];
    let good = fs::read(file).unwrap();
    write(opened(dir.path()).0, 3..4);
    let longer = fs::read(file).unwrap();
    for length in good.len()..longer.len() {
        fs::write(file, &longer[..length]).unwrap();
        let torn = (length - good.len()) as u64;
        assert_eq!(follow(dir.path()), (vec![1, 2, 3], vec![], torn));
        let (files, found) = opened(dir.path());
        assert_eq!((files.head(), found), (head, Found { torn, broken: None }));
        assert_eq!(fs::read(file).unwrap(), good);
    }
    // The very first write was torn: the chain begins with the next one.
    fs::write(file, b"{\"seq\"").unwrap();
    let told = write(opened(dir.path()).0, 0..1);
    assert_eq!(last_head(&told).unwrap().seq, 1);
    assert_eq!(follow(dir.path()), (vec![1], vec![], 0));
}

#[test]
fn a_kill_between_two_files_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(opened(dir.path()).0, 0..3);
    fs::write(dir.path().join("audit-00000000000000000004.jsonl"), b"").unwrap();
    let (files, found) = opened(dir.path());
    assert_eq!((files.head().seq, found), (3, SOUND));
    write(files, 3..5);
    assert_eq!(follow(dir.path()), (vec![1, 2, 3, 4, 5], vec![], 0));
}

/// Damages the last of two files in every line: each time the server starts, says so on the record,
/// leaves the evidence alone, and what follows is a chain again.
#[test]
fn damage_is_left_alone_said_on_record_and_does_not_spread() {
    let whole = tempfile::tempdir().unwrap();
    write_with(opened(whole.path()).0, 0..3, 1);
    write_with(opened(whole.path()).0, 3..7, 1);
    let names = files_of(whole.path());
    let text = fs::read_to_string(&names[1]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let cap = |n: usize| format!("\"from\":{}", n + 3);
    for at in 0..lines.len() {
        let changed = lines[at].replace(&cap(at), "\"from\":99");
        let mut missing = lines.clone();
        missing.remove(at);
        let mut edited = lines.clone();
        edited[at] = &changed;
        let mut garbled = lines.clone();
        garbled[at] = "no record at all";
        for (damaged, is_end) in [(edited, false), (garbled, false), (missing, at == 3)] {
            let dir = tempfile::tempdir().unwrap();
            let here: Vec<PathBuf> =
                names.iter().map(|name| dir.path().join(name.file_name().unwrap())).collect();
            fs::copy(&names[0], &here[0]).unwrap();
            let damaged = damaged.join("\n") + "\n";
            fs::write(&here[1], &damaged).unwrap();

            let (files, found) = opened(dir.path());
            if is_end {
                // A chain whose end is gone is still a chain; a posted head tells.
                assert_eq!((files.head().seq, found), (6, SOUND));
                continue;
            }
            let broken = found.broken.unwrap();
            let shown = 4 + at as u64 + u64::from(broken.why == Why::DoesNotFollow);
            assert_eq!(broken.seq, shown, "{damaged}");
            let next = files.head().seq;
            assert_eq!(next, 8);
            write(files, 7..9);
            assert_eq!(fs::read_to_string(&here[1]).unwrap(), damaged);
            let (records, broken, _) = follow(dir.path());
            assert_eq!(broken.len(), 1, "{broken:?}");
            assert_eq!(records.last(), Some(&(next + 2)));
            let last = fs::read_to_string(files_of(dir.path()).last().unwrap()).unwrap();
            assert!(last.contains("\"kind\":\"chain_broken\""), "{last}");
            // Said once: the next start finds a good file.
            assert_eq!(opened(dir.path()).1, SOUND);
        }
    }
}

#[test]
fn whatever_lies_there_the_server_starts() {
    let long = vec![b'x'; 100_000];
    for garbage in [b"\n".as_slice(), b"\n\n\n", b"{}\n", &[0; 500], &long, b"\xff\xfe\n{"] {
        for name in ["audit-00000000000000000001.jsonl", "audit-00000000000000000009.jsonl"] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), garbage).unwrap();
            let told = write(opened(dir.path()).0, 0..2);
            assert_eq!(told.last(), Some(&Done::Closed));
            let told = write(opened(dir.path()).0, 2..4);
            assert_eq!(told.last(), Some(&Done::Closed));
            assert_eq!(opened(dir.path()).1, SOUND);
        }
    }
}

/// A disk that works `left` times more, and of what fails writes the first half.
struct Failing {
    folder: Folder,
    left: usize,
}

impl Failing {
    fn works(&mut self) -> bool {
        let works = self.left > 0;
        self.left = self.left.saturating_sub(1);
        works
    }
}

impl Disk for Failing {
    fn begin(&mut self, first: u64) -> io::Result<()> {
        let full = || io::Error::other("no space left on device");
        self.works().then(|| self.folder.begin(first)).ok_or_else(full)?
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.works() {
            return self.folder.append(lines);
        }
        self.folder.append(&lines[..lines.len() / 2])?;
        Err(io::Error::other("no space left on device"))
    }
}

#[test]
fn a_disk_that_fails_confirms_nothing_more_and_what_was_confirmed_is_there() {
    for left in 0..7 {
        let dir = tempfile::tempdir().unwrap();
        let files = opened(dir.path()).0.on(|folder| Failing { folder, left });
        let (writer, thread) = files.writer_with(1);
        let (tell, told) = mpsc::channel();
        thread.start(move |done| tell.send(done).unwrap()).unwrap();
        let mut confirmed = 0;
        let why = loop {
            // One by one, so that each is a write of its own; the first of a file begins it.
            let _ = writer.record(entry(confirmed));
            match told.recv().unwrap() {
                Done::Written { records, head } => {
                    confirmed += records;
                    assert_eq!(head.seq, confirmed);
                }
                Done::Failed(why) => break why,
                Done::Closed => panic!("nobody closed it"),
            }
        };
        assert!(why.contains("no space left"), "{why}");
        assert_eq!(confirmed, left as u64 / 2);
        // Nobody is there any more to take a record.
        assert!(told.recv().is_err());
        assert_eq!(writer.record(entry(0)), Err(NotTaken::Ended));

        let (files, found) = opened(dir.path());
        assert_eq!((files.head().seq, found.broken), (confirmed, None), "{left}");
        let told = write(files, 0..2);
        assert_eq!(last_head(&told).unwrap().seq, confirmed + 2);
        assert_eq!(follow(dir.path()), ((1..=confirmed + 2).collect(), vec![], 0));
    }
}

#[test]
fn too_many_records_are_refused_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, thread) = opened(dir.path()).0.writer();
    let mut taken = 0;
    while writer.record(entry(taken)).is_ok() {
        taken += 1;
    }
    assert_eq!((taken, writer.record(entry(taken))), (8_192, Err(NotTaken::Full)));
    drop(writer);
    let (tell, told) = mpsc::channel();
    thread.start(move |done| tell.send(done).unwrap()).unwrap();
    let told: Vec<Done> = told.iter().collect();
    assert_eq!(last_head(&told).unwrap().seq, taken);
    // They shared writes: most of them were waiting when the first was written.
    assert_eq!(told.len(), 9);
}
