//! What was found before a connection is ready: what is wrong with a form, and a validation at the
//! service in stages, with what to do next.

use maud::{Markup, html};
use serde_json::Value;

use super::page::{said, sentence, state};
use crate::problem::Problem;

/// What is wrong with a form, each a link to its field.
pub(super) fn summary(faults: &[(String, String)]) -> Markup {
    html! {
        div .note .bad role="alert" tabindex="-1" autofocus {
            h2 {
                @if faults.len() == 1 { "There is 1 problem" }
                @else { "There are " (faults.len()) " problems" }
            }
            ul {
                @for (field, text) in faults {
                    li { a href=(format!("#{field}")) { (sentence(text)) } }
                }
            }
            p { "Nothing was sent." }
        }
    }
}

/// A refusal with the diagnosis, if there is one.
pub(super) fn refusal(problem: &Problem, then: &str) -> Markup {
    html! {
        div .note .bad role="alert" tabindex="-1" autofocus {
            h2 { "Not ready" }
            @match &problem.validation {
                Some(validation) => { (checks(validation)) }
                None => {
                    p { (sentence(&problem.detail)) }
                    @if let Some(hint) = &problem.hint { p { (said(hint)) } }
                }
            }
            p { (then) }
        }
    }
}

/// A validation in stages.
pub(super) fn diagnosis(validation: &Value) -> Markup {
    let ready = validation.get("ready").and_then(Value::as_bool) == Some(true);
    html! {
        section .note .(if ready { "good" } else { "bad" }) aria-label="Diagnosis" {
            p .lead { (if ready { "✔ Ready" } else { "✘ Not ready" }) }
            (checks(validation))
        }
    }
}

fn checks(validation: &Value) -> Markup {
    let checks = validation.get("checks").and_then(Value::as_array);
    html! {
        ul .checks {
            @for check in checks.into_iter().flatten() {
                @let text = |key: &str| check.get(key).and_then(Value::as_str);
                li {
                    (state(text("outcome").unwrap_or("skipped"))) " "
                    strong { (said(text("title").unwrap_or_default())) }
                    @if let Some(message) = text("message") { div { (sentence(message)) } }
                    @if let Some(hint) = text("hint") { div .next { "→ " (said(hint)) } }
                }
            }
        }
    }
}
