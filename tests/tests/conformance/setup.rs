//! Helpers: a check of any component with fixtures that a test writes, and the outcome of a rule.

use std::path::Path;

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run, test_component};
use tempfile::TempDir;

/// `check --json` on a test component.
pub(crate) fn checked(component: &str, fixtures: &Path, arguments: &[&str]) -> Ended {
    let run = Run::bare().args(["check", "--json"]).arg(test_component(component));
    run.file("--fixtures", fixtures).args(arguments).end()
}

/// The rule of this id in a verdict.
pub(crate) fn rule(ended: &Ended, id: &str) -> Value {
    let verdict = ended.json();
    let rules = verdict["rules"].as_array().unwrap().iter();
    rules
        .into_iter()
        .find(|rule| rule["id"] == id)
        .unwrap_or_else(|| panic!("no rule {id}"))
        .clone()
}

/// The outcome of this rule, its first finding and its hint.
pub(crate) fn finding(ended: &Ended, id: &str) -> (String, String) {
    let rule = rule(ended, id);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert!(
        rule["outcome"] == "passed" || !text(&rule["hint"]).is_empty(),
        "{id} does not say how to fix it"
    );
    (text(&rule["outcome"]), text(&rule["findings"][0]))
}

/// The rules with this outcome.
pub(crate) fn with_outcome(ended: &Ended, outcome: &str) -> Vec<String> {
    let verdict = ended.json();
    let rules = verdict["rules"].as_array().unwrap().iter();
    rules
        .filter(|rule| rule["outcome"] == outcome)
        .map(|rule| rule["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A folder with one case, `case`, of these settings, exchanges (path and body) and optional
/// expected outcome.
pub(crate) fn case(
    organization: &str,
    exchanges: &[(&str, &str)],
    expected: Option<&Value>,
) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    std::fs::create_dir(&case).unwrap();
    let entries: Vec<Value> = exchanges
        .iter()
        .map(|(path, body)| {
            let content = json!({"mimeType": "application/json", "text": body});
            json!({"request": {"method": "GET", "url": format!("/v1/orgs/{organization}{path}")}, "response": {"status": 200, "content": content}})
        })
        .collect();
    let write =
        |name: &str, value: &Value| std::fs::write(case.join(name), value.to_string()).unwrap();
    write("settings.json", &json!({"organization-id": organization}));
    write("traffic.har", &json!({"log": {"entries": entries}}));
    if let Some(expected) = expected {
        write("expected.json", expected);
    }
    folder
}
