//! Tests of `check --html`: the page has verdict and traffic, stands alone whatever the connector
//! says, and goes only where nothing is lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;
use smp_listing::testing::assert_stands_alone;
use smp_tests::harness::{Run, folder, names, test_component};

use crate::careless;
use crate::setup::{case, checked, finding};

/// `check` on a test component, with a page there.
fn check(component: &str, fixtures: &Path, page: &Path) -> Run {
    let run = Run::bare().arg("check").arg(test_component(component));
    run.file("--fixtures", fixtures).file("--html", page)
}

#[test]
fn the_page_has_the_verdict_and_every_exchange_beside_the_json() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("report.html");
    let fixtures = folder("example-connector/fixtures");
    let ended = check("example", &fixtures, &path).arg("--json").end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.json()["passed"], true);
    let page = fs::read_to_string(&path).unwrap();
    assert_stands_alone(&page);
    for expected in [
        "Passed",
        "<code>no-false-success</code>",
        "people-on-two-pages",
        "Page 1: ",
        "Page 2: ",
        "stop</span>",
        "<td class=\"h-holds\">",
        "<h3><code>collect</code></h3>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("class=\"h-breaks\"><span>"), "a connector that passes breaks no rule");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(home.path()), ["report.html"]);
    let without = checked("example", &fixtures, &[]);
    assert_eq!(without.json()["rules"], ended.json()["rules"]);
}

#[test]
fn a_rule_that_is_broken_is_on_the_page_and_in_the_map() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("report.html");
    let ended = careless::check("takes-anything-for-the-end", &["--html", path.to_str().unwrap()]);
    assert_eq!(finding(&ended, "no-false-success").0, "failed");
    let page = fs::read_to_string(&path).unwrap();
    assert_stands_alone(&page);
    for expected in
        ["Not passed</span>", "class=\"h-breaks\"><span>✘ ", "break a rule", "nothing is expected"]
    {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn texts_that_steer_a_page_are_texts_on_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("report.html");
    let exchanges = [("/users", "{\"data\": [], \"x\": \"<script>alert(1)</script>\"}")];
    let fixtures = case("acme", &exchanges, Some(&json!({"note": "<img src=x>"})));
    for component in ["steering-texts", "steering-members", "long-descriptor"] {
        let ended = check(component, fixtures.path(), &path).end();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert_stands_alone(&fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn a_file_that_is_no_connector_has_a_page_too() {
    let home = tempfile::tempdir().unwrap();
    let (file, path) = (home.path().join("x.wasm"), home.path().join("report.html"));
    fs::write(&file, "#!/bin/sh").unwrap();
    let ended = Run::bare().arg("check").arg(&file).file("--html", &path).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let page = fs::read_to_string(&path).unwrap();
    assert_stands_alone(&page);
    assert!(page.contains("the file is not WebAssembly"), "{page}");
}

#[test]
fn a_page_that_would_cost_something_is_refused_before_any_work() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let fixtures = case("acme", &[("/users", "{}")], None);
    fs::copy(test_component("example"), at("connector.wasm")).unwrap();
    symlink(at("connector.wasm"), at("link.html")).unwrap();
    let har = fixtures.path().join("case/traffic.har");
    for (path, code, kind, because) in [
        (at("connector.wasm"), 2, "invalid-settings", "are the same file"),
        (at("link.html"), 2, "invalid-settings", "are the same file"),
        (har, 2, "invalid-settings", "inside the folder of `--fixtures`"),
        (
            fixtures.path().join("report.html"),
            2,
            "invalid-settings",
            "inside the folder of `--fixtures`",
        ),
        ("-".into(), 2, "invalid-settings", "names no file"),
        ("/dev/stdout".into(), 2, "invalid-settings", "leads to standard output"),
        (at("none/report.html"), 1, "output", "its folder is not there"),
        (home.path().to_owned(), 1, "output", "a folder"),
    ] {
        let before = names(home.path());
        let run = Run::bare().args(["check", "--json"]).arg(at("connector.wasm"));
        let ended = run.file("--fixtures", fixtures.path()).file("--html", &path).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{path:?}");
        assert!(ended.said(kind).contains(because), "{path:?}: {}", ended.stderr);
        assert_eq!(names(home.path()), before);
    }
}

#[test]
fn a_page_that_cannot_be_written_at_the_end_is_told() {
    let ended = Run::bare()
        .args(["check", "--json", "--html", "/dev/full"])
        .arg(test_component("example"))
        .end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.said("output").contains("/dev/full"), "{}", ended.stderr);
    assert!(ended.stderr.contains("`--html` names another"), "{}", ended.stderr);
}
