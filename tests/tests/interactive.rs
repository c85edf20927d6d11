//! Tests of the form on a terminal: what is asked, and what happens to an answer that is none.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use smp_tests::harness::{KEY_VARIABLE, Run};
use smp_tests::mock::Mock;

fn connect(mock: &Mock) -> Run {
    let secret = format!("api-key=env:{KEY_VARIABLE}");
    let run = Run::new("connect").env(KEY_VARIABLE, mock.key());
    run.args(["--upstream", &mock.url(), "--rate", "off", "--secret", &secret])
}

#[test]
fn a_required_field_that_was_left_empty_is_asked_again_with_its_help() {
    let mock = Mock::builder().members(5).start().unwrap();
    let id = mock.organization().id.clone();
    let ended = connect(&mock).on_a_terminal(&format!("\n  \n{id}\n"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains(&id), "{}", ended.stdout);
    assert_eq!(ended.stderr.matches("Organization ID is required.").count(), 2);
    assert!(ended.stderr.contains("admin.atlassian.com"), "the help: {}", ended.stderr);
}

#[test]
fn a_key_in_place_of_the_first_answer_is_told_and_never_sent() {
    let mock = Mock::builder().members(5).start().unwrap();
    let id = mock.organization().id.clone();
    let key = "ATCTT3xFfGF0typed-into-the-wrong-field";
    let ended = connect(&mock).on_a_terminal(&format!("{key}\n{id}\n"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("looks like a key") && said.contains("not sent"), "{said}");
    assert!(mock.log().iter().all(|request| !format!("{request:?}").contains(key)));
}

#[test]
fn questions_without_an_answer_come_to_an_end() {
    let mock = Mock::builder().members(5).start().unwrap();
    let ended = connect(&mock).on_a_terminal(&"\n".repeat(9));
    assert_eq!((ended.code, mock.requests()), (Some(1), 0), "{}", ended.stderr);
    assert!(ended.stderr.contains("was not entered"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--set organization-id="), "{}", ended.stderr);
}

#[test]
fn a_note_is_broken_between_words() {
    let folder = tempfile::tempdir().unwrap();
    let seats = smp_tests::harness::folder("fixtures/seats");
    let run = Run::new("usage").file("--fixture", &seats).args(["--format", "csv"]);
    let ended = run.file("--output", &folder.path().join("seats.csv")).on_a_terminal("");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().map(str::trim_end).collect();
    let mut lines = lines.into_iter().skip_while(|line| !line.starts_with("note: "));
    let first = lines.next().unwrap();
    assert!((50..=100).contains(&first.chars().count()), "{}", ended.stderr);
    let rest: Vec<&str> = lines.collect();
    assert!(!rest.is_empty() && rest.iter().all(|line| !line.starts_with(' ')), "{rest:?}");
    // The words of the note, none of which is split.
    let said = format!("{first} {}", rest.join(" "));
    assert!(said.contains("a sum of seats over products is no bill."), "{said}");
}
