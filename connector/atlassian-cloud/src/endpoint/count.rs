//! `GET /admin/v2/orgs/{organization-id}/directories/-/users/count`: how many people are in the
//! directories of the organization.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-users/)

use smp_connector_kit::Host;
use smp_connector_kit::call::{Need, Route};

use super::list;
use crate::config::{Config, EVERYONE, PEOPLE};
use crate::refusal::Refusal;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/v2/orgs/{organization-id}/directories/-/users/count",
    "Reads how many people there are, before and after they are listed",
    Some("read:directories:admin"),
)
.when(&[Need::Setting(PEOPLE, EVERYONE)]);

/// Asks how many they are.
///
/// # Errors
///
/// When it is not told, or the organization may be none of the key's.
pub fn get(host: &mut dyn Host, config: &Config) -> Result<u64, Refusal> {
    super::get(host, &ROUTE, config, None, list::read_count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::json::Unreadable;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, everyone};

    #[test]
    fn the_number_is_asked_for_over_all_directories() {
        for count in ["1234", "1234.0", r#""1234""#] {
            let answer = answer(200, &format!(r#"{{"count":{count}}}"#));
            let mut host = Script::new().at_v2("/{org}/directories/-/users/count", answer);
            assert_eq!(get(&mut host, &everyone()), Ok(1_234), "{count}");
        }
    }

    #[test]
    fn an_answer_without_a_number_is_none() {
        for body in
            ["{}", r#"{"count":null}"#, r#"{"count":"x"}"#, r#"{"count":-1}"#, r#"{"count":1.5}"#]
        {
            assert!(
                matches!(list::read_count(body.as_bytes()), Err(Unreadable::Shape(_))),
                "{body}"
            );
        }
    }
}
