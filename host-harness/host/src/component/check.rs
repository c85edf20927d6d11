//! Checks a component's records against the contract before they are used. Pure.
//!
//! A component that breaks the contract ends the run as `contract`, one that exceeds a bound as
//! `limit`; neither ends the host.

use std::collections::BTreeSet;

use smp_guard::Bounds;
use smp_guard::check::{self, Checked, ensure, entries, is_name};

use crate::contract::{
    self, Account, Attachment, Condition, Descriptor, HttpMethod, MemberPage, OtherHalf, Report,
    SettingValue, UsagePage,
};
use crate::failure::Failure;
use crate::http::base::{self, placeholder};
use crate::limits::{Bound, Limits};
use crate::records;

use super::authority;

/// Checks a descriptor.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn descriptor(descriptor: &Descriptor, limits: &Limits) -> Result<(), Failure> {
    keeps(descriptor, &limits.of_guard()).map_err(|error| limits.found(error))
}

fn keeps(descriptor: &Descriptor, bounds: &Bounds) -> Checked {
    texts(descriptor, bounds)?;
    ensure(is_name(&descriptor.id), || "the descriptor's id is not made of a-z, 0-9 and -".into())?;
    ensure(!descriptor.name.trim().is_empty(), || "the descriptor has no name".into())?;
    let mut keys = BTreeSet::new();
    for field in &descriptor.settings {
        ensure(is_name(&field.key), || "a setting's key is not made of a-z, 0-9 and -".into())?;
        ensure(keys.insert(field.key.as_str()), || {
            format!("the setting `{}` is declared twice", field.key)
        })?;
    }
    let secrets = descriptor.settings.iter().filter(|field| field.secret.is_some()).count();
    ensure(secrets <= 1, || {
        "it declares more than one secret; a request has one credential".into()
    })?;
    let prefixes = descriptor
        .settings
        .iter()
        .filter_map(|field| field.secret.as_ref())
        .flat_map(|secret| &secret.prefixes);
    for known in prefixes {
        ensure(known.prefix.len() >= 3, || {
            "a secret's prefix is shorter than three characters".into()
        })?;
    }
    authority::settings(descriptor)?;
    authority::bases(descriptor)?;
    authority::headers(descriptor)?;
    endpoints(descriptor, &keys)
}

fn endpoints(descriptor: &Descriptor, keys: &BTreeSet<&str>) -> Checked {
    ensure(!descriptor.api.endpoints.is_empty(), || "it declares no endpoint".into())?;
    let secret = |key: &str| {
        descriptor.settings.iter().any(|field| field.key == key && field.secret.is_some())
    };
    for endpoint in &descriptor.api.endpoints {
        let path = &endpoint.path;
        ensure(path.starts_with('/'), || "an endpoint's path is not a path template".into())?;
        for segment in path.split('/').skip(1) {
            match placeholder(segment) {
                Some(key) => ensure(keys.contains(key) && !secret(key), || {
                    "an endpoint's path names a setting that does not exist or is a secret".into()
                })?,
                None => {
                    // No other character: paths occur in lines that people read and in stored
                    // approvals.
                    let plain = segment.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
                    });
                    ensure(plain && !["", ".", ".."].contains(&segment), || {
                        "an endpoint's path is not a path template".into()
                    })?;
                }
            }
        }
        ensure(endpoint.read_only || endpoint.method != HttpMethod::Get, || {
            "a GET endpoint is not declared as reading only".into()
        })?;
    }
    let rate = descriptor.api.rate_limit;
    ensure(rate.requests > 0 && rate.period_ms > 0, || "its rate limit is zero".into())
}

/// Bounds every text and every list of a descriptor.
fn texts(descriptor: &Descriptor, bounds: &Bounds) -> Checked {
    let Descriptor {
        id, name, version, vendor, summary, pricing, status, integration_type, ..
    } = descriptor;
    let mut all: Vec<&str> =
        vec![id, name, version, vendor, summary, pricing, status, integration_type];
    all.extend(base::bases(&descriptor.api));
    let mut lists = vec![
        descriptor.data_collected.len(),
        descriptor.permissions_required.len(),
        descriptor.settings.len(),
        descriptor.api.endpoints.len(),
        descriptor.setup_guide.len(),
        descriptor.faq.len(),
        descriptor.attributes.len(),
        descriptor.api.origins.as_ref().map_or(0, |origins| origins.choices.len()),
    ];
    all.extend(descriptor.api.origins.iter().map(|origins| origins.setting.as_str()));
    for set in &descriptor.data_collected {
        lists.push(set.fields.len());
        all.push(&set.name);
        all.extend(set.fields.iter().flat_map(|field| [&*field.name, &*field.description]));
    }
    all.extend(descriptor.permissions_required.iter().map(String::as_str));
    for field in &descriptor.settings {
        all.extend([&*field.key, &field.label, &field.help, &field.placeholder]);
        all.extend(field.pattern.as_deref());
        all.extend(field.default.as_deref());
        lists.push(field.choices.len());
        all.extend(field.choices.iter().flat_map(|choice| [&*choice.value, &choice.label]));
        if let Some(secret) = &field.secret {
            lists.push(secret.prefixes.len());
            match &secret.attachment {
                Attachment::Bearer => {}
                Attachment::Basic(basic) => match &basic.other {
                    OtherHalf::Setting(text) | OtherHalf::Fixed(text) => all.push(text),
                },
                Attachment::Header(header) => all.extend([&*header.name, &header.prefix]),
            }
            all.extend(
                secret
                    .prefixes
                    .iter()
                    .flat_map(|known| [&*known.prefix, &*known.meaning, &*known.hint]),
            );
        }
        lists.push(field.attributes.len());
        all.extend(field.attributes.iter().flat_map(|(name, value)| [&**name, &**value]));
    }
    for endpoint in &descriptor.api.endpoints {
        all.extend([&*endpoint.path, &endpoint.purpose]);
        all.extend(endpoint.scope.as_deref());
        for condition in &endpoint.when {
            if let Condition::Setting(SettingValue { setting, value }) = condition {
                all.extend([&**setting, &**value]);
            }
        }
        lists.push(endpoint.when.len());
        lists.extend([endpoint.request_headers.len(), endpoint.response_headers.len()]);
        all.extend(endpoint.request_headers.iter().flat_map(|(name, value)| [&**name, &**value]));
        all.extend(endpoint.response_headers.iter().map(String::as_str));
    }
    for section in &descriptor.setup_guide {
        lists.push(section.steps.len());
        all.extend([&*section.title, &section.introduction]);
        all.extend(section.steps.iter().map(String::as_str));
    }
    all.extend(descriptor.faq.iter().flat_map(|entry| [&*entry.question, &*entry.answer]));
    all.extend(descriptor.attributes.iter().flat_map(|(name, value)| [&**name, &**value]));
    entries(bounds, "its descriptor", lists)?;
    check::texts(bounds, "its descriptor", all)
}

/// Checks a failure that a component reports.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn failure(failure: &contract::Failure, limits: &Limits) -> Result<(), Failure> {
    check::failure(records::failure(failure), &limits.of_guard())
        .map_err(|error| limits.found(error))
}

/// Checks a validation report.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn report(report: &Report, limits: &Limits) -> Result<(), Failure> {
    check::report(report.checks.iter().map(records::check), &limits.of_guard())
        .and_then(|()| check::instants(report.credential_expires.map(records::instant)))
        .map_err(|error| limits.found(error))
}

/// Checks an account.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn account(account: &Account, limits: &Limits) -> Result<(), Failure> {
    check::account(records::account(account), &limits.of_guard())
        .map_err(|error| limits.found(error))
}

/// Checks a page. It refuses only what could be misread, and changes nothing.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn page(page: &MemberPage, limits: &Limits) -> Result<(), Failure> {
    check::page(page, &limits.of_guard()).map_err(|error| limits.found(error))?;
    is_no_longer(records::length_of_members(page), limits)
}

/// Checks a page of usage likewise.
///
/// # Errors
/// `contract` or `limit`, with what is wrong.
pub fn usage_page(page: &UsagePage, limits: &Limits) -> Result<(), Failure> {
    check::usage_page(page, &limits.of_guard()).map_err(|error| limits.found(error))?;
    is_no_longer(records::length_of_usage(page), limits)
}

/// Bounds what a page becomes when it is written by what may be passed.
fn is_no_longer(length: usize, limits: &Limits) -> Result<(), Failure> {
    if length <= limits.call_bytes {
        return Ok(());
    }
    Err(limits.reached(Bound::CallBytes, "the rows of one page are longer than a page may be"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{
        Advice, Affiliation, Check, Instant, Member, MemberKind, MemberStatus, Outcome, Product,
        ProductUse,
    };
    use crate::failure::Code;
    use crate::limits::LONGEST_CURSOR;
    use crate::testing;

    const USERS: &str = "/v1/orgs/{organization-id}/users";

    fn said(checked: Result<(), Failure>) -> String {
        checked.unwrap_err().message.replace("the connector broke its contract: ", "")
    }

    fn limits() -> Limits {
        Limits { entries: 3, text: 200, member_text: 100, page_members: 2, ..Limits::default() }
    }

    fn page_of(member: Member) -> MemberPage {
        MemberPage {
            products: vec![],
            members: vec![member],
            next: None,
            total: None,
            notes: vec![],
        }
    }

    #[test]
    fn a_descriptor_that_is_whole_is_taken() {
        assert_eq!(
            descriptor(&testing::descriptor(&[(HttpMethod::Get, USERS, true)]), &limits()),
            Ok(())
        );
    }

    #[test]
    fn a_descriptor_that_says_too_much_or_nonsense_is_refused() {
        type Change = fn(&mut Descriptor);
        let cases: [(Change, &str); 15] = [
            (|d| d.id = "Bad Id".into(), "the descriptor's id is not made of a-z, 0-9 and -"),
            (|d| d.name = " ".into(), "the descriptor has no name"),
            (
                |d| d.settings.push(d.settings[0].clone()),
                "the setting `organization-id` is declared twice",
            ),
            (
                |d| d.settings[0].secret = d.settings[1].secret.clone(),
                "it declares more than one secret; a request has one credential",
            ),
            (|d| d.api.base = "http://127.0.0.1:1".into(), "its API base is not https"),
            (
                |d| d.api.base = "https://x.test/path".into(),
                "its API base is more than scheme, host and port: leave out user, path, query and \
                 fragment",
            ),
            (|d| d.api.endpoints.clear(), "it declares no endpoint"),
            (
                |d| d.api.endpoints[0].path = "/v1/../x".into(),
                "an endpoint's path is not a path template",
            ),
            (
                |d| d.api.endpoints[0].path = "/v1/a b".into(),
                "an endpoint's path is not a path template",
            ),
            (
                |d| d.api.endpoints[0].path = "/v1/x\nsha256:00 https://evil.test".into(),
                "an endpoint's path is not a path template",
            ),
            (
                |d| d.api.endpoints[0].path = "/v1/%2e".into(),
                "an endpoint's path is not a path template",
            ),
            (
                |d| d.api.endpoints[0].path = "/v1/{nothing}".into(),
                "an endpoint's path names a setting that does not exist or is a secret",
            ),
            (
                |d| d.api.endpoints[0].path = "/v1/{api-key}".into(),
                "an endpoint's path names a setting that does not exist or is a secret",
            ),
            (
                |d| d.api.endpoints[0].read_only = false,
                "a GET endpoint is not declared as reading only",
            ),
            (|d| d.api.rate_limit.requests = 0, "its rate limit is zero"),
        ];
        for (change, message) in cases {
            let mut changed = testing::descriptor(&[(HttpMethod::Get, USERS, true)]);
            change(&mut changed);
            assert_eq!(said(descriptor(&changed, &limits())), message);
        }
    }

    #[test]
    fn a_page_is_refused_when_it_cannot_be_read_right() {
        let one_use = ProductUse { product: 0, last_active: None };
        let late = Instant { seconds: 0, nanoseconds: 1_000_000_000 };
        for (member, message) in [
            (Member { id: String::new(), ..testing::member("1") }, "a member has no id"),
            (
                Member { uses: vec![one_use], ..testing::member("1") },
                "a member uses a product that the page does not have",
            ),
            (
                Member { last_seen: Some(late), ..testing::member("1") },
                "an instant has more than a second of nanoseconds",
            ),
        ] {
            assert_eq!(said(page(&page_of(member), &limits())), message);
        }
        let endless = MemberPage {
            next: Some("x".repeat(LONGEST_CURSOR + 1)),
            ..page_of(testing::member("1"))
        };
        assert_eq!(said(page(&endless, &limits())), "a cursor is empty or longer than 8192 bytes");
        assert_eq!(page(&page_of(testing::member("1")), &limits()), Ok(()));
    }

    #[test]
    fn a_page_whose_rows_are_longer_than_what_may_be_passed_is_refused() {
        let text = || "x".repeat(4_000);
        let uses = |uses: usize| {
            let used = ProductUse { product: 0, last_active: None };
            let product = Product { key: text(), name: text(), site: Some(text()) };
            let member = Member { uses: vec![used; uses], ..testing::member("1") };
            MemberPage { products: vec![product], members: vec![member], ..testing::page() }
        };
        assert_eq!(page(&uses(2_000), &Limits::default()), Ok(()));
        let refused = page(&uses(3_000), &Limits::default()).unwrap_err();
        assert_eq!(refused.code, Code::Limit);
        assert!(refused.message.contains("the limit `call-bytes` is 32 MiB"), "{refused:?}");
    }

    #[test]
    fn a_report_without_checks_or_with_a_hintless_failure_is_refused() {
        assert_eq!(
            said(report(&Report { checks: vec![], credential_expires: None }, &limits())),
            "its report has no check"
        );
        let failed = crate::contract::Failure {
            kind: crate::contract::FailureKind::Other,
            message: "x".into(),
            hint: " ".into(),
            setting: None,
            vendor_code: None,
            retry_after_seconds: None,
        };
        let check = Check {
            id: "a".into(),
            title: "A".into(),
            required: true,
            setting: None,
            outcome: Outcome::Failed(failed),
        };
        assert_eq!(
            said(report(&Report { checks: vec![check], credential_expires: None }, &limits())),
            "a failure has no hint"
        );
    }

    #[test]
    fn every_text_and_every_list_is_bounded_by_a_limit_that_is_named() {
        let long = || "x".repeat(201);
        let failure = |message: String| crate::contract::Failure {
            kind: crate::contract::FailureKind::Other,
            message,
            hint: "x".into(),
            setting: None,
            vendor_code: Some("x".into()),
            retry_after_seconds: None,
        };
        let told = |change: fn(&mut Descriptor)| {
            let mut changed = testing::descriptor(&[(HttpMethod::Get, USERS, true)]);
            change(&mut changed);
            descriptor(&changed, &limits())
        };
        let check = |title: String, outcome| Report {
            checks: vec![Check { id: "a".into(), title, required: true, setting: None, outcome }],
            credential_expires: None,
        };
        let of = |member| page(&page_of(member), &limits());
        let note = |message: String| Advice { message, hint: "x".into(), setting: None };
        let product = Product { key: long(), name: String::new(), site: None };
        let id = || testing::member("1");
        let rows = [
            (told(|d| d.summary = "x".repeat(10_000_000)), "text"),
            (told(|d| d.id = "x".repeat(201)), "text"),
            (
                told(|d| d.settings[1].secret.as_mut().unwrap().prefixes[0].hint = "x".repeat(201)),
                "text",
            ),
            (told(|d| d.permissions_required = vec![String::new(); 4]), "entries"),
            (super::failure(&failure(long()), &limits()), "text"),
            (
                super::failure(
                    &crate::contract::Failure { vendor_code: Some(long()), ..failure("x".into()) },
                    &limits(),
                ),
                "text",
            ),
            (report(&check(long(), Outcome::Passed("x".into())), &limits()), "text"),
            (report(&check("x".into(), Outcome::Skipped(long())), &limits()), "text"),
            (report(&check("x".into(), Outcome::Failed(failure(long()))), &limits()), "text"),
            (
                report(
                    &Report {
                        checks: vec![
                            check("x".into(), Outcome::Passed("x".into())).checks[0]
                                .clone();
                            4
                        ],
                        credential_expires: None,
                    },
                    &limits(),
                ),
                "entries",
            ),
            (
                account(&Account { id: "1".into(), name: long(), attributes: vec![] }, &limits()),
                "text",
            ),
            (
                account(
                    &Account {
                        id: "1".into(),
                        name: "x".into(),
                        attributes: vec![("a".into(), "b".into()); 4],
                    },
                    &limits(),
                ),
                "entries",
            ),
            (of(Member { name: long(), ..id() }), "member-text"),
            (of(Member { email: Some(long()), ..id() }), "member-text"),
            (of(Member { status: Some(MemberStatus::Other(long())), ..id() }), "member-text"),
            (of(Member { kind: Some(MemberKind::Other(long())), ..id() }), "member-text"),
            (of(Member { affiliation: Some(Affiliation::Other(long())), ..id() }), "member-text"),
            (of(Member { nickname: Some(long()), ..id() }), "member-text"),
            (
                page(&MemberPage { notes: vec![note(long()); 1], ..page_of(id()) }, &limits()),
                "text",
            ),
            (
                page(&MemberPage { notes: vec![note("x".into()); 4], ..page_of(id()) }, &limits()),
                "entries",
            ),
            (of(Member { attributes: vec![("a".into(), long())], ..id() }), "member-text"),
            (of(Member { role: "x".repeat(1_601), ..id() }), "member-text"),
            (of(Member { attributes: vec![("a".into(), "b".into()); 4], ..id() }), "entries"),
            (
                of(Member { uses: vec![ProductUse { product: 0, last_active: None }; 3], ..id() }),
                "page-members",
            ),
            (
                page(&MemberPage { products: vec![product], ..page_of(id()) }, &limits()),
                "member-text",
            ),
            (
                page(&MemberPage { members: vec![id(); 3], ..page_of(id()) }, &limits()),
                "page-members",
            ),
        ];
        for (number, (checked, bound)) in rows.into_iter().enumerate() {
            let failure = checked.unwrap_err();
            assert_eq!(failure.code, Code::Limit, "row {number}");
            assert!(
                failure.message.contains(&format!("the limit `{bound}` is ")),
                "row {number}: {failure}"
            );
        }
    }
}
