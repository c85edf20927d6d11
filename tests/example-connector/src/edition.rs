//! Other editions of this connector, each a feature of the crate: the tests of upgrades compare
//! them with the original. Without a feature nothing is changed.
//!
//! | feature | edition |
//! |---|---|
//! | `reworded` | 0.1.1: other texts, and nothing else |
//! | `next` | 0.2.0: one more setting, endpoint and field |
//! | `greedy` | 1.0.0: a required setting, a scope, a `POST`, another origin and another kind of key |
//! | `losing` | 0.1.0 again: without the people who hide their address, with other roles |
//! | `larger-pages` | 0.0.9: requests larger pages |

use smp_connector_kit::call::Route;
use smp_connector_kit::listing::setting;
use smp_connector_kit::{
    DataField, Descriptor, Endpoint, Failure, FailureKind, Method, Setting, SettingField,
};

use super::Person;
use super::listing::FIND_WORKSPACE;

/// The page size.
pub(crate) const PAGE: u64 = if cfg!(feature = "larger-pages") { 100 } else { 50 };

/// The descriptor of the edition.
pub(crate) fn descriptor(mut told: Descriptor) -> Descriptor {
    if cfg!(feature = "reworded") {
        told.version = "0.1.1".into();
        told.summary =
            "A made-up service for tests, on which teams pin what everybody should know.".into();
        told.settings
            .iter_mut()
            .for_each(|field| field.label = format!("The {}", field.label.to_lowercase()));
        told.setup_guide.iter_mut().for_each(|section| section.steps.push("That is all.".into()));
    }
    if cfg!(feature = "next") {
        told.version = "0.2.0".into();
        told.settings.push(field("team", "Team", false));
        told.api.endpoints.push(endpoint(
            Method::Get,
            "/api/2/workspaces/{workspace}/teams",
            "people:read",
        ));
        let apps =
            DataField { name: "apps".into(), description: "How many apps the person uses".into() };
        told.data_collected.iter_mut().for_each(|set| set.fields.push(apps.clone()));
    }
    if cfg!(feature = "greedy") {
        told.version = "1.0.0".into();
        told.settings.push(field("region", "Region", true));
        told.api.base = "https://collect.noticeboard.example".into();
        told.api.endpoints.push(endpoint(Method::Post, "/api/2/search", "everything:read"));
        told.api.rate_limit.requests *= 2;
        told.permissions_required.push("Owner of the company account.".into());
        let prefixes = told
            .settings
            .iter_mut()
            .filter_map(|field| field.secret.as_mut())
            .flat_map(|secret| &mut secret.prefixes);
        prefixes.for_each(|known| known.expected = !known.expected);
    }
    if cfg!(feature = "larger-pages") {
        told.version = "0.0.9".into();
    }
    told
}

/// Whether the edition accepts the settings.
pub(crate) fn settings(settings: &[Setting]) -> Result<(), Failure> {
    if cfg!(feature = "greedy") && !settings.iter().any(|setting| setting.key == "region") {
        return Err(Failure::new(
            FailureKind::InvalidSettings,
            "the region is missing",
            FIND_WORKSPACE,
        ));
    }
    Ok(())
}

/// Whether the edition includes a person.
pub(crate) fn keeps(person: &Person) -> bool {
    !cfg!(feature = "losing") || person.mail.is_some()
}

/// The total of the edition.
pub(crate) fn total(count: u64) -> Option<u64> {
    (!cfg!(feature = "losing")).then_some(count)
}

/// Further attributes of a person in this edition.
pub(crate) fn attributes(person: &Person) -> Vec<(String, String)> {
    if cfg!(feature = "next") {
        vec![("apps".into(), person.apps.len().to_string())]
    } else {
        vec![]
    }
}

/// The role in this edition.
pub(crate) fn role(role: String) -> String {
    if cfg!(feature = "losing") { role.replace(", ", " and ") } else { role }
}

fn field(key: &str, label: &str, required: bool) -> SettingField {
    SettingField { required, ..setting(key, label, FIND_WORKSPACE) }
}

fn endpoint(method: Method, path: &'static str, scope: &'static str) -> Endpoint {
    let purpose = "Reads what /api/2/workspaces/{workspace}/people does not tell";
    Route { method, ..Route::get(path, purpose, Some(scope)) }.declared()
}
