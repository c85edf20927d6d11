//! Tests of texts that steer terminals and pages, through the real command: its output steers
//! nothing.

use smp_tests::harness::Ended;

use crate::command::on_fixture;

/// The start of each member's text, in JSON and in the table.
const SHOWN: [(&str, &str); 9] = [
    (r"\u001b[2J\u001b[31mred\u001b]0;owned\u0007", r"\u{1b}[2J\u{1b}[31mred\u{1b}]0;owned\u{7}"),
    (r"\u009b2Jc1", r"\u{9b}2Jc1"),
    (r"nul\u0000and\b\u007fback", r"nul\u{0}and\u{8}\u{7f}back"),
    (
        r#"one\nadmin,admin,admin\r\n{\"id\":\"forged\"}"#,
        r#"one\u{a}admin,admin,admin\u{d}\u{a}{"id":"fo…"#,
    ),
    (r"\u202etxt.exe\u2066\u200b\ufeff", r"\u{202e}txt.exe\u{2066}\u{200b}\u{feff}"),
    (r"line\u2028separator", r"line\u{2028}separator"),
    (r#"=HYPERLINK(\"http://evil.example\")"#, r#"=HYPERLINK("http://evil.example")"#),
    (r"\t@SUM(1)|cmd' /C calc'!A0", r"\u{9}@SUM(1)|cmd' /C calc'!A0"),
    (r"\udb40\udc01\u200ftag", r"\u{e0001}\u{200f}tag"),
];

#[test]
fn members_steer_no_terminal_that_shows_the_table() {
    let ended = collected("table");
    assert_steers_nothing(&ended.stdout);
    for (_, shown) in SHOWN {
        assert!(ended.stdout.contains(shown), "no {shown} in {}", ended.stdout);
    }
}

#[test]
fn members_steer_no_reader_of_lines_of_json() {
    let ended = collected("ndjson");
    assert_steers_nothing(&ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 9);
    for (line, (shown, _)) in ended.stdout.lines().zip(SHOWN) {
        let rest = format!(
            r#""products":[{{"key":"{shown}","name":"{shown}","site":"{shown}","last_active":null}}],"last_seen":null,"status":"{shown}","kind":"{shown}","affiliation":"{shown}","billable":null,"attributes":{{"{shown}":"{shown}"}}}}"#
        );
        assert_eq!(
            line,
            format!(
                r#"{{"id":"{shown}","email":"{shown}","name":"{shown}","role":"{shown}",{rest}"#
            )
        );
    }
}

#[test]
fn members_are_no_formulas_and_no_rows_of_their_own_in_a_spreadsheet() {
    let ended = collected("csv");
    let mut rows = csv::Reader::from_reader(ended.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 9);
    let names: Vec<&str> = rows.iter().map(|row| &row[1]).collect();
    assert_eq!(
        names,
        [
            r"\u{1b}[2J\u{1b}[31mred\u{1b}]0;owned\u{7}",
            r"\u{9b}2Jc1",
            r"nul\u{0}and\u{8}\u{7f}back",
            "one\nadmin,admin,admin\r\n{\"id\":\"forged\"}",
            "\u{202e}txt.exe\u{2066}\u{200b}\u{feff}",
            "line\u{2028}separator",
            "'=HYPERLINK(\"http://evil.example\")",
            "'\t'@SUM(1)|cmd' /C calc'!A0",
            "\u{e0001}\u{200f}tag",
        ]
    );
    for row in &rows {
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            assert!(
                cell.chars().all(|sign| !sign.is_control() || "\t\r\n".contains(sign)),
                "{cell:?}"
            );
        }
    }
}

#[test]
fn a_descriptor_steers_no_terminal() {
    for (command, options) in [
        ("inspect", &[][..]),
        ("inspect", &["--json"]),
        ("validate", &[]),
        ("validate", &["--json"]),
        ("connect", &[]),
        ("connect", &["--json"]),
    ] {
        let ended = run(command, options);
        assert!(
            ended.stdout.contains("owned") || ended.stderr.contains("owned"),
            "{command} {options:?} says nothing"
        );
        assert_steers_nothing(&ended.stdout);
        assert_steers_nothing(&ended.stderr);
    }
    assert_eq!(run("connect", &["--json"]).error()["code"], "other");
}

#[test]
fn the_label_of_a_setting_steers_no_terminal_in_a_note() {
    let scratch = tempfile::tempdir().unwrap();
    let recording = scratch.path().join("recording");
    for (command, options) in [
        ("connect", &[][..]),
        ("collect", &[]),
        ("record", &["--output", recording.to_str().unwrap()]),
    ] {
        for json in [&[][..], &["--json"]] {
            let ended = run(command, &[options, json].concat());
            let noted = ended.stderr.lines().any(|line| line.starts_with("note: "));
            assert!(noted, "{command} {json:?} notes nothing: {}", ended.stderr);
            assert_steers_nothing(&ended.stderr);
            let forged = ended.stderr.lines().filter(|line| line.starts_with("{\"error\""));
            assert!(forged.count() <= json.len(), "{command}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_guide_has_nothing_in_it_that_acts() {
    let guide = run("guide", &[]).stdout;
    assert_steers_nothing(&guide);
    // A code span is shown unchanged.
    let acting: String = guide.split('`').step_by(2).collect();
    assert!(acting.contains("&lt;script>"), "{guide}");
    for part in ["<script", "<img", "<javascript", "](javascript", "![", "[https://good.example]"] {
        assert!(
            !acting.replace("\\](javascript", "").replace("\\![", "").contains(part),
            "{part} in {guide}"
        );
    }
    assert!(!guide.lines().any(|line| line.trim_start().starts_with("# Heading")), "{guide}");
}

#[test]
fn what_is_logged_steers_no_terminal_and_forges_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    for (component, attack, code) in [("log-flood", "steering", 0), ("panics", "", 1)] {
        let ended = on_fixture("collect", component, attack, folder.path())
            .args(["--format", "ndjson", "--verbose"])
            .end();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(r"\u{1b}[2J") && ended.stderr.contains(r#"\u{a}{"error":"#),
            "{}",
            ended.stderr
        );
        assert_steers_nothing(&ended.stderr);
        assert!(
            !ended.stderr.lines().any(|line| line.starts_with("{\"error\"")),
            "{}",
            ended.stderr
        );
    }
}

fn collected(format: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let ended = on_fixture("collect", "steering-members", "", folder.path())
        .args(["--format", format])
        .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_steers_nothing(&ended.stderr);
    ended
}

fn run(command: &str, options: &[&str]) -> Ended {
    on_fixture(command, "steering-texts", "", tempfile::tempdir().unwrap().path())
        .args(options)
        .end()
}

/// Requires that there is no control character but the line break, and none that hides or reverses
/// text.
#[track_caller]
fn assert_steers_nothing(text: &str) {
    let steering = |sign: &char| match *sign {
        '\n' => false,
        '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    };
    assert_eq!(text.chars().find(steering), None, "{}", text.escape_debug());
}
