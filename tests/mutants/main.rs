//! Whether the simulation would notice: the core is broken in many ways, one at a time, and the
//! simulation has to fail on each of them, by the invariant that says so.
//!
//! The domain and the simulation are copied below `target/`, each mutation is put into the copy
//! beside what is right, behind a number that the environment chooses, and all are built once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod list;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use list::{MUTATIONS, Mutation};

/// Launches the right core has to stand, and a broken one may take until it is noticed.
const SEEDS: &str = "100";

/// What is compiled into the copy's library.
const LIBRARY: &str = "\
#![allow(warnings)]

pub mod domain;

/// Whether this is the rule that is broken in this run.
pub(crate) fn broken(number: u32) -> bool {
    static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let chosen = || std::env::var(\"MUTANT\").map_or(0, |text| text.parse().unwrap());
    *CHOSEN.get_or_init(chosen) == number
}
";

#[test]
fn every_broken_rule_is_noticed() {
    let simulation = build();
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let play_some = || {
            let mut failures = Vec::new();
            while let number = next.fetch_add(1, Ordering::Relaxed)
                && number <= MUTATIONS.len()
            {
                failures.extend(play(&simulation, number));
            }
            failures
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(play_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Plays one mutant; 0 is the core as it is. What is wrong with the simulation, if anything is.
fn play(simulation: &Path, number: usize) -> Option<String> {
    let played = Command::new(simulation)
        .arg("--nocapture")
        .env("MUTANT", number.to_string())
        .env("SIM_SEEDS", SEEDS)
        .env("RUST_BACKTRACE", "0")
        .env_remove("SEED")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stderr);
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    let what = lines.nth(1).unwrap_or("nothing").chars().take(120).collect::<String>();
    let Some(mutation) = number.checked_sub(1).map(|at| &MUTATIONS[at]) else {
        return (!played.status.success()).then(|| format!("the core as it is: {what}"));
    };
    let seed = said.lines().find(|line| line.starts_with("seed ")).unwrap_or("no seed");
    println!("{number} {}: {what} ({seed})", mutation.name);
    let noticed = !played.status.success() && mutation.breaks.iter().any(|tag| names(&what, tag));
    (!noticed).then(|| format!("{} ({number}): {what}", mutation.name))
}

/// Whether this invariant is named: I1 is not I10.
fn names(what: &str, tag: &str) -> bool {
    what.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == tag)
}

/// The simulation with all mutations in it.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    write(&copy.join("Cargo.toml"), &manifest(root));
    let lock = read(&root.join("Cargo.lock"));
    write(&copy.join("Cargo.lock"), &lock.replace("name = \"anteroom\"", "name = \"mutants\""));
    write(&copy.join("src/lib.rs"), LIBRARY);
    copy_all(&root.join("tests/sim"), &copy.join("tests/sim"), &|_, text| text);
    copy_all(&root.join("src/domain"), &copy.join("src/domain"), &|path, text| {
        let file = path.strip_prefix("queue").map_or("", |file| file.to_str().unwrap());
        (1..)
            .zip(MUTATIONS)
            .filter(|(_, mutation)| mutation.file == file)
            .fold(text, |text, one| mutated(&text, one))
    });
    let built = Command::new(env!("CARGO"))
        .args([
            "test",
            "--offline",
            "--test",
            "sim",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(&copy)
        // What it needs is built already; nothing here is what the package itself would build.
        .env("CARGO_TARGET_DIR", copy.parent().unwrap().parent().unwrap())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let executable = |message: serde_json::Value| Some(message["executable"].as_str()?.into());
    messages.filter_map(executable).next_back().expect("cargo names what it built")
}

/// The package's manifest with the domain and the simulation alone: same dependencies, same features,
/// so nothing else is built anew.
fn manifest(root: &Path) -> String {
    let mut manifest: toml::Table = read(&root.join("Cargo.toml")).parse().unwrap();
    for part in ["bin", "bench", "lints"] {
        manifest.remove(part);
    }
    let package = manifest["package"].as_table_mut().unwrap();
    package.remove("default-run");
    // Another name, or its parts could be taken for those of the package itself.
    package.insert("name".into(), "mutants".into());
    manifest["lib"].as_table_mut().unwrap().insert("name".into(), "anteroom".into());
    // Its own code as its dependencies: it is played more often than it is built.
    manifest["profile"]["dev"]["package"].as_table_mut().unwrap().remove("anteroom");
    toml::to_string(&manifest).unwrap()
}

/// The text with a choice where only what is right was.
fn mutated(text: &str, (number, mutation): (usize, &Mutation)) -> String {
    let Mutation { name, file, right, wrong, .. } = mutation;
    let found = text.matches(right).count();
    assert_eq!(found, 1, "{name}: {file} has its text {found} times");
    let choice = format!("if crate::broken({number}) {{ {wrong} }} else {{ {right} }}");
    let is_statement = right.ends_with(';');
    text.replacen(right, &if is_statement { choice } else { format!("({choice})") }, 1)
}

fn copy_all(from: &Path, to: &Path, change: &dyn Fn(&Path, String) -> String) {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(from.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                let text = read(&from.join(&path));
                write(&to.join(&path), &change(&path, text));
            }
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Writes what has changed: what has not is not built again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
