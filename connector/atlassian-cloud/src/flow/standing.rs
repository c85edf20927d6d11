//! Finds out what a 403 stands for, by looking for the organization among those of the key.
//!
//! ```text
//! begin ─▶ asking a page ─┬─ the organization is on it ──────────▶ permission
//!               ▲         ├─ no, and no further page ────────────▶ not-found
//!               │         ├─ no answer, or pages without end ────▶ permission (it cannot be told)
//!               └─────────┴─ no, and there is a next page
//! ```

use super::{Flow, Step};
use crate::config::OrganizationId;
use crate::cursor::Cursor;
use crate::endpoint::orgs;
use crate::failure::Failure;
use crate::host::{HttpError, Response};
use crate::refusal::{self, Forbidden};

/// Most pages that are read: a key belongs to one organization, so even a second page is odd.
const MOST_PAGES: u32 = 10;

/// Looking for the organization.
#[derive(Debug)]
pub struct Standing {
    organization: OrganizationId,
    forbidden: Forbidden,
    cursor: Option<Cursor>,
    pages_left: u32,
}

impl Standing {
    /// Begins with the first page.
    pub fn begin(organization: OrganizationId, forbidden: Forbidden) -> Step<Self, Failure> {
        Self { organization, forbidden, cursor: None, pages_left: MOST_PAGES }.ask()
    }

    fn ask(mut self) -> Step<Self, Failure> {
        if self.pages_left == 0 {
            return Step::Done(self.forbidden.permission());
        }
        self.pages_left -= 1;
        Step::Ask(orgs::request(self.cursor.as_ref()), self)
    }
}

impl Flow for Standing {
    type Outcome = Failure;

    fn answered(mut self, answer: Result<Response, HttpError>) -> Step<Self, Failure> {
        let asked = self.cursor.as_ref();
        let page = refusal::success(&orgs::ENDPOINT, asked.is_some(), answer)
            .ok()
            .and_then(|body| orgs::read(&body, &self.organization, asked).ok());
        match page {
            Some(page) if !page.has_it => match page.next {
                Some(next) => {
                    self.cursor = Some(next);
                    self.ask()
                }
                None => Step::Done(self.forbidden.not_found()),
            },
            _ => Step::Done(self.forbidden.permission()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::users;
    use crate::failure::FailureKind;
    use crate::flow::drive;
    use crate::refusal::Refusal;
    use crate::testing::{ORGANIZATION, Script, answer, config};

    #[test]
    fn an_organization_in_the_list_is_a_matter_of_permission() {
        let list = format!(r#"{{"data":[{{"id":"other"}},{{"id":"{ORGANIZATION}"}}]}}"#);
        assert_eq!(kind(Script::new().expect("", answer(200, &list))), FailureKind::Permission);
    }

    #[test]
    fn an_organization_in_none_of_the_pages_is_not_found() {
        let host = Script::new()
            .expect("", answer(200, r#"{"data":[{"id":"other"}],"links":{"next":"two"}}"#))
            .expect("?cursor=two", answer(200, r#"{"data":[]}"#));
        assert_eq!(kind(host), FailureKind::NotFound);
    }

    #[test]
    fn what_cannot_be_told_is_a_matter_of_permission() {
        for unclear in
            [answer(401, ""), answer(403, ""), answer(500, ""), answer(200, "<html>"), answer(200, "{}"), Err(HttpError::TimedOut)]
        {
            assert_eq!(kind(Script::new().expect("", unclear)), FailureKind::Permission);
        }
    }

    #[test]
    fn pages_without_end_are_not_read_to_their_end() {
        let mut host = Script::new().expect("", answer(200, r#"{"data":[],"links":{"next":"1"}}"#));
        for page in 1..MOST_PAGES {
            let next = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1);
            host = host.expect(&format!("?cursor={page}"), answer(200, &next));
        }
        assert_eq!(kind(host), FailureKind::Permission);
    }

    fn kind(mut host: Script) -> FailureKind {
        let Err(Refusal::Forbidden(forbidden)) = refusal::success(&users::ENDPOINT, false, answer(403, "")) else {
            panic!("not open");
        };
        let first = Standing::begin(config().organization().clone(), forbidden);
        drive(&mut host, first).kind
    }
}
