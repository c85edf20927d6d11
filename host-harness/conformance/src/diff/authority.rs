//! Compares what the two builds of a connector may do: the origin, endpoints, scopes, the rate, the
//! data collected, and the permissions needed to connect. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::{
    COLLECTS_LESS, COLLECTS_MORE, CONDITION, ENDPOINTS_ADDED, ENDPOINTS_REMOVED, FASTER, Found,
    HEADERS_READ, HEADERS_SENT, ORIGIN, ORIGINS_ADDED, ORIGINS_REMOVED, PERMISSIONS_ADDED,
    PERMISSIONS_REMOVED, POSTS, PUBLISHED_AS, READS_ONLY, SCOPES, SCOPES_REMOVED, SLOWER, WRITES,
    became, named,
};
use smp_host::contract::{Descriptor, Endpoint, HttpMethod, RateLimit};
use smp_host::http::base;
use smp_host::http::origin::Origin;
use smp_host::http::policy::method_of;
use smp_host::text::shortened;
use smp_listing::{needed, pace};

/// Most characters of a path or a purpose in a finding.
const SHOWN: usize = 200;

/// Compares the two descriptors. Whatever an operator must approve because of it is added to the
/// approvals.
pub(super) fn compare(
    old: &Descriptor,
    new: &Descriptor,
    found: &mut Found,
    approvals: &mut Vec<String>,
) {
    let bases = [&old.api.base, &new.api.base];
    if bases.iter().any(|base| base.contains('{')) {
        // A template is no origin, and compares letter by letter.
        if old.api.base != new.api.base {
            found.add(&ORIGIN, became(&old.api.base, &new.api.base));
            approvals.push(new.api.base.clone());
        }
    } else if let [Ok(before), Ok(now)] = bases.map(|base| Origin::parse(base))
        && before != now
    {
        found.add(&ORIGIN, became(&before.to_string(), &now.to_string()));
        approvals.push(now.to_string());
    }
    let others = |descriptor: &Descriptor| -> BTreeSet<String> {
        base::bases(&descriptor.api).skip(1).map(ToOwned::to_owned).collect()
    };
    let (before, now) = (others(old), others(new));
    for origin in now.difference(&before) {
        found.add(&ORIGINS_ADDED, named(origin));
        approvals.push(origin.clone());
    }
    found.extend(&ORIGINS_REMOVED, before.difference(&now).map(|origin| named(origin)));
    endpoints(&old.api.endpoints, &new.api.endpoints, found, approvals);
    scopes(&old.api.endpoints, &new.api.endpoints, found);
    rate(old.api.rate_limit, new.api.rate_limit, found);
    let names = [
        ("name", &old.name, &new.name),
        ("vendor", &old.vendor, &new.vendor),
        ("status", &old.status, &new.status),
        ("type", &old.integration_type, &new.integration_type),
    ];
    let names = names.into_iter().filter(|(_, before, now)| before != now);
    found.extend(
        &PUBLISHED_AS,
        names.map(|(what, before, now)| format!("the {what} {}", became(before, now))),
    );
    let missing_in = |texts: &[String], others: &[String]| {
        let missing = others.iter().filter(|text| !texts.contains(text));
        missing.map(|text| shortened(text, SHOWN).into_owned()).collect::<Vec<_>>()
    };
    found.extend(
        &PERMISSIONS_ADDED,
        missing_in(&old.permissions_required, &new.permissions_required),
    );
    found.extend(
        &PERMISSIONS_REMOVED,
        missing_in(&new.permissions_required, &old.permissions_required),
    );
    let (before, now) = (collected(old), collected(new));
    found.extend(&COLLECTS_MORE, now.difference(&before).map(told_field));
    found.extend(&COLLECTS_LESS, before.difference(&now).map(told_field));
}

fn endpoints(old: &[Endpoint], new: &[Endpoint], found: &mut Found, approvals: &mut Vec<String>) {
    let (before, now) = (by_request(old), by_request(new));
    for (request, endpoint) in &now {
        if let Some(known) = before.get(request) {
            changed(known, endpoint, found);
        }
        match (before.get(request), endpoint.method) {
            (None, HttpMethod::Get) => found.add(&ENDPOINTS_ADDED, told(endpoint)),
            (None, HttpMethod::Post) => {
                let says = if endpoint.read_only {
                    "changes nothing, according to the connector"
                } else {
                    "may change data"
                };
                found.add(&POSTS, format!("{}; it {says}", told(endpoint)));
                approvals.push(shown(endpoint));
            }
            (Some(known), HttpMethod::Post) if known.read_only && !endpoint.read_only => {
                found.add(&WRITES, told(endpoint));
                approvals.push(shown(endpoint));
            }
            (Some(known), HttpMethod::Post) if !known.read_only && endpoint.read_only => {
                found.add(&READS_ONLY, told(endpoint))
            }
            (Some(_), _) => {}
        }
    }
    found.extend(
        &ENDPOINTS_REMOVED,
        before
            .iter()
            .filter(|(request, _)| !now.contains_key(*request))
            .map(|(_, endpoint)| told(endpoint)),
    );
}

/// Compares an endpoint that both builds declare.
fn changed(old: &Endpoint, new: &Endpoint, found: &mut Found) {
    if old.when != new.when {
        let condition = |endpoint: &Endpoint| {
            needed(endpoint, named)
                .map_or_else(|| "always".to_owned(), |when| format!("only {when}"))
        };
        let detail = format!("{}: {} became {}", told(new), condition(old), condition(new));
        found.add(&CONDITION, detail);
    }
    let sent = |endpoint: &Endpoint| -> BTreeSet<(String, String)> {
        endpoint.request_headers.iter().cloned().collect()
    };
    if sent(old) != sent(new) {
        let headers: Vec<_> =
            sent(new).into_iter().map(|(name, value)| named(&format!("{name}: {value}"))).collect();
        let headers = if headers.is_empty() { "none".to_owned() } else { headers.join(", ") };
        found.add(&HEADERS_SENT, format!("{}: now {headers}", told(new)));
    }
    let more = new.response_headers.iter().filter(|name| !old.response_headers.contains(name));
    found.extend(&HEADERS_READ, more.map(|name| format!("{}: {}", told(new), named(name))));
}

/// Scopes belong to the whole key: one that another endpoint needed before is not new.
fn scopes(old: &[Endpoint], new: &[Endpoint], found: &mut Found) {
    let missing_in = |endpoints: &[Endpoint], others: &[Endpoint]| {
        let known: BTreeSet<_> =
            endpoints.iter().filter_map(|endpoint| endpoint.scope.as_deref()).collect();
        let mut missing = BTreeMap::new();
        for endpoint in others {
            if let Some(scope) = endpoint.scope.as_deref().filter(|scope| !known.contains(scope)) {
                missing.entry(scope.to_owned()).or_insert_with(|| shown(endpoint));
            }
        }
        missing
            .into_iter()
            .map(|(scope, endpoint)| format!("{}, for `{endpoint}`", named(&scope)))
            .collect::<Vec<_>>()
    };
    found.extend(&SCOPES, missing_in(old, new));
    found.extend(&SCOPES_REMOVED, missing_in(new, old));
}

fn rate(old: RateLimit, new: RateLimit, found: &mut Found) {
    // Compares rates without a division: a rate is higher if its requests in the other's period are
    // more.
    let (before, now) = (
        u64::from(old.requests) * u64::from(new.period_ms),
        u64::from(new.requests) * u64::from(old.period_ms),
    );
    let told = format!("{} became {}", pace(&old), pace(&new));
    match before.cmp(&now) {
        std::cmp::Ordering::Less => found.add(&FASTER, told),
        std::cmp::Ordering::Greater => found.add(&SLOWER, told),
        // As often, but more of them at once.
        std::cmp::Ordering::Equal if old.requests < new.requests => found.add(&FASTER, told),
        std::cmp::Ordering::Equal if old.requests > new.requests => found.add(&SLOWER, told),
        std::cmp::Ordering::Equal => {}
    }
}

fn by_request(endpoints: &[Endpoint]) -> BTreeMap<(String, &str), &Endpoint> {
    endpoints
        .iter()
        .map(|endpoint| {
            ((method_of(endpoint.method).to_string(), endpoint.path.as_str()), endpoint)
        })
        .collect()
}

/// Method and path.
pub(super) fn shown(endpoint: &Endpoint) -> String {
    format!("{} {}", method_of(endpoint.method), shortened(&endpoint.path, SHOWN))
}

fn told(endpoint: &Endpoint) -> String {
    format!("`{}`: {}", shown(endpoint), shortened(&endpoint.purpose, SHOWN))
}

fn collected(descriptor: &Descriptor) -> BTreeSet<(&str, &str)> {
    let sets = descriptor.data_collected.iter();
    sets.flat_map(|set| set.fields.iter().map(|field| (set.name.as_str(), field.name.as_str())))
        .collect()
}

fn told_field((set, field): &(&str, &str)) -> String {
    format!("{} of {}", named(field), named(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::testing;
    use smp_host::contract::DataField;

    fn said(change: impl Fn(&mut Descriptor)) -> Vec<String> {
        testing::said(|old, new, found| compare(old, new, found, &mut Vec::new()), change)
    }

    fn endpoint(method: HttpMethod, path: &str, scope: Option<&str>, read_only: bool) -> Endpoint {
        Endpoint {
            method,
            path: path.into(),
            purpose: "Reads more.".into(),
            scope: scope.map(Into::into),
            read_only,
            when: vec![],
            request_headers: vec![],
            response_headers: vec![],
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_changed() {
        assert_eq!(said(|_| {}), [""; 0]);
        assert_eq!(
            said(|new| new.api.base = "https://API.example.test/".into()),
            [""; 0],
            "an origin in other letters is the same"
        );
    }

    #[test]
    fn another_origin_is_blocking_and_to_be_approved() {
        let (old, mut new) = (crate::check::testing::complete(), crate::check::testing::complete());
        new.api.base = "https://api.elsewhere.test".into();
        let (mut found, mut approvals) = (Found::default(), Vec::new());
        compare(&old, &new, &mut found, &mut approvals);
        assert_eq!(
            testing::lines(found),
            ["blocking origin: `https://api.example.test` became `https://api.elsewhere.test`"]
        );
        assert_eq!(approvals, ["https://api.elsewhere.test"]);
    }

    #[test]
    fn what_an_endpoint_needs_and_other_origins_are_named() {
        use smp_host::contract::{Condition, Origins, SettingValue};
        let at = "`GET /v1/orgs/{organization-id}/users`: test";
        let lines = said(|new| {
            let choices = vec![("x".to_owned(), "https://x.example.test".to_owned())];
            new.api.origins = Some(Origins { setting: "cloud".into(), choices });
            let endpoint = &mut new.api.endpoints[0];
            let value = SettingValue { setting: "people".into(), value: "all".into() };
            endpoint.when = vec![Condition::Setting(value), Condition::Usage];
            endpoint.request_headers = vec![("x-version".into(), "2".into())];
            endpoint.response_headers = vec!["link".into()];
        });
        assert_eq!(
            lines,
            [
                "blocking origins-added: `https://x.example.test`".to_owned(),
                format!("look headers-sent: {at}: now `x-version: 2`"),
                format!("look headers-read: {at}: `link`"),
                format!(
                    "look endpoint-condition: {at}: always became only with `people` = `all`, or for usage"
                ),
            ]
        );
        let template = said(|new| new.api.base = "https://{organization-id}.example.test".into());
        assert_eq!(
            template,
            ["blocking origin: `https://api.example.test` became \
              `https://{organization-id}.example.test`"]
        );
    }

    #[test]
    fn what_is_read_is_looked_at_and_what_is_more_than_reading_is_approved() {
        let known = Some("read:users");
        assert_eq!(
            said(|new| new.api.endpoints.push(endpoint(HttpMethod::Get, "/v1/teams", known, true))),
            ["look endpoints-added: `GET /v1/teams`: Reads more."]
        );
        assert_eq!(
            said(|new| new.api.endpoints.clear()),
            [
                "harmless endpoints-removed: `GET /v1/orgs/{organization-id}/users`: test",
                "harmless scopes-removed: `read:users`, for `GET /v1/orgs/{organization-id}/users`"
            ]
        );
        for (read_only, says) in
            [(true, "changes nothing, according to the connector"), (false, "may change data")]
        {
            let post = endpoint(HttpMethod::Post, "/v1/search", known, read_only);
            let (old, mut new) =
                (crate::check::testing::complete(), crate::check::testing::complete());
            new.api.endpoints.push(post);
            let (mut found, mut approvals) = (Found::default(), Vec::new());
            compare(&old, &new, &mut found, &mut approvals);
            assert_eq!(
                testing::lines(found),
                [format!("blocking requests-to-grant: `POST /v1/search`: Reads more.; it {says}")]
            );
            assert_eq!(approvals, ["POST /v1/search"]);
            // The other direction, on the same endpoint.
            let (mut found, mut approvals, mut changed) =
                (Found::default(), Vec::new(), new.clone());
            changed.api.endpoints[1].read_only = !read_only;
            compare(&new, &changed, &mut found, &mut approvals);
            let expected = if read_only {
                ("blocking no-longer-read-only", 1)
            } else {
                ("harmless now-read-only", 0)
            };
            assert_eq!(
                (testing::lines(found), approvals.len()),
                (vec![format!("{}: `POST /v1/search`: Reads more.", expected.0)], expected.1)
            );
        }
    }

    #[test]
    fn a_scope_is_new_when_no_endpoint_needed_it_before() {
        assert_eq!(
            said(|new| new.api.endpoints[0].scope = Some("read:all".into())),
            [
                "blocking scopes-added: `read:all`, for `GET /v1/orgs/{organization-id}/users`",
                "harmless scopes-removed: `read:users`, for `GET /v1/orgs/{organization-id}/users`"
            ]
        );
        assert_eq!(said(|new| new.api.endpoints[0].scope = None).len(), 1);
    }

    #[test]
    fn a_pace_is_compared_whatever_its_period_is() {
        let pace = |requests, period_ms| {
            said(|new| new.api.rate_limit = RateLimit { requests, period_ms })
        };
        assert_eq!(pace(6, 1_000), ["look faster: 5 in a second became 6 in a second"]);
        assert_eq!(pace(299, 60_000), ["harmless slower: 5 in a second became 299 in a minute"]);
        assert_eq!(
            pace(300, 60_000),
            ["look faster: 5 in a second became 300 in a minute"],
            "as often, and more of them at once"
        );
        assert_eq!(pace(1, 200), ["harmless slower: 5 in a second became 1 in 200 ms"]);
        assert_eq!(pace(5, 1_000), [""; 0]);
    }

    #[test]
    fn more_data_more_permissions_and_another_name_are_looked_at() {
        let field = || DataField { name: "phone".into(), description: "The number.".into() };
        assert_eq!(
            said(|new| new.data_collected[0].fields.push(field())),
            ["look collects-more: `phone` of `Members`"]
        );
        assert_eq!(
            said(|new| drop(new.data_collected[0].fields.remove(0))),
            ["look collects-less: `E-mail` of `Members`"]
        );
        assert_eq!(
            said(|new| new.permissions_required = vec!["Be an **owner**.".into()]),
            [
                "look permissions-added: Be an **owner**.",
                "harmless permissions-removed: Be an **admin**."
            ]
        );
        assert_eq!(
            said(|new| (new.vendor, new.status) = ("Somebody".into(), "Deprecated".into())),
            [
                "look published-as: the vendor `Example` became `Somebody`",
                "look published-as: the status `General Availability` became `Deprecated`"
            ]
        );
    }
}
