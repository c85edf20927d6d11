//! Tests that connectors of every language are judged alike: before anything is compiled, by
//! processor time, with compiled code kept, and with notes where nothing is wrong.

use serde_json::json;
use smp_tests::harness::{Run, folder, test_component};

use super::setup::{case, checked, finding, rule};

#[test]
fn imports_are_judged_before_anything_is_compiled() {
    // No worker has so little time that it can compile, or refuse to.
    let check = |name: &str| {
        let run = Run::bare().args(["check", "--json"]).arg(test_component(name));
        run.args(["--limit", "compile-time=1ms"]).end()
    };
    let ended = check("wasi");
    let (outcome, told) = finding(&ended, "keeps-to-the-contract");
    assert_eq!((outcome.as_str(), ended.code), ("failed", Some(1)));
    assert!(told.contains("wasi:cli/environment@0.2.6"), "{told}");
    let hint = rule(&ended, "keeps-to-the-contract")["hint"].to_string();
    assert!(hint.contains("smp-harness seal") && hint.contains("In Rust"), "{hint}");
    assert_eq!(rule(&ended, "compiles")["outcome"], "skipped");
    let ended = check("tame");
    assert_eq!(finding(&ended, "compiles").0, "failed");
    assert_eq!(rule(&ended, "keeps-to-the-contract")["outcome"], "passed");
}

#[test]
fn an_export_that_no_host_calls_is_a_breach_and_seal_leaves_it_out() {
    let asks = case("acme", &[("/people", "{}"), ("", "{}")], None);
    let ended = checked("exports-more", asks.path(), &[]);
    let (outcome, told) = finding(&ended, "keeps-to-the-contract");
    let told = (outcome.as_str(), told.as_str());
    assert_eq!(told, ("failed", "it exports `additional`, which no host calls"));
    let hint = rule(&ended, "keeps-to-the-contract")["hint"].to_string();
    assert!(hint.contains("smp-harness seal"), "{hint}");
    let output = asks.path().with_extension("wasm");
    let sealed = Run::bare().arg("seal").arg(test_component("exports-more"));
    let sealed = sealed.file("--output", &output).arg("--json").end().json();
    assert_eq!(sealed["left_out"], json!(["additional"]));
    let ended = Run::bare().args(["check", "--json"]).arg(&output).end();
    std::fs::remove_file(&output).unwrap();
    assert_eq!(rule(&ended, "keeps-to-the-contract")["outcome"], "passed");
}

#[test]
fn a_cursor_that_expires_without_being_given_is_a_breach() {
    let asks = case("acme", &[("/people", "{}"), ("", "{}")], None);
    let ended = checked("expires-at-once", asks.path(), &[]);
    let (outcome, told) = finding(&ended, "fails-as-agreed");
    assert_eq!(outcome, "failed");
    assert!(
        told.contains("it calls a cursor expired in answer to a request for the first"),
        "{told}"
    );
}

#[test]
fn endpoints_that_the_first_recordings_do_not_call_are_a_note_where_the_author_says_so() {
    let one = folder("fixtures/acme");
    let check = |arguments: &[&str]| {
        let run = Run::new("check").arg("--json").file("--fixtures", &one);
        run.args(arguments).end()
    };
    let (whole, partial) = (check(&[]), check(&["--partial"]));
    assert_eq!(rule(&whole, "endpoints-covered")["outcome"], "failed", "{:#}", whole.json());
    assert_eq!(rule(&partial, "endpoints-covered")["outcome"], "note");
    assert_eq!((whole.code, partial.code), (Some(1), Some(0)), "{:#}", partial.json());
    assert_eq!(check(&["--partial", "--strict"]).code, Some(2));
}

#[test]
fn compiled_code_is_kept_and_a_tighter_limit_is_still_judged() {
    let cache = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str]| {
        let run = Run::bare().env("XDG_CACHE_HOME", cache.path()).args(["check", "--json"]);
        run.arg(test_component("tame")).args(arguments).end()
    };
    let kept = || {
        let folders = std::fs::read_dir(cache.path()).unwrap().map(Result::unwrap);
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.path().join("compiled")));
        files.flatten().count()
    };
    let first = check(&[]);
    assert_eq!((rule(&first, "compiles")["outcome"].as_str(), kept()), (Some("passed"), 1));
    assert_eq!(check(&[]).json()["rules"], first.json()["rules"]);
    let (outcome, told) = finding(&check(&["--limit", "compile-time=1ms"]), "compiles");
    assert!(outcome == "failed" && told.contains("`compile-time` is 1 ms"), "{told}");
}

#[test]
fn whether_a_host_with_a_pool_takes_it_is_told() {
    let ended = Run::bare().args(["check", "--json"]).arg(test_component("tame")).end();
    assert_eq!(rule(&ended, "fits-a-pool")["outcome"], "passed");
}
