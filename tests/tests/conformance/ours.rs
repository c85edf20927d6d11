//! Tests that the Atlassian connector and the small second one pass with all of their fixtures,
//! strictly.

use serde_json::Value;
use smp_tests::harness::{Run, folder, test_component};

#[test]
fn ours_passes_and_the_author_reads_why() {
    let ended = Run::new("check").file("--fixtures", &folder("fixtures")).arg("--strict").end();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let path = folder("tests/conformance/ours.txt");
    let shown = without_measurements(&ended.stdout);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == expected, "{shown}\n(BLESS=1 writes it to {})", path.display());
}

#[test]
fn the_second_connector_passes_too() {
    let ended = Run::bare()
        .arg("check")
        .arg(test_component("example"))
        .file("--fixtures", &folder("example-connector/fixtures"))
        .end();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn the_same_check_comes_to_the_same_bytes_but_for_its_times() {
    let check = || {
        let cases = ["acme", "no-total"].map(|case| folder("fixtures").join(case));
        let run = cases
            .iter()
            .fold(Run::new("check").arg("--json"), |run, case| run.file("--fixtures", case));
        let ended = run.end();
        let mut verdict: Value = ended.json();
        assert!(verdict["times"].as_object_mut().unwrap().values().all(Value::is_u64));
        verdict["times"] = Value::Null;
        verdict.to_string()
    };
    let first = check();
    assert_eq!(first, check());
    assert!(first.contains(r#""fixtures":2"#), "{first}");
}

/// The text without parts that differ between runs or compilers.
fn without_measurements(text: &str) -> String {
    let line = |line: &str| match line {
        _ if line.starts_with(" sha256:") => " sha256:…".to_owned(),
        _ if line.contains("Is no larger than a host accepts") => {
            line.split("  ").next().unwrap().to_owned() + "  … bytes."
        }
        _ => line.to_owned(),
    };
    // The times are the last words, and may need a second line.
    let (text, _) = text.rsplit_once(" runs · ").unwrap();
    format!("{} runs · …\n", text.lines().map(line).collect::<Vec<_>>().join("\n"))
}
