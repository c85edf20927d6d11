//! Tests with components that send requests without a grant: none of these leaves, and the run
//! fails whatever the component reports.

use smp_host::collect::report::Outcome;
use smp_host::failure::Code;
use smp_host::http::transport::Method;

use crate::setup::{Setup, and_another_tenant_is_served, assert_failed, loaded};

const UNDECLARED: &str = "descriptor does not declare it";
const DOTS: &str = "has a dot segment";
const SEPARATOR: &str = "has an encoded separator";
const UNENCODED: &str = "must be percent-encoded";

#[test]
fn another_organization_cannot_be_asked_for() {
    for path in [
        "/v1/orgs/globex/people",
        "/v1/orgs/globex",
        "/v1/orgs/acme/",
        "/v1/orgs/ACME/people",
        "/v1/orgs",
        "/v1/orgs/acme%00/people",
    ] {
        is_denied(path, "");
    }
}

#[test]
fn a_path_cannot_be_left_in_any_encoding() {
    let rows = [
        ("/v1/orgs/acme/people/../../globex/people", DOTS),
        ("/v1/orgs/acme/./people", DOTS),
        ("/v1/orgs/acme/%2e%2e/globex/people", DOTS),
        ("/v1/orgs/acme/.%2E/globex/people", DOTS),
        ("/v1/orgs/%2e%2e%2fglobex/people", SEPARATOR),
        ("/v1/orgs/acme%2f..%2fglobex/people", SEPARATOR),
        ("/v1/orgs/%252e%252e%252fglobex/people", SEPARATOR),
        ("/v1/orgs/acme%5c..%5cglobex/people", SEPARATOR),
        ("/v1/orgs/acme;/people", SEPARATOR),
        ("/v1/orgs/..\\globex/people", UNENCODED),
        ("/v1/orgs/%c0%ae%c0%ae/globex/people", "is not UTF-8"),
        ("/v1/orgs/%u002e%u002e/people", SEPARATOR),
        ("/v1/orgs/．．/people", UNENCODED),
        ("//evil.example/v1/orgs/acme/people", "has an empty segment"),
        ("https://evil.example/v1/orgs/acme/people", "does not begin with `/`"),
        ("@evil.example/v1/orgs/acme", "does not begin with `/`"),
        (".evil.example/v1/orgs/acme", "does not begin with `/`"),
        (":8443/v1/orgs/acme", "does not begin with `/`"),
    ];
    for (path, reason) in rows {
        is_denied(path, reason);
    }
}

#[test]
fn a_header_or_another_request_cannot_be_smuggled_in() {
    for path in [
        "/v1/orgs/acme HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /",
        "/v1/orgs/acme?x=1\r\nX-HTTP-Method-Override: DELETE",
        "/v1/orgs/acme\nAuthorization: none",
        "/v1/orgs/acme#/../globex",
        "/v1/orgs/acme\u{a0}/people",
    ] {
        is_denied(path, UNENCODED);
    }
    is_denied("/v1/orgs/acme%0d%0aX-Evil:%201/people", SEPARATOR);
}

#[test]
fn a_method_that_is_not_declared_does_not_leave() {
    let stage = Setup::new("posts");
    assert_failed(&stage.validate().unwrap_err(), Code::Denied, "POST /v1/orgs/acme/people");
    assert_eq!(stage.heard.requests(), [""; 0]);
    and_another_tenant_is_served();
}

#[test]
fn a_method_that_is_declared_and_not_granted_does_not_leave() {
    let stage = Setup::new("posts");
    assert_failed(
        &stage.collect_fails(),
        Code::Denied,
        "`POST /v1/orgs/{organization-id}/search` is declared, but not granted",
    );
    assert_eq!(stage.heard.requests(), [""; 0]);
    let granted = Setup::new("posts").granting(Method::Post, "/v1/orgs/{organization-id}/search");
    assert_eq!(
        (granted.collect().0.outcome, granted.heard.requests()),
        (Outcome::Complete, vec!["POST /v1/orgs/acme/search".into()])
    );
    and_another_tenant_is_served();
}

#[test]
fn what_a_descriptor_leaves_out_is_not_granted_though_it_is_asked_for() {
    let stage =
        Setup::new("lying-descriptor").granting(Method::Get, "/v1/orgs/{organization-id}/people");
    for failure in [stage.validate().unwrap_err(), stage.collect_fails()] {
        assert_failed(&failure, Code::Denied, UNDECLARED);
    }
    assert_eq!(stage.heard.requests(), [""; 0]);
    and_another_tenant_is_served();
}

#[test]
fn a_descriptor_that_changes_changes_nothing_about_what_may_leave() {
    let stage = Setup::new("changing-descriptor").granting(Method::Get, "/secrets");
    assert_failed(&stage.collect_fails(), Code::Denied, UNDECLARED);
    assert_eq!(stage.heard.requests(), [""; 0]);
    assert_eq!(Setup::new("changing-descriptor").plugin.descriptor(), stage.plugin.descriptor());
    assert_eq!(stage.plugin.descriptor().api.base, "https://api.tame.example");
    and_another_tenant_is_served();
}

#[test]
fn nothing_leaves_while_a_component_describes_itself() {
    let failure = loaded("sends-in-describe").err().unwrap();
    assert_failed(&failure, Code::Contract, "it sends a request while it describes itself");
    and_another_tenant_is_served();
}

/// For each call that requests the path, although it reports success.
#[track_caller]
fn is_denied(path: &str, reason: &str) {
    let stage = Setup::attacking("other-paths", path);
    for failure in stage.all_fail() {
        assert_failed(&failure, Code::Denied, reason);
        assert!(!failure.message.chars().any(char::is_control), "{failure}");
    }
    assert_eq!(stage.heard.requests(), [""; 0], "{path}");
    and_another_tenant_is_served();
}
