//! Tests of a package's files: which ones, their sources, and that they are reproducible.

use std::fs;
use std::path::Path;
use std::process::Command;

use smp_tests::harness::{Run, component, folder, test_component};
use wasmparser::{Parser, Payload};

use crate::setup::{DATE, Made, OURS, VERSION, bill, bill_of, digest, packaging, packaging_of};

#[test]
fn a_package_is_a_folder_of_seven_files_with_their_checksums() {
    let names = [
        "CHANGELOG.md",
        "SHA256SUMS",
        "atlassian-cloud.wasm",
        "listing.html",
        "listing.json",
        "listing.md",
        "sbom.cdx.json",
    ];
    assert_eq!(OURS.files().into_keys().collect::<Vec<_>>(), names);
    assert_eq!(
        OURS.folder().file_name().unwrap().to_str().unwrap(),
        format!("atlassian-cloud-{VERSION}")
    );
    let sums: Vec<_> = names
        .iter()
        .filter(|name| **name != "SHA256SUMS")
        .map(|name| format!("{}  {name}", digest(&OURS.bytes(name))))
        .collect();
    assert_eq!(OURS.text("SHA256SUMS").lines().collect::<Vec<_>>(), sums);
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(OURS.folder())
        .status();
    assert!(checked.unwrap().success());
}

#[test]
fn packaging_it_again_changes_nothing_and_packaging_the_packaged_component_gives_the_same_bytes() {
    let again = tempfile::tempdir().unwrap();
    // The component's own metadata need not be given again.
    let ended = packaging_of(&OURS.path("atlassian-cloud.wasm"), &bill(), again.path()).end();
    let second = Made::ended(again, ended);
    assert_eq!(second.files(), OURS.files());
    assert_eq!(
        (&second.ended.json()["changed"], &OURS.ended.json()["changed"]),
        (&true.into(), &true.into())
    );
    let third = packaging_of(
        &OURS.path("atlassian-cloud.wasm"),
        &bill(),
        second.folder().parent().unwrap(),
    )
    .end();
    assert_eq!(
        (third.code, &third.json()["changed"]),
        (Some(0), &false.into()),
        "{}",
        third.stderr
    );
}

#[test]
fn the_component_does_what_it_did_and_only_says_more_about_itself() {
    let (before, after) = (fs::read(component()).unwrap(), OURS.bytes("atlassian-cloud.wasm"));
    let (before, after) = (sections(&before), sections(&after));
    let (kept, added) = after.split_at(before.len());
    for ((before_name, before), (after_name, after)) in before.iter().zip(kept) {
        assert_eq!(before_name, after_name);
        // The component's name is put before the names of its parts.
        let own = [b"\x00\x10\x0fatlassian-cloud".as_slice(), before].concat();
        let expected = if before_name.as_deref() == Some("component-name") { &own } else { before };
        assert!(after == expected, "{before_name:?}");
    }
    let names: Vec<_> = kept.iter().filter_map(|(name, _)| name.as_deref()).collect();
    assert_eq!(names, ["component-name", "producers"]);
    let added: Vec<_> = added
        .iter()
        .map(|(name, bytes)| (name.as_deref().unwrap(), String::from_utf8_lossy(bytes)))
        .collect();
    let expected = [
        ("authors", "The maintainers of smp-connector"),
        (
            "description",
            "The Atlassian Cloud connector: an organization's members, as a WebAssembly component",
        ),
        ("licenses", "Apache-2.0"),
        ("revision", "0123abcd"),
        ("version", VERSION),
    ];
    assert_eq!(added, expected.map(|(name, text)| (name, text.into())));
}

/// The sections of the outermost component: name and content of a custom one, the content of any
/// other.
fn sections(bytes: &[u8]) -> Vec<(Option<String>, Vec<u8>)> {
    let mut depth = 0;
    let mut sections = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.unwrap();
        let whole = |range: std::ops::Range<usize>| (None, bytes[range].to_vec());
        match &payload {
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                if depth == 0 {
                    sections.push(whole(unchecked_range.clone()));
                }
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 0 => {
                sections.push((Some(section.name().to_owned()), section.data().to_vec()))
            }
            other if depth == 0 => {
                sections.extend(other.as_section().map(|(_, range)| whole(range)))
            }
            _ => {}
        }
    }
    sections
}

#[test]
fn no_file_names_a_folder_of_the_machine_that_made_it() {
    let workspace = fs::canonicalize(folder("..")).unwrap();
    let home = std::env::var("HOME").unwrap_or_else(|_| "/home/".into());
    let folders = [
        workspace.to_str().unwrap(),
        &home,
        "/home/",
        "/Users/",
        "file://",
        OURS.folder().parent().unwrap().to_str().unwrap(),
    ];
    let files =
        OURS.files().into_iter().chain([("built".to_owned(), fs::read(component()).unwrap())]);
    for (name, bytes) in files {
        for folder in folders.iter().filter(|folder| folder.len() > 1) {
            assert!(
                !bytes.windows(folder.len()).any(|window| window == folder.as_bytes()),
                "`{folder}` is in {name}"
            );
        }
    }
}

#[test]
fn a_package_has_the_date_that_it_is_given_and_otherwise_none() {
    assert_eq!(OURS.json("listing.json")["date"], DATE.1);
    assert_eq!(OURS.json("sbom.cdx.json")["metadata"]["timestamp"], DATE.1);
    assert!(OURS.text("listing.md").contains("- **Date of the version:** 2023-11-14\n"));
    let without = Made::of(|run| run.env("SOURCE_DATE_EPOCH", ""));
    assert!(without.json("listing.json")["date"].is_null());
    assert!(without.json("sbom.cdx.json")["metadata"]["timestamp"].is_null());
    assert!(!without.text("listing.md").contains("Date of the version"));
}

#[test]
fn what_the_publisher_says_counts_more_than_what_is_found() {
    let made = Made::of(|run| {
        run.args([
            "--authors",
            "Somebody",
            "--licenses",
            "MIT",
            "--source",
            "https://example.test/source",
        ])
        .args(["--homepage", "https://example.test"])
    });
    let metadata = &made.json("listing.json")["metadata"];
    assert_eq!((&metadata["authors"], &metadata["licenses"]), (&"Somebody".into(), &"MIT".into()));
    let wasm = made.bytes("atlassian-cloud.wasm");
    let said = sections(&wasm);
    let of = |name: &str| {
        said.iter()
            .find(|(found, _)| found.as_deref() == Some(name))
            .map(|(_, data)| String::from_utf8_lossy(data).into_owned())
    };
    assert_eq!(of("source").as_deref(), Some("https://example.test/source"));
    assert_eq!(of("homepage").as_deref(), Some("https://example.test/"));
    assert_eq!(metadata["homepage"], "https://example.test/");
    assert_eq!(of("revision"), None);
}

#[test]
fn a_connector_of_another_author_is_packaged_with_a_bill_of_its_own() {
    let (output, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = Run::bare()
        .args(["package", "--json"])
        .arg(test_component("example"))
        .file("--output", output.path());
    let run = run
        .file("--fixtures", &folder("example-connector/fixtures"))
        .file("--changelog", &folder("../CHANGELOG.md"));
    let ended =
        run.file("--sbom", &bill_of(files.path(), VERSION)).args(["--authors", "Somebody"]).end();
    let made = Made::ended(output, ended);
    assert_eq!(
        made.folder().file_name().unwrap().to_str().unwrap(),
        format!("noticeboard-{VERSION}")
    );
    assert!(made.files().contains_key("noticeboard.wasm"));
    assert_eq!(
        made.json("listing.json")["metadata"]["description"],
        "Connector of a SaaS management platform for Noticeboard"
    );
    assert!(made.text("listing.md").contains("Nothing, according to the bill of materials."));
}

#[test]
fn the_changelog_is_the_entry_of_the_version() {
    let output = tempfile::tempdir().unwrap();
    let changelog = output.path().join("changelog.md");
    fs::write(
        &changelog,
        format!(
            "# Changelog\n\n## 99.0.0\n\nlater\n\n## [{VERSION}] - 2026-01-02\n\n- this\n\n### \
             Breaking\n\n- **Until 2030-01-31:** Keys.\n\n## 0.0.1\n\nearlier\n"
        ),
    )
    .unwrap();
    let made =
        Made::with_changelog(&changelog, |run| run.args(["--revision", "0123abcd", "--release"]));
    assert_eq!(
        made.text("CHANGELOG.md"),
        format!(
            "## [{VERSION}] - 2026-01-02\n\n- this\n\n### Breaking\n\n- **Until 2030-01-31:** \
             Keys.\n"
        )
    );
    assert_eq!(
        made.json("listing.json")["breaking"],
        serde_json::json!([{"deadline": "2030-01-31", "message": "Keys."}])
    );
    assert!(
        made.text("listing.md")
            .contains("\n## Before you upgrade\n\n| Until | What changes, and what to do |\n")
    );
    assert!(!made.ended.stderr.contains("note:"), "{}", made.ended.stderr);
}

#[test]
fn a_picture_that_only_draws_is_a_file_of_the_package_and_part_of_its_page() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("icon");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h1v1z\"/></svg>";
    fs::write(&path, svg).unwrap();
    let made = Made::of(|run| run.file("--icon", &path));
    assert_eq!(
        (made.text("icon.svg").as_str(), &made.json("listing.json")["icon"]),
        (svg, &"icon.svg".into())
    );
    assert!(
        made.text("listing.html").contains("<img class=\"icon\" src=\"data:image/svg+xml;base64,")
    );
    fs::write(&path, svg.replace("<path", "<path onload=\"alert(1)\"")).unwrap();
    let refused = packaging(files.path()).file("--icon", &path).end();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.said("invalid-settings").contains("`onload`"), "{}", refused.stderr);
}

#[test]
fn a_listing_names_where_help_and_reports_of_weaknesses_go() {
    let made = Made::of(|run| {
        run.args(["--support", "https://example.test/help", "--security", "mailto:s@example.test"])
    });
    let links = &made.json("listing.json")["links"];
    assert_eq!(links["security"], "mailto:s@example.test");
    assert!(made.text("listing.md").contains("- **Help:** <https://example.test/help>\n"));
    assert!(made.text("listing.html").contains("<a href=\"mailto:s@example.test\""));
    let output = tempfile::tempdir().unwrap();
    let refused = packaging(output.path()).args(["--support", "http://example.test"]).end();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.said("invalid-settings").contains("`--support`"), "{}", refused.stderr);
}

#[test]
fn a_signed_package_is_not_replaced() {
    let output = tempfile::tempdir().unwrap();
    let first = packaging(output.path()).end();
    let folder = first.json()["folder"].as_str().unwrap().to_owned();
    fs::write(Path::new(&folder).join("SHA256SUMS.sig"), "signed").unwrap();
    let same = packaging(output.path()).end();
    assert_eq!((same.code, &same.json()["changed"]), (Some(0), &false.into()), "{}", same.stderr);
    let other = packaging(output.path()).args(["--authors", "Somebody else"]).end();
    assert_eq!(other.code, Some(1));
    assert!(other.said("output").contains("`SHA256SUMS.sig`"), "{}", other.stderr);
}
