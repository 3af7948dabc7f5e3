//! What players and operators get as files: only with `PACKAGED=1`, because it builds for use, which
//! takes minutes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Auth, ask};
use crate::idle::resident_kb;
use crate::running::Running;

/// Runs one of the scripts of `deploy/`; what it prints.
fn deploy(script: &str, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new(root.join("deploy").join(script))
        .args(arguments)
        .current_dir(root)
        // Cargo hands the tests' own on.
        .env_remove("ANTEROOM_COMMIT")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "deploy/{script}: {said}");
    said.trim().to_owned()
}

#[actix_rt::test]
async fn the_static_program_needs_nothing_and_signs_players_in() {
    if std::env::var_os("PACKAGED").is_none() {
        eprintln!("skipped: PACKAGED=1 builds and runs the static program");
        return;
    }
    let said = deploy("static", &[]);
    println!("{said}");
    let program = said.rsplit_once(": ").unwrap().1;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
    // As installing it does: of a file that was linked a moment ago more pages are mapped at once.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("anteroom");
    std::fs::copy(built, &program).unwrap();
    let ldd = Command::new("ldd").arg(&program).output().unwrap();
    let words = String::from_utf8_lossy(&[ldd.stdout, ldd.stderr].concat()).into_owned();
    let is_static =
        ["not a dynamic executable", "statically linked"].iter().any(|it| words.contains(it));
    assert!(is_static, "{words}");
    let version = Command::new(&program).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    assert!(!version.contains("development"), "it says its commit: {version}");

    let serve = |command: &mut Command| {
        command
            .current_dir(&folder)
            .env_clear()
            .env("ANTEROOM__SERVER__OPERATORS", "127.0.0.1:17351");
    };
    let mut command = Command::new(&program);
    serve(&mut command);
    command.args(["serve", "--dev", "--listen", "127.0.0.1:17350", "--data", "data"]);
    let mut running = Running::start(command.stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("is ready"), "{line}");
    let url = "http://127.0.0.1:17350/v2/account/authenticate/device";
    let body = Some(json!({"id": "a-device-id-of-ada"}));
    let answer = ask("POST", url, Auth::Key("defaultkey"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let healthy = || {
        let mut command = Command::new(&program);
        serve(&mut command);
        command.args(["healthcheck", "--data", "data"]).status().unwrap().success()
    };
    assert!(healthy());
    let held = ["VmRSS", "RssAnon"].map(|field| resident_kb(running.id(), field));
    println!("resident with one player signed in: {} kB, {} of them anonymous", held[0], held[1]);
    assert!(held[0] < 25_000, "resident: {} kB", held[0]);
    drop(running);
    assert!(!healthy(), "and not when nobody answers");
}
