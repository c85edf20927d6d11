//! What went wrong, as the API answers it (RFC 9457) and the command prints it.
//!
//! It holds no secret and no person. A failure of a connector keeps its code, hint and remedy.

use serde_json::{Value, json};
use smp_host::failure::Failure;

/// A problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The status of an answer that says it.
    pub status: u16,
    /// Its name for programs.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The same as data, if a connector's run failed.
    pub remedy: Option<Box<Value>>,
    /// The validation that was not passed.
    pub validation: Option<Box<Value>>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            hint: None,
            remedy: None,
            validation: None,
        }
    }

    /// The request is malformed.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(422, "invalid-request", detail)
    }

    /// There is no such thing, or the token may not see it.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not-found", format!("there is no such {what}"))
            .hint("List what is there; another tenant's is not shown.")
    }

    /// Something of the same identity is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// A fault of the platform itself, without details that name its machine.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(500, "platform", detail)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the validation.
    #[must_use]
    pub fn validation(mut self, validation: Value) -> Self {
        self.validation = Some(Box::new(validation));
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let title = match self.status {
            400 => "Bad request",
            401 => "No valid token",
            403 => "Not permitted",
            404 => "Not found",
            405 => "Method not allowed",
            409 => "Conflict",
            413 => "Too large",
            422 => "Not accepted",
            429 => "Too many requests",
            503 => "Not available now",
            _ => "A fault of the platform",
        };
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "hint": self.hint,
            "remedy": self.remedy,
        });
        if let (Some(validation), Some(body)) = (&self.validation, body.as_object_mut()) {
            body.insert("validation".into(), validation.as_ref().clone());
        }
        body
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let remedy = failure.to_json().get("remedy").cloned();
        let mut problem = Self::new(422, failure.code.as_str(), failure.message);
        problem.hint = failure.hint;
        problem.remedy = remedy.map(Box::new);
        problem
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let full = error
            .as_database_error()
            .is_some_and(|error| matches!(error.code().as_deref(), Some("13" | "53100")));
        if full {
            return Self::new(503, "disk-full", "the disk of the database is full")
                .hint("Make room; runs go on by themselves then, and nothing is lost.");
        }
        tracing::error!(%error, "the database failed");
        Self::new(503, "database", "the database did not do its work")
            .hint("Look at the log of the platform, and try again.")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use smp_host::failure::Code;

    use super::*;

    #[test]
    fn a_failure_of_a_run_keeps_its_code_hint_and_remedy() {
        let failure =
            Failure::new(Code::Credentials, "the key is not accepted").with_hint("Renew it.");
        let body = Problem::from(failure).to_json();
        assert_eq!(
            (&body["status"], &body["code"], &body["hint"]),
            (&json!(422), &json!("credentials"), &json!("Renew it."))
        );
        assert!(body["remedy"].is_object() || body["remedy"].is_string(), "{body}");
        assert!(body.get("validation").is_none());
    }
}
