//! Tests of `smp-harness diff` with the real binary: from the second connector to each of its
//! editions, with the text in an expected file each. `BLESS=1` generates these again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run, component, folder, test_component};

#[test]
fn an_edition_with_other_texts_needs_no_operator() {
    let ended = to("example-reworded");
    assert_text("reworded", &ended);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let changes = to_json("example-reworded");
    assert_eq!((&changes["must_look"], &changes["class"]), (&json!(false), &json!("harmless")));
    assert_eq!(
        (&changes["stored_settings"], &changes["must_approve"]),
        (&json!("keep-working"), &json!([]))
    );
}

#[test]
fn an_edition_that_reads_and_knows_more_is_to_be_looked_at() {
    let ended = to("example-next");
    assert_text("next", &ended);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let changes = to_json("example-next");
    assert_eq!(
        (&changes["class"], &changes["stored_settings"]),
        (&json!("look"), &json!("keep-working"))
    );
    let case = case(&changes, "people-on-two-pages");
    assert_eq!(case["members"]["changed"][0], json!({"id": "u-1", "fields": ["attributes.apps"]}));
    assert_eq!((&case["old"]["members"], &case["new"]["requests"]), (&json!(5), &json!(5)));
}

#[test]
fn an_edition_that_wants_more_than_it_has_is_blocked_in_plain_words() {
    let ended = to("example-greedy");
    assert_text("greedy", &ended);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let changes = to_json("example-greedy");
    assert_eq!(
        (&changes["class"], &changes["stored_settings"]),
        (&json!("blocking"), &json!("stop-working"))
    );
    assert_eq!(
        changes["must_approve"],
        json!(["https://collect.noticeboard.example", "POST /api/2/search"])
    );
    // The way back: the setting no longer exists, and the greater authority is given up.
    let back = json_of(&compare(
        &test_component("example-greedy"),
        &test_component("example"),
        &["--json"],
    ));
    let ids = ids_of(&back);
    for id in [
        "origin",
        "setting-removed",
        "older-version",
        "ready-now",
        "list-gained",
        "endpoints-removed",
        "scopes-removed",
        "slower",
    ] {
        assert!(ids.contains(&id.to_owned()), "{id} is not in {ids:?}");
    }
}

#[test]
fn an_edition_that_loses_members_under_the_same_version_is_blocked() {
    let ended = to("example-losing");
    assert_text("losing", &ended);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let case = case(&to_json("example-losing"), "people-on-two-pages");
    assert_eq!(
        (&case["members"]["removed"], &case["members"]["added"]),
        (&json!(["u-2"]), &json!([]))
    );
}

#[test]
fn an_edition_that_asks_for_what_was_not_recorded_is_told_so_and_not_accused_of_losing_members() {
    let ended = to("example-larger-pages");
    assert_text("larger-pages", &ended);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let changes = to_json("example-larger-pages");
    assert_eq!(
        (&changes["class"], &changes["stored_settings"]),
        (&json!("look"), &json!("not-shown"))
    );
    let case = case(&changes, "people-on-two-pages");
    assert_eq!((&case["members"], &case["old"]["unanswered"]), (&Value::Null, &Value::Null));
    assert!(case["new"]["unanswered"].as_str().unwrap().ends_with("limit=100"), "{case}");
    // In the other direction, the traffic does not match the old build.
    let back = json_of(&compare(
        &test_component("example-larger-pages"),
        &test_component("example"),
        &["--json"],
    ));
    assert!(ids_of(&back).contains(&"not-played".to_owned()), "{back:#}");
}

#[test]
fn the_same_file_needs_no_operator_and_is_not_played() {
    let ended = compare(&component(), &component(), &["--json"]);
    let changes = json_of(&ended);
    assert_eq!(
        (ended.code, ids_of(&changes), &changes["cases"]),
        (Some(0), vec!["same-file".to_owned()], &json!([]))
    );
}

#[test]
fn without_traffic_no_upgrade_is_called_harmless() {
    let run = Run::bare()
        .arg("diff")
        .arg(test_component("example"))
        .arg(test_component("example-reworded"))
        .arg("--json")
        .end();
    let changes = json_of(&run);
    assert_eq!((run.code, &changes["stored_settings"]), (Some(1), &json!("not-shown")));
    assert!(ids_of(&changes).contains(&"members-not-shown".to_owned()), "{changes:#}");
}

#[test]
fn a_case_that_is_none_is_told_and_the_others_are_compared() {
    let cases = tempfile::tempdir().unwrap();
    let good = folder("example-connector/fixtures/people-on-two-pages");
    for (case, traffic) in [("broken", "{"), ("good", "")] {
        std::fs::create_dir(cases.path().join(case)).unwrap();
        std::fs::copy(good.join("settings.json"), cases.path().join(case).join("settings.json"))
            .unwrap();
        let har = cases.path().join(case).join("traffic.har");
        let traffic = if traffic.is_empty() {
            std::fs::read_to_string(good.join("traffic.har")).unwrap()
        } else {
            traffic.into()
        };
        std::fs::write(har, traffic).unwrap();
    }
    let run = Run::bare()
        .arg("diff")
        .arg(test_component("example"))
        .arg(test_component("example-reworded"));
    let changes = json_of(&run.arg("--json").file("--fixture", cases.path()).end());
    let finding = |id: &str| {
        changes["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["id"] == id)
            .cloned()
            .unwrap_or_default()
    };
    assert!(
        finding("not-played")["details"][0]
            .as_str()
            .unwrap()
            .starts_with("broken, with the old build: "),
        "{changes:#}"
    );
    assert_eq!(finding("same-members")["details"], json!(["5 members in 1 case"]));
}

#[test]
fn cases_are_named_one_after_another_or_with_the_option_again() {
    let [one, other] = ["nobody-there", "people-on-two-pages"]
        .map(|case| folder("example-connector/fixtures").join(case));
    let run = || {
        Run::bare()
            .args(["diff", "--json"])
            .arg(test_component("example"))
            .arg(test_component("example-reworded"))
    };
    for run in [
        run().arg("--fixture").arg(&one).arg(&other),
        run().file("--fixtures", &one).file("--fixture", &other),
    ] {
        let changes = json_of(&run.end());
        let names: Vec<_> = changes["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["nobody-there", "people-on-two-pages"]);
    }
}

#[test]
fn what_cannot_be_compared_is_a_failure_that_names_the_side() {
    let text = folder("fixtures/README.md");
    for (old, new, which) in
        [(text.clone(), test_component("example"), "old"), (test_component("example"), text, "new")]
    {
        let ended = compare(&old, &new, &["--json"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(
            ended.said("component").starts_with(&format!("the {which} build cannot be loaded: ")),
            "{}",
            ended.stderr
        );
    }
    for (file, cases) in
        [("no/such/file.wasm", "example-connector/fixtures"), ("example", "no/such/cases")]
    {
        let file = if file == "example" { test_component(file) } else { PathBuf::from(file) };
        let run = Run::bare().arg("diff").arg(test_component("example")).arg(file).arg("--json");
        let ended = run.file("--fixtures", &folder(cases)).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    }
}

#[test]
fn the_words_of_a_component_steer_no_terminal() {
    for arguments in [&[][..], &["--json"]] {
        let ended = compare(&test_component("tame"), &test_component("steering-texts"), arguments);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(
            ended.stdout.contains("published") && ended.stdout.contains("u{1b}"),
            "{}",
            ended.stdout
        );
        let steering = |sign: char| sign != '\n' && smp_host::text::is_active(sign);
        assert!(!ended.stdout.contains(steering), "{:?}", ended.stdout);
    }
}

#[test]
fn a_build_that_hangs_ends_the_comparison_at_the_third_time() {
    let changes = json_of(&compare(
        &test_component("tame"),
        &test_component("endless-loop"),
        &["--json", "--limit", "cpu=50ms"],
    ));
    let findings = changes["findings"].as_array().unwrap();
    let details = findings
        .iter()
        .find(|finding| finding["id"] == "not-played")
        .map(|finding| finding["details"].clone());
    assert_eq!(details, Some(json!(["calls hung 3 times: 5 cases left out"])), "{changes:#}");
}

#[test]
fn a_page_says_what_blocks_and_the_json_is_the_same_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("upgrade.html");
    let (old, new) = (test_component("example"), test_component("example-greedy"));
    let ended = compare(&old, &new, &["--json", "--html", page.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(json_of(&ended), to_json("example-greedy"));
    let page = std::fs::read_to_string(&page).unwrap();
    smp_listing::testing::assert_stands_alone(&page);
    for expected in [
        "An operator must act before this upgrade",
        "The stored settings and key stop working.",
        "<code dir=\"auto\">POST /api/2/search</code>",
        "<section id=\"blocking\"><h2>Blocking</h2>",
        "people-on-two-pages",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn a_page_of_texts_that_steer_is_harmless() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("upgrade.html");
    let (old, new) = (test_component("tame"), test_component("steering-texts"));
    let run = Run::bare().arg("diff").arg(old).arg(new).file("--html", &page);
    let ended = run.end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    smp_listing::testing::assert_stands_alone(&std::fs::read_to_string(&page).unwrap());
}

#[test]
fn a_page_replaces_neither_build() {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("new.wasm");
    std::fs::copy(test_component("example-reworded"), &copy).unwrap();
    let run = Run::bare().args(["diff", "--json"]).arg(test_component("example")).arg(&copy);
    let ended = run.file("--html", &copy).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    let said = ended.said("invalid-settings");
    assert!(said.starts_with("`--html` and `NEW.wasm` are the same file"), "{said}");
    assert_eq!(
        std::fs::read(&copy).unwrap(),
        std::fs::read(test_component("example-reworded")).unwrap()
    );
}

fn to(new: &str) -> Ended {
    compare(&test_component("example"), &test_component(new), &[])
}

fn to_json(new: &str) -> Value {
    json_of(&compare(&test_component("example"), &test_component(new), &["--json"]))
}

fn compare(old: &Path, new: &Path, arguments: &[&str]) -> Ended {
    let run = Run::bare().arg("diff").arg(old).arg(new).args(arguments);
    run.file("--fixtures", &folder("example-connector/fixtures")).end()
}

/// The document, which comes alone.
fn json_of(ended: &Ended) -> Value {
    assert_eq!(ended.stderr, "");
    ended.json()
}

fn ids_of(changes: &Value) -> Vec<String> {
    changes["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

fn case(changes: &Value, name: &str) -> Value {
    changes["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone()
}

fn assert_text(edition: &str, ended: &Ended) {
    let path = folder("tests/upgrade").join(edition).with_extension("txt");
    let shown = without_measurements(&ended.stdout);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == expected, "{shown}\n(BLESS=1 writes it to {})", path.display());
}

/// The text without parts that differ between compilers.
fn without_measurements(text: &str) -> String {
    let line = |line: &str| match line.split_once(" · ") {
        Some((build, rest)) if rest.ends_with(" bytes") => format!("{build} · … bytes\n"),
        _ if line.starts_with("     sha256:") => "     sha256:…\n".to_owned(),
        _ if line.contains("Has another size") => String::new(),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
