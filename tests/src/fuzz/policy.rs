//! Target `policy`: the policy of requests, compared with a reader that is as lenient as a careless
//! server.
//!
//! An input is, in parts: the method, the organization id, the template of an endpoint, and the
//! path and query; a fifth part is the body. The endpoints of the Atlassian connector are declared
//! too; a `POST` is granted if the method is `POST+`.
//!
//! Property: a permitted request has a declared and granted method, stays at its origin, and leads
//! to the declared path with this run's organization id as its segment, however often a server
//! decodes it and whatever separators it accepts. It has no line break, and a `GET` has no body.
//! Conversely, a declared path, written plainly, is permitted.

use smp_host::component::check;
use smp_host::contract::{Api, Descriptor, Endpoint, HttpMethod, RateLimit, Setting, SettingField};
use smp_host::http::base::Purpose;
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, Policy, method_of};
use smp_host::http::transport::{Method, Request};
use smp_host::limits::Limits;
use url::Url;

use super::parts::{parts, text};

/// Texts with a meaning in a path.
pub const DICTIONARY: &[&str] = &[
    "\u{1e}",
    "GET",
    "POST",
    "POST+",
    "/admin/v1/orgs",
    "/users",
    "/domains",
    "{organization-id}",
    "..",
    ".",
    "/../",
    "/./",
    "//",
    "%2e",
    "%2E",
    "%2e%2e",
    "%252e",
    "%2f",
    "%2F",
    "%252f",
    "%25",
    "%5c",
    "\\",
    "%3b",
    ";x=1",
    ";",
    "%3f",
    "?",
    "#",
    "%23",
    "%00",
    "%0d%0a",
    "\r\n",
    "%09",
    " ",
    "%20",
    "+",
    "@",
    ":",
    "%40evil.test",
    "//evil.test",
    "https://evil.test/",
    "%c0%af",
    "%e2%80%8b",
    "%ff",
    "é",
    "acme-1",
    "cursor=",
    "&_method=DELETE",
    ";_method=DELETE",
    "%5fmethod",
];

/// The origin of the requests.
const ORIGIN: &str = "https://api.example.test";

/// Names of parameters by which server frameworks let a caller replace the method.
const METHOD_OVERRIDES: [&str; 4] =
    ["_method", "$method", "x-http-method-override", "x-method-override"];

/// How often a careless server may decode.
const MOST_DECODINGS: usize = 3;

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut parts = parts(data);
    let (word, organization, template) =
        (text(parts.next()), text(parts.next()), text(parts.next()));
    let (path_and_query, body) = (text(parts.next()), parts.next().map(<[u8]>::to_vec));
    let method = if word.starts_with("POST") { HttpMethod::Post } else { HttpMethod::Get };
    let descriptor = descriptor(Endpoint {
        method,
        path: template.clone(),
        purpose: "x".into(),
        scope: None,
        read_only: true,
        when: vec![],
        request_headers: vec![],
        response_headers: vec![],
    });
    if check::descriptor(&descriptor, &Limits::default()).is_err() {
        return;
    }
    let origin = Origin::parse(ORIGIN).expect("an origin");
    let mut grants = Grants::reading(origin.clone(), &descriptor);
    if word == "POST+" {
        grants = grants.with(Method::Post, &template);
    }
    let policy = Policy::new(
        &descriptor,
        &[Setting { key: "organization-id".into(), value: organization.clone() }],
        Purpose::Members,
        &grants,
    );

    let request = Request {
        method: method_of(method),
        path_and_query,
        body,
        headers: std::sync::Arc::default(),
    };
    if policy.check(&request).is_ok() {
        assert_contained(&request, &origin, &descriptor, &organization, word == "POST+");
    }
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
    };
    if !organization.is_empty()
        && organization.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        let path = template.replace("/{organization-id}", &format!("/{organization}"));
        if is_plain(&path) && (method == HttpMethod::Get || word == "POST+") && path.len() < 8_192 {
            let plain = Request {
                method: method_of(method),
                path_and_query: format!("{path}?cursor=a%2Fb"),
                body: None,
                headers: std::sync::Arc::default(),
            };
            assert!(policy.check(&plain).is_ok(), "declared, granted, and denied: {plain:?}");
        }
    }
}

/// The policy of the Atlassian connector for this organization.
pub(super) fn connectors_own(organization: &str) -> Policy {
    let descriptor = descriptor(None);
    let grants = Grants::reading(Origin::parse(ORIGIN).expect("an origin"), &descriptor);
    Policy::new(
        &descriptor,
        &[Setting { key: "organization-id".into(), value: organization.to_owned() }],
        Purpose::Members,
        &grants,
    )
}

/// Requires that a request leads to a declared endpoint, and nowhere else.
fn assert_contained(
    request: &Request,
    origin: &Origin,
    descriptor: &Descriptor,
    organization: &str,
    posts: bool,
) {
    assert!(request.path_and_query.bytes().all(|byte| byte.is_ascii_graphic()), "{request:?}");
    assert!(request.method == Method::Post || request.body.is_none(), "{request:?}");
    assert!(request.method == Method::Get || posts, "not granted: {request:?}");
    let url = Url::parse(&origin.join(&request.path_and_query)).expect("a URL");
    let home = Url::parse(ORIGIN).expect("a URL");
    assert_eq!(
        (url.origin(), url.username(), url.password(), url.fragment()),
        (home.origin(), "", None, None),
        "{request:?}"
    );

    let declared: Vec<Vec<&str>> = descriptor
        .api
        .endpoints
        .iter()
        .filter(|endpoint| method_of(endpoint.method) == request.method)
        .map(|endpoint| bound(&endpoint.path, organization))
        .collect();
    // The strict reading: split into segments, then each decoded once.
    let strictly = request
        .path()
        .split('/')
        .skip(1)
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy());
    let strictly: Vec<_> = strictly.collect();
    assert!(
        declared.iter().any(|path| path.iter().eq(&strictly)),
        "{request:?} leads to {strictly:?}"
    );
    // Nor may a parameter change the method, on a server that accepts either separator.
    let query = request.path_and_query.split_once('?').map_or("", |(_, query)| query);
    for parameter in query.split(['&', ';']) {
        let name =
            percent_encoding::percent_decode_str(parameter.split('=').next().unwrap_or_default())
                .decode_utf8_lossy();
        assert!(!METHOD_OVERRIDES.contains(&name.to_lowercase().as_str()), "{request:?}");
    }
    let mut views = vec![request.path().as_bytes().to_vec(), url.path().as_bytes().to_vec()];
    for view in &mut views {
        for decodings in 0..=MOST_DECODINGS {
            let led = led(view);
            // Without decoding, an escape is literal, and the path matches nothing.
            assert!(
                (decodings == 0 && view.contains(&b'%')) || declared.contains(&led),
                "decoded {decodings} times, {request:?} leads to {led:?}"
            );
            assert!(!view.iter().any(u8::is_ascii_control), "{request:?}");
            *view = percent_encoding::percent_decode(view).collect();
        }
    }
}

/// The segments of a template, with the organization id filled in.
fn bound<'a>(template: &'a str, organization: &'a str) -> Vec<&'a str> {
    template
        .split('/')
        .skip(1)
        .map(|segment| if segment == "{organization-id}" { organization } else { segment })
        .collect()
}

/// The target of a path on a server that accepts every separator, ignores empty segments and
/// resolves dots.
fn led(path: &[u8]) -> Vec<&str> {
    let path = std::str::from_utf8(path).unwrap_or("not text");
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut led = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(led.pop()),
            segment => led.push(segment),
        }
    }
    led
}

/// A descriptor with the Atlassian connector's endpoints, and an optional one before them.
pub(super) fn descriptor(first: impl Into<Option<Endpoint>>) -> Descriptor {
    let ours =
        atlassian_cloud::listing::descriptor().api.endpoints.into_iter().map(|endpoint| Endpoint {
            method: HttpMethod::Get,
            path: endpoint.path,
            purpose: endpoint.purpose,
            scope: None,
            read_only: true,
            when: vec![],
            request_headers: vec![],
            response_headers: vec![],
        });
    Descriptor {
        id: "example".into(),
        name: "Example".into(),
        version: "0.1.0".into(),
        vendor: String::new(),
        summary: String::new(),
        pricing: String::new(),
        status: String::new(),
        integration_type: String::new(),
        data_collected: Vec::new(),
        permissions_required: Vec::new(),
        settings: vec![organization_id()],
        api: Api {
            base: ORIGIN.into(),
            origins: None,
            endpoints: first.into().into_iter().chain(ours).collect(),
            rate_limit: RateLimit { requests: 1, period_ms: 1_000 },
        },
        setup_guide: Vec::new(),
        faq: Vec::new(),
        attributes: Vec::new(),
    }
}

fn organization_id() -> SettingField {
    SettingField {
        key: "organization-id".into(),
        label: "Organization ID".into(),
        help: String::new(),
        placeholder: String::new(),
        pattern: None,
        required: true,
        default: None,
        choices: vec![],
        secret: None,
        attributes: Vec::new(),
    }
}
