//! Tests of comparing outcomes: each pair of outcomes, and the finding that it gives.

use serde_json::{Value, json};

use super::*;
use crate::diff::changes::CheckChange;
use crate::diff::testing::lines;
use smp_host::failure::Code;
use smp_host::http::transport::{Method, Request, Response};
use smp_replay::player::trace::Trace;
use smp_replay::player::traffic::Exchange;

fn failed(code: Code) -> End {
    End::Failed(Failure::new(code, "it did not work"))
}

fn list(ids: &[&str]) -> End {
    let rows: String =
        ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"role\":\"Jira\"}}\n")).collect();
    End::List { ids: ids.iter().map(|id| (*id).to_owned()).collect(), rows: rows.into_bytes() }
}

fn report(ready: bool, checks: &[(&str, &str, &str)]) -> End {
    let checks = checks.iter().map(|(id, outcome, message)| {
        json!({"id": id, "title": id.to_uppercase(), "outcome": outcome, "message": message,
            "code": if *outcome == "failed" { json!("permission") } else { Value::Null }})
    });
    End::Checked {
        ready,
        report: json!({"checks": checks.collect::<Vec<_>>()}),
        wordless: None,
        warned: false,
    }
}

fn exchange(held: bool) -> Exchange {
    let request = Request {
        method: Method::Get,
        path_and_query: "/a?b=1".into(),
        body: None,
        headers: std::sync::Arc::default(),
    };
    Exchange { request, answer: Ok(Response::default()), held, tries: 1 }
}

fn side(call: Call, end: End, held: bool) -> Side {
    let (exchanges, trace) = (vec![exchange(held)], Trace::default());
    Side { calls: vec![(call, Played { end, said: vec![], exchanges, trace })], refused: None }
}

fn between(old: &Side, new: &Side) -> (CaseChange, Vec<String>) {
    let (mut lists, mut found) = (Lists::default(), Found::default());
    let case = compare("one".into(), old, new, &mut lists, &mut found);
    lists.tell(&mut found);
    (case, lines(found))
}

fn said(call: Call, old: End, new: End) -> Vec<String> {
    between(&side(call, old, true), &side(call, new, true)).1
}

#[test]
fn a_list_that_is_gone_blocks_and_one_that_was_none_is_looked_at() {
    let (right, fails) = (|| list(&["a", "b"]), || failed(Code::Incomplete));
    for (old, new, expected) in [
        (right(), right(), "harmless same-members: 2 members in 1 case"),
        (right(), list(&["b", "a"]), "harmless members-order: one"),
        (right(), list(&["a"]), "blocking members-lost: one: 1 of 2: `b`"),
        (right(), list(&["a", "b", "c"]), "look members-added: one: 1 member: `c`"),
        (
            right(),
            fails(),
            "blocking list-lost: one, a list of 2 members: `incomplete`: it did not work",
        ),
        (
            fails(),
            right(),
            "look list-gained: one, a list of 2 members; before: `incomplete`: it did not work",
        ),
        (
            fails(),
            failed(Code::Trap),
            "look fails-otherwise: one: in collect, `incomplete` became `trap`: it did not \
             work",
        ),
    ] {
        assert!(
            said(Call::Collect, old.clone(), new.clone()).contains(&expected.to_owned()),
            "{old:?} {new:?}"
        );
    }
    let other_words = End::Failed(Failure::new(Code::Incomplete, "it did not work out"));
    assert_eq!(
        said(Call::Collect, fails(), other_words),
        ["harmless report-words: one: in collect, `incomplete`"]
    );
    assert_eq!(said(Call::Collect, fails(), fails()), [""; 0]);
}

#[test]
fn what_changes_in_many_lists_is_told_once() {
    let with = |role: &str| {
        let rows = format!("{{\"id\":\"a\",\"role\":\"{role}\"}}\n");
        End::List { ids: BTreeSet::from(["a".to_owned()]), rows: rows.into_bytes() }
    };
    let (mut lists, mut found) = (Lists::default(), Found::default());
    for name in ["one", "two"] {
        let (old, new) =
            (side(Call::Collect, with("Jira"), true), side(Call::Collect, with("Compass"), true));
        compare(name.into(), &old, &new, &mut lists, &mut found);
    }
    lists.tell(&mut found);
    assert_eq!(
        lines(found),
        ["look members-changed: `role` of 2 members in 2 cases, for example `a` in one: \
          \"Jira\" became \"Compass\""]
    );
    let gained =
        between(&side(Call::Collect, with(""), true), &side(Call::Collect, with("Jira"), true)).1;
    assert_eq!(
        gained,
        ["harmless members-known-better: `role` of 1 member in 1 case, for example `a` in \
          one: \"\" became \"Jira\""]
    );
}

#[test]
fn settings_that_are_not_ready_any_more_block() {
    let (yes, no) =
        (|| report(true, &[("a", "passed", "x")]), || report(false, &[("a", "failed", "no")]));
    for (old, new, expected) in [
        (
            yes(),
            no(),
            &[
                "blocking not-ready: one: `A`, `permission`: no",
                "look checks-changed: one: the check `a`, `passed` became `failed`",
            ][..],
        ),
        (
            no(),
            yes(),
            &[
                "look ready-now: one",
                "look checks-changed: one: the check `a`, `failed` became `passed`",
            ],
        ),
        (yes(), failed(Code::Trap), &["blocking not-ready: one: `trap`: it did not work"]),
        (failed(Code::Trap), yes(), &["look ready-now: one"]),
        (
            yes(),
            report(true, &[("a", "passed", "y")]),
            &["harmless report-words: one: in validate"],
        ),
        (
            yes(),
            report(true, &[("a", "warning", "x")]),
            &["look checks-changed: one: the check `a`, `passed` became `warning`"],
        ),
        (
            yes(),
            report(true, &[("a", "passed", "x"), ("b", "passed", "x")]),
            &["harmless checks-added: one: the check `b` is new, `passed`"],
        ),
        (
            yes(),
            report(true, &[("a", "passed", "x"), ("b", "skipped", "x")]),
            &["look checks-changed: one: the check `b` is new, `skipped`"],
        ),
        (report(false, &[]), report(false, &[]), &[]),
        (
            report(false, &[]),
            failed(Code::Trap),
            &["look fails-otherwise: one: in validate, not ready became `trap`: it did not \
               work"],
        ),
        (
            failed(Code::Trap),
            report(false, &[]),
            &["look fails-otherwise: one: in validate, `trap` became not ready"],
        ),
    ] {
        assert_eq!(said(Call::Validate, old, new), expected);
    }
    let gone =
        between(&side(Call::Validate, yes(), true), &side(Call::Validate, report(true, &[]), true));
    assert_eq!(gone.1, ["look checks-changed: one: the check `a` is no longer made"]);
    assert_eq!(
        gone.0.checks,
        [CheckChange { id: "a".into(), old: Some("passed".into()), new: None }]
    );
}

#[test]
fn other_usage_is_looked_at_and_lost_usage_blocks() {
    let rows = |rows: &str| End::List {
        ids: BTreeSet::from(["a".to_owned()]),
        rows: rows.as_bytes().to_vec(),
    };
    for (old, new, expected) in [
        (rows("a\n"), rows("a\n"), None),
        (rows("a\n"), rows("b\n"), Some("look usage-changed: one: other values in 1 row")),
        (rows("a\n"), rows("a\nb\n"), Some("look usage-changed: one: 1 row became 2")),
        (
            rows("a\n"),
            failed(Code::Incomplete),
            Some("blocking list-lost: one, a list of 1 row: `incomplete`: it did not work"),
        ),
    ] {
        let said = said(Call::Usage, old, new);
        assert_eq!(said, expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn another_account_blocks() {
    let account = |id: &str| End::Account(id.into());
    assert_eq!(said(Call::Connect, account("1"), account("1")), [""; 0]);
    assert_eq!(
        said(Call::Connect, account("1"), account("2")),
        ["blocking other-account: one: `1` became `2`"]
    );
    assert_eq!(
        said(Call::Connect, account("1"), failed(Code::Permission)),
        ["blocking account-lost: one: `permission`: it did not work"]
    );
    assert_eq!(
        said(Call::Connect, failed(Code::Permission), account("2")),
        ["look account-gained: one: `2`"]
    );
}

#[test]
fn what_the_traffic_does_not_hold_is_told_and_not_taken_for_lost_members() {
    let (right, gone) = (list(&["a"]), failed(Code::Upstream));
    let (case, said) = between(
        &side(Call::Collect, right.clone(), true),
        &side(Call::Collect, gone.clone(), false),
    );
    assert_eq!(said, ["look other-requests: one: in collect, `GET /a?b=1`"]);
    assert_eq!(case.new.unanswered.as_deref(), Some("GET /a?b=1"));
    let (_, said) = between(&side(Call::Collect, gone, false), &side(Call::Collect, right, true));
    assert_eq!(
        said,
        ["look not-played: one: in collect, the old build asks for `GET /a?b=1`, which the \
          traffic does not have"]
    );
}

#[test]
fn settings_that_the_new_form_refuses_are_told_once() {
    let refused = || Side {
        calls: vec![],
        refused: Some(Failure::new(Code::InvalidSettings, "it looks like a key")),
    };
    let taken = side(Call::Validate, report(true, &[]), true);
    assert_eq!(
        between(&taken, &refused()).1,
        ["blocking settings-refused: one: it looks like a key"]
    );
    assert_eq!(between(&refused(), &taken).1, ["look ready-now: one"]);
    assert_eq!(between(&refused(), &refused()).1, [""; 0]);
}
