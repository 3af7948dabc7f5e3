//! Rules about the source itself: who may import whom, how long things may be, where the machine's
//! clock and dice may be touched, and that written claims are in step with the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the source has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/generated.rs"]
mod generated;
#[path = "tidy/openapi.rs"]
mod openapi;
#[path = "tidy/plots.rs"]
mod plots;

/// Files a program writes: as long as what they are written from makes them.
const GENERATED: [&str; 2] = ["src/nakama/wire/api.rs", "src/nakama/wire/realtime.rs"];

/// Lines a file may have, tests in it included.
const FILE_LINES: usize = 500;
/// Lines a function may have.
const FUNCTION_LINES: usize = 70;

/// Folder or file, and what it may not mention.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/domain",
        &[
            "actix",
            "tokio",
            "futures",
            "async ",
            ".await",
            "sled::",
            "std::fs",
            "std::net",
            "std::io",
            "std::thread",
            "crate::actors",
            "crate::store",
            "crate::signin",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::config",
            "crate::clock",
            "crate::ids",
            "crate::server",
        ],
    ),
    (
        "src/store",
        &[
            "actix",
            "tokio",
            "crate::actors",
            "crate::signin",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::server",
        ],
    ),
    (
        "src/actors",
        &[
            "crate::signin",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/signin",
        &[
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::server",
            "crate::store",
            "Addr<",
            "actix_web",
        ],
    ),
    (
        "src/identity",
        &[
            "actix",
            "crate::actors",
            "crate::store",
            "crate::signin",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::observe",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/nakama",
        &[
            "Addr<",
            "crate::store",
            "crate::pragma",
            "crate::queue_api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/pragma",
        &[
            "Addr<",
            "crate::store",
            "crate::nakama",
            "crate::queue_api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/queue_api",
        &["Addr<", "crate::store", "crate::nakama", "crate::pragma", "crate::server", "crate::cli"],
    ),
    (
        "src/operator_api",
        &[
            "Addr<",
            "crate::store",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/try_it",
        &[
            "Addr<",
            "crate::store",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::actors",
        ],
    ),
    // Bytes and certificates: what goes through them is nobody's business here.
    (
        "src/tls",
        &[
            "crate::actors",
            "crate::store",
            "crate::signin",
            "crate::nakama",
            "crate::pragma",
            "crate::queue_api",
            "crate::operator_api",
            "crate::server",
            "crate::cli",
        ],
    ),
    // The pages speak the operator API; what serves them knows nothing of ours.
    ("src/console", &["crate::", "Addr<"]),
    // An independent check: it follows docs/lottery.md and nothing of ours.
    ("src/bin", &["anteroom::", "crate::"]),
    ("src/config", &["actix", "crate::actors", "crate::store", "crate::signin", "crate::server"]),
];

/// The machine's clock and dice, and who may touch them.
const DOORS: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["src/clock.rs"]),
    ("Instant::now", &["src/clock.rs", "src/signin/hashing.rs", "src/cli/"]),
    ("getrandom::", &["src/ids.rs"]),
    ("Uuid::new_v4", &[]),
    ("thread_rng", &[]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its path from the root.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((name(&path), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test_file(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (folder, words) in FORBIDDEN {
        for (file, text) in rust_files(folder) {
            if is_test_file(&file) {
                continue;
            }
            for (at, line) in code(&text) {
                for word in *words {
                    if line.contains(word) {
                        wrong.push(format!("{file}:{at}: {folder} must not mention `{word}`"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A promise names the test that shows it, and so does a row about security: the test is there.
#[test]
fn every_promise_has_its_test() {
    let code: String =
        ["src", "tests"].into_iter().flat_map(rust_files).map(|(_, text)| text).collect();
    for (page, parts, least) in [("queue-promises", 5, 20), ("security-asvs", 4, 60)] {
        let text = fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        let named = text.split('`').skip(1).step_by(2);
        let named = named.filter(|name| name.split('_').count() >= parts);
        let named: Vec<&str> = named.filter(|name| !name.contains(['/', '.', ' '])).collect();
        assert!(named.len() > least, "{page}: {named:?}");
        let missing: Vec<_> =
            named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
        assert!(missing.is_empty(), "{page}: no such test: {missing:?}");
    }
}

#[test]
fn clock_and_dice_have_one_door() {
    let mut wrong = Vec::new();
    for (file, text) in rust_files("src") {
        for (at, line) in code(&text) {
            for (word, allowed) in DOORS {
                if line.contains(word) && !allowed.iter().any(|path| file.starts_with(path)) {
                    wrong.push(format!("{file}:{at}: `{word}`; use crate::clock or crate::ids"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_and_functions_are_short() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            if GENERATED.contains(&file.as_str()) {
                continue;
            }
            let lines = text.lines().count();
            if lines > FILE_LINES {
                wrong.push(format!(
                    "{file}: {lines} lines, at most {FILE_LINES}: one subject a file"
                ));
            }
            for (at, length) in functions(&text) {
                if length > FUNCTION_LINES {
                    wrong.push(format!(
                        "{file}:{at}: a function of {length} lines, at most {FUNCTION_LINES}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where each function starts and how many lines it has: from its `fn` to the brace that closes at
/// the same depth. rustfmt keeps that brace on a line of its own.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let starts = [
            "fn ",
            "pub fn ",
            "async fn ",
            "pub async fn ",
            "pub(super) fn ",
            "pub(crate) fn ",
            "const fn ",
            "pub const fn ",
        ]
        .iter()
        .any(|start| words.starts_with(start));
        if !starts {
            continue;
        }
        // A declaration without a body, as in a trait.
        let head = lines[at..].iter().find(|line| line.ends_with('{') || line.ends_with(';'));
        if head.is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let indent = line.len() - words.len();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[at..].iter().position(|line| *line == closing);
        if let Some(length) = end {
            found.push((at + 1, length + 1));
        }
    }
    found
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "unimpl".to_owned() + "emented!",
        "to".to_owned() + "do!(",
    ];
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for (file, text) in rust_files(folder) {
            for (at, line) in text.lines().enumerate() {
                if words.iter().any(|word| line.contains(word.as_str())) {
                    wrong.push(format!("{file}:{}: {}", at + 1, line.trim()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "do it, or say in the documents that it is not done:\n{}",
        wrong.join("\n")
    );
}

/// What the program writes about itself is what it would write now.
#[test]
fn reference_pages_are_in_step() {
    for (command, page, fresh) in [
        ("metrics", "metrics.md", anteroom::observe::catalogue::markdown()),
        ("reference", "config.md", anteroom::config::reference::markdown().unwrap()),
        ("errors", "errors.md", anteroom::cli::errors::markdown()),
    ] {
        let kept = fs::read_to_string(root().join("docs/reference").join(page)).unwrap_or_default();
        let run = format!("run `cargo run -- config {command} > docs/reference/{page}`");
        assert!(kept == fresh, "docs/reference/{page} is out of step: {run}");
    }
}

/// What the console sends is what `console/build.mjs` made of the files that lie there.
#[test]
fn what_the_console_sends_is_made_of_what_lies_there() {
    let folder = root().join("console/dist");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut listed = vec!["SHA256SUMS"];
    for (sum, file) in sums.lines().filter_map(|line| line.split_once("  ")) {
        let digest = digest(&SHA256, &fs::read(folder.join(file)).unwrap());
        assert_eq!(
            anteroom::domain::digest::hex(digest.as_ref()),
            sum,
            "{file}: run `npm ci && node build.mjs` in console/"
        );
        listed.push(file);
    }
    for part in ["", "../", "../pages/"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let file = entry.unwrap().file_name();
            let file = format!("{part}{}", file.to_str().unwrap());
            let goes_in =
                part.is_empty() || Path::new(&file).extension().is_some_and(|it| it == "js");
            assert!(!goes_in || listed.contains(&&*file), "{file} is not in SHA256SUMS");
        }
    }
    // And each of them says under which terms.
    assert_eq!(listed.iter().filter(|file| file.starts_with("LICENSE.")).count(), 4);
}
