//! The harmless connector's texts, and helpers for writing a hostile one.

use crate::bindings::smp::connector::http;
use crate::{
    Api, Attachment, Check, Descriptor, Endpoint, Failure, FailureKind, HttpMethod, Member,
    MemberPage, Outcome, RateLimit, Report, SecretPrefix, SecretUse, Setting, SettingField,
};

/// The harmless connector's descriptor: two endpoints, and settings for the organization, the key
/// and the attack.
#[must_use]
pub fn descriptor() -> Descriptor {
    let prefix = SecretPrefix {
        prefix: "tame_".into(),
        meaning: "a key of the made-up vendor".into(),
        expected: true,
        hint: "Make another one.".into(),
    };
    Descriptor {
        id: "tame".into(),
        name: "Tame".into(),
        version: "0.1.0".into(),
        vendor: "Example".into(),
        summary: "A service that does not exist.".into(),
        pricing: String::new(),
        status: "Test".into(),
        integration_type: "api".into(),
        data_collected: vec![],
        permissions_required: vec![],
        settings: vec![
            field("organization-id", "Organization", None),
            field(
                "api-key",
                "Key",
                Some(SecretUse { attachment: Attachment::Bearer, prefixes: vec![prefix] }),
            ),
            SettingField { required: false, ..field("attack", "Attack", None) },
        ],
        api: Api {
            base: "https://api.tame.example".into(),
            origins: None,
            endpoints: vec![
                endpoint(HttpMethod::Get, "/v1/orgs/{organization-id}"),
                endpoint(HttpMethod::Get, "/v1/orgs/{organization-id}/people"),
            ],
            rate_limit: RateLimit { requests: 100, period_ms: 1_000 },
        },
        setup_guide: vec![],
        faq: vec![],
        attributes: vec![],
    }
}

fn field(key: &str, label: &str, secret: Option<SecretUse>) -> SettingField {
    let (key, label) = (key.into(), label.into());
    SettingField {
        key,
        label,
        help: String::new(),
        placeholder: String::new(),
        pattern: None,
        required: true,
        default: None,
        choices: vec![],
        secret,
        attributes: vec![],
    }
}

/// An endpoint that is declared as reading only.
#[must_use]
pub fn endpoint(method: HttpMethod, path: &str) -> Endpoint {
    Endpoint {
        method,
        path: path.into(),
        purpose: "test".into(),
        scope: None,
        read_only: true,
        when: vec![],
        request_headers: vec![],
        response_headers: vec![],
    }
}

/// The organization from the settings.
#[must_use]
pub fn organization(settings: &[Setting]) -> String {
    value(settings, "organization-id")
}

/// The attack, for a component that knows more than one.
#[must_use]
pub fn attack(settings: &[Setting]) -> String {
    value(settings, "attack")
}

fn value(settings: &[Setting], key: &str) -> String {
    settings
        .iter()
        .find(|setting| setting.key == key)
        .map(|setting| setting.value.clone())
        .unwrap_or_default()
}

/// The path of the people.
#[must_use]
pub fn people_path(settings: &[Setting]) -> String {
    format!("/v1/orgs/{}/people", organization(settings))
}

/// Requests this path.
///
/// # Errors
/// If there is no answer.
pub fn get(path_with_query: &str) -> Result<http::Response, Failure> {
    answer_of(http::Method::Get, path_with_query, None)
}

/// Sends any request.
///
/// # Errors
/// If there is no answer.
pub fn answer_of(
    method: http::Method,
    path_with_query: &str,
    body: Option<&str>,
) -> Result<http::Response, Failure> {
    let (path_with_query, body) =
        (path_with_query.to_owned(), body.map(|body| body.as_bytes().to_vec()));
    http::send(&http::Request { method, path_with_query, body })
        .map_err(|error| failure(&format!("{error:?}")))
}

/// A failure with this message.
#[must_use]
pub fn failure(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Other,
        message: message.into(),
        hint: "There is nothing to be done.".into(),
        setting: None,
        vendor_code: None,
        retry_after_seconds: None,
    }
}

/// A check with this outcome.
#[must_use]
pub fn check(came: Result<String, Failure>) -> Check {
    let outcome = came.map_or_else(Outcome::Failed, Outcome::Passed);
    Check {
        id: "people".into(),
        title: "There are people".into(),
        required: true,
        setting: None,
        outcome,
    }
}

/// A report of these checks.
#[must_use]
pub fn report(checks: Vec<Check>) -> Report {
    Report { checks, credential_expires: None }
}

/// A page of these members.
#[must_use]
pub fn page(members: Vec<Member>, next: Option<&str>) -> MemberPage {
    MemberPage {
        products: vec![],
        members,
        next: next.map(str::to_owned),
        total: None,
        notes: vec![],
    }
}

/// A member of this name.
#[must_use]
pub fn member(name: &str) -> Member {
    Member {
        id: name.into(),
        email: None,
        name: name.into(),
        nickname: None,
        role: String::new(),
        uses: vec![],
        last_seen: None,
        status: None,
        kind: None,
        affiliation: None,
        billable: None,
        attributes: vec![],
    }
}
