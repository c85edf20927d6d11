//! The picture in README.md is what `make run` ends with, in colour: made from the output of the
//! real command, as an SVG that follows the reader's light or dark theme. `make picture` writes it
//! again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "picture/svg.rs"]
mod svg;

use std::collections::BTreeSet;
use std::fs;

use smp_tests::harness::{Run, folder, names};

/// Rows of the table that the picture leaves out, as the README did: 12 of 24 show every kind.
const ROWS: std::ops::Range<usize> = 14..26;

fn collected(colour: Option<(&str, &str)>) -> String {
    let mut run = Run::new("collect").file("--fixture", &folder("fixtures/acme"));
    if let Some((name, value)) = colour {
        run = run.env(name, value);
    }
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout
}

/// What the picture shows: the command, and its output without half of the rows.
fn shown() -> String {
    let output = collected(Some(("CLICOLOR_FORCE", "1")));
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[ROWS.end].is_empty(), "the table ends with row {}: {lines:#?}", ROWS.end);
    let mut shown = vec![" \u{1b}[2m$\u{1b}[0m \u{1b}[1mmake run\u{1b}[0m", ""];
    shown.extend(&lines[..ROWS.start]);
    shown.push(" …");
    shown.extend(&lines[ROWS.end..]);
    shown.join("\n")
}

#[test]
fn the_picture_in_the_readme_is_the_output_of_today() {
    let picture = svg::of(&shown(), "The members of an example organization, on a terminal");
    let path = folder("../docs/make-run.svg");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == picture, "`docs/make-run.svg` is out of date: `make picture` writes it again");
    assert!(fs::read_to_string(folder("../README.md")).unwrap().contains("docs/make-run.svg"));
}

#[test]
fn colours_are_forced_or_refused_by_the_usual_variables() {
    let plain = collected(None);
    assert!(!plain.contains('\u{1b}'), "a pipe takes no colours: {plain:?}");
    let coloured = collected(Some(("CLICOLOR_FORCE", "1")));
    assert!(coloured.contains("\u{1b}[32m"), "{coloured:?}");
    for (name, value) in [("CLICOLOR_FORCE", "0"), ("CLICOLOR_FORCE", ""), ("NO_COLOR", "1")] {
        assert_eq!(collected(Some((name, value))), plain, "{name}={value}");
    }
    let both = Run::new("collect").file("--fixture", &folder("fixtures/acme"));
    let both = both.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").end();
    assert_eq!(both.stdout, plain, "who asks for none gets none");
}

#[test]
fn every_picture_of_the_console_is_on_its_page_and_the_other_way_round() {
    let page = fs::read_to_string(folder("../docs/console.md")).unwrap();
    let of_page = |text: &str| -> BTreeSet<String> {
        let parts = text.split("console/").skip(1).filter_map(|rest| rest.split_once(".png"));
        parts.map(|(name, _)| format!("{name}.png")).collect()
    };
    let there: BTreeSet<String> = names(&folder("../docs/console")).into_iter().collect();
    assert_eq!(of_page(&page), there);
    for name in &there {
        let other = match name.strip_suffix("-light.png") {
            Some(name) => format!("{name}-dark.png"),
            None => name.replace("-dark.png", "-light.png"),
        };
        assert!(there.contains(&other), "{name} has no {other}");
    }
    let readme = fs::read_to_string(folder("../README.md")).unwrap();
    let shown = of_page(&readme);
    assert!(!shown.is_empty() && shown.is_subset(&there), "{shown:?}");
}
