//! Looks through the chain from its end, and checks it, with an end to the work.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use super::disk;
use super::reading::{Item, read_files};
use crate::domain::audit::{Head, Search, Seen};

/// Breaks that are told one by one.
const BREAKS_MAX: usize = 32;

/// Records that were looked for, the newest first.
#[derive(Debug, Default, PartialEq)]
pub struct Looked {
    /// They.
    pub records: Vec<Seen>,
    /// Where to go on; `None`: there is nothing before.
    pub next: Option<u64>,
}

/// What a check of the chain found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records that were read.
    pub records: u64,
    /// The first and the last of them.
    pub first: Option<u64>,
    /// The last record: what an operator may post.
    pub head: Option<Head>,
    /// Where the chain does not hold, the first [`BREAKS_MAX`]: the file, and what is wrong.
    pub breaks: Vec<(String, String)>,
    /// How many breaks there are.
    pub broken: u64,
    /// Whether the whole chain was read, and not only the newest files.
    pub is_whole: bool,
}

/// The newest records before number `before` that match, at most `limit`. Looks at whole files until
/// about `looked_max` records were looked at.
///
/// # Errors
///
/// A folder or file that cannot be read.
pub fn latest(
    folder: &Path,
    search: &Search,
    before: Option<u64>,
    (limit, looked_max): (usize, u64),
) -> io::Result<Looked> {
    let before = before.unwrap_or(u64::MAX);
    let files = disk::files(folder)?;
    let (mut found, mut looked_at) = (Looked::default(), 0_u64);
    for (first, path) in files.into_iter().rev().filter(|(first, _)| *first < before) {
        if found.records.len() >= limit || looked_at >= looked_max {
            found.next = found.next.or(Some(first.saturating_add(1)));
            return Ok(found);
        }
        let room = limit - found.records.len();
        let (mut kept, mut is_more) = (VecDeque::with_capacity(room), false);
        read_files(&[(first, path)], |item| {
            if let Item::Record(seen, _) = item {
                looked_at += 1;
                if seen.head.seq < before && search.matches(seen) {
                    if kept.len() == room {
                        kept.pop_front();
                        is_more = true;
                    }
                    kept.push_back(seen.clone());
                }
            }
            Ok(())
        })?;
        found.records.extend(kept.into_iter().rev());
        let last = found.records.last().map(|seen| seen.head.seq);
        found.next = if is_more || found.records.len() >= limit && first > 1 {
            last
        } else {
            (first > 1).then_some(first)
        };
        if is_more {
            return Ok(found);
        }
    }
    // There is no file before: whatever `next` says, nothing would be found.
    found.next = None;
    Ok(found)
}

/// Follows the chain through its newest files, until about `records_max` records were read.
///
/// # Errors
///
/// A folder or file that cannot be read.
pub fn check(folder: &Path, records_max: u64) -> io::Result<Checked> {
    let mut files = disk::files(folder)?;
    let last = files.last().map_or(0, |(first, _)| *first);
    // The numbers of the first records say how many each file has; the last one is always read.
    let from = files.iter().position(|(first, _)| last.saturating_sub(*first) <= records_max);
    let skipped = from.unwrap_or(0);
    files.drain(..skipped);
    let mut checked = Checked { is_whole: skipped == 0, ..Checked::default() };
    read_files(&files, |item| {
        match item {
            Item::Record(seen, _) => {
                checked.records += 1;
                checked.first.get_or_insert(seen.head.seq);
                checked.head = Some(seen.head);
            }
            Item::Broken(file, broken) => {
                checked.broken += 1;
                if checked.breaks.len() < BREAKS_MAX {
                    checked.breaks.push((file.to_owned(), broken.to_string()));
                }
            }
            Item::Unfinished(_) => {}
        }
        Ok(())
    })?;
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::domain::audit::{Entry, What, Who};
    use crate::domain::time::UnixMicros;
    use crate::store::audit::{Done, open};

    /// A chain of so many records, in files of about 1 kB.
    fn written(folder: &Path, records: u32) {
        let (files, _) = open(folder, UnixMicros(0)).unwrap();
        let (writer, thread) = files.writer_with(1_024);
        let (done, is_done) = mpsc::channel();
        thread
            .start(move |it| {
                if it == Done::Closed {
                    done.send(()).unwrap();
                }
            })
            .unwrap();
        for second in 0..records {
            let at = UnixMicros::from_secs(second.into());
            let what = if second % 3 == 0 {
                What::Cap { from: 1, to: second.into() }
            } else {
                What::Resume
            };
            writer.record(Entry::of(at, Who::Settings, what)).unwrap();
            // One at a time, so that files are begun in between.
            while check(folder, u64::MAX).unwrap().records <= second.into() {
                std::thread::yield_now();
            }
        }
        drop(writer);
        is_done.recv().unwrap();
    }

    #[test]
    fn pages_from_the_newest_to_the_oldest_leave_nothing_out() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), 30);
        assert!(disk::files(folder.path()).unwrap().len() > 3);
        let caps = Search { kinds: vec!["cap".into()], ..Search::default() };
        for (search, count) in [(Search::default(), 30), (caps, 10)] {
            for bounds in [(1, u64::MAX), (4, 1), (7, 5), (100, u64::MAX)] {
                let (mut all, mut before) = (Vec::new(), None);
                loop {
                    let looked = latest(folder.path(), &search, before, bounds).unwrap();
                    assert!(looked.records.len() <= bounds.0);
                    all.extend(looked.records.iter().map(|seen| seen.head.seq));
                    before = looked.next;
                    if before.is_none() {
                        break;
                    }
                }
                assert_eq!(all.len(), count, "{bounds:?}");
                assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
            }
        }
    }

    #[test]
    fn a_change_anywhere_shows_and_the_work_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), 30);
        let whole = check(folder.path(), u64::MAX).unwrap();
        assert_eq!((whole.records, whole.broken, whole.is_whole), (30, 0, true));
        let part = check(folder.path(), 5).unwrap();
        assert!(!part.is_whole && part.records < 15 && part.head == whole.head, "{part:?}");
        let (_, path) = disk::files(folder.path()).unwrap()[1].clone();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"kind\":\"resume\"", "\"kind\":\"Resume\"", 1))
            .unwrap();
        let broken = check(folder.path(), u64::MAX).unwrap();
        assert_eq!((broken.broken, broken.breaks.len()), (1, 1), "{broken:?}");
    }
}
