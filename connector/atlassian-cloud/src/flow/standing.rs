//! Finds out what a 403 stands for, and a 401 where the key may only lack a scope, by looking for
//! the organization among those of the key.
//!
//! ```text
//! a page of them ─┬─ the organization is on it ──────────▶ permission
//!        ▲        ├─ no, and no further page ────────────▶ not-found
//!        │        ├─ 401 after a 401 ────────────────────▶ credentials
//!        │        ├─ no answer, or pages without end ────▶ permission (it cannot be told)
//!        └────────┴─ no, and there is a next page
//! ```

use smp_connector_kit::{Failure, Host};

use crate::config::Config;
use crate::endpoint::orgs::{self, OrgsPage};
use crate::refusal::Refusal;

/// Most pages that are read: a key belongs to one organization, so even a second page is odd.
const MOST_PAGES: u32 = 10;

/// The failure that a refusal stands for, found out where it is open.
pub fn settled(host: &mut dyn Host, config: &Config, refusal: Refusal) -> Failure {
    let forbidden = match refusal {
        Refusal::Final(failure) | Refusal::NothingThere(failure) => return failure,
        Refusal::Forbidden(forbidden) => forbidden,
    };
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        match orgs::get(host, config, cursor.as_ref()) {
            Ok(OrgsPage { has_it: false, next: Some(next) }) => cursor = Some(next),
            Ok(OrgsPage { has_it: false, next: None }) => return forbidden.not_found(),
            Ok(OrgsPage { has_it: true, .. }) => break,
            Err(refusal) => return forbidden.unclear(refusal),
        }
    }
    forbidden.permission()
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{FailureKind, HttpError};

    use crate::endpoint::{count, users};
    use crate::testing::{Below, ORGANIZATION, config, everyone};

    #[test]
    fn an_organization_in_the_list_is_a_matter_of_permission() {
        let list = format!(r#"{{"data":[{{"id":"other"}},{{"id":"{ORGANIZATION}"}}]}}"#);
        assert_eq!(kind(Script::new().at("", answer(200, &list))), FailureKind::Permission);
    }

    #[test]
    fn an_organization_in_none_of_the_pages_is_not_found() {
        let host = Script::new()
            .at("", answer(200, r#"{"data":[{"id":"other"}],"links":{"next":"two"}}"#))
            .at("?cursor=two", answer(200, r#"{"data":[]}"#));
        assert_eq!(kind(host), FailureKind::NotFound);
    }

    #[test]
    fn what_cannot_be_told_is_a_matter_of_permission() {
        for unclear in [
            answer(401, ""),
            answer(403, ""),
            answer(500, ""),
            answer(200, "<html>"),
            answer(200, "{}"),
            Err(HttpError::TimedOut),
        ] {
            assert_eq!(kind(Script::new().at("", unclear)), FailureKind::Permission);
        }
    }

    #[test]
    fn a_401_of_a_call_for_everyone_is_a_missing_scope_or_a_key_that_is_none() {
        let listed = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
        for (list, kind) in [
            (answer(200, &listed), FailureKind::Permission),
            (answer(200, r#"{"data":[]}"#), FailureKind::NotFound),
            (answer(401, r#"{"message":"scope does not match"}"#), FailureKind::Permission),
            (answer(403, ""), FailureKind::Permission),
            (answer(401, ""), FailureKind::Credentials),
        ] {
            let mut host = Script::new().at_v2("/{org}/directories/-/users/count", answer(401, ""));
            let refusal = count::get(&mut host, &everyone()).unwrap_err();
            let mut host = Script::new().at("", list);
            let failure = settled(&mut host, &everyone(), refusal);
            assert_eq!(failure.kind, kind);
            if kind == FailureKind::NotFound {
                continue;
            }
            for scope in ["read:directories:admin", "read:workspaces:admin", "without scopes"] {
                let said = failure.hint.replace("no scopes", "a key without scopes");
                assert!(said.contains(scope), "{scope}: {said}");
            }
        }
    }

    #[test]
    fn pages_without_end_are_not_read_to_their_end() {
        let mut host = Script::new().at("", answer(200, r#"{"data":[],"links":{"next":"1"}}"#));
        for page in 1..MOST_PAGES {
            let next = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1);
            host = host.at(&format!("?cursor={page}"), answer(200, &next));
        }
        assert_eq!(kind(host), FailureKind::Permission);
    }

    #[test]
    fn what_is_final_is_not_looked_into() {
        let failure = Failure::new(FailureKind::Upstream, "m", "h");
        let settled = settled(&mut Script::new(), &config(), failure.clone().into());
        assert_eq!(settled, failure);
    }

    fn kind(mut host: Script) -> FailureKind {
        let mut forbidding = Script::new().at("/{org}/users", answer(403, ""));
        let refusal = users::get(&mut forbidding, &config(), None).unwrap_err();
        settled(&mut host, &config(), refusal).kind
    }
}
