//! What the server publishes of a lottery is what two others make of it: the program
//! `verify-lottery`, which shares no code with it, and the script on the page about it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anteroom::domain::lottery::{LotteryId, PublicSeed, Schedule, ServerSeed};
use anteroom::domain::time::UnixMicros;
use anteroom::store::lottery::Lotteries;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const BEACON: &str = "drand quicknet round 12345678, randomness";
const VERIFIER: &str = env!("CARGO_BIN_EXE_verify-lottery");

/// A lottery as published. Beside its files are copies of the record: `scheduled`, `closed`.
struct Published {
    data: tempfile::TempDir,
    order: Vec<u64>,
}

impl Published {
    /// Nothing but the schedule.
    fn scheduled(data: &Path, beacon: &str) -> (Lotteries, LotteryId) {
        let mut lotteries = Lotteries::open(data).unwrap();
        let id: LotteryId = "season-2".to_owned().try_into().unwrap();
        let (seed, times) = (ServerSeed::new([42; 32]), (NOW, NOW.plus_secs(3_600)));
        let schedule = Schedule::new(id.clone(), 7, times, &seed, beacon.to_owned()).unwrap();
        lotteries.schedule(schedule, &seed).unwrap();
        (lotteries, id)
    }

    fn drawn(entrants: &[u64], beacon: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (mut lotteries, id) = Self::scheduled(data.path(), beacon);
        let mut published = Self { data, order: Vec::new() };
        published.keep("scheduled");
        lotteries.close(&id, NOW.plus_secs(3_500), entrants).unwrap();
        published.keep("closed");
        let public: &[u8] = if beacon.is_empty() { &[] } else { b"nobody knew" };
        let public = PublicSeed::new(public).unwrap();
        published.order = lotteries.draw(&id, NOW.plus_secs(3_600), public).unwrap().1;
        published
    }

    fn folder(&self) -> PathBuf {
        self.data.path().join("published/season-2")
    }

    fn keep(&self, name: &str) {
        fs::copy(self.folder().join("lottery.json"), self.folder().join(name)).unwrap();
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.folder().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Exit code and words of the independent program.
    fn verify(&self, more: &[&str]) -> (Option<i32>, String) {
        said(Command::new(VERIFIER).arg(self.folder()).args(more).current_dir(self.folder()))
    }

    /// The same of the page's script.
    fn script(&self, ticket: &str) -> (Option<i32>, String) {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lottery.md");
        let page = fs::read_to_string(page).unwrap();
        let code = page.split("```js\n").nth(1).unwrap().split("```").next().unwrap();
        let path = self.data.path().join("check.mjs");
        fs::write(&path, code).unwrap();
        said(Command::new("node").arg(path).arg(self.folder()).arg(ticket))
    }
}

fn said(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(words).unwrap())
}

fn numbers(count: u64) -> Vec<u64> {
    (1..=count).map(|n| n * n).collect()
}

#[test]
fn three_who_share_no_code_agree() {
    let cases = [(0, BEACON), (1, ""), (2, BEACON), (3, ""), (1_000, BEACON), (1_025, "")];
    for (count, beacon) in cases {
        let published = Published::drawn(&numbers(count), beacon);
        let earlier = ["--earlier", "closed"];
        let (code, words) = published.verify(&earlier);
        assert_eq!(code, Some(0), "{count}: {words}");
        assert!(words.ends_with("everything holds\n"), "{words}");
        let (code, words) = published.script("");
        assert_eq!((code, words.as_str()), (Some(0), "everything holds\n"), "{count}");
        for at in [0, count / 2, count.saturating_sub(1)] {
            let Some(ticket) = published.order.get(usize::try_from(at).unwrap()) else { continue };
            let ticket = ticket.to_string();
            let place = format!("place: {} of {count}\n", at + 1);
            let (code, words) = published.verify(&["--ticket", &ticket]);
            assert!(code == Some(0) && words.contains(&place), "{words}");
            assert!(words.contains(&format!("holds: ticket {ticket} took part")), "{words}");
            let (code, words) = published.script(&ticket);
            assert!(code == Some(0) && words.contains(&place), "{words}");
        }
    }
}

#[test]
fn the_server_s_own_program_says_the_same() {
    let published = Published::drawn(&numbers(20), BEACON);
    let ours = |more: &[&str]| {
        let mut anteroom = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        said(anteroom.arg("verify-lottery").arg(published.folder()).args(more))
    };
    for more in [&[] as &[&str], &["--ticket", "9"], &["--ticket", "10"]] {
        assert_eq!(ours(more), published.verify(more));
    }
}

/// Whatever is changed after the fact, both find it, and the program says what.
#[test]
fn each_way_to_cheat_has_its_words() {
    let cheats: [(&str, &str, &str, &str); 9] = [
        ("order.txt", "\n", "\n1\n", "order.txt, line"),
        ("entrants.txt", "16\n", "17\n", "somebody was added, removed or changed"),
        ("entrants.txt", "1\n", "", "entrants.txt has 19 tickets, the record says 20"),
        ("entrants.txt", "1\n4\n", "4\n1\n", "does not ascend"),
        ("lottery.json", "2a2a", "2b2a", "not the one committed to"),
        ("lottery.json", "\"entrants\": 20", "\"entrants\": 21", "the record says 21"),
        ("lottery.json", "6e6f", "6e6e", "order.txt, line"),
        ("lottery.json", BEACON, "", "a beacon was named"),
        ("lottery.json", "\"entrants_root\"", "\"root\"", "no entrants_root"),
    ];
    for (file, from, to, words) in cheats {
        let published = Published::drawn(&numbers(20), BEACON);
        published.change(file, from, to);
        let (code, told) = published.verify(&[]);
        assert_eq!(code, Some(1), "{words}: {told}");
        assert!(told.contains("WRONG") && told.contains(words), "{words}: {told}");
        if words != "does not ascend" && !words.contains("record says 21") {
            assert_eq!(published.script("").0, Some(1), "{words}");
        }
    }
}

/// Who replaces everything is found by whoever kept the first record.
#[test]
fn another_lottery_in_place_of_the_announced_one_is_found() {
    let published = Published::drawn(&numbers(20), BEACON);
    for kept in ["scheduled", "closed"] {
        assert_eq!(published.verify(&["--earlier", kept]).0, Some(0));
        let text = fs::read_to_string(published.folder().join(kept)).unwrap();
        let other = text.replace("quicknet", "slownet");
        fs::write(published.folder().join("other"), other).unwrap();
        let (code, told) = published.verify(&["--earlier", "other"]);
        assert_eq!(code, Some(1));
        assert!(told.contains("WRONG: beacon was") && told.contains("slownet"), "{told}");
    }
}

#[test]
fn a_stranger_s_ticket_and_an_early_question_are_told_apart() {
    let published = Published::drawn(&numbers(20), BEACON);
    let (code, told) = published.verify(&["--ticket", "2"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("ticket 2 did not take part"), "{told}");

    let data = tempfile::tempdir().unwrap();
    let (mut lotteries, id) = Published::scheduled(data.path(), BEACON);
    let early = Published { data, order: Vec::new() };
    let (code, told) = early.verify(&[]);
    assert_eq!((code, told.contains("the pre-queue has not closed")), (Some(3), true), "{told}");
    lotteries.close(&id, NOW, &numbers(5)).unwrap();
    let (code, told) = early.verify(&["--ticket", "9"]);
    assert_eq!((code, told.contains("it has not been drawn")), (Some(3), true), "{told}");
    assert!(told.contains("holds: ticket 9 took part"), "{told}");
    fs::remove_file(early.folder().join("entrants.txt")).unwrap();
    let (code, told) = early.verify(&[]);
    assert_eq!((code, told.contains("entrants.txt: ")), (Some(3), true), "{told}");
    assert_eq!(said(&mut Command::new(VERIFIER)).0, Some(2));
}
