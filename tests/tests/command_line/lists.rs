//! Tests of what a collection writes: the list in each format, the report, and their files.

use std::fs::{self, OpenOptions};

use serde_json::{Value, json};
use smp_tests::harness::{Run, names, read_json};
use smp_tests::mock::{Call, Fault, Member, Mock, Situation, When};

use crate::organization;

#[test]
fn ndjson_has_every_member_with_all_its_keys_in_order() {
    let mock = Mock::builder().members(180).page_size(50).seed(3).start().unwrap();
    let rows = collect(&mock).args(["--format", "ndjson"]).end().lines();
    let expected = mock.expected_members();
    assert_eq!(rows.len(), expected.len());
    let keys = [
        "id",
        "email",
        "name",
        "role",
        "products",
        "last_seen",
        "status",
        "kind",
        "affiliation",
        "billable",
        "attributes",
    ];
    for (row, member) in rows.iter().zip(&expected) {
        assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
        let seen = member.last_seen().map(|seen| (seen.seconds, i64::from(seen.nanoseconds)));
        assert_eq!(instant(&row["last_seen"]), seen, "{row}");
        assert!(row["last_seen"].as_str().is_none_or(|text| text.ends_with('Z')));
        let name =
            if member.name.is_empty() { member.nickname.value().unwrap() } else { &member.name };
        let told =
            (row["id"].as_str(), row["email"].as_str(), row["name"].as_str(), row["role"].as_str());
        assert_eq!(
            told,
            (
                Some(member.account_id.as_str()),
                member.email(),
                Some(name.as_str()),
                Some(member.role().as_str())
            )
        );
        let products = row["products"].as_array().unwrap();
        for (product, used) in products.iter().zip(member.products()) {
            assert_eq!(
                product.as_object().unwrap().keys().collect::<Vec<_>>(),
                ["key", "name", "site", "last_active"]
            );
            assert_eq!(
                (product["key"].as_str(), product["site"].as_str()),
                (Some(used.key), used.site())
            );
        }
        assert_eq!(products.len(), member.products().len());
        assert_eq!(row["kind"], kind(member));
    }
}

#[test]
fn each_format_has_the_form_that_it_is_known_by() {
    let mock = organization().start().unwrap();
    let formatted = |format| collect(&mock).args(["--format", format]).end();
    let csv = formatted("csv").stdout;
    assert!(csv.starts_with("email,name,role,last_seen,"), "{csv}");
    assert!(mock.expected_members().iter().all(|member| csv.contains(&member.account_id)));
    assert_eq!(formatted("json").json(), Value::Array(formatted("ndjson").lines()));
    let table = collect(&mock).end();
    assert_eq!((table.code, &table.stdout), (Some(0), &formatted("table").stdout));
    for word in [
        "25 members",
        "active in the last 30 days",
        "last seen unknown",
        "People by product",
        "Confluence",
    ] {
        assert!(table.stdout.contains(word), "`{word}` is missing: {}", table.stdout);
    }
    assert!(!table.stdout.contains('\u{1b}'), "a terminal would act on it");
    assert!(table.stderr.contains("25 members") && !table.stderr.contains('%'), "{}", table.stderr);
}

#[test]
fn the_name_of_the_output_tells_its_format() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    for (name, beginning) in [
        ("members.csv", "email,"),
        ("members.CSV", "email,"),
        ("members.ndjson", "{\"id\""),
        ("members.jsonl", "{\"id\""),
        ("members.json", "["),
        ("members.txt", " "),
        ("members", " "),
    ] {
        let path = folder.path().join(name);
        let ended = collect(&mock).file("--output", &path).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.trim_start_matches('\n').starts_with(beginning), "{name}: {text}");
    }
    let path = folder.path().join("table.csv");
    assert_eq!(
        collect(&mock).file("--output", &path).args(["--format", "json"]).end().code,
        Some(0)
    );
    assert!(fs::read_to_string(&path).unwrap().starts_with('['));
}

#[test]
fn the_report_has_its_figures_in_order_however_a_run_ends() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("report.json");
    let keys = [
        "outcome",
        "members",
        "people",
        "total",
        "pages",
        "duplicates",
        "requests",
        "retries",
        "waited_ms",
        "bytes",
        "notes",
        "error",
    ];
    let people = mock.expected_members().iter().filter(|member| member.is_person()).count();
    assert_eq!(
        collect(&mock).file("--report", &path).args(["--format", "csv"]).end().code,
        Some(0)
    );
    let report = read_json(&path);
    assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    let bytes = report["bytes"].clone();
    // Three pages, and the domains for the note of the one that waits.
    let notes = report["notes"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(
        notes[0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["message", "hint", "setting"]
    );
    let figures = json!({"outcome": "complete", "members": 25, "people": people, "total": 25,
        "pages": 3, "duplicates": 0, "requests": 4, "retries": 0, "waited_ms": 0, "bytes": bytes,
        "notes": notes, "error": null});
    assert!(report == figures && bytes.as_u64().is_some_and(|bytes| bytes > 5_000), "{report}");
    mock.set_fault(Call::Users, When::Nth(2), Fault::status(503));
    assert_eq!(
        collect(&mock).file("--report", &path).args(["--format", "csv"]).end().code,
        Some(0)
    );
    let report = read_json(&path);
    assert_eq!(
        (&report["requests"], &report["retries"], &report["outcome"]),
        (&json!(5), &json!(1), &json!("complete"))
    );
    assert!((250..=500).contains(&report["waited_ms"].as_u64().unwrap()), "{report}");
    for (arguments, requests) in
        [(&["--set", "organization-id="][..], 0), (&["--secret", "api-key=env:NOT_SET"], 0)]
    {
        let ended = collect(&mock).file("--report", &path).args(arguments).args(["--json"]).end();
        let report = read_json(&path);
        assert_eq!(
            (&report["outcome"], &report["error"], &report["requests"]),
            (&json!("failed"), &ended.error(), &json!(requests))
        );
        assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    }
}

#[test]
fn an_output_that_is_full_is_a_failure_of_the_output() {
    let mock = organization().start().unwrap();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (command, arguments) in [
        ("collect", &["--format", "ndjson", "--json"][..]),
        ("collect", &["--format", "csv", "--json"]),
        ("collect", &["--format", "json", "--json"]),
        ("collect", &["--format", "table", "--json"]),
        ("validate", &["--json"]),
        ("connect", &["--json"]),
    ] {
        let ended = Run::new(command).at(&mock).args(arguments).stdout_to(full()).end();
        assert_eq!(ended.code, Some(1), "{command} {arguments:?}: {}", ended.stderr);
        ended.said("output");
    }
    for command in ["inspect", "guide"] {
        let ended = Run::new(command).stdout_to(full()).end();
        assert!(
            ended.code == Some(1) && ended.stderr.contains("output"),
            "{command}: {}",
            ended.stderr
        );
    }
    let ended = collect(&mock).args(["--report", "/dev/full", "--format", "csv", "--json"]).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.said("output").contains("/dev/full"));
}

#[test]
fn a_list_of_an_earlier_run_is_never_taken_for_the_new_one() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("members.csv");
    fs::write(&path, "the list of yesterday").unwrap();
    mock.set_situation(Situation::SiteAdmin);
    assert_eq!(collect(&mock).file("--output", &path).end().code, Some(1));
    assert_eq!(names(folder.path()), ["members.csv.previous"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("members.csv.previous")).unwrap(),
        "the list of yesterday"
    );
    mock.set_situation(Situation::Usual);
    assert_eq!(collect(&mock).file("--output", &path).end().code, Some(0));
    assert_eq!(names(folder.path()), ["members.csv"]);
    // With a wrong command line the run never began: the list stays where it is.
    assert_eq!(
        collect(&mock).file("--output", &path).args(["--set", "organisation=a"]).end().code,
        Some(2)
    );
    assert_eq!(names(folder.path()), ["members.csv"]);
}

fn collect(mock: &Mock) -> Run {
    Run::new("collect").at(mock)
}

fn instant(value: &Value) -> Option<(i64, i64)> {
    let instant: jiff::Timestamp = value.as_str()?.parse().unwrap();
    Some((instant.as_second(), i64::from(instant.subsec_nanosecond())))
}

fn kind(member: &Member) -> &str {
    if member.is_person() { "person" } else { member.account_type }
}
