//! `anteroom audit`: what is on record, and whether it still is what was written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use anteroom::config::secrets::{Secrets, key_bytes};
use anteroom::domain::account::AccountId;
use anteroom::domain::audit::{Entry, Head, OutOfTurn, Pseudonyms, What, Who};
use anteroom::domain::queue::{Lane, Number};
use anteroom::domain::time::UnixMicros;
use anteroom::ids::Dice;
use anteroom::store::audit::{Done, open};
use uuid::Uuid;

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
const OPERATOR: Uuid = Uuid::from_u128(77);

/// A data folder with a few records in it; the last of them.
fn recorded() -> (tempfile::TempDir, Head) {
    let data = tempfile::tempdir().unwrap();
    let (secrets, _) =
        Secrets::open(data.path(), &Dice::seeded(1), |_| Ok("pem".to_owned())).unwrap();
    let pseudonyms = Pseudonyms::new(&key_bytes(&secrets.identity_key).unwrap());
    let operator = Who::Operator(pseudonyms.account(AccountId(OPERATOR)));
    let (files, _) = open(&data.path().join("audit"), NOW).unwrap();
    let (writer, thread) = files.writer();
    let entries = [
        (0, operator, What::Rate { from: 50.0, to: 80.5 }),
        (60, Who::Settings, What::Cap { from: 10, to: 20 }),
        (
            120,
            Who::Server,
            What::Admitted {
                epoch: 3,
                number: Some(Number(9)),
                player: None,
                why: OutOfTurn::lane(Lane::Staff).unwrap(),
            },
        ),
    ];
    for (after, who, what) in entries {
        writer.record(Entry::of(NOW.plus_secs(after), who, what)).unwrap();
    }
    drop(writer);
    let (tell, told) = mpsc::channel();
    thread.start(move |done| tell.send(done).unwrap()).unwrap();
    let told: Vec<Done> = told.iter().collect();
    let [Done::Written { records: 3, head }, Done::Closed] = told[..] else { panic!("{told:?}") };
    (data, head)
}

/// Exit code, output, errors.
fn audit(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut anteroom = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    anteroom.arg("audit").args(args).arg("--data").arg(data).current_dir(data);
    let output = anteroom.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn file(data: &Path) -> PathBuf {
    data.join("audit/audit-00000000000000000001.jsonl")
}

#[test]
fn a_sound_chain_holds_and_has_the_heads_that_were_posted() {
    let (data, head) = recorded();
    let good = (Some(0), format!("3 records, head {head}\n"), String::new());
    assert_eq!(audit(data.path(), &["verify"]), good);
    assert_eq!(audit(data.path(), &["verify", "--head", &head.to_string()]), good);
    let other = Head { seq: 3, hash: anteroom::domain::digest::Digest::ZERO };
    let (code, out, _) = audit(data.path(), &["verify", "--head", &other.to_string()]);
    assert_eq!(code, Some(1));
    assert!(out.contains("does not have the posted record 3:0000"), "{out}");
    assert_eq!(audit(data.path(), &["verify", "--head", "3"]).0, Some(2));
}

#[test]
fn an_edit_and_a_cut_are_found() {
    let (data, head) = recorded();
    let text = fs::read_to_string(file(data.path())).unwrap();
    fs::write(file(data.path()), text.replace("80.5", "90.5")).unwrap();
    let (code, out, _) = audit(data.path(), &["verify"]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with("BROKEN audit-00000000000000000001.jsonl: record 1: "), "{out}");
    assert!(audit(data.path(), &["show"]).2.contains("BROKEN"));

    let end = text.trim_end().rfind('\n').unwrap() + 1;
    fs::write(file(data.path()), &text[..end]).unwrap();
    assert_eq!(audit(data.path(), &["verify"]).0, Some(0), "nothing tells that an end is gone …");
    let (code, ..) = audit(data.path(), &["verify", "--head", &head.to_string()]);
    assert_eq!(code, Some(1), "… but a head that was posted");

    fs::write(file(data.path()), &text[..end + 9]).unwrap();
    let (code, out, _) = audit(data.path(), &["verify"]);
    assert_eq!((code, out.contains("the last 9 bytes")), (Some(0), true), "{out}");
}

#[test]
fn records_are_found_by_time_kind_and_account() {
    let (data, _) = recorded();
    let text = fs::read_to_string(file(data.path())).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let account = OPERATOR.to_string();
    let shown = |args: &[&str]| {
        let (code, out, errors) = audit(data.path(), &[&["show"], args].concat());
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        out
    };
    assert_eq!(shown(&[]), text);
    assert_eq!(shown(&["--since", "1800000060"]), lines[1..].concat());
    assert_eq!(shown(&["--since", "36500d", "--what", "cap"]), lines[1]);
    assert_eq!(shown(&["--what", "rate,admitted"]), [lines[0], lines[2]].concat());
    assert_eq!(shown(&["--account", &account]), lines[0]);
    assert!(!text.contains(&account) && !text.contains(&OPERATOR.simple().to_string()));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(audit(empty.path(), &["verify"]).0, Some(1), "no folder, nothing to verify");
}
