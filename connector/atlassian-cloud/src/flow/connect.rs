//! Names the organization that the settings lead to.
//!
//! ```text
//! settings ─▶ asking for the organization ─┬─ it is there ───────────────▶ account
//!     │                                    ├─ 403 ─▶ standing ───────────▶ failure
//!     └─ malformed ─▶ failure              └─ anything else ─────────────▶ failure
//! ```

use super::standing::Standing;
use super::{Flow, Step, drive};
use crate::config::{Config, Setting};
use crate::endpoint::org;
use crate::failure::Failure;
use crate::host::{Host, HttpError, Response};
use crate::model::Account;
use crate::refusal::{self, Refusal};

/// Names the organization.
///
/// # Errors
///
/// When a setting is malformed, or the organization cannot be read.
pub fn connect(host: &mut impl Host, settings: &[Setting]) -> Result<Account, Failure> {
    let config = Config::read(settings)?;
    let request = org::request(config.organization());
    drive(host, Step::Ask(request, Connect::Organization(config)))
}

/// Gives the organization out of the answer to its call.
///
/// # Errors
///
/// When there is none, or it may be none of the key's.
pub(super) fn organization(config: &Config, answer: Result<Response, HttpError>) -> Result<Account, Refusal> {
    let body = refusal::success(&org::ENDPOINT, false, answer)?;
    org::read(&body, config.organization()).map_err(|reason| Refusal::Final(refusal::unreadable(&org::ENDPOINT, reason)))
}

#[derive(Debug)]
enum Connect {
    Organization(Config),
    Standing(Standing),
}

impl Flow for Connect {
    type Outcome = Result<Account, Failure>;

    fn answered(self, answer: Result<Response, HttpError>) -> Step<Self, Self::Outcome> {
        match self {
            Self::Organization(config) => match organization(&config, answer) {
                Ok(account) => Step::Done(Ok(account)),
                Err(Refusal::Final(failure)) => Step::Done(Err(failure)),
                Err(Refusal::Forbidden(forbidden)) => Standing::begin(config.organization().clone(), forbidden).within(Self::Standing, Err),
            },
            Self::Standing(standing) => standing.answered(answer).within(Self::Standing, Err),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;
    use crate::testing::{ORGANIZATION, Script, answer, settings};

    #[test]
    fn the_account_is_the_organization() {
        let body = format!(r#"{{"data":{{"id":"{ORGANIZATION}","attributes":{{"name":"Acme"}}}}}}"#);
        let mut host = Script::new().expect("/{org}", answer(200, &body));
        let account = connect(&mut host, &settings()).unwrap();
        assert_eq!(account, Account { id: ORGANIZATION.to_owned(), name: "Acme".to_owned() });
    }

    #[test]
    fn malformed_settings_cost_no_request() {
        let failure = connect(&mut Script::new(), &[]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidSettings);
    }

    #[test]
    fn a_403_is_looked_into() {
        let mut host = Script::new().expect("/{org}", answer(403, "")).expect("", answer(200, r#"{"data":[]}"#));
        assert_eq!(connect(&mut host, &settings()).unwrap_err().kind, FailureKind::NotFound);
    }

    #[test]
    fn another_organization_than_asked_for_is_unexpected() {
        let mut host = Script::new().expect("/{org}", answer(200, r#"{"data":{"id":"another"}}"#));
        let failure = connect(&mut host, &settings()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
        assert!(failure.message.contains("GET /admin/v1/orgs/{organization-id} "));
    }
}
