//! The descriptor agrees with the code, and keeps every fact of the integration.

use std::sync::LazyLock;

use smp_connector_kit::testing::answer;
use smp_connector_kit::{Condition, Host, HttpError, Level, Method, Request, Response, Setting};

use super::*;
use crate::config::{API_KEY, Config, ORGANIZATION_ID};
use crate::{flow, testing};

static LISTING: LazyLock<Descriptor> = LazyLock::new(descriptor);

#[test]
fn the_listing_tells_what_the_platform_tells() {
    assert_eq!(
        (&*LISTING.id, &*LISTING.name, &*LISTING.vendor),
        ("atlassian-cloud", "Atlassian Cloud", "Atlassian")
    );
    assert_eq!((&*LISTING.status, &*LISTING.integration_type), ("General Availability", "api"));
    let sets: Vec<&str> = LISTING.data_collected.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(sets, ["members", "usage"]);
    let fields = |set: usize| -> Vec<&str> {
        LISTING.data_collected[set].fields.iter().map(|field| field.name.as_str()).collect()
    };
    assert_eq!(fields(0), ["email", "name", "role", "last seen", "affiliation", "billable"]);
    assert_eq!(fields(1), ["product", "site", "plan", "purchased", "used", "sandbox"]);
    let billable = &LISTING.data_collected[0].fields[5].description;
    assert!(billable.contains("Atlassian Guard") && billable.contains("never a seat"));
    assert!(
        LISTING.pricing.contains("number of users") && LISTING.pricing.contains("services used")
    );
    assert!(LISTING.permissions_required[0].contains("organization admin"));
    assert!(LISTING.permissions_required[0].contains("site admin"));
    assert!(LISTING.permissions_required[1].contains("read:workspaces:admin"));
}

#[test]
fn the_form_has_the_fields_of_the_platform() {
    let labels: Vec<(&str, &str)> =
        LISTING.settings.iter().map(|field| (field.key.as_str(), field.label.as_str())).collect();
    let expected = [
        (ORGANIZATION_ID, "Organization ID"),
        (API_KEY, "Api Key"),
        ("people", "People"),
        ("cloud", "Cloud"),
        ("key-name", "Name of the API key"),
    ];
    assert_eq!(labels, expected);
    for (place, field) in LISTING.settings.iter().enumerate() {
        assert_eq!(field.required, place < 2, "{}", field.key);
        assert!(!field.help.is_empty(), "{}", field.key);
        assert!(!field.placeholder.is_empty() || !field.choices.is_empty(), "{}", field.key);
    }
}

#[test]
fn what_can_be_chosen_is_what_the_settings_know() {
    for (key, default, choices) in [
        ("people", "managed", ["managed", "everyone"]),
        ("cloud", "commercial", ["commercial", "government"]),
    ] {
        let field = LISTING.settings.iter().find(|field| field.key == key).unwrap();
        assert_eq!(field.default.as_deref(), Some(default));
        let values: Vec<&str> = field.choices.iter().map(|choice| choice.value.as_str()).collect();
        assert_eq!(values, choices);
        for value in choices {
            let mut settings = testing::settings();
            settings.push(Setting { key: key.to_owned(), value: value.to_owned() });
            assert!(Config::read(&settings).is_ok(), "{key} {value}");
        }
    }
}

#[test]
fn the_government_cloud_has_an_origin_of_its_own() {
    let origins = LISTING.api.origins.as_ref().unwrap();
    assert_eq!(origins.setting, "cloud");
    let government = ("government".to_owned(), "https://api.atlassian-us-gov-mod.com".to_owned());
    assert_eq!(origins.choices, [government]);
}

#[test]
fn only_the_key_is_secret_and_its_look_alike_is_known() {
    assert!(LISTING.settings[0].secret.is_none());
    let secret = LISTING.settings[1].secret.as_ref().unwrap();
    let prefixes: Vec<(&str, bool)> =
        secret.prefixes.iter().map(|prefix| (prefix.prefix.as_str(), prefix.expected)).collect();
    assert_eq!(prefixes, [("ATCTT", true), ("ATATT", false)]);
}

#[test]
fn a_placeholder_is_no_usable_value() {
    let placeholder = &LISTING.settings[0].placeholder;
    assert!(placeholder.bytes().all(|byte| byte == b'x' || byte == b'-'));
    let settings = [Setting {
        key: ORGANIZATION_ID.to_owned(),
        value: LISTING.settings[1].placeholder.clone(),
    }];
    assert!(Config::read(&settings).is_err());
}

#[test]
fn every_endpoint_is_declared_once_and_below_the_base() {
    let declared: Vec<&str> =
        LISTING.api.endpoints.iter().map(|endpoint| endpoint.path.as_str()).collect();
    let used = [
        &org::ROUTE,
        &users::ROUTE,
        &domains::ROUTE,
        &orgs::ROUTE,
        &count::ROUTE,
        &workspaces::ROUTE,
        &search::ROUTE,
        &keys::ROUTE,
    ]
    .map(|route| route.path);
    assert_eq!(declared, used);
    assert_eq!(LISTING.api.base, "https://api.atlassian.com");
    assert_eq!((LISTING.api.rate_limit.requests, LISTING.api.rate_limit.period_ms), (5, 1_000));
}

#[test]
fn every_request_of_every_flow_is_declared_for_the_people_that_it_lists() {
    let modes = [("managed", testing::settings()), ("everyone", testing::settings_for_everyone())];
    for (people, settings) in modes {
        for status in [200, 403] {
            let mut host = Asked { status, requests: Vec::new() };
            flow::validate::validate(&mut host, &settings);
            flow::connect::connect(&mut host, &settings).ok();
            flow::collect::collect(&mut host, &settings, None).ok();
            assert!(host.requests.len() >= 3);
            let members = host.requests.len();
            flow::usage::collect(&mut host, &settings, None).ok();
            assert!(host.requests.len() > members);
            for (number, (method, path)) in host.requests.into_iter().enumerate() {
                let template = path.split('?').next().unwrap();
                let template = template.replace(testing::ORGANIZATION, "{organization-id}");
                let declared = LISTING
                    .api
                    .endpoints
                    .iter()
                    .find(|endpoint| (endpoint.method, &endpoint.path) == (method, &template));
                let when = &declared.unwrap_or_else(|| panic!("{path}")).when;
                let holds = |condition: &Condition| match condition {
                    Condition::Setting(when) => {
                        (when.setting.as_str(), when.value.as_str()) == ("people", people)
                    }
                    Condition::Usage => number >= members,
                };
                assert!(when.is_empty() || when.iter().any(holds), "{people} {path}");
            }
        }
    }
}

#[test]
fn everything_that_is_declared_for_everyone_only_reads() {
    for endpoint in LISTING.api.endpoints.iter().filter(|endpoint| endpoint.method == Method::Post)
    {
        assert!(endpoint.read_only);
        let everyone =
            |when: &Condition| matches!(when, Condition::Setting(when) if when.value == "everyone");
        assert!(endpoint.when.iter().any(everyone), "{}", endpoint.path);
    }
}

#[test]
fn seats_need_the_product_sites_and_no_other_endpoint() {
    let endpoints = LISTING.api.endpoints.iter();
    let of_usage = endpoints.filter(|endpoint| endpoint.when.contains(&Condition::Usage));
    let paths: Vec<&str> = of_usage.map(|endpoint| endpoint.path.as_str()).collect();
    assert_eq!(paths, ["/admin/v2/orgs/{organization-id}/workspaces"]);
}

#[test]
fn the_guide_has_the_three_parts_of_the_platform_and_a_fourth() {
    let titles: Vec<&str> =
        LISTING.setup_guide.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Get the API credentials",
            "Verify your domain and claim accounts",
            "Configure Atlassian Cloud in the SMP",
            "Compare the list with Atlassian's own"
        ]
    );
}

#[test]
fn every_step_of_the_guide_is_kept() {
    let rows: [(usize, &[&str]); 4] = [
        (
            0,
            &[
                "admin.atlassian.com",
                "Log in",
                "Verify your domains",
                "N domains N managed accounts",
                "Organization settings",
                "Settings",
                "API keys",
                "Create API key",
                "a name",
                "SMP integration",
                "one year",
                "one week",
                "read:orgs:admin",
                "read:accounts:admin",
                "read:domains:admin",
                "read:directories:admin",
                "read:workspaces:admin",
                "To read the seats of each product",
                "read:keys:admin",
                "cannot be added later",
                "Organization ID",
                "API Key",
                "once",
                "verified domain",
                "at least one managed account",
            ],
        ),
        (
            1,
            &[
                "admin.atlassian.com",
                "Log in",
                "Directory > Domains",
                "improved user management experience",
                "Settings > Domains",
                "DNS TXT",
                "HTTPS",
                "days",
                "green",
                "VERIFIED",
                "claim",
                "at least one",
                "deactivate and delete",
                "Directory > Users",
                "Account type",
                "Managed accounts",
            ],
        ),
        (
            2,
            &[
                "Log in",
                "settings of **Atlassian Cloud**",
                "Integrate",
                "Organization ID",
                "Api Key",
                "everyone in the organization",
                "Government cloud",
                "https://api.atlassian-us-gov-mod.com",
            ],
        ),
        (3, &["Export users", "Directory > Users", "account type", "apps", "products"]),
    ];
    for (section, facts) in rows {
        let section = &LISTING.setup_guide[section];
        let text = format!("{} {}", section.introduction, section.steps.join("\n"));
        for fact in facts {
            assert!(text.contains(fact), "{fact} is missing of: {text}");
        }
    }
}

#[test]
fn the_guide_names_every_scope_that_an_endpoint_needs() {
    let text = LISTING.setup_guide[0].steps.join("\n");
    for scope in LISTING.api.endpoints.iter().filter_map(|endpoint| endpoint.scope.as_ref()) {
        assert!(text.contains(scope), "{scope}");
    }
}

#[test]
fn the_questions_answer_what_people_ask() {
    let text: Vec<String> =
        LISTING.faq.iter().map(|entry| format!("{} {}", entry.question, entry.answer)).collect();
    let text = text.join("\n");
    for fact in [
        "domain is verified",
        "days",
        "VERIFIED",
        "claim at least one",
        "ATCTT",
        "ATATT",
        "week",
        "year",
        "managed accounts",
        "24 hours",
        "Organization settings > API keys",
        "external",
        "bills a person once over its products",
        "a sum over products is no bill",
        "Atlassian Guard",
        "never a seat of Jira or Confluence",
    ] {
        assert!(text.contains(fact), "{fact}");
    }
}

#[test]
fn no_text_is_empty_but_an_introduction_and_none_has_markup_that_is_not_shown() {
    let steps = LISTING.setup_guide.iter().flat_map(|section| &section.steps);
    let answers = LISTING.faq.iter().flat_map(|entry| [&entry.question, &entry.answer]);
    for text in steps.chain(answers).chain([&LISTING.summary, &LISTING.version]) {
        assert!(
            !text.is_empty()
                && !text.starts_with('#')
                && !text.contains("![")
                && !text.contains('<'),
            "{text}"
        );
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
    }
}

/// A host that gives the same status to everything, and an empty list or a page that has somebody,
/// and notes what was asked.
struct Asked {
    status: u16,
    requests: Vec<(Method, String)>,
}

impl Host for Asked {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        let path = request.path_with_query.as_str();
        self.requests.push((request.method, path.to_owned()));
        let body = match path.rsplit('/').next() {
            Some("count") => r#"{"count":1}"#,
            Some("search") => r#"{"data":[{"accountId":"a","productAccess":[]}]}"#,
            Some("users") => r#"{"data":[{"account_id":"a"}]}"#,
            Some(testing::ORGANIZATION) => r#"{"data":{}}"#,
            _ => r#"{"data":[]}"#,
        };
        answer(self.status, body)
    }

    fn log(&mut self, _: Level, message: &str) {
        panic!("{message}");
    }
}
