//! The policy of egress: only requests to endpoints that the descriptor declares **and** the
//! operator granted.
//!
//! A pure object: no runtime, no network. It judges the request byte for byte as it would be sent,
//! and never corrects one: a request that is not plainly one of the declared paths is denied.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::base::{self, Purpose, placeholder};
use super::origin::Origin;
use super::transport::{Headers, Method, Request};
use crate::contract;

/// Longest path and query. A cursor of 8,192 bytes, the contract's bound, takes three times that if
/// every byte is encoded.
const LONGEST_PATH_AND_QUERY: usize = 32 * 1024;

/// Largest request body: it holds search criteria, which never need more.
const LARGEST_BODY: usize = 256 * 1024;

/// An operator's grants to a component: one origin, and endpoints of it. Nothing is granted by
/// default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    origin: Origin,
    endpoints: BTreeSet<(Method, String)>,
}

impl Grants {
    /// No grants yet, for this origin.
    #[must_use]
    pub fn none(origin: Origin) -> Self {
        Self { origin, endpoints: BTreeSet::new() }
    }

    /// Grants every declared `GET`. Requests with a body are granted only by name, with
    /// [`Grants::with`].
    #[must_use]
    pub fn reading(origin: Origin, descriptor: &contract::Descriptor) -> Self {
        let endpoints = descriptor
            .api
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.method == contract::HttpMethod::Get);
        Self {
            origin,
            endpoints: endpoints.map(|endpoint| (Method::Get, endpoint.path.clone())).collect(),
        }
    }

    /// Adds one endpoint, by its declared path template.
    #[must_use]
    pub fn with(mut self, method: Method, path_template: impl Into<String>) -> Self {
        self.endpoints.insert((method, path_template.into()));
        self
    }

    /// Whether an endpoint is granted, by its declared path template.
    #[must_use]
    pub fn include(&self, method: Method, path_template: &str) -> bool {
        self.endpoints.contains(&(method, path_template.to_owned()))
    }

    /// The origin that requests go to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The rules of one run: declared endpoints, with the run's settings bound into them, and which of
/// them are granted.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    method: Method,
    /// Method and path template, as declared.
    endpoint: Arc<str>,
    /// `None` if the template names a setting without a value in this run: such a rule matches
    /// nothing.
    segments: Option<Vec<String>>,
    read_only: bool,
    granted: bool,
    request_headers: Headers,
    response_headers: Arc<[String]>,
}

/// A permitted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its endpoint as the descriptor declares it: method and path template.
    pub endpoint: Arc<str>,
    /// Whether it may be sent again after a failure.
    pub repeatable: bool,
    /// The headers that it is sent with.
    pub request_headers: Headers,
    /// The headers of its answer that the connector needs, beside those that every connector sees.
    pub response_headers: Arc<[String]>,
}

/// Why a request is denied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// It is not well formed.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// The descriptor does not declare it, or not for these settings.
    #[error("the connector's descriptor does not declare it, or not for these settings")]
    Undeclared,
    /// The descriptor declares it, but the operator did not grant it.
    #[error("`{0}` is declared, but not granted to the connector")]
    NotGranted(String),
}

impl Policy {
    /// The rules of a run with these settings.
    #[must_use]
    pub fn new(
        descriptor: &contract::Descriptor,
        settings: &[contract::Setting],
        purpose: Purpose,
        grants: &Grants,
    ) -> Self {
        let rules = base::needed(descriptor, settings, purpose).map(|endpoint| {
            let method = method_of(endpoint.method);
            Rule {
                method,
                endpoint: format!("{method} {}", endpoint.path).into(),
                segments: bound_segments(&endpoint.path, settings),
                read_only: endpoint.read_only || method == Method::Get,
                granted: grants.endpoints.contains(&(method, endpoint.path.clone())),
                request_headers: endpoint.request_headers.iter().cloned().collect(),
                response_headers: endpoint.response_headers.iter().cloned().collect(),
            }
        });
        Self { rules: rules.collect() }
    }

    /// Judges one request.
    ///
    /// # Errors
    /// The reason why it is denied.
    pub fn check(&self, request: &Request) -> Result<Allowed, Denial> {
        let segments = well_formed_segments(request)?;
        let rule = self.rules.iter().find(|rule| {
            rule.method == request.method && rule.segments.as_ref() == Some(&segments)
        });
        match rule {
            None => Err(Denial::Undeclared),
            Some(rule) if !rule.granted => Err(Denial::NotGranted(rule.endpoint.to_string())),
            Some(rule) => Ok(Allowed {
                endpoint: Arc::clone(&rule.endpoint),
                repeatable: rule.read_only,
                request_headers: Arc::clone(&rule.request_headers),
                response_headers: Arc::clone(&rule.response_headers),
            }),
        }
    }
}

/// The contract's method as the host's type.
#[must_use]
pub fn method_of(method: contract::HttpMethod) -> Method {
    match method {
        contract::HttpMethod::Get => Method::Get,
        contract::HttpMethod::Post => Method::Post,
    }
}

/// The decoded segments that a path must have to match this template with these settings.
fn bound_segments(template: &str, settings: &[contract::Setting]) -> Option<Vec<String>> {
    let bind = |segment: &str| match placeholder(segment) {
        None => Some(segment.to_owned()),
        Some(key) => settings
            .iter()
            .find(|setting| setting.key == key)
            .map(|setting| setting.value.clone())
            .filter(|value| !value.is_empty()),
    };
    template.strip_prefix('/')?.split('/').map(bind).collect()
}

/// The decoded segments of a request's path, if the request is well formed.
fn well_formed_segments(request: &Request) -> Result<Vec<String>, Denial> {
    let target = &request.path_and_query;
    if target.len() > LONGEST_PATH_AND_QUERY {
        return Err(Denial::Malformed("its path is too long"));
    }
    if !target
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte))
    {
        return Err(Denial::Malformed("its path has a character that must be percent-encoded"));
    }
    match &request.body {
        Some(_) if request.method == Method::Get => {
            return Err(Denial::Malformed("a GET has no body"));
        }
        Some(body) if body.len() > LARGEST_BODY => {
            return Err(Denial::Malformed("its body is too large"));
        }
        _ => {}
    }
    // Some servers accept `;` as a separator as well.
    if let Some((_, query)) = target.split_once('?')
        && query.split(['&', ';']).any(overrides_the_method)
    {
        return Err(Denial::Malformed("its query asks the server to use another method"));
    }
    let path = request
        .path()
        .strip_prefix('/')
        .ok_or(Denial::Malformed("its path does not begin with `/`"))?;
    path.split('/').map(decoded_segment).collect()
}

/// Whether common server frameworks let a query parameter with this name replace the method.
fn overrides_the_method(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(plain.as_str(), "xhttpmethodoverride" | "xhttpmethod" | "xmethodoverride" | "httpmethodoverride" | "methodoverride")
        // Without a prefix such as `_`, `method` may be a parameter of the API itself.
        || (plain == "method" && !name.starts_with('m'))
}

/// One segment of a path, decoded once.
fn decoded_segment(segment: &str) -> Result<String, Denial> {
    let decoded = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| Denial::Malformed("its path is not UTF-8"))?;
    if decoded.is_empty() {
        return Err(Denial::Malformed("its path has an empty segment"));
    }
    if decoded == "." || decoded == ".." {
        return Err(Denial::Malformed("its path has a dot segment"));
    }
    // A server may decode again, or read a backslash as a slash: neither may turn one segment into
    // two, or into dots.
    if decoded.contains(['/', '\\', '%', '?', '#', ';']) || decoded.chars().any(char::is_control) {
        return Err(Denial::Malformed("its path has an encoded separator"));
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn policy() -> Policy {
        let descriptor = testing::descriptor(&[
            (contract::HttpMethod::Get, "/v1/orgs", true),
            (contract::HttpMethod::Get, "/v1/orgs/{organization-id}/users", true),
            (contract::HttpMethod::Post, "/v1/orgs/{organization-id}/search", true),
            (contract::HttpMethod::Post, "/v1/orgs/{organization-id}/mail", false),
            (contract::HttpMethod::Get, "/v1/{unset}/x", true),
        ]);
        let settings =
            [contract::Setting { key: "organization-id".into(), value: "acme-1".into() }];
        let origin = Origin::parse("https://api.example.test").unwrap();
        let grants = Grants::reading(origin, &descriptor)
            .with(Method::Post, "/v1/orgs/{organization-id}/search");
        Policy::new(&descriptor, &settings, Purpose::Members, &grants)
    }

    fn allowed(endpoint: &str) -> Allowed {
        Allowed {
            endpoint: endpoint.into(),
            repeatable: true,
            request_headers: Arc::default(),
            response_headers: Arc::default(),
        }
    }

    fn get(target: &str) -> Request {
        Request {
            method: Method::Get,
            path_and_query: target.into(),
            body: None,
            headers: Headers::default(),
        }
    }

    #[test]
    fn declared_and_granted_paths_are_allowed() {
        for (target, template) in [
            ("/v1/orgs", "/v1/orgs"),
            ("/v1/orgs?cursor=a%3D%3D", "/v1/orgs"),
            ("/v1/orgs/acme-1/users", "/v1/orgs/{organization-id}/users"),
            ("/v1/orgs/acme%2D1/users?cursor=../x", "/v1/orgs/{organization-id}/users"),
            ("/v1/orgs?method=dns&x=_method", "/v1/orgs"),
        ] {
            let allowed = allowed(&format!("GET {template}"));
            assert_eq!(policy().check(&get(target)), Ok(allowed), "{target}");
        }
    }

    #[test]
    fn undeclared_paths_are_denied() {
        for target in [
            "/",
            "/v1/orgs/",
            "/v2/orgs",
            "/V1/orgs",
            "/v1/orgs/other/users",
            "/v1/orgs/acme-1/users/1",
            "/v1/orgs/{organization-id}/users",
            "/v1/orgs/acme-1/search",
            "/v1//x",
            "/v1/x/x",
        ] {
            assert!(policy().check(&get(target)).is_err(), "{target}");
        }
    }

    #[test]
    fn malformed_requests_are_denied_with_their_reason() {
        for (target, reason) in [
            ("v1/orgs", "its path does not begin with `/`"),
            ("https://evil.test/v1/orgs", "its path does not begin with `/`"),
            ("//evil.test/v1/orgs", "its path has an empty segment"),
            ("/v1/orgs/../orgs", "its path has a dot segment"),
            ("/v1/orgs/%2e%2E/orgs", "its path has a dot segment"),
            ("/v1/orgs/%2e%2e%2fother", "its path has an encoded separator"),
            ("/v1/orgs/acme-1%2Fusers", "its path has an encoded separator"),
            ("/v1/orgs/acme-1%5Cusers", "its path has an encoded separator"),
            ("/v1/orgs/%252e%252e/users", "its path has an encoded separator"),
            ("/v1/orgs/a\\..\\b", "its path has a character that must be percent-encoded"),
            ("/v1/orgs#x", "its path has a character that must be percent-encoded"),
            ("/v1/orgs\r\nX-Evil: 1", "its path has a character that must be percent-encoded"),
            ("/v1/orgs/%0d%0a", "its path has an encoded separator"),
            ("/v1/orgs/%ff", "its path is not UTF-8"),
            ("/v1/orgs/acme-1;x=1/users", "its path has an encoded separator"),
            ("/v1/orgs?_method=DELETE", "its query asks the server to use another method"),
            ("/v1/orgs?a=b;_method=DELETE", "its query asks the server to use another method"),
            ("/v1/orgs?a=b&%5Fmethod=DELETE", "its query asks the server to use another method"),
            (
                "/v1/orgs?X-HTTP-Method-Override=PUT",
                "its query asks the server to use another method",
            ),
            ("/v1/orgs?$method", "its query asks the server to use another method"),
        ] {
            assert_eq!(policy().check(&get(target)), Err(Denial::Malformed(reason)), "{target}");
        }
        let long = format!("/v1/orgs?cursor={}", "a".repeat(LONGEST_PATH_AND_QUERY));
        assert_eq!(policy().check(&get(&long)), Err(Denial::Malformed("its path is too long")));
    }

    #[test]
    fn an_endpoint_for_other_settings_is_not_declared() {
        let mut descriptor = testing::descriptor(&[(contract::HttpMethod::Get, "/v1/orgs", true)]);
        let value = contract::SettingValue { setting: "people".into(), value: "all".into() };
        descriptor.api.endpoints[0].when = vec![contract::Condition::Setting(value)];
        descriptor.api.endpoints[0].request_headers = vec![("x-version".into(), "2".into())];
        descriptor.api.endpoints[0].response_headers = vec!["link".into()];
        let grants = Grants::reading(Origin::parse("https://a.test").unwrap(), &descriptor);
        let with = |value: &str| {
            let setting = contract::Setting { key: "people".into(), value: value.into() };
            Policy::new(&descriptor, &[setting], Purpose::Members, &grants).check(&get("/v1/orgs"))
        };
        let allowed = with("all").unwrap();
        assert_eq!(*allowed.request_headers, [("x-version".to_owned(), "2".to_owned())]);
        assert_eq!(*allowed.response_headers, ["link".to_owned()]);
        assert_eq!(with("some"), Err(Denial::Undeclared));
    }

    #[test]
    fn a_get_has_no_body_and_a_post_needs_a_grant_of_its_own() {
        let with_body = Request { body: Some(b"{}".to_vec()), ..get("/v1/orgs") };
        assert_eq!(policy().check(&with_body), Err(Denial::Malformed("a GET has no body")));
        let post = |path: &str| Request {
            method: Method::Post,
            path_and_query: path.into(),
            body: Some(b"{}".to_vec()),
            headers: Headers::default(),
        };
        assert_eq!(
            policy().check(&post("/v1/orgs/acme-1/search")),
            Ok(allowed("POST /v1/orgs/{organization-id}/search"))
        );
        assert_eq!(
            policy().check(&post("/v1/orgs/acme-1/mail")),
            Err(Denial::NotGranted("POST /v1/orgs/{organization-id}/mail".into()))
        );
        assert_eq!(policy().check(&post("/v1/orgs")), Err(Denial::Undeclared));
    }
}
