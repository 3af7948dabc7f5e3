use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::time::UnixMicros;
use crate::store::Store;
use crate::store::contract::{create, device};
use crate::store::sled::{Options, SledStore, sync_data};

const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

fn open(folder: &Path) -> Box<SledStore> {
    let options = Options { cache_mib: 8, salt: [7; 32], sync: sync_data() };
    Box::new(SledStore::open(folder, &options).unwrap())
}

/// A server's folder with some accounts and files.
fn folder() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let mut store = open(&data.path().join("accounts"));
    for number in 0..40 {
        let change = create(store.as_ref(), &device(&format!("device-{number}")), None);
        store.stage(&change).unwrap();
    }
    store.sync().unwrap();
    store.close().unwrap();
    for (name, text) in [
        ("lottery/published/may/lottery.json", "{}"),
        ("lottery/seeds/june", "00ff"),
        ("secrets.toml", "key = 1"),
        ("queue/journal/1.journal", "not for backups"),
    ] {
        let path = data.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    data
}

fn back_up(data: &Path, with_secrets: bool) -> (PathBuf, Written) {
    let file = data.join("copy.tar.gz");
    let store = open(&data.join("accounts"));
    let copies = store.copies().unwrap();
    let sources = Sources { data, accounts: &*copies, with_secrets, program: "a test" };
    let written = write(&file, sources, NOW).unwrap();
    let again = write(&file, sources, NOW).unwrap_err().to_string();
    assert!(again.contains("exists"), "{again}");
    store.close().unwrap();
    (file, written)
}

#[test]
fn what_is_restored_is_what_was_there() {
    let data = folder();
    let (file, written) = back_up(data.path(), false);
    assert_eq!(written.bytes, fs::metadata(&file).unwrap().len());
    let target = tempfile::tempdir().unwrap();
    let manifest = restore(&file, target.path(), 8).unwrap();
    assert_eq!(manifest, written.manifest);
    assert_eq!((manifest.accounts, manifest.secrets), (40, false));
    let store = open(&target.path().join("accounts"));
    for number in 0..40 {
        let link = device(&format!("device-{number}"));
        assert!(store.reads().account_by_link(&link).unwrap().is_some(), "{number}");
    }
    store.close().unwrap();
    let there = |name: &str| target.path().join(name).exists();
    assert!(there("lottery/published/may/lottery.json") && there("lottery/seeds/june"));
    assert!(!there("secrets.toml") && !there("queue/journal") && !there(RESTORING));
}

#[test]
fn secrets_are_in_it_only_when_asked_for_and_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = folder();
    let (file, written) = back_up(data.path(), true);
    assert!(written.manifest.secrets);
    assert_eq!(mode(&file), 0o600);
    let target = tempfile::tempdir().unwrap();
    restore(&file, target.path(), 8).unwrap();
    for name in ["secrets.toml", "lottery/seeds/june"] {
        assert_eq!(mode(&target.path().join(name)), 0o600, "{name}");
    }
}

/// Every byte counts, those that no program looks at too.
#[test]
fn a_flipped_bit_anywhere_and_a_cut_anywhere_are_refused() {
    let data = folder();
    let (file, _) = back_up(data.path(), false);
    let good = fs::read(&file).unwrap();
    let bad = data.path().join("bad.tar.gz");
    let check = |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        verify(&bad)
    };
    assert!(check(&good).is_ok());
    let last = good.len() - 1;
    let step = (good.len() / 150).max(1);
    for at in (0..good.len()).step_by(step).chain(last - 60..=last) {
        let mut flipped = good.clone();
        flipped[at] ^= 0x01;
        assert!(matches!(check(&flipped), Err(BackupError::Damaged { .. })), "byte {at}");
        assert!(matches!(check(&good[..at]), Err(BackupError::Damaged { .. })), "cut to {at}");
    }
    let target = tempfile::tempdir().unwrap();
    fs::write(&bad, &good[..last]).unwrap();
    assert!(restore(&bad, target.path(), 8).is_err());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn only_an_empty_folder_is_restored_into() {
    let data = folder();
    let (without, _) = back_up(data.path(), false);
    let with = data.path().join("with.tar.gz");
    fs::rename(&without, &with).unwrap();
    let (with, without) = (back_up(data.path(), true).0, with);
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("secrets.toml"), "kept apart").unwrap();
    assert!(matches!(restore(&with, target.path(), 8), Err(BackupError::NotEmpty(_))));
    restore(&without, target.path(), 8).unwrap();
    let kept = fs::read_to_string(target.path().join("secrets.toml")).unwrap();
    assert_eq!(kept, "kept apart");
    assert!(matches!(restore(&without, target.path(), 8), Err(BackupError::NotEmpty(_))));
}

#[test]
fn a_backup_of_a_newer_program_is_refused_with_words() {
    let data = folder();
    let (file, written) = back_up(data.path(), false);
    let text = serde_json::to_string(&written.manifest).unwrap();
    assert!(text.contains("\"format\":1"));
    let newer = text.replace("\"format\":1", "\"format\":2");
    let newer = reading::read_manifest(&file, &mut newer.as_bytes()).unwrap_err();
    assert!(matches!(newer, BackupError::Newer(2)), "{newer}");
}

/// Tools that know nothing of ours open it.
#[test]
fn any_tar_reads_it() {
    let data = folder();
    let (file, written) = back_up(data.path(), false);
    let listed = std::process::Command::new("tar").arg("-tzf").arg(&file).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert!(listed.stderr.is_empty(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert_eq!(names.lines().count(), written.manifest.parts.len() + 1);
    assert_eq!(names.lines().last(), Some("manifest.json"));
}
