//! Tells somebody else every record, in order, once it is on disk: one line each, as it stands in
//! the chain. What is told is read from the chain's files, so a reader that is slow or away for a
//! while costs no memory, holds nothing up, and misses nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::disk;
use super::reading::Lines;
use crate::domain::audit::LINE_MAX;

/// Time between two tries when the other side takes nothing.
const RETRY: Duration = Duration::from_secs(1);

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, which is made and added to, or a named pipe.
    Path(PathBuf),
}

/// How far the stream is: numbers of records.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    on_disk: AtomicU64,
    told: AtomicU64,
}

impl Told {
    /// Records on disk that were not told yet.
    pub fn behind(&self) -> u64 {
        let told = self.0.told.load(Ordering::Acquire);
        self.0.on_disk.load(Ordering::Acquire).saturating_sub(told)
    }
}

/// The way to the stream's thread, which tells what there is and ends when this is dropped.
#[derive(Debug)]
pub struct Stream {
    progress: Told,
    wake: SyncSender<()>,
}

impl Stream {
    /// Starts to tell what comes after record `head`; a file goes on behind the last record it has.
    /// `ended` is called when everything was told, or could not be, after the stream was dropped.
    ///
    /// # Errors
    ///
    /// No thread to be had.
    pub fn start(
        folder: &Path,
        target: Target,
        head: u64,
        ended: impl FnOnce() + Send + 'static,
    ) -> io::Result<(Self, Told)> {
        let (wake, woken) = sync_channel(1);
        let progress = Told::default();
        progress.0.on_disk.store(head, Ordering::Release);
        progress.0.told.store(head, Ordering::Release);
        let teller = Teller {
            follower: Follower::after(folder, head),
            target,
            output: None,
            progress: progress.clone(),
            is_failing: false,
        };
        let run = move || {
            teller.run(&woken);
            ended();
        };
        std::thread::Builder::new().name("audit-stream".into()).spawn(run)?;
        Ok((Self { progress: progress.clone(), wake }, progress))
    }

    /// Record `seq` and all before it are on disk. Does not wait.
    pub fn reaches(&self, seq: u64) {
        self.progress.0.on_disk.store(seq, Ordering::Release);
        // One that is full wakes it, too.
        let _ = self.wake.try_send(());
    }
}

struct Teller {
    follower: Follower,
    target: Target,
    output: Option<Box<dyn Write + Send>>,
    progress: Told,
    is_failing: bool,
}

impl Teller {
    fn run(mut self, woken: &Receiver<()>) {
        loop {
            let told = self.tell();
            match (&told, self.is_failing) {
                (Err(error), false) => {
                    tracing::error!(%error, target = ?self.target, "the audit stream stands still");
                }
                (Ok(()), true) => tracing::info!("the audit stream goes on"),
                _ => {}
            }
            self.is_failing = told.is_err();
            if self.is_failing {
                self.output = None;
            }
            let next = if self.is_failing {
                woken.recv_timeout(RETRY)
            } else {
                woken.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            if next == Err(RecvTimeoutError::Disconnected) {
                // The last ones; whoever closed it waits only so long.
                let _ = self.tell();
                return;
            }
        }
    }

    fn tell(&mut self) -> io::Result<()> {
        let Self { follower, target, output, progress, .. } = self;
        let output = match output {
            Some(output) => output,
            None => output.insert(open(target, follower)?),
        };
        let until = progress.0.on_disk.load(Ordering::Acquire);
        while let Some(seq) = follower.next(until)? {
            if let Err(error) = output.write_all(&follower.line).and_then(|()| output.flush()) {
                follower.back_to(seq.saturating_sub(1));
                return Err(error);
            }
            progress.0.told.store(seq, Ordering::Release);
        }
        Ok(())
    }
}

/// Opens the other side; of a file, the follower goes on where it ends.
fn open(target: &Target, follower: &mut Follower) -> io::Result<Box<dyn Write + Send>> {
    let Target::Path(path) = target else {
        return Ok(Box::new(io::stdout()));
    };
    let is_pipe = path.metadata().is_ok_and(|about| !about.is_file());
    let mut file = OpenOptions::new().read(!is_pipe).append(true).create(!is_pipe).open(path)?;
    if !is_pipe {
        let (last, is_whole) = end(&mut file)?;
        if let Some(last) = last {
            follower.back_to(last);
        }
        if !is_whole {
            file.write_all(b"\n")?;
        }
    }
    Ok(Box::new(file))
}

/// The number of the last record in a file, and whether it ends with a line feed or is empty.
fn end(file: &mut File) -> io::Result<(Option<u64>, bool)> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LINE_MAX as u64)))?;
    let mut text = Vec::new();
    file.take(2 * LINE_MAX as u64).read_to_end(&mut text)?;
    let is_whole = text.is_empty() || text.ends_with(b"\n");
    let mut whole = text.rsplit(|byte| *byte == b'\n').skip(1);
    Ok((whole.find_map(number), is_whole))
}

/// The number of a record's line.
fn number(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"seq\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// Reads the chain's files on, as they grow.
struct Follower {
    folder: PathBuf,
    /// The number of the next record.
    next: u64,
    /// The file that is read, by the number of its first record.
    file: Option<(u64, Lines)>,
    line: Vec<u8>,
}

impl Follower {
    fn after(folder: &Path, seq: u64) -> Self {
        let next = seq.saturating_add(1);
        Self { folder: folder.to_owned(), next, file: None, line: Vec::new() }
    }

    /// Goes back, so that the record after this one is the next.
    fn back_to(&mut self, seq: u64) {
        if seq.saturating_add(1) < self.next {
            *self = Self::after(&self.folder, seq);
        }
    }

    /// The next record up to `until`, which must be on disk: its number. Its line, with a line feed,
    /// is in `line` then.
    fn next(&mut self, until: u64) -> io::Result<Option<u64>> {
        while self.next <= until {
            let Some((first, lines)) = &mut self.file else {
                let Some((first, path)) = self.file_of(self.next)? else { return Ok(None) };
                self.file = Some((first, Lines::open(&path)?));
                continue;
            };
            let Some(line) = lines.next()? else {
                let after = *first;
                let mut files = disk::files(&self.folder)?.into_iter();
                let Some((first, path)) = files.find(|(first, _)| *first > after) else {
                    return Ok(None);
                };
                self.file = Some((first, Lines::open(&path)?));
                continue;
            };
            // Damage has no number, and is left out.
            let seq = number(line.text).filter(|seq| (self.next..=until).contains(seq));
            if let Some(seq) = seq {
                self.line.clear();
                self.line.extend_from_slice(line.text);
                self.line.push(b'\n');
                self.next = seq.saturating_add(1);
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// The file a record is in; where that is gone, the next one.
    fn file_of(&self, seq: u64) -> io::Result<Option<(u64, PathBuf)>> {
        let files = disk::files(&self.folder)?;
        let behind = files.partition_point(|(first, _)| *first <= seq);
        Ok(files.into_iter().nth(behind.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc;

    use super::*;
    use crate::domain::audit::{Entry, What, Who};
    use crate::domain::time::UnixMicros;
    use crate::store::audit;

    /// Adds records, in files of their own each time, and says how many there are.
    fn write(folder: &Path, records: u64) -> u64 {
        let (files, _) = audit::open(folder, UnixMicros(7)).unwrap();
        let (writer, thread) = files.writer_with(1);
        for n in 0..records {
            let what = What::Cap { from: n, to: n + 1 };
            writer.record(Entry::of(UnixMicros(n), Who::Settings, what)).unwrap();
        }
        drop(writer);
        let (tell, told) = mpsc::channel();
        thread.start(move |done| tell.send(done).unwrap()).unwrap();
        told.iter().count();
        audit::open(folder, UnixMicros(7)).unwrap().0.head().seq
    }

    fn chain(folder: &Path) -> String {
        let files = disk::files(folder).unwrap();
        files.iter().map(|(_, path)| fs::read_to_string(path).unwrap()).collect()
    }

    /// Streams what comes after `head` until all of `until` is told.
    fn stream(folder: &Path, to: &Path, head: u64, until: u64) {
        let (ended, has_ended) = mpsc::channel::<()>();
        let target = Target::Path(to.to_owned());
        let (stream, told) = Stream::start(folder, target, head, move || drop(ended)).unwrap();
        stream.reaches(until);
        drop(stream);
        assert!(has_ended.recv().is_err());
        assert_eq!(told.behind(), 0);
    }

    #[test]
    fn every_record_is_told_once_in_order_across_files_and_starts() {
        let folder = tempfile::tempdir().unwrap();
        let (chained, out) = (folder.path().join("audit"), folder.path().join("out.jsonl"));
        write(&chained, 3);
        let six = write(&chained, 3);
        stream(&chained, &out, 0, six);
        assert_eq!(fs::read_to_string(&out).unwrap(), chain(&chained));
        // What was written while nobody told it is told at the next start.
        write(&chained, 2);
        let nine = write(&chained, 1);
        stream(&chained, &out, nine, nine);
        assert_eq!(fs::read_to_string(&out).unwrap(), chain(&chained));
    }

    #[test]
    fn half_a_line_is_ended_and_its_record_told_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (chained, out) = (folder.path().join("audit"), folder.path().join("out.jsonl"));
        let head = write(&chained, 3);
        let all = chain(&chained);
        fs::write(&out, &all[..all.len() - 20]).unwrap();
        stream(&chained, &out, head, head);
        let told = fs::read_to_string(&out).unwrap();
        let last = all.lines().last().unwrap();
        assert_eq!(told, format!("{}\n{last}\n", &all[..all.len() - 20]));
    }

    #[test]
    fn who_cannot_be_told_is_told_later_from_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let (chained, away) = (folder.path().join("audit"), folder.path().join("away"));
        let (ended, has_ended) = mpsc::channel::<()>();
        let target = Target::Path(away.join("out.jsonl"));
        let (stream, told) = Stream::start(&chained, target, 0, move || drop(ended)).unwrap();
        let head = write(&chained, 3);
        stream.reaches(head);
        assert_eq!(told.behind(), 3, "its folder is not there");
        fs::create_dir(&away).unwrap();
        drop(stream);
        assert!(has_ended.recv().is_err());
        assert_eq!(fs::read_to_string(away.join("out.jsonl")).unwrap(), chain(&chained));
    }
}
