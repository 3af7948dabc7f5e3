//! What the program says about itself.

use std::process::{Command, Output};

/// Runs the binary to its end.
pub fn anteroom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anteroom")).args(arguments).output().unwrap()
}

/// What a run printed.
pub fn printed(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_version_says_which_commit() {
    let (out, _) = printed(&anteroom(&["--version"]));
    let rest = out.trim_end().strip_prefix("anteroom ").unwrap();
    let (version, commit) = rest.split_once(" (").unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let commit = commit.strip_suffix(')').unwrap();
    assert!(!commit.is_empty(), "{out}");
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = anteroom(&["completions", shell]);
        let (script, _) = printed(&output);
        assert!(output.status.success(), "{shell}");
        for word in ["anteroom", "serve", "completions", "rotate"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert_eq!(anteroom(&["completions", "tcsh"]).status.code(), Some(2));
}
