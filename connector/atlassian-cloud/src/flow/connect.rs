//! Names the organization that the settings lead to.
//!
//! ```text
//! settings ─▶ asking for the organization ─┬─ it is there ───────────────▶ account
//!     │                                    ├─ 403 ─▶ standing ───────────▶ failure
//!     └─ malformed ─▶ failure              └─ anything else ─────────────▶ failure
//! ```

use smp_connector_kit::{Account, Failure, Host, Setting};

use super::standing::settled;
use crate::config::Config;
use crate::endpoint::org;

/// Names the organization.
///
/// # Errors
///
/// When a setting is malformed, or the organization cannot be read.
pub fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure> {
    let config = Config::read(settings)?;
    org::get(host, &config).map_err(|refusal| settled(host, &config, refusal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::FailureKind;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, ORGANIZATION, settings};

    #[test]
    fn the_account_is_the_organization() {
        let body =
            format!(r#"{{"data":{{"id":"{ORGANIZATION}","attributes":{{"name":"Acme"}}}}}}"#);
        let mut host = Script::new().at("/{org}", answer(200, &body));
        let account = connect(&mut host, &settings()).unwrap();
        assert_eq!(account, Account::new(ORGANIZATION, "Acme"));
    }

    #[test]
    fn malformed_settings_cost_no_request() {
        let failure = connect(&mut Script::new(), &[]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidSettings);
    }

    #[test]
    fn a_403_is_looked_into() {
        let mut host =
            Script::new().at("/{org}", answer(403, "")).at("", answer(200, r#"{"data":[]}"#));
        assert_eq!(connect(&mut host, &settings()).unwrap_err().kind, FailureKind::NotFound);
    }

    #[test]
    fn another_organization_than_asked_for_is_unexpected() {
        let mut host = Script::new().at("/{org}", answer(200, r#"{"data":{"id":"another"}}"#));
        let failure = connect(&mut host, &settings()).unwrap_err();
        assert_eq!(
            (failure.kind, failure.setting.as_deref()),
            (FailureKind::UnexpectedResponse, Some("organization-id"))
        );
        assert!(failure.message.contains("GET /admin/v1/orgs/{organization-id} "));
    }
}
