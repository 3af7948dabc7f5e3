//! The documents' blocks of code, and what their pages say about them.

use std::fs;
use std::path::{Path, PathBuf};

/// A block of code in a document.
#[derive(Debug)]
pub struct Block {
    /// `document:line` of its first line.
    pub at: String,
    /// What the fence calls it; empty: nothing.
    pub language: String,
    /// What is in it.
    pub text: String,
    /// Why it is not run: `<!-- not run: … -->` on the line above the fence.
    pub not_run: Option<String>,
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document that readers copy from, with its path from the root.
pub fn documents() -> Vec<String> {
    let mut found: Vec<String> = ["README.md", "data/README.md"].map(str::to_owned).into();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The blocks of a document, in order.
pub fn blocks(document: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    read(document, &text)
}

fn read(document: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut above = "";
    while let Some((at, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if !line.trim().is_empty() {
                above = line.trim();
            }
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line);
        let inside: Vec<&str> =
            inside.take_while(|line| !line.trim_start().starts_with("```")).collect();
        let mark = above.strip_prefix("<!-- not run:").and_then(|it| it.strip_suffix("-->"));
        found.push(Block {
            at: format!("{document}:{}", at + 2),
            language: language.trim().to_owned(),
            text: inside.join("\n") + "\n",
            not_run: mark.map(|why| why.trim().to_owned()),
        });
        above = "";
    }
    found
}

#[test]
fn blocks_are_found_with_their_marks() {
    let text =
        "words\n\n```sh\none\n\ntwo\n```\n\n<!-- not run: needs it -->\n```toml\na = 1\n```\n";
    let found = read("a.md", text);
    assert_eq!(found.len(), 2);
    assert_eq!((&*found[0].at, &*found[0].text), ("a.md:4", "one\n\ntwo\n"));
    assert_eq!(found[0].not_run, None);
    assert_eq!(found[1].not_run.as_deref(), Some("needs it"));
}
