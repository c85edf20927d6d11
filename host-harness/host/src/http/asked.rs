//! How the requests of one call ended, by endpoint. It explains the failures that a component
//! reports.
//!
//! It is not a log: only the last request to each endpoint counts, so the descriptor bounds its
//! size.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;

/// How the last request to each endpoint ended, and which was the last of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    ends: BTreeMap<Arc<str>, End>,
    last: Option<Arc<str>>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The component knows all that the host knows.
    Told,
    /// Somebody in between answered, or the answer did not come whole: it may be right next time.
    BadPage,
    /// The answer said that something went wrong, beside what was asked for: it may lack a part.
    InPart,
    /// The answer was larger than the limit `response` allows.
    TooLarge,
    /// The service asked for a wait beyond the budget. This budget would have been enough.
    Overrun(Duration),
    /// It was denied, or only the host knows why there is no answer.
    Explained(Failure),
}

impl Asked {
    /// Notes how a request to this endpoint ended: method and path template.
    pub(crate) fn note(&mut self, endpoint: Arc<str>, end: End) {
        self.last = Some(Arc::clone(&endpoint));
        self.ends.insert(endpoint, end);
    }

    /// How the request ended that a failure is about: the one to the endpoint that its message
    /// names, else the last one.
    #[must_use]
    pub fn about(&self, message: &str) -> Option<&End> {
        let named = self.ends.keys().filter(|endpoint| names(message, endpoint));
        named
            .max_by_key(|endpoint| endpoint.len())
            .or(self.last.as_ref())
            .and_then(|endpoint| self.ends.get(endpoint))
    }

    /// The host's explanation of a request of this call, for a call that does not return.
    #[must_use]
    pub fn explanation(&self) -> Option<&Failure> {
        self.ends.values().find_map(|end| match end {
            End::Explained(failure) => Some(failure),
            _ => None,
        })
    }
}

/// Whether a message names this endpoint, and not one whose path only starts with its path.
fn names(message: &str, endpoint: &str) -> bool {
    message.match_indices(endpoint).any(|(at, _)| {
        let rest = message.get(at + endpoint.len()..).unwrap_or_default();
        !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || "/{-_".contains(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    fn asked(requests: &[(&str, End)]) -> Asked {
        let mut asked = Asked::default();
        for (endpoint, end) in requests {
            asked.note((*endpoint).into(), end.clone());
        }
        asked
    }

    #[test]
    fn a_failure_is_about_the_endpoint_that_it_names_else_about_the_last() {
        let (wait, told) = (End::Overrun(Duration::from_secs(9)), End::Told);
        let asked = asked(&[
            ("GET /orgs/{id}", wait.clone()),
            ("GET /orgs/{id}/users", End::TooLarge),
            ("GET /orgs", told.clone()),
        ]);
        for (message, end) in [
            ("it failed", &told),
            ("(429 from GET /orgs/{id}).", &wait),
            ("the answer to GET /orgs/{id}/users is too large", &End::TooLarge),
            ("GET /orgs/{id}/users failed, and so did GET /orgs/{id}", &End::TooLarge),
            ("GET /orgs is refused", &told),
            ("GET /orgs/{id}/domains is refused", &told),
            ("GET /orgs/{id}s", &told),
        ] {
            assert_eq!(asked.about(message), Some(end), "{message}");
        }
        assert_eq!(Asked::default().about("GET /orgs"), None);
    }

    #[test]
    fn only_the_last_request_to_an_endpoint_counts() {
        let asked = asked(&[("GET /a", End::TooLarge), ("GET /a", End::Told)]);
        assert_eq!(asked.about("GET /a"), Some(&End::Told));
    }

    #[test]
    fn the_hosts_own_word_is_found_whatever_was_asked_after_it() {
        let failure = Failure::new(Code::Denied, "it was not let out");
        let requests = [("GET /a", End::Explained(failure.clone())), ("GET /b", End::Told)];
        assert_eq!(asked(&requests).explanation(), Some(&failure));
        assert_eq!(asked(&requests[1..]).explanation(), None);
    }
}
