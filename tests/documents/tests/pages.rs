//! Tests that pages made of hostile texts hold nothing that acts, for readers of Markdown that the
//! project does not use itself: comrak with every extension, and marked and micromark where Node.js
//! and npm are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Elements that a page may have.
const ELEMENTS: [&str; 17] = [
    "p", "h1", "h2", "h3", "ul", "ol", "li", "strong", "code", "a", "table", "thead", "tbody",
    "tr", "th", "td", "br",
];

/// The pages, which the tests of `smp-listing` keep up to date.
fn pages() -> Vec<String> {
    let path = folder().join("hostile/pages.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n\u{c}\n").map(ToOwned::to_owned).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Requires that HTML has no elements and attributes but those of a plain page.
fn assert_passive(html: &str, reader: &str, page: &str) {
    let links = ["href=\"https://", "href=\"http://", "href=\"mailto:"];
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
        let tag = tag.trim_start_matches('/').trim_end_matches([' ', '/']);
        let (element, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let is_plain = match element {
            "a" => links.iter().any(|start| {
                attributes.is_empty()
                    || attributes.to_ascii_lowercase().starts_with(start)
                        && attributes.matches('"').count() == 2
            }),
            "ol" => attributes.is_empty() || attributes.starts_with("start=\""),
            _ => attributes.is_empty(),
        };
        let is_known = ELEMENTS.contains(&element) && is_plain;
        assert!(is_known, "{reader} reads <{tag}> in\n{page}\n{html}");
    }
}

#[test]
fn comrak_finds_nothing_that_acts() {
    let pages = pages();
    assert!(pages.len() > 30, "{}", pages.len());
    for page in &pages {
        let mut options = comrak::Options::default();
        options.render.r#unsafe = true;
        assert_passive(&comrak::markdown_to_html(page, &options), "comrak", page);
        let extension = &mut options.extension;
        extension.table = true;
        extension.autolink = true;
        extension.strikethrough = true;
        extension.tasklist = true;
        extension.footnotes = true;
        extension.description_lists = true;
        extension.multiline_block_quotes = true;
        extension.wikilinks_title_after_pipe = true;
        extension.spoiler = true;
        extension.alerts = true;
        extension.math_code = false;
        assert_passive(&comrak::markdown_to_html(page, &options), "comrak, extended", page);
    }
}

#[test]
fn marked_and_micromark_find_nothing_that_acts() {
    let script = folder().join("hostile/read.mjs");
    let read = Command::new("node").arg(&script).output();
    let Some(read) = read.ok().filter(|read| read.status.code() != Some(77)) else {
        println!("skipped: marked and micromark are not installed; `make documents` does that");
        return;
    };
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let html = String::from_utf8(read.stdout).unwrap();
    let (pages, mut number) = (pages(), 0);
    for (read, page) in html.split('\u{c}').zip(pages.iter().flat_map(|page| [page, page])) {
        assert_passive(read, ["marked", "micromark"][number % 2], page);
        number += 1;
    }
    assert_eq!(number, 2 * pages.len());
}
