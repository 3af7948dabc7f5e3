//! What is found again: after each step, after a failure at any moment of it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::domain::lottery::{Seed, entrants_root};

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const NUMBERS: [u64; 6] = [3, 4, 9, 27, 81, 1 << 60];

fn id() -> LotteryId {
    "season-2".to_owned().try_into().unwrap()
}

fn seed() -> ServerSeed {
    ServerSeed::new([9; 32])
}

fn schedule() -> Schedule {
    Schedule::new(id(), 7, (NOW, NOW.plus_secs(60)), &seed(), "round 5".to_owned()).unwrap()
}

fn public() -> PublicSeed {
    PublicSeed::new(b"beacon").unwrap()
}

fn expected_order() -> Vec<u64> {
    let seed = Seed::new(&seed(), entrants_root(&NUMBERS), &public());
    let order = crate::domain::lottery::draw(seed, &NUMBERS);
    order.iter().map(|index| NUMBERS[*index as usize]).collect()
}

#[test]
fn each_stage_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Lotteries::open(dir.path()).unwrap();
    let public_files = |lotteries: &Lotteries| {
        let files = lotteries.public_files(&id()).unwrap();
        assert!(files.iter().all(|file| file.is_file()));
        files.len()
    };
    assert!(matches!(open().record(&id()), Err(LotteryFileError::Unknown(_))));
    let scheduled = open().schedule(schedule(), &seed()).unwrap();
    assert_eq!((open().record(&id()).unwrap(), open().ids().unwrap()), (scheduled, vec![id()]));
    assert_eq!((open().entrants(&id()).unwrap(), public_files(&open())), (None, 1));
    let again = open().schedule(schedule(), &seed());
    assert!(matches!(again, Err(LotteryFileError::Exists(_))));

    let closed = open().close(&id(), NOW, &NUMBERS).unwrap();
    assert_eq!((open().record(&id()).unwrap(), public_files(&open())), (closed, 2));
    assert_eq!(open().entrants(&id()).unwrap(), Some(NUMBERS.to_vec()));
    assert_eq!(open().order(&id()).unwrap(), None);

    let (drawn, order) = open().draw(&id(), NOW, public()).unwrap();
    assert_eq!((open().record(&id()).unwrap(), public_files(&open())), (drawn, 3));
    assert_eq!(order, expected_order());
    assert_eq!(open().order(&id()).unwrap(), Some(order));
    let again = open().draw(&id(), NOW, public());
    assert!(matches!(again, Err(LotteryFileError::Refused(LotteryError::Stage { .. }))));
}

#[test]
fn the_seed_is_the_owners_and_in_no_published_file_before_the_draw() {
    let dir = tempfile::tempdir().unwrap();
    let mut lotteries = Lotteries::open(dir.path()).unwrap();
    lotteries.schedule(schedule(), &seed()).unwrap();
    lotteries.close(&id(), NOW, &NUMBERS).unwrap();
    let secret = dir.path().join("seeds/season-2");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&secret), mode(secret.parent().unwrap())), (0o600, 0o700));
    for file in fs::read_dir(dir.path().join("published/season-2")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(&seed().reveal()));
    }
    let (record, _) = lotteries.draw(&id(), NOW, public()).unwrap();
    assert!(serde_json::to_string(&record).unwrap().contains(&seed().reveal()));
    assert!(!secret.exists());
}

#[test]
fn another_seed_than_the_committed_one_is_never_published() {
    let dir = tempfile::tempdir().unwrap();
    let mut lotteries = Lotteries::open(dir.path()).unwrap();
    let other = ServerSeed::new([1; 32]);
    let refused = LotteryError::OtherServerSeed;
    let told = lotteries.schedule(schedule(), &other);
    assert!(matches!(told, Err(LotteryFileError::Refused(why)) if why == refused));
    lotteries.schedule(schedule(), &seed()).unwrap();
    lotteries.close(&id(), NOW, &NUMBERS).unwrap();
    let secret = dir.path().join("seeds/season-2");
    fs::write(&secret, other.reveal()).unwrap();
    let told = lotteries.draw(&id(), NOW, public());
    assert!(matches!(told, Err(LotteryFileError::Refused(why)) if why == refused));
    fs::remove_file(&secret).unwrap();
    let told = lotteries.draw(&id(), NOW, public()).unwrap_err().to_string();
    assert!(told.contains("cannot be drawn"), "{told}");
}

#[test]
fn damage_is_said_and_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut lotteries = Lotteries::open(dir.path()).unwrap();
    lotteries.schedule(schedule(), &seed()).unwrap();
    lotteries.close(&id(), NOW, &NUMBERS).unwrap();
    let folder = dir.path().join("published/season-2");
    for (text, problem) in
        [("3\n4\n", "2 numbers"), ("x", "line 1"), ("1\n2\n3\n4\n5\n6\n", "root")]
    {
        fs::write(folder.join("entrants.txt"), text).unwrap();
        let told = lotteries.draw(&id(), NOW, public()).unwrap_err().to_string();
        assert!(told.contains(problem), "{told}");
    }
    fs::write(folder.join("lottery.json"), "{}").unwrap();
    let told = Lotteries::open(dir.path()).unwrap().record(&id()).unwrap_err().to_string();
    assert!(told.contains("lottery.json"), "{told}");
}

/// A disk that works `left` times more.
struct Failing {
    folder: Folder,
    left: usize,
    /// Whether what fails is done all the same.
    done: bool,
}

impl Failing {
    fn turn(&mut self, work: impl FnOnce(&mut Folder) -> io::Result<()>) -> io::Result<()> {
        let works = self.left > 0;
        self.left = self.left.saturating_sub(1);
        if works || self.done {
            work(&mut self.folder)?;
            self.done &= works;
        }
        works.then_some(()).ok_or_else(|| io::Error::other("no space left on device"))
    }
}

impl Disk for Failing {
    fn replace(
        &mut self,
        path: &Path,
        readers: Readers,
        write: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.left == 0 && !self.done {
            // Half of it, under a name that is not the file's.
            fs::write(path.with_file_name(format!("{}.new", path.display())), b"12")?;
        }
        self.turn(|folder| folder.replace(path, readers, write))
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.turn(|folder| folder.make_folder(path))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.turn(|folder| folder.remove(path))
    }
}

/// All steps, as a server does them that looks at the record first. Ends at the first failure.
fn go_on<D: Disk>(lotteries: &mut Lotteries<D>) -> Result<Vec<u64>, LotteryFileError> {
    loop {
        match lotteries.record(&id()) {
            Err(LotteryFileError::Unknown(_)) => drop(lotteries.schedule(schedule(), &seed())?),
            Err(error) => return Err(error),
            Ok(record) => match record.stage() {
                Stage::Scheduled => drop(lotteries.close(&id(), NOW, &NUMBERS)?),
                Stage::Closed(_) => drop(lotteries.draw(&id(), NOW, public())?),
                Stage::Drawn(..) => return Ok(lotteries.order(&id())?.unwrap()),
            },
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_moment_leaves_a_stage_that_goes_on() {
    const OPERATIONS: usize = 8;
    for left in 0..=OPERATIONS {
        for done in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let mut failing =
                Lotteries::open(dir.path()).unwrap().on(|folder| Failing { folder, left, done });
            let told = go_on(&mut failing);
            assert_eq!(told.is_ok(), left == OPERATIONS, "{left}: {told:?}");
            let mut again = Lotteries::open(dir.path()).unwrap();
            assert_eq!(go_on(&mut again).unwrap(), expected_order(), "{left} {done}");
            assert!(!dir.path().join("seeds/season-2").exists(), "{left} {done}");
        }
    }
}
