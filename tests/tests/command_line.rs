//! Tests of the command's interface for scripts and people: exit codes, texts, formats, files and
//! options.
//!
//! Every test runs the real binary. Faults of the service are in `never_a_false_success`, recording
//! in `recording`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use smp_tests::harness::{Run, component, names, read_json};
use smp_tests::mock::{Builder, Call, Fault, Member, Mock, Situation, When};

/// Looks like a key, and is in no environment: any occurrence was repeated from the input.
const TYPED: &str = "ATCTTtyped-by-mistake";

#[test]
fn a_wrong_command_line_is_told_in_words_and_sends_nothing() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    for (name, text) in [
        ("syntax.toml", format!("organization-id = \"a\"\napi-key = {TYPED}\n")),
        ("number.toml", "organization-id = 17\n".into()),
        ("secret.toml", format!("api-key = \"{TYPED}\"\n")),
        ("unknown.toml", "organisation = \"a\"\n".into()),
        ("no.pem", "no certificate".into()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let typed = |prefix: &str| format!("{prefix}{TYPED}");
    let rows: &[(&[&str], &[&str])] = &[
        (&["--frobnicate"], &["--frobnicate"]),
        (&[&typed("--api-key=")], &["--api-key"]),
        (&["--api-key", TYPED], &["--api-key"]),
        (&[TYPED], &["unexpected argument"]),
        (&["--set", "organisation=a"], &["`organisation`", "organization-id, api-key"]),
        (
            &["--set", &typed("api-key=")],
            &["secret", "--secret api-key=env:NAME", "consider a new one"],
        ),
        (&["--set", TYPED], &["KEY=VALUE"]),
        (&["--secret", &typed("api-key=")], &["KEY=env:NAME", "KEY=file:PATH"]),
        (&["--secret", TYPED], &["KEY=env:NAME", "KEY=file:PATH"]),
        (
            &["--secret", "organization-id=env:SMP_TEST_KEY"],
            &["`organization-id` is not a secret", "--set organization-id="],
        ),
        (&["--settings", "syntax.toml"], &["`syntax.toml`", "line 2"]),
        (&["--settings", "number.toml"], &["`organization-id`", "quotes"]),
        (&["--settings", "secret.toml"], &["secret", "--secret api-key=env:NAME"]),
        (&["--settings", "unknown.toml"], &["`organisation`"]),
        (&["--checkpoint", "members.checkpoint"], &["--output"]),
        (
            &["--output", "members", "--checkpoint", "c"],
            &["table", "--format csv", "--format ndjson"],
        ),
        (&["--output", "members.json", "--checkpoint", "c"], &["json", "--format ndjson"]),
        (
            &["--output", "members.csv", "--report", "members.csv"],
            &["`--output` and `--report` are the same file"],
        ),
        (
            &["--output", "members.csv", "--report", "./members.csv"],
            &["`--output` and `--report` are the same file"],
        ),
        (
            &["--output", "members.csv", "--checkpoint", "members.csv"],
            &["`--output` and `--checkpoint` are the same file"],
        ),
        (&["--output", ""], &["--output"]),
        (&["--format", "xml"], &["xml", "table", "csv", "ndjson", "json"]),
        (&["--upstream", "http://10.0.0.1"], &["this machine", "https"]),
        (&["--upstream", "http://localhost.example.test"], &["this machine", "https"]),
        (&["--upstream", "https://api.example.test/admin"], &["leave out"]),
        (&["--upstream", &format!("https://me:{TYPED}@api.example.test")], &["leave out"]),
        (&[&format!("--allow-origin=https://me:{TYPED}@api.example.test")], &["leave out"]),
        (&["--upstream", "ftp://127.0.0.1"], &["scheme"]),
        (&["--upstream", "api.example.test"], &["not a URL"]),
        (&["--allow-origin", "https://api.atlassian.com/admin"], &["leave out"]),
        (&["--rate", "0"], &["requests a second"]),
        (&["--rate=-1"], &["requests a second"]),
        (&["--rate", "inf"], &["requests a second"]),
        (&["--max-wait", "-1"], &["-1"]),
        (&["--max-wait=-1"], &["seconds", "0"]),
        (&["--max-wait", "NaN"], &["seconds"]),
        (&["--timeout", "0"], &["seconds above 0"]),
        (&["--accept-shortfall", "0"], &["0 is not in 1.."]),
        (&["--accept-shortfall", "some"], &["some"]),
        (
            &["--upstream", "https://127.0.0.1:9", "--ca-file", "no.pem"],
            &["`--ca-file no.pem`", "PEM"],
        ),
        (&["--upstream", &mock.url(), "--fixture", "."], &["--upstream", "--fixture"]),
    ];
    for (arguments, words) in rows {
        for json in [&[][..], &["--json"]] {
            let run = Run::new("collect")
                .for_organization_of(&mock)
                .args(*arguments)
                .args(json)
                .within(folder.path());
            let ended = run.end();
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (Some(2), ""),
                "{arguments:?}: {}",
                ended.stderr
            );
            let told =
                if json.is_empty() { ended.stderr.clone() } else { ended.said("invalid-settings") };
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            for word in *words {
                assert!(told.contains(word), "{arguments:?}: `{word}` is missing: {told}");
            }
            assert!(!ended.stderr.contains(TYPED), "{arguments:?}: {}", ended.stderr);
        }
    }
    assert_eq!(mock.requests(), 0);
    assert_eq!(
        names(folder.path()),
        ["no.pem", "number.toml", "secret.toml", "syntax.toml", "unknown.toml"]
    );
}

#[test]
fn what_the_command_line_names_and_is_not_there_is_a_failure_of_one_code() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let rows: &[(&[&str], &str, &str)] = &[
        (&["--secret", "api-key=env:NOT_SET_AT_ALL"], "invalid-settings", "`NOT_SET_AT_ALL`"),
        (&["--secret", "api-key=file:nowhere"], "invalid-settings", "`nowhere`"),
        (&["--settings", "nowhere.toml"], "invalid-settings", "`nowhere.toml`"),
        (&["--settings", "."], "invalid-settings", "`.`"),
        (&["--ca-file", "nowhere.pem"], "invalid-settings", "`nowhere.pem`"),
        (&["--output", "nowhere/list"], "output", "`nowhere/list`"),
        (&["--report", "nowhere/report"], "output", "`nowhere/report`"),
        (
            &["--format", "csv", "--output", "list", "--checkpoint", "nowhere/checkpoint"],
            "checkpoint",
            "`nowhere/checkpoint`",
        ),
    ];
    for (arguments, code, words) in rows {
        let run = Run::new("collect").at(&mock).args(*arguments).arg("--json");
        let ended = run.within(folder.path()).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        let told = ended.said(code);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
    let connector = component();
    let connector = connector.to_str().unwrap();
    let others: [(&[&str], &str); 2] =
        [(&["nowhere.wasm"], "component"), (&[connector, "--fixture", "nowhere"], "fixture")];
    for (arguments, code) in others {
        let run = Run::bare().arg("collect").args(arguments).arg("--json");
        let ended = run.within(folder.path()).end();
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stderr);
        assert!(ended.said(code).contains("nowhere"), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!((mock.requests(), names(folder.path())), (0, vec![]));
}

#[test]
fn a_command_that_is_missing_or_unknown_is_wrong_usage_and_help_is_not() {
    for arguments in
        [&[][..], &["frobnicate"], &["inspect"], &["collect"], &["guide", "--json", "x.wasm"]]
    {
        let ended = Run::bare().args(arguments).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains("Usage"), "{arguments:?}: {}", ended.stderr);
    }
    for arguments in [["--help"], ["--version"], ["help"]] {
        assert_eq!(Run::bare().args(arguments).end().code, Some(0), "{arguments:?}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    let ended =
        Run::new("collect").arg(OsStr::from_bytes(b"--set=\xff\xfe")).args(["--json"]).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    ended.said("invalid-settings");
}

#[test]
fn settings_and_the_key_come_from_files_and_the_command_line_wins() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let id = &mock.organization().id;
    fs::write(folder.path().join("settings.toml"), "organization-id = \"somebody-elses\"\n")
        .unwrap();
    fs::write(folder.path().join("key.txt"), format!("  {}\r\n", mock.key())).unwrap();
    let source = [
        "--upstream",
        &mock.url(),
        "--settings",
        "settings.toml",
        "--secret",
        "api-key=file:key.txt",
        "--json",
    ];
    let other = Run::new("connect").args(source).within(folder.path()).end();
    assert_eq!(
        (other.code, &other.error()["code"]),
        (Some(1), &json!("not-found")),
        "{}",
        other.stderr
    );
    let own = Run::new("connect")
        .args(source)
        .args(["--set", &format!("organization-id= {id} ")])
        .within(folder.path())
        .end();
    assert_eq!(own.json(), json!({"id": id, "name": mock.organization().name}), "{}", own.stderr);
}

#[test]
fn a_missing_secret_is_a_setting_to_correct_and_nobody_is_asked_without_a_terminal() {
    let mock = organization().start().unwrap();
    for command in ["validate", "connect", "collect"] {
        let ended = Run::new(command)
            .args(["--upstream", &mock.url(), "--set", "organization-id=a", "--json"])
            .end();
        ended.said("invalid-settings");
        assert_eq!(
            (ended.code, &ended.error()["setting"]),
            (Some(1), &json!("api-key")),
            "{command}"
        );
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn a_file_that_is_no_connector_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let core = b"\0asm\x01\0\0\0".to_vec();
    let built = fs::read(component()).unwrap();
    for (name, bytes, words) in [
        ("core.wasm", core, &["core WebAssembly module", "smp-harness seal"][..]),
        ("garbage.wasm", b"<html>no such page</html>".to_vec(), &["not WebAssembly"]),
        ("empty.wasm", Vec::new(), &["empty"]),
        (
            "torn.wasm",
            built[..built.len() / 2].to_vec(),
            &["cannot be compiled", "Build the component again"],
        ),
        ("nowhere.wasm", Vec::new(), &["nowhere.wasm", "make component"]),
    ] {
        let path = folder.path().join(name);
        if name != "nowhere.wasm" {
            fs::write(&path, bytes).unwrap();
        }
        for command in ["inspect", "validate", "collect"] {
            let ended =
                Run::bare().args([command.as_ref(), path.as_os_str(), "--json".as_ref()]).end();
            let told = ended.said("component");
            assert_eq!(
                (ended.code, ended.stdout.is_empty()),
                (Some(1), command != "validate"),
                "{command} {name}"
            );
            assert!(command != "validate" || ended.json()["ready"] == false, "{name}");
            for word in words {
                assert!(told.contains(word), "{command} {name}: `{word}` is missing: {told}");
            }
        }
    }
}

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
    let figures = json!({"outcome": "complete", "members": 25, "people": people, "total": 25, "pages": 3, "duplicates": 0, "requests": 4,
        "retries": 0, "waited_ms": 0, "bytes": bytes, "notes": notes, "error": null});
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

#[test]
fn a_connector_is_inspected_for_scripts_and_for_people() {
    let inspected = Run::new("inspect").args(["--json"]).end().json();
    let bytes = fs::read(component()).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&inspected["size_bytes"], &inspected["digest"]),
        (&json!(bytes.len()), &json!(format!("sha256:{digest}")))
    );
    let descriptor = &inspected["descriptor"];
    assert_eq!(
        (&descriptor["id"], &descriptor["status"], &descriptor["integration_type"]),
        (&json!("atlassian-cloud"), &json!("General Availability"), &json!("api"))
    );
    let text = Run::new("inspect").end().stdout;
    for word in [
        "smp:connector/http@0.2.0",
        "smp:connector/log@0.2.0",
        "https://api.atlassian.com/admin/v1/orgs",
        &digest,
        "Api Key",
    ] {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
    assert!(!text.contains("wasi:") && !text.contains("not of the contract"));
}

#[test]
fn the_guide_keeps_every_step() {
    let guide = Run::new("guide").end().stdout;
    let text = guide.split_whitespace().collect::<Vec<_>>().join(" ").replace(['*', '`'], "");
    for phrase in [
        "admin.atlassian.com",
        "verified domain",
        "managed account",
        "Verify your domains",
        "N domains N managed accounts",
        "Settings",
        "API keys",
        "Create API key",
        "read:orgs:admin",
        "read:accounts:admin",
        "read:domains:admin",
        "cannot be added later",
        "a name",
        "longest expiration date",
        "one year",
        "one week",
        "Organization ID",
        "API Key",
        "Note down",
        "once",
        "Directory > Domains",
        "improved user management experience",
        "Settings > Domains",
        "DNS TXT",
        "HTTPS",
        "days",
        "green VERIFIED",
        "claim",
        "at least one",
        "Integrate",
        "Api Key",
        "organization admin",
        "site admin",
        "number of users",
        "General Availability",
        "ATCTT",
        "ATATT",
        "last seen",
        "24 hours",
    ] {
        assert!(text.contains(phrase), "`{phrase}` is missing: {guide}");
    }
    let headings: Vec<&str> = guide.lines().filter(|line| line.starts_with('#')).collect();
    assert!(headings.len() >= 5 && headings[0].starts_with("# "), "{headings:?}");
}

#[test]
fn the_help_of_every_command_names_its_options() {
    let source = [
        "--settings",
        "--set",
        "--secret",
        "--fixture",
        "--upstream",
        "--ca-file",
        "--allow-origin",
        "--rate",
        "--max-wait",
        "--timeout",
        "--json",
    ];
    let collect = ["--format", "--output", "--checkpoint", "--report"];
    for (command, options) in [
        ("inspect", vec!["--json"]),
        ("validate", source.to_vec()),
        ("connect", source.to_vec()),
        ("collect", [&source[..], &collect].concat()),
        ("guide", vec!["CONNECTOR.wasm"]),
        ("record", [&source[..], &["--output"]].concat()),
    ] {
        let help = Run::bare().args([command, "--help"]).end().stdout;
        for option in options {
            assert!(help.contains(option), "{command}: `{option}` is missing: {help}");
        }
        for default in ["900", "60"].iter().filter(|_| help.contains("--max-wait")) {
            assert!(help.contains(&format!("[default: {default}]")), "{command}: {help}");
        }
    }
}

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
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
