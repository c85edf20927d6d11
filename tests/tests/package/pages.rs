//! Tests of the guide and the listing as a Markdown reader and scripts see them.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use smp_tests::harness::Run;

use crate::setup::{CASES, Made, OURS, VERSION, digest};

/// The parts of a page.
#[derive(Debug, Default)]
struct Page {
    headings: Vec<(HeadingLevel, String)>,
    /// Cells of the rows of each table, the head first.
    tables: Vec<Vec<Vec<String>>>,
    links: Vec<String>,
}

/// Reads a page; anything that is not permitted in one is an error.
fn read(markdown: &str) -> Page {
    let mut page = Page::default();
    let mut text = String::new();
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH,
    ) {
        match event {
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::Start(Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_)) => {
                panic!("{event:?}")
            }
            Event::Start(Tag::Heading { .. } | Tag::TableCell) => text.clear(),
            Event::Start(Tag::Table(_)) => page.tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                page.tables.last_mut().unwrap().push(Vec::new())
            }
            Event::Start(Tag::Link { dest_url, .. }) => page.links.push(dest_url.into_string()),
            Event::End(TagEnd::Heading(level)) => page.headings.push((level, text.clone())),
            Event::End(TagEnd::TableCell) => {
                page.tables.last_mut().unwrap().last_mut().unwrap().push(text.clone())
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            _ => {}
        }
    }
    page
}

fn assert_well_formed(page: &Page) {
    assert_eq!(page.headings[0].0, HeadingLevel::H1);
    for pair in page.headings.windows(2) {
        assert!(
            pair[1].0 as usize <= pair[0].0 as usize + 1 && pair[1].0 != HeadingLevel::H1,
            "{pair:?}"
        );
    }
    assert!(page.headings.iter().all(|(_, title)| !title.trim().is_empty()));
    for table in &page.tables {
        assert!(
            table.len() > 1 && table.iter().all(|row| row.len() == table[0].len()),
            "{table:?}"
        );
        // An empty cell is permitted only if the row above continues, or if nothing is known.
        assert!(
            table.iter().skip(1).all(|row| row.iter().any(|cell| !cell.is_empty())),
            "{table:?}"
        );
    }
    for link in &page.links {
        assert!(link.starts_with("https://"), "{link}");
    }
}

#[test]
fn our_listing_is_a_page_that_any_reader_takes() {
    let page = read(&OURS.text("listing.md"));
    assert_well_formed(&page);
    let titles: Vec<_> = page
        .headings
        .iter()
        .filter(|(level, _)| *level != HeadingLevel::H3)
        .map(|(_, title)| title.as_str())
        .collect();
    let expected = [
        "Atlassian Cloud",
        "What is collected",
        "What you need",
        "What the connector asks the service",
        "How to set it up",
        "Questions and answers",
        "What was checked",
        "What changed",
        "Who vouches for it",
        "How to install it",
        "Help, and reports of weaknesses",
        "The file",
        "What is linked into it",
    ];
    assert_eq!(titles, expected);
    let text = OURS.text("listing.md");
    for endpoint in ["/admin/v1/orgs/{organization-id}/users", "read:accounts:admin"] {
        assert!(text.contains(endpoint), "{endpoint}");
    }
    assert!(text.contains(&digest(&OURS.bytes("atlassian-cloud.wasm"))));
}

#[test]
fn our_listing_is_a_page_that_stands_alone() {
    let page = OURS.text("listing.html");
    smp_listing::testing::assert_stands_alone(&page);
    for expected in [
        "<h1><bdi>Atlassian Cloud</bdi>",
        "What it may not do",
        "/admin/v1/orgs/{organization-id}/users",
        "read:accounts:admin",
        "Not signed when this page was written",
        "smp-harness verify atlassian-cloud-",
        "Passed",
        &digest(&OURS.bytes("atlassian-cloud.wasm")),
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let size = page.len();
    assert!(size < 200_000, "{size} bytes");
}

#[test]
fn our_guide_is_a_page_that_any_reader_takes() {
    let guide = Run::new("guide").end();
    let page = read(&guide.stdout);
    assert_well_formed(&page);
    assert!(page.links.iter().all(|link| link.contains("atlassian.com")), "{:?}", page.links);
    assert_eq!(page.headings[0].1, "Connect Atlassian Cloud");
}

#[test]
fn scripts_read_in_the_listing_what_inspect_says_of_the_file() {
    let listing = OURS.json("listing.json");
    let inspected =
        Run::bare().args(["inspect", "--json"]).arg(OURS.path("atlassian-cloud.wasm")).end().json();
    for (key, value) in inspected.as_object().unwrap() {
        assert_eq!(&listing[key], value, "{key}");
    }
    let keys: Vec<_> = listing.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "form",
        "file",
        "date",
        "descriptor",
        "imports",
        "exports",
        "contract_version",
        "size_bytes",
        "digest",
        "build_digest",
        "metadata",
        "links",
        "icon",
        "scopes",
        "breaking",
        "conformance",
        "performance",
        "linked",
    ];
    assert_eq!(keys, expected);
    assert_eq!(listing["descriptor"]["version"], VERSION);
    assert_eq!(
        listing["scopes"],
        json!([
            "read:accounts:admin",
            "read:directories:admin",
            "read:domains:admin",
            "read:keys:admin",
            "read:orgs:admin",
            "read:workspaces:admin"
        ])
    );
    assert_eq!(
        listing["digest"],
        format!("sha256:{}", digest(&OURS.bytes("atlassian-cloud.wasm")))
    );
    assert_eq!(
        (&listing["conformance"]["passed"], &listing["conformance"]["figures"]["fixtures"]),
        (&json!(true), &json!(CASES.len()))
    );
    assert!(listing["conformance"]["rules"].as_array().unwrap().len() > 20);
}

#[test]
fn figures_are_shown_only_with_the_build_that_they_are_of() {
    let files = tempfile::tempdir().unwrap();
    let with_figures_of = |of: Value| {
        let path = files.path().join("figures.json");
        let figure = json!({"key": "size.component", "name": "Component", "unit": "KiB", "median": 155.0, "min": 155.0, "max": 155.0});
        std::fs::write(
            &path,
            json!({"component": of, "cores": 2, "figures": [figure]}).to_string(),
        )
        .unwrap();
        Made::of(|run| run.file("--figures", &path))
    };
    let built = std::fs::read(smp_tests::harness::component()).unwrap();
    let ours = with_figures_of(format!("sha256:{}", digest(&built)).into());
    assert_eq!(ours.json("listing.json")["build_digest"], format!("sha256:{}", digest(&built)));
    assert!(ours.text("listing.md").contains("| Component | 155 KiB |"));
    let other = with_figures_of(Value::Null);
    assert_eq!(other.json("listing.json")["performance"]["figures"], json!([]));
    assert!(
        other.text("listing.md").contains("of a build that they do not name, and not of this one")
    );
    assert!(
        other.ended.stderr.contains("note: The figures are not of this build"),
        "{}",
        other.ended.stderr
    );
}
