//! The descriptor agrees with the code, and keeps every fact of the integration.

use std::sync::LazyLock;

use smp_connector_kit::testing::answer;
use smp_connector_kit::{Host, HttpError, Level, Request, Response, Setting};

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
    assert_eq!(LISTING.data_collected.len(), 1);
    assert_eq!(LISTING.data_collected[0].name, "members");
    let fields: Vec<&str> =
        LISTING.data_collected[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["email", "name", "role", "last seen"]);
    assert!(
        LISTING.pricing.contains("number of users") && LISTING.pricing.contains("services used")
    );
    assert!(LISTING.permissions_required[0].contains("organization admin"));
    assert!(LISTING.permissions_required[0].contains("site admin"));
}

#[test]
fn the_form_has_the_fields_of_the_platform() {
    let labels: Vec<(&str, &str)> =
        LISTING.settings.iter().map(|field| (field.key.as_str(), field.label.as_str())).collect();
    assert_eq!(labels, [(ORGANIZATION_ID, "Organization ID"), (API_KEY, "Api Key")]);
    assert!(
        LISTING
            .settings
            .iter()
            .all(|field| field.required && !field.help.is_empty() && !field.placeholder.is_empty())
    );
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
    let used = [&org::ROUTE, &users::ROUTE, &domains::ROUTE, &orgs::ROUTE].map(|route| route.path);
    assert_eq!(declared, used);
    assert_eq!(LISTING.api.base, "https://api.atlassian.com");
    assert_eq!((LISTING.api.rate_limit.requests, LISTING.api.rate_limit.period_ms), (5, 1_000));
}

#[test]
fn every_request_of_every_flow_is_declared() {
    for status in [200, 403] {
        let mut host = Asked { status, paths: Vec::new() };
        flow::validate::validate(&mut host, &testing::settings());
        flow::connect::connect(&mut host, &testing::settings()).ok();
        flow::collect::collect(&mut host, &testing::settings(), Some("c".to_owned())).ok();
        assert!(host.paths.len() >= 3);
        for path in host.paths {
            let template =
                path.split('?').next().unwrap().replace(testing::ORGANIZATION, "{organization-id}");
            assert!(
                LISTING.api.endpoints.iter().any(|endpoint| endpoint.path == template),
                "{path}"
            );
        }
    }
}

#[test]
fn the_guide_has_the_three_parts_of_the_platform() {
    let titles: Vec<&str> =
        LISTING.setup_guide.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Get the API credentials",
            "Verify your domain and claim accounts",
            "Configure Atlassian Cloud in the SMP"
        ]
    );
}

#[test]
fn every_step_of_the_guide_is_kept() {
    let rows: [(usize, &[&str]); 3] = [
        (
            0,
            &[
                "admin.atlassian.com",
                "Log in",
                "Verify your domains",
                "N domains N managed accounts",
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
            ],
        ),
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

/// A host that gives the same status to everything, and an empty list, and notes what was asked.
struct Asked {
    status: u16,
    paths: Vec<String>,
}

impl Host for Asked {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        let is_org = request.path_with_query.ends_with(testing::ORGANIZATION);
        self.paths.push(request.path_with_query.clone());
        answer(self.status, if is_org { r#"{"data":{}}"# } else { r#"{"data":[]}"# })
    }

    fn log(&mut self, _: Level, message: &str) {
        panic!("{message}");
    }
}
