//! Every command and snippet of the documents is run or read, against the real program.
//!
//! The blocks `sh` of a page run in order, in one shell and one empty folder, as a reader would paste
//! them; what the page takes for granted is in [`pages::PAGES`]. Settings are loaded, JSON is parsed,
//! JavaScript is checked by node. A block that cannot run says so above its fence, where readers do not
//! see it: `<!-- not run: why -->`.

pub mod blocks;
mod pages;
mod shell;

use std::fs;
use std::process::Command;

use anteroom::config::{Overrides, load};

use self::blocks::{Block, blocks, documents, root};
use self::pages::{LANGUAGES, NOT_RUN_MAX, PAGES};

fn all() -> Vec<Block> {
    documents().iter().flat_map(|document| blocks(document)).collect()
}

/// Blocks of one language that are not marked as not run.
fn of(language: &str) -> Vec<Block> {
    all().into_iter().filter(|it| it.language == language && it.not_run.is_none()).collect()
}

#[test]
fn every_block_has_a_language_and_what_is_not_run_has_a_reason() {
    let all = all();
    let known = |it: &&Block| !LANGUAGES.iter().any(|(language, _)| *language == it.language);
    let unknown: Vec<_> =
        all.iter().filter(known).map(|it| format!("{} ({})", it.at, it.language)).collect();
    assert!(
        unknown.is_empty(),
        "give these fences a language of LANGUAGES in tests/it/docs/pages.rs, or add theirs there \
         with what is done about it: {unknown:?}"
    );
    let not_run: Vec<_> =
        all.iter().filter_map(|it| Some((&it.at, it.not_run.as_ref()?))).collect();
    assert!(not_run.iter().all(|(_, why)| why.len() >= 10), "say why: {not_run:?}");
    assert!(
        not_run.len() <= NOT_RUN_MAX,
        "many are not run; raise NOT_RUN_MAX only if none of them can be: {not_run:#?}"
    );
}

#[test]
fn commands_of_the_documents_run() {
    let mut failed = Vec::new();
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for document in documents() {
            let blocks: Vec<Block> = blocks(&document)
                .into_iter()
                .filter(|it| it.language == "sh" && it.not_run.is_none())
                .collect();
            if !blocks.is_empty() {
                let page = PAGES.iter().find(|page| page.document == document);
                running.push(scope.spawn(move || shell::run(&document, page, &blocks)));
            }
        }
        assert!(running.len() >= 10, "{} pages have commands", running.len());
        failed.extend(running.into_iter().filter_map(|page| page.join().unwrap().err()));
    });
    assert!(
        failed.is_empty(),
        "{}\n\nA command that a reader would paste fails. Mend the page; or, when it takes something \
         for granted, say so in PAGES (tests/it/docs/pages.rs); or, when it cannot run here, write \
         `<!-- not run: why -->` above its fence.",
        failed.join("\n\n")
    );
}

#[test]
fn settings_of_the_documents_load() {
    let blocks = of("toml");
    assert!(blocks.len() > 10);
    for block in blocks {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, &block.text).unwrap();
        let loaded = load(&Overrides { file: Some(file), ..Overrides::default() });
        assert!(loaded.is_ok(), "{}: {}", block.at, loaded.unwrap_err());
    }
}

#[test]
fn json_of_the_documents_parses() {
    let blocks = of("json");
    assert!(blocks.len() > 5);
    for block in blocks {
        let values = serde_json::Deserializer::from_str(&block.text).into_iter();
        for value in values {
            let value: Result<serde_json::Value, _> = value;
            assert!(value.is_ok(), "{}: {}", block.at, value.unwrap_err());
        }
    }
}

#[test]
fn javascript_of_the_documents_parses() {
    let blocks = of("js");
    assert!(blocks.len() > 5);
    let folder = tempfile::tempdir().unwrap();
    for (n, block) in blocks.iter().enumerate() {
        let file = folder.path().join(format!("{n}.mjs"));
        fs::write(&file, &block.text).unwrap();
        let output = Command::new("node").arg("--check").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", block.at);
    }
}

/// Rust in a document is a file of the tests, word for word, which compiles and runs.
#[test]
fn rust_of_the_documents_is_tested_code() {
    let tested = ["tests/it/hooks/example.rs", "tests/it/own_provider/example.rs"];
    let tested = tested.map(|file| fs::read_to_string(root().join(file)).unwrap());
    for block in of("rust") {
        assert!(tested.contains(&block.text), "{}: keep it as a file that a test uses", block.at);
    }
}
