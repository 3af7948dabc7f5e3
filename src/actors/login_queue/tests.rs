//! The line as its callers see it: restarts, crashes, a disk that fails or hangs, too many callers.
//!
//! A crash is a copy of the folder as it is at some moment, opened as if the process had died then.

mod holders;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc;

use futures_util::future::join_all;
use tempfile::TempDir;

use super::opening::Ready;
use super::*;
use crate::actors::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids::Dice;
use crate::store::line::{self, Disk, Folder, Kind, Place};
use crate::store::lottery::Lotteries;

const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);

fn config() -> Config {
    let mut config = Config::default();
    config.queue.rate = 0.0;
    config
}

fn seeds() -> LineSeeds {
    LineSeeds { epoch: 41, identity_key: [9; 16], kept: false, dice: Dice::seeded(1) }
}

fn open(data: &Path) -> (Line, Stopped) {
    open_at(data, &Clock::manual(START))
}

fn open_at(data: &Path, clock: &Clock) -> (Line, Stopped) {
    let audit = audit(data);
    Line::open(&config(), data, clock.clone(), &seeds(), &[], &audit).unwrap()
}

fn audit(data: &Path) -> Audit {
    Audit::open(data, Clock::manual(START), &[9; 32], None).unwrap().0
}

fn lotteries(data: &Path) -> Lotteries {
    Lotteries::open(&data.join("lottery")).unwrap()
}

/// The folder as a kill at this moment would leave it.
fn crash(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("queue")).unwrap();
    for entry in fs::read_dir(data.join("queue")).unwrap() {
        let from = entry.unwrap().path();
        // A temporary file may be renamed while we look at it; the journal is no part of recovery.
        if from.is_file() && from.extension().is_none_or(|extension| extension != "tmp") {
            fs::copy(&from, copy.path().join("queue").join(from.file_name().unwrap())).unwrap();
        }
    }
    copy
}

fn ticket(standing: Standing) -> TicketRef {
    match standing {
        Standing::Waiting(waiting) => waiting.ticket,
        other => panic!("should wait: {other:?}"),
    }
}

fn position(checked: Checked) -> u64 {
    match checked {
        Checked::Standing(Standing::Waiting(waiting)) => waiting.position,
        other => panic!("should wait: {other:?}"),
    }
}

async fn enter(line: &Line, who: u64) -> TicketRef {
    ticket(line.enter(Identity(who), Lane::Standard).await.unwrap())
}

#[actix::test]
async fn an_orderly_restart_keeps_every_place() {
    let data = tempfile::tempdir().unwrap();
    let (line, stopped) = open(data.path());
    let mut tickets = Vec::new();
    for who in 0..20 {
        // Every other one has a name, the rest are bound to their tickets.
        tickets.push(enter(&line, if who % 2 == 0 { 0 } else { who }).await);
    }
    assert!(line.leave(tickets[3]).await.unwrap());
    assert!(!line.leave(tickets[3]).await.unwrap());
    line.close().await;
    assert_eq!(stopped.await, Ended::Closed);
    line.close().await;
    assert_eq!(line.check(tickets[0]).await, Err(CallError::NoAnswer));

    let (line, _stopped) = open(data.path());
    let shown = [0, 1, 2, 4, 19].map(|at: usize| tickets[at]);
    for (ticket, place) in shown.into_iter().zip([1, 2, 3, 4, 19]) {
        assert_eq!(position(line.check(ticket).await.unwrap()), place);
    }
    assert_eq!(enter(&line, 19).await.number, tickets[19].number);
    assert!(enter(&line, 100).await.number > tickets[19].number);
}

#[actix::test]
async fn a_crash_at_any_moment_keeps_acknowledged_places() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let mut known = Vec::new();
    for round in 0..10_u64 {
        let arrivals = (0..20).map(|n| round * 20 + n + 1);
        known.extend(join_all(arrivals.map(|who| enter(&line, who))).await);
        if round == 4 {
            line.set_cap(77).await.unwrap();
        }
        let copy = crash(data.path());
        let (after, _stopped) = open(copy.path());
        for ticket in &known {
            assert_eq!(enter(&after, ticket.identity.0).await.number, ticket.number, "{round}");
        }
        assert!(enter(&after, 9_999).await.number > known.last().unwrap().number);
    }
}

/// Admitted on the spot there is no place to write; when the pass lapses and its owner comes back to
/// wait, there is.
#[actix::test]
async fn a_place_that_began_as_a_pass_survives_a_crash() {
    let (data, clock) = (tempfile::tempdir().unwrap(), Clock::manual(START));
    let mut open_gate = config();
    open_gate.queue.rate = 1.0;
    let (line, _stopped) =
        Line::open(&open_gate, data.path(), clock.clone(), &seeds(), &[], &audit(data.path()))
            .unwrap();
    let passed = line.enter(Identity(7), Lane::Standard).await.unwrap();
    let Standing::Passed { ticket: pass, on_the_spot: true, .. } = passed else {
        panic!("should pass: {passed:?}");
    };
    line.set_rate(0.0).await.unwrap();
    clock.advance_ms(u64::from(open_gate.queue.pass_ttl_s) * 1_000 + 1_000);
    line.turn().await;
    assert_eq!(enter(&line, 7).await.number, pass.number);

    let crashed = crash(data.path());
    let (line, _stopped) = open_at(crashed.path(), &clock);
    assert_eq!(enter(&line, 7).await.number, pass.number);
}

#[actix::test]
async fn a_ticket_finds_its_place_after_a_crash_though_nothing_was_written_for_it() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let mut tickets = Vec::new();
    for _ in 0..30 {
        tickets.push(enter(&line, 0).await);
    }
    let copy = crash(data.path());
    let (after, _stopped) = open(copy.path());
    let mut last = 0;
    for ticket in tickets {
        let place = position(after.check(ticket).await.unwrap());
        assert!(place > last, "in the old order");
        last = place;
    }
}

#[actix::test]
async fn no_number_is_given_twice_however_often_it_crashes() {
    let mut data = tempfile::tempdir().unwrap();
    let mut given = HashSet::new();
    for round in 0..8_u64 {
        let (line, _stopped) = open(data.path());
        for who in 0..(round * 200) {
            let identity = if who % 50 == 0 { round * 10_000 + who + 1 } else { 0 };
            let ticket = enter(&line, identity).await;
            assert!(given.insert((ticket.epoch, ticket.number)), "{ticket:?} in round {round}");
        }
        if round % 3 == 2 {
            line.close().await;
        }
        data = crash(data.path());
    }
}

#[actix::test]
async fn a_flood_is_not_told_that_the_line_is_full() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let all = (0..6_000).map(|_| enter(&line, 0));
    let numbers: HashSet<Number> = join_all(all).await.iter().map(|ticket| ticket.number).collect();
    assert_eq!(numbers.len(), 6_000);
}

#[actix::test]
async fn a_pause_survives_a_crash_right_after_its_answer() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    assert!(line.figures().await.unwrap().mode.admits());
    line.announce(Announcement::pause()).await.unwrap();
    let copy = crash(data.path());
    let (after, _stopped) = open(copy.path());
    assert!(!after.figures().await.unwrap().mode.admits());
    after.announce(Announcement::open()).await.unwrap();
    let copy = crash(copy.path());
    assert!(open(copy.path()).0.figures().await.unwrap().mode.admits());
}

#[actix::test]
async fn damage_costs_tickets_their_place_but_keeps_the_order_of_the_others() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let anonymous = enter(&line, 0).await;
    for who in [5, 3, 8] {
        enter(&line, who).await;
    }
    let copy = crash(data.path());
    let snapshot = copy.path().join("queue/line.snapshot");
    let mut bytes = fs::read(&snapshot).unwrap();
    let last = bytes.len() - 6;
    bytes[last] ^= 0x40;
    fs::write(&snapshot, bytes).unwrap();

    let (after, _stopped) = open(copy.path());
    assert!(snapshot.with_extension("snapshot.damaged").exists());
    let anew = join_all([5, 3, 8].map(|who| enter(&after, who))).await;
    assert!(anew.iter().all(|ticket| ticket.epoch != anonymous.epoch));
    assert!(anew.is_sorted_by_key(|ticket| ticket.number));
    assert_eq!(after.check(anonymous).await, Ok(Checked::Forgotten));
    assert!(!after.leave(anonymous).await.unwrap());
    // And that is on disk as well.
    let (again, _stopped) = open(crash(copy.path()).path());
    assert_eq!(join_all([5, 3, 8].map(|who| enter(&again, who))).await, anew);
}

#[actix::test]
async fn polls_of_one_turn_get_their_own_answers() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let mut tickets = Vec::new();
    for _ in 0..300 {
        tickets.push(enter(&line, 0).await);
    }
    let answers = join_all(tickets.iter().rev().map(|ticket| line.check(*ticket))).await;
    let places: Vec<u64> = answers.into_iter().map(|answer| position(answer.unwrap())).collect();
    assert_eq!(places, (1..=300).rev().collect::<Vec<_>>());
}

#[actix::test]
async fn a_thread_without_a_loop_of_actix_may_ask_too() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let ticket = enter(&line, 0).await;
    let plain = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(line.check(ticket))
    });
    assert_eq!(position(plain.join().unwrap().unwrap()), 1);
}

#[actix::test]
async fn time_passes_when_the_clock_is_turned() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let (line, _stopped) = open_at(data.path(), &clock);
    let ticket = enter(&line, 0).await;
    line.set_rate(10.0).await.unwrap();
    for _ in 0..20 {
        clock.advance_ms(1_000);
        line.turn().await;
    }
    let now = line.check(ticket).await.unwrap();
    assert!(
        matches!(now, Checked::Standing(Standing::Passed { on_the_spot: false, .. })),
        "{now:?}"
    );
}

#[actix::test]
async fn an_identity_is_keyed_and_never_nobody() {
    let data = tempfile::tempdir().unwrap();
    let (line, _stopped) = open(data.path());
    let device = line.identity("device", "abc");
    assert_eq!(device, line.identity("device", "abc"));
    assert_ne!(device, line.identity("custom", "abc"));
    assert_ne!(line.identity("devic", "eabc"), device);
    assert_ne!(device, Identity::ANONYMOUS);
    let other_data = tempfile::tempdir().unwrap();
    let other_key = LineSeeds { identity_key: [8; 16], ..seeds() };
    let clock = Clock::manual(START);
    let (other, _stopped) =
        Line::open(&config(), other_data.path(), clock, &other_key, &[], &audit(other_data.path()))
            .unwrap();
    assert_ne!(device, other.identity("device", "abc"));
    assert!(!format!("{other_key:?}").contains('8'), "the key is not shown");
}

#[actix::test]
async fn a_panic_ends_the_line_and_says_so() {
    let data = tempfile::tempdir().unwrap();
    let (line, stopped) = open(data.path());
    let ticket = enter(&line, 0).await;
    line.0.addr.try_send(Ask::Panic).unwrap();
    let late = line.enter(Identity(4), Lane::Standard).await;
    assert_eq!(late, Err(CallError::NoAnswer));
    assert!(matches!(stopped.await, Ended::Failed(why) if why.contains("panicked")));
    assert_eq!(line.check(ticket).await, Err(CallError::NoAnswer));
    line.disconnect(Player(1), Departure::Dropped);
    line.close().await;
}

/// A disk that waits for leave before each append, and fails when it gets none.
struct Grudging {
    folder: Folder,
    leave: mpsc::Receiver<()>,
}

impl Disk for Grudging {
    fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.leave.recv().map_err(|_| io::Error::other("no space left on device"))?;
        self.folder.append(records)
    }

    fn replace(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        self.folder.replace(kind, bytes)
    }

    fn rewrite(&mut self, keep: &mut dyn FnMut(Place) -> bool) -> io::Result<u64> {
        self.folder.rewrite(keep)
    }
}

/// A disk whose power is cut: `image` holds what was there when a sync last returned, and no more.
struct Unplugged {
    folder: Folder,
    data: std::path::PathBuf,
    image: std::path::PathBuf,
}

impl Unplugged {
    /// To be called when a sync has returned.
    fn is_synced(&self) -> io::Result<()> {
        for kind in [Kind::Numbers, Kind::Snapshot, Kind::Log] {
            let file = format!("queue/{}", kind.file());
            fs::copy(self.data.join(&file), self.image.join(&file))?;
        }
        Ok(())
    }
}

impl Disk for Unplugged {
    fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.folder.append(records)?;
        self.is_synced()
    }

    fn replace(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        self.folder.replace(kind, bytes)?;
        self.is_synced()
    }

    fn rewrite(&mut self, keep: &mut dyn FnMut(Place) -> bool) -> io::Result<u64> {
        let length = self.folder.rewrite(keep)?;
        self.is_synced()?;
        Ok(length)
    }
}

/// What was not synced is thrown away but for a torn piece of it: acknowledged places are there.
#[actix::test]
async fn a_power_cut_keeps_acknowledged_places() {
    let (data, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(image.path().join("queue")).unwrap();
    let opened = line::open(&data.path().join("queue")).unwrap();
    let ready = Ready::prepare(
        &config().queue.settings(),
        opened,
        &seeds(),
        &[],
        lotteries(data.path()),
        START,
    )
    .unwrap();
    let (here, there) = (data.path().to_owned(), image.path().to_owned());
    let disk = |files: line::Files| {
        files.on(|folder| {
            let disk = Unplugged { folder, data: here, image: there };
            disk.is_synced().unwrap();
            disk
        })
    };
    let (line, _stopped) =
        ready.run(&config(), Clock::manual(START), &seeds(), &audit(data.path()), disk).unwrap();
    let mut told = Vec::new();
    for round in 0..12 {
        let some = join_all((1..=round).map(|who| enter(&line, round * 100 + who))).await;
        told.extend((1..=round).map(|who| round * 100 + who).zip(some));
        let cut = crash(image.path());
        let log = cut.path().join("queue").join(Kind::Log.file());
        let mut torn = fs::read(&log).unwrap();
        torn.extend_from_slice(&[7; 5]);
        fs::write(&log, torn).unwrap();
        let (restarted, _stopped) = open(cut.path());
        for (who, ticket) in &told {
            assert_eq!(enter(&restarted, *who).await.number, ticket.number, "round {round}");
        }
        restarted.close().await;
    }
    assert_eq!(told.len(), 66);
}

fn open_grudging(data: &Path, config: &Config) -> (Line, Stopped, mpsc::Sender<()>) {
    let opened = line::open(&data.join("queue")).unwrap();
    let settings = config.queue.settings();
    let ready = Ready::prepare(&settings, opened, &seeds(), &[], lotteries(data), START).unwrap();
    let (give, leave) = mpsc::channel();
    let clock = Clock::manual(START);
    let disk = |files: line::Files| files.on(|folder| Grudging { folder, leave });
    let (line, stopped) = ready.run(config, clock, &seeds(), &audit(data), disk).unwrap();
    (line, stopped, give)
}

#[actix::test]
async fn a_disk_that_fails_acknowledges_nothing_and_stops_the_process() {
    let data = tempfile::tempdir().unwrap();
    let (line, stopped, give) = open_grudging(data.path(), &config());
    give.send(()).unwrap();
    let kept = enter(&line, 7).await;
    drop(give);
    let lost = join_all((8..12).map(|who| line.enter(Identity(who), Lane::Standard))).await;
    assert_eq!(lost, [Err(CallError::NoAnswer); 4]);
    let ended = stopped.await;
    assert!(matches!(&ended, Ended::Failed(why) if why.contains("no space left")), "{ended:?}");
    assert_eq!(line.check(kept).await, Err(CallError::NoAnswer));
    assert_eq!(line.announce(Announcement::pause()).await, Err(CallError::NoAnswer));
    line.close().await;

    let (line, _stopped) = open(data.path());
    assert_eq!(enter(&line, 7).await.number, kept.number);
}

#[actix::test]
async fn a_disk_that_hangs_holds_up_nobody_else_and_not_too_many() {
    let data = tempfile::tempdir().unwrap();
    let mut config = config();
    config.limits.callers_max = 8;
    let (line, _stopped, give) = open_grudging(data.path(), &config);
    let anonymous = enter(&line, 0).await;

    let newcomer = |who| {
        let line = line.clone();
        actix::spawn(async move { line.enter(Identity(who), Lane::Standard).await })
    };
    let waiting: Vec<_> = (1..=6).map(newcomer).collect();
    // The same player again, before the first answer: the place is not acknowledged either.
    let again = newcomer(6);
    tokio::task::yield_now().await;
    assert_eq!(position(line.check(anonymous).await.unwrap()), 1);
    assert!(waiting.iter().all(|task| !task.is_finished()) && !again.is_finished());
    let eighth = newcomer(20);
    tokio::task::yield_now().await;
    assert_eq!(line.check(anonymous).await, Err(CallError::Overloaded));
    line.disconnect(Player(3), Departure::Dropped);

    for _ in 0..8 {
        // The line may have shared a sync and be done already.
        let _ = give.send(());
    }
    let mut numbers: Vec<Number> = Vec::new();
    for task in waiting {
        numbers.push(ticket(task.await.unwrap().unwrap()).number);
    }
    assert!(numbers.is_sorted());
    assert_eq!(numbers.last(), Some(&ticket(again.await.unwrap().unwrap()).number));
    assert!(eighth.await.unwrap().is_ok());
    assert!(line.check(anonymous).await.is_ok());
}
