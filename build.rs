//! Which commit the program is of, for `--version`.
//!
//! Asked of git in release builds only: a development build would be compiled anew with every commit.
//! `ANTEROOM_COMMIT` says it where there is no repository.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ANTEROOM_COMMIT");
    println!("cargo::rustc-env=ANTEROOM_COMMIT={}", commit());
}

fn commit() -> String {
    if let Ok(given) = std::env::var("ANTEROOM_COMMIT")
        && !given.is_empty()
    {
        return given;
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return "development".to_owned();
    }
    watch_head();
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]);
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        Some(commit) if dirty.is_some_and(|changes| !changes.is_empty()) => commit + "-changed",
        Some(commit) => commit,
        None => "unknown".to_owned(),
    }
}

/// Runs this again when another commit is checked out: the head, the branch it names, and where
/// branches are when they are packed.
fn watch_head() {
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in [Some("HEAD".to_owned()), branch, Some("packed-refs".to_owned())] {
        let path = name.and_then(|name| git(&["rev-parse", "--git-path", &name]));
        // A path that is not there would count as changed every time.
        if let Some(path) = path.filter(|path| std::path::Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
