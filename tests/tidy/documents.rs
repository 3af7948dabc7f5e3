//! Documents lead somewhere: every link to a file or a heading, and the site's table of contents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{name, root};

/// Folders that hold no documents of ours.
const ELSEWHERE: [&str; 4] = ["target", "node_modules", ".git", "artifacts"];

/// Every document, with its path from the root.
pub fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let last = path.file_name().and_then(|last| last.to_str()).unwrap_or_default();
            if path.is_dir() && !ELSEWHERE.contains(&last) {
                folders.push(path);
            } else if path.is_file() && path.extension().is_some_and(|it| it == "md") {
                found.push((name(&path), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The lines of a document that are text, numbered: no code blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((at + 1, line))
    })
}

/// Where a line's links lead, without what is written as code.
fn links(line: &str) -> Vec<&str> {
    let plain = line.split('`').step_by(2);
    // A link may have code as its text: then its `](` follows the code.
    plain
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .collect()
}

/// The ids of a document's headings, as the site and the usual code hosts make them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ') else { continue };
        if !line.starts_with('#') {
            continue;
        }
        let words = heading.split("](").next().unwrap_or_default();
        let id: String = words
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let again = (1..1_000).map(|times| format!("{id}-{times}")).find(|id| !found.contains(id));
        found.insert(if found.contains(&id) { again.unwrap_or(id) } else { id });
    }
    found
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What is wrong with a link of `document`, if anything is.
fn problem(document: &str, text: &str, link: &str) -> Option<&'static str> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, id) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => root().join(document),
        path => plain(&root().join(document).parent().unwrap().join(path)),
    };
    if !target.exists() {
        return Some("there is no such file");
    }
    if document.starts_with("docs/") && !target.starts_with(root().join("docs")) {
        return Some("leads out of the site: name the file as code, or link a page of docs/");
    }
    if document.starts_with("docs/") && target.is_dir() {
        return Some("leads to a folder: link its README.md");
    }
    if id.is_empty() {
        return None;
    }
    let there = if path.is_empty() { text.to_owned() } else { fs::read_to_string(target).ok()? };
    (!headings(&there).contains(id)).then_some("there is no such heading")
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (document, text) in documents() {
        for (at, line) in prose(&text) {
            for link in links(line) {
                count += 1;
                if let Some(problem) = problem(&document, &text, link) {
                    wrong.push(format!("{document}:{at}: {link}: {problem}"));
                }
            }
        }
    }
    assert!(count > 200, "only {count} links were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut listed: Vec<String> =
        summary.lines().flat_map(links).map(|link| format!("docs/{link}")).collect();
    listed.sort();
    let pages = documents().into_iter().map(|(document, _)| document);
    let pages: Vec<String> =
        pages.filter(|it| it.starts_with("docs/") && it != "docs/SUMMARY.md").collect();
    assert_eq!(listed, pages, "docs/SUMMARY.md lists every page of docs/ once");
}

#[test]
fn headings_have_the_ids_that_links_use() {
    let text = "# One `two`: three!\n\n```sh\n# not this\n```\n## Same\n## Same\n";
    let ids: Vec<String> = headings(text).into_iter().collect();
    assert_eq!(ids, ["one-two-three", "same", "same-1"]);
    assert_eq!(links("[a](b.md#c) `[d](e)` and [`f`](g.md)"), ["b.md#c", "g.md"]);
}
