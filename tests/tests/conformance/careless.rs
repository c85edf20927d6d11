//! Tests of one flaw at a time, and the rule that it breaks: `tests/hostile/examples/careless.rs`
//! takes the flaw's name from the organization.

use smp_tests::harness::Ended;

use crate::setup::{case, checked, finding, rule, with_outcome};

/// The rules that only fixtures show.
const SHOWN_BY_FIXTURES: [&str; 20] = [
    "fixtures-sound",
    "endpoints-covered",
    "repeatable",
    "no-crash",
    "no-hang",
    "fails-as-agreed",
    "says-what-to-do",
    "no-false-success",
    "no-silent-loss",
    "no-false-ready",
    "no-other-account",
    "repeats-nothing",
    "slow-and-large",
    "resumable",
    "pages-again",
    "memory",
    "computing-time",
    "requests",
    "describes-itself",
    "describes-itself-the-same",
];

#[test]
fn a_careful_connector_keeps_every_rule_that_fixtures_show() {
    let ended = check("careful", &[]);
    let passed = with_outcome(&ended, "passed");
    let broken: Vec<_> = SHOWN_BY_FIXTURES
        .iter()
        .filter(|id| !passed.iter().any(|passed| passed == *id))
        .map(|id| rule(&ended, id))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(ended.json()["figures"]["fixtures"], 1);
}

#[test]
fn what_the_host_ended_is_not_blamed_for_giving_something_else_later() {
    let exchanges = [("/people", r#"{"people":["ada"],"next":null}"#), ("", r#"{"id":"acme"}"#)];
    let asked = case("collects-elsewhere", &exchanges, None);
    let ended = checked("careless", asked.path(), &[]);
    let (outcome, told) = finding(&ended, "fails-as-agreed");
    assert_eq!(outcome, "failed");
    assert!(told.starts_with("case: collect, without a fault: it ends as `denied`"), "{told}");
    for id in ["repeatable", "describes-itself-the-same"] {
        assert_ne!(rule(&ended, id)["outcome"], "failed", "{:#}", rule(&ended, id));
    }
}

#[test]
fn each_carelessness_breaks_its_rule_and_is_told_with_fixture_call_exchange_and_fault() {
    for (flaw, id, finding_begins, finding_ends) in [
        (
            "takes-anything-for-the-end",
            "no-false-success",
            "case: collect, exchange 3 (`GET /v1/orgs/{organization-id}/people`), the connection \
             failed: ",
            "a list is called complete without 1 of 3 members",
        ),
        (
            "skips-what-it-cannot-read",
            "no-false-success",
            "case: collect, exchange 1 (`GET /v1/orgs/{organization-id}/people`), `people[0]` \
             null: ",
            "a list is called complete without 1 of 3 members",
        ),
        (
            "says-yes",
            "no-false-ready",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), the connection \
             failed: ",
            "the settings are called ready in the same words as with the right answer",
        ),
        (
            "makes-an-account-up",
            "no-other-account",
            "case: connect, exchange 1 (`GET /v1/orgs/{organization-id}`), the connection failed: ",
            "the account differs from the one with the right answer",
        ),
        (
            "crashes",
            "no-crash",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 200 \
             without a body: ",
            "",
        ),
        (
            "hangs",
            "no-hang",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 200 \
             without a body: ",
            "",
        ),
        (
            "asks-elsewhere",
            "fails-as-agreed",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 300: it \
             ends as `denied`",
            "",
        ),
        (
            "has-no-hint",
            "says-what-to-do",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 300: ",
            "a failure has no hint",
        ),
        (
            "repeats-the-answer",
            "repeats-nothing",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 300: it \
             repeats a word",
            "",
        ),
        (
            "logs-the-answer",
            "repeats-nothing",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), status 300: it \
             repeats a word",
            "",
        ),
        (
            "is-impatient",
            "slow-and-large",
            "case: validate, exchange 1 (`GET /v1/orgs/{organization-id}/people`), with white \
             space up to 8388608 bytes: it ends otherwise",
            "",
        ),
        (
            "counts",
            "repeatable",
            "case: collect gives something else the second time in one instance",
            "",
        ),
        (
            "counts",
            "pages-again",
            "case: page 1 of 2: the second time, the same instance gives a different page, with 2 \
             members",
            "",
        ),
        (
            "keeps-its-place-in-memory",
            "resumable",
            "case: page 2 of 2: another instance ends as ",
            "",
        ),
        (
            "changes-what-it-is",
            "describes-itself-the-same",
            "case: the descriptor differs after a collection",
            "",
        ),
    ] {
        let ended = check(flaw, if flaw == "hangs" { &["--limit", "cpu=20ms"] } else { &[] });
        let (outcome, told) = finding(&ended, id);
        assert_eq!(outcome, "failed", "{flaw}: {:#}", ended.json());
        let shown = told.split(" (and ").next().unwrap();
        assert!(
            shown.starts_with(finding_begins) && shown.ends_with(finding_ends),
            "{flaw}: {told}"
        );
        assert_eq!(
            (ended.code, ended.json()["passed"].as_bool()),
            (Some(1), Some(false)),
            "{flaw}"
        );
    }
}

#[test]
fn what_does_not_come_of_the_answers_is_false_also_where_it_happens_to_be_right() {
    let asks = case("acme", &[("/people", "{}"), ("", "{}")], None);
    let tame = checked("tame", asks.path(), &[]);
    for (id, what) in [
        ("no-false-success", "case: collect, every exchange: the same list"),
        ("no-other-account", "case: connect, every exchange: "),
    ] {
        let (outcome, told) = finding(&tame, id);
        assert!(outcome == "failed" && told.starts_with(what), "{told}");
    }
    let (outcome, told) = finding(&checked("remembers", asks.path(), &[]), "no-false-success");
    assert!(
        outcome == "failed"
            && told
                == "case: collect, without a fault: a list is called complete, but no request was \
                    sent",
        "{told}"
    );
}

#[test]
fn a_connector_that_hangs_ends_the_faults_at_the_third_time() {
    let hangs = || {
        let ended = check("hangs", &["--limit", "cpu=20ms"]);
        assert_eq!(rule(&ended, "no-crash")["message"], "Until it hung for the third time.");
        rule(&ended, "no-hang")
    };
    let first = hangs();
    assert_eq!(
        first["findings"].as_array().unwrap().last().unwrap(),
        "it hung 3 times: the faults after that were left out"
    );
    assert!(first["message"].as_str().unwrap().starts_with("4 findings"), "{first}");
    assert_eq!(first, hangs());
}

#[test]
fn members_without_what_could_not_be_read_are_a_warning() {
    let (outcome, told) = finding(&check("leaves-out-what-it-cannot-read", &[]), "no-silent-loss");
    assert_eq!(outcome, "warning");
    assert!(
        told.contains("exchange 2 (`GET /v1/orgs/{organization-id}/titles`)")
            && told.contains("with less about them"),
        "{told}"
    );
}

/// Checks the connector with this flaw, on two pages with the titles of three people.
pub(crate) fn check(flaw: &str, arguments: &[&str]) -> Ended {
    let titles = ("/titles", r#"{"ada":"countess","grace":"admiral"}"#);
    let second = ("/people?page=2", r#"{"people":["edsger"],"next":null}"#);
    let exchanges = [
        ("", r#"{"id":"acme"}"#),
        ("/people", r#"{"people":["ada","grace"],"next":"2"}"#),
        titles,
        second,
        titles,
    ];
    // The present outcome is the expected one: this test is about the other rules.
    let unexpected = case(flaw, &exchanges, None);
    checked("careless", unexpected.path(), arguments)
}
