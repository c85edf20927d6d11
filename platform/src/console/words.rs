//! English words for states, figures and remedies, in one place.

use serde_json::Value;

/// The sign, the class and the words of a state of a run or a connection.
pub(super) fn state(word: &str) -> (&'static str, &'static str, &'static str) {
    match word {
        "ready" => ("✔", "good", "Ready"),
        "failing" => ("⚠", "warn", "Failing, tries again by itself"),
        "attention" => ("✘", "bad", "Waiting for a person"),
        "paused" => ("‖", "still", "Paused"),
        "ending" => ("⚠", "warn", "Key ends soon"),
        "open" => ("▸", "busy", "Running"),
        "waiting" => ("…", "busy", "Waiting to go on"),
        "complete" => ("✔", "good", "Complete"),
        "failed" => ("✘", "bad", "Failed"),
        "stopped" => ("■", "still", "Stopped"),
        "passed" => ("✔", "good", "Passed"),
        "warning" => ("⚠", "warn", "Look at this"),
        // Never a tick: nothing was looked at.
        "skipped" => ("–", "still", "Not looked at"),
        _ => ("?", "still", "Unknown"),
    }
}

/// What a person does about a failure on this page, from its remedy as data. `None` where the hint
/// says all.
pub(super) fn remedy(remedy: &Value) -> Option<(&'static str, Act)> {
    Some(match remedy.get("kind")?.as_str()? {
        "new-key" => ("Enter a new key for this connection.", Act::Key),
        "more-permissions" => {
            ("Give the key its permissions at the service, then check again.", Act::Check)
        }
        "give-setting" | "correct-setting" => {
            ("Make the connection again with the right setting.", Act::Connect)
        }
        "change-at-service" => ("Change it at the service, then check again.", Act::Check),
        "come-back" | "wait-for-place" => ("It goes on by itself.", Act::Run),
        "come-back-or-report" => {
            ("Run it again; if it stays, report it to the publisher.", Act::Run)
        }
        "accept-shortfall" | "run-again" | "start-over" => ("Run it again.", Act::Run),
        "grant" | "approve-origin" | "name-upstream" | "allow-range" | "trust-publisher"
        | "raise-limit" | "trust-root" | "mend-proxy" | "free-machine" | "make-room" => {
            ("The operator of this platform has to act.", Act::Nothing)
        }
        "mend-connector" | "report-connector" | "contact-support" | "other-release" => {
            ("Report it to the publisher of the connector.", Act::Nothing)
        }
        _ => return None,
    })
}

/// Where a remedy is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The form for a new key.
    Key,
    /// The button that checks the connection.
    Check,
    /// The form that makes a connection.
    Connect,
    /// The button that runs it.
    Run,
    /// Not on this page.
    Nothing,
}

/// What a wait is for, in words.
pub(super) fn fault(fault: &str) -> &'static str {
    match fault {
        "timed-out" => "no answer in time",
        "connection" => "the connection broke",
        "untrusted" => "the certificate is not trusted",
        "too-large" => "the answer is too large",
        "denied" => "not permitted, not sent",
        "cancelled" => "ended before the answer came",
        _ => "no answer",
    }
}

/// The title of a status, a kind or an affiliation.
pub(super) fn word(word: &str) -> String {
    let text = word.replace('-', " ");
    let mut signs = text.chars();
    let first: String =
        signs.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", signs.as_str())
}

#[cfg(test)]
mod tests {
    use smp_host::failure::Code;

    use super::*;

    #[test]
    fn what_was_not_looked_at_is_never_a_tick() {
        assert_eq!(state("skipped").0, "–");
        for word in ["passed", "ready", "complete"] {
            assert_eq!(state(word).0, "✔");
        }
        for word in ["warning", "failed", "failing", "attention", "skipped", "stopped", "odd"] {
            assert_ne!(state(word).0, "✔", "{word}");
        }
    }

    #[test]
    fn each_kind_of_remedy_that_a_run_ends_with_has_words() {
        for code in Code::ALL.iter().filter(|code| {
            !matches!(code, Code::Component | Code::Untrusted | Code::Checkpoint | Code::Fixture)
        }) {
            let value = serde_json::to_value(code.remedy()).unwrap_or_default();
            let is_other = value.get("kind").and_then(Value::as_str) == Some("other");
            assert!(is_other || remedy(&value).is_some(), "{code:?}: {value}");
        }
    }
}
