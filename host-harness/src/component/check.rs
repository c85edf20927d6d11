//! What a component hands over, held against the contract's own words before it is used. Pure.
//!
//! A component that breaks the contract ends the run as `contract`; it never ends the host.

use std::collections::BTreeSet;

use crate::contract::{Account, Attachment, Check, Descriptor, HttpMethod, Member, MemberPage, Outcome, Report};
use crate::failure::{Code, Failure};
use crate::http::origin::Origin;
use crate::http::policy::placeholder;
use crate::limits::{LONGEST_CURSOR, LONGEST_MEMBER_TEXT, LONGEST_TEXT, MOST_ENTRIES};

type Checked = Result<(), Failure>;

fn broken(message: impl Into<String>) -> Failure {
    Failure::new(Code::Contract, format!("the connector broke its contract: {}", message.into()))
        .with_hint("Report it to whoever publishes the connector; nothing is wrong with your settings.")
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(broken(message())) }
}

/// Checks a descriptor.
///
/// # Errors
/// `contract`, saying what is wrong with it.
pub fn descriptor(descriptor: &Descriptor) -> Checked {
    ensure(is_name(&descriptor.id), || "the descriptor's id is not made of a-z, 0-9 and -".into())?;
    ensure(!descriptor.name.trim().is_empty(), || "the descriptor has no name".into())?;
    texts(descriptor)?;
    let mut keys = BTreeSet::new();
    for field in &descriptor.settings {
        ensure(is_name(&field.key), || "a setting's key is not made of a-z, 0-9 and -".into())?;
        ensure(keys.insert(field.key.as_str()), || format!("the setting `{}` is declared twice", field.key))?;
    }
    let secrets = descriptor.settings.iter().filter(|field| field.secret.is_some()).count();
    ensure(secrets <= 1, || "it declares more than one secret; a request has one credential".into())?;
    let prefixes = descriptor.settings.iter().filter_map(|field| field.secret.as_ref()).flat_map(|secret| &secret.prefixes);
    for known in prefixes {
        ensure(known.prefix.len() >= 3, || "a secret's prefix is shorter than three characters".into())?;
    }
    endpoints(descriptor, &keys)
}

fn endpoints(descriptor: &Descriptor, keys: &BTreeSet<&str>) -> Checked {
    let base = Origin::parse(&descriptor.api.base).map_err(|error| broken(format!("its API base is {error}")))?;
    ensure(!base.is_plain(), || "its API base is not https".into())?;
    ensure(!descriptor.api.endpoints.is_empty(), || "it declares no endpoint".into())?;
    let secret = |key: &str| descriptor.settings.iter().any(|field| field.key == key && field.secret.is_some());
    for endpoint in &descriptor.api.endpoints {
        let path = &endpoint.path;
        ensure(path.starts_with('/') && !path.contains(['?', '#', '%', '\\']), || "an endpoint's path is no path template".into())?;
        for segment in path.split('/').skip(1) {
            match placeholder(segment) {
                Some(key) => ensure(keys.contains(key) && !secret(key), || "an endpoint's path names no plain setting".into())?,
                None => {
                    let plain = !segment.is_empty() && !segment.contains(['{', '}']) && segment != "." && segment != "..";
                    ensure(plain, || "an endpoint's path is no path template".into())?;
                }
            }
        }
        ensure(endpoint.read_only || endpoint.method != HttpMethod::Get, || "a GET endpoint is not declared as reading only".into())?;
    }
    let rate = descriptor.api.rate_limit;
    ensure(rate.requests > 0 && rate.period_ms > 0, || "its rate limit is zero".into())
}

/// Bounds every text and every list of a descriptor.
fn texts(descriptor: &Descriptor) -> Checked {
    let Descriptor { id, name, version, vendor, summary, pricing, status, integration_type, .. } = descriptor;
    let mut all: Vec<&str> = vec![id, name, version, vendor, summary, pricing, status, integration_type, &descriptor.api.base];
    let mut lists = vec![
        descriptor.data_collected.len(),
        descriptor.permissions_required.len(),
        descriptor.settings.len(),
        descriptor.api.endpoints.len(),
        descriptor.setup_guide.len(),
        descriptor.faq.len(),
        descriptor.attributes.len(),
    ];
    for set in &descriptor.data_collected {
        lists.push(set.fields.len());
        all.push(&set.name);
        all.extend(set.fields.iter().flat_map(|field| [&*field.name, &*field.description]));
    }
    all.extend(descriptor.permissions_required.iter().map(String::as_str));
    for field in &descriptor.settings {
        all.extend([&*field.key, &field.label, &field.help, &field.placeholder]);
        all.extend(field.pattern.as_deref());
        if let Some(secret) = &field.secret {
            lists.push(secret.prefixes.len());
            let Attachment::Bearer = secret.attachment;
            all.extend(secret.prefixes.iter().flat_map(|known| [&*known.prefix, &*known.meaning, &*known.hint]));
        }
        lists.push(field.attributes.len());
        all.extend(field.attributes.iter().flat_map(|(name, value)| [&**name, &**value]));
    }
    for endpoint in &descriptor.api.endpoints {
        all.extend([&*endpoint.path, &endpoint.purpose]);
        all.extend(endpoint.scope.as_deref());
    }
    for section in &descriptor.setup_guide {
        lists.push(section.steps.len());
        all.extend([&*section.title, &section.introduction]);
        all.extend(section.steps.iter().map(String::as_str));
    }
    all.extend(descriptor.faq.iter().flat_map(|entry| [&*entry.question, &*entry.answer]));
    all.extend(descriptor.attributes.iter().flat_map(|(name, value)| [&**name, &**value]));
    ensure(lists.iter().all(|length| *length <= MOST_ENTRIES), || {
        format!("a list of its descriptor has more than {MOST_ENTRIES} entries")
    })?;
    ensure(all.iter().all(|text| text.len() <= LONGEST_TEXT), || format!("a text of its descriptor is longer than {LONGEST_TEXT} bytes"))
}

/// Checks a failure that a component reports.
///
/// # Errors
/// `contract`, saying what is wrong with it.
pub fn failure(failure: &crate::contract::Failure) -> Checked {
    ensure(!failure.message.trim().is_empty(), || "a failure has no message".into())?;
    ensure(!failure.hint.trim().is_empty(), || "a failure has no hint".into())?;
    let texts = [Some(&failure.message), Some(&failure.hint), failure.setting.as_ref(), failure.vendor_code.as_ref()];
    bounded(texts.into_iter().flatten().map(String::as_str))
}

/// Checks a validation's report.
///
/// # Errors
/// `contract`, saying what is wrong with it.
pub fn report(report: &Report) -> Checked {
    ensure(!report.checks.is_empty(), || "its report has no check".into())?;
    ensure(report.checks.len() <= MOST_ENTRIES, || format!("its report has more than {MOST_ENTRIES} checks"))?;
    let mut ids = BTreeSet::new();
    for Check { id, title, outcome, .. } in &report.checks {
        ensure(is_name(id), || "a check's id is not made of a-z, 0-9 and -".into())?;
        ensure(ids.insert(id.as_str()), || format!("the check `{id}` is there twice"))?;
        bounded([title.as_str()].into_iter())?;
        match outcome {
            Outcome::Passed(text) | Outcome::Skipped(text) => bounded([text.as_str()].into_iter())?,
            Outcome::Warning(advice) => bounded([&*advice.message, &*advice.hint].into_iter().chain(advice.setting.as_deref()))?,
            Outcome::Failed(failed) => failure(failed)?,
        }
    }
    Ok(())
}

/// Checks an account.
///
/// # Errors
/// `contract`, saying what is wrong with it.
pub fn account(account: &Account) -> Checked {
    ensure(!account.id.trim().is_empty(), || "the account has no id".into())?;
    ensure(account.attributes.len() <= MOST_ENTRIES, || format!("the account has more than {MOST_ENTRIES} attributes"))?;
    let attributes = account.attributes.iter().flat_map(|(name, value)| [&**name, &**value]);
    bounded([&*account.id, &*account.name].into_iter().chain(attributes))
}

/// Checks a page. Only what could be misread is looked at: the page is used as it is.
///
/// # Errors
/// `contract`, saying what is wrong with it.
pub fn page(page: &MemberPage) -> Checked {
    if let Some(next) = &page.next {
        ensure(!next.is_empty() && next.len() <= LONGEST_CURSOR, || format!("a cursor is empty or longer than {LONGEST_CURSOR} bytes"))?;
    }
    for product in &page.products {
        let texts = [Some(&product.key), Some(&product.name), product.site.as_ref()];
        ensure(texts.into_iter().flatten().all(|text| text.len() <= LONGEST_MEMBER_TEXT), || "a product's text is too long".into())?;
    }
    page.members.iter().try_for_each(|one| member(one, page.products.len()))
}

fn member(member: &Member, products: usize) -> Checked {
    ensure(!member.id.is_empty(), || "a member has no id".into())?;
    let longest = [member.id.len(), member.email.as_ref().map_or(0, String::len), member.name.len()].into_iter().max().unwrap_or(0);
    let attributes = member.attributes.iter().map(|(name, value)| name.len().max(value.len())).max().unwrap_or(0);
    ensure(longest.max(attributes) <= LONGEST_MEMBER_TEXT, || "a member's text is too long".into())?;
    // The role joins the names of all products, so it may be longer than any one text.
    ensure(member.role.len() <= 16 * LONGEST_MEMBER_TEXT, || "a member's role is too long".into())?;
    ensure(member.attributes.len() <= MOST_ENTRIES, || format!("a member has more than {MOST_ENTRIES} attributes"))?;
    for product_use in &member.uses {
        let there = usize::try_from(product_use.product).is_ok_and(|index| index < products);
        ensure(there, || "a member uses a product that the page does not have".into())?;
    }
    let instants = member.uses.iter().filter_map(|product_use| product_use.last_active).chain(member.last_seen);
    ensure(instants.into_iter().all(|instant| instant.nanoseconds < 1_000_000_000), || {
        "an instant has more than a second of nanoseconds".into()
    })
}

fn bounded<'a>(mut texts: impl Iterator<Item = &'a str>) -> Checked {
    ensure(texts.all(|text| text.len() <= LONGEST_TEXT), || format!("a text is longer than {LONGEST_TEXT} bytes"))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Instant, ProductUse, testing};

    const USERS: &str = "/v1/orgs/{organization-id}/users";

    fn said(checked: Checked) -> String {
        checked.unwrap_err().message.replace("the connector broke its contract: ", "")
    }

    fn page_of(member: Member) -> MemberPage {
        MemberPage { products: vec![], members: vec![member], next: None, total: None }
    }

    #[test]
    fn a_descriptor_that_is_whole_is_taken() {
        assert_eq!(descriptor(&testing::descriptor(&[(HttpMethod::Get, USERS, true)])), Ok(()));
    }

    #[test]
    fn a_descriptor_that_says_too_much_or_nonsense_is_refused() {
        type Change = fn(&mut Descriptor);
        let cases: [(Change, &str); 14] = [
            (|d| d.id = "Bad Id".into(), "the descriptor's id is not made of a-z, 0-9 and -"),
            (|d| d.name = " ".into(), "the descriptor has no name"),
            (|d| d.summary = "x".repeat(10_000_000), "a text of its descriptor is longer than 8192 bytes"),
            (|d| d.permissions_required = vec![String::new(); 201], "a list of its descriptor has more than 200 entries"),
            (|d| d.settings.push(d.settings[0].clone()), "the setting `organization-id` is declared twice"),
            (|d| d.settings[0].secret = d.settings[1].secret.clone(), "it declares more than one secret; a request has one credential"),
            (|d| d.api.base = "http://127.0.0.1:1".into(), "its API base is not https"),
            (
                |d| d.api.base = "https://x.test/path".into(),
                "its API base is more than scheme, host and port: leave away user, path, query and fragment",
            ),
            (|d| d.api.endpoints.clear(), "it declares no endpoint"),
            (|d| d.api.endpoints[0].path = "/v1/../x".into(), "an endpoint's path is no path template"),
            (|d| d.api.endpoints[0].path = "/v1/{nothing}".into(), "an endpoint's path names no plain setting"),
            (|d| d.api.endpoints[0].path = "/v1/{api-key}".into(), "an endpoint's path names no plain setting"),
            (|d| d.api.endpoints[0].read_only = false, "a GET endpoint is not declared as reading only"),
            (|d| d.api.rate_limit.requests = 0, "its rate limit is zero"),
        ];
        for (change, message) in cases {
            let mut changed = testing::descriptor(&[(HttpMethod::Get, USERS, true)]);
            change(&mut changed);
            assert_eq!(said(descriptor(&changed)), message);
        }
    }

    #[test]
    fn a_page_is_refused_when_it_cannot_be_read_right() {
        let one_use = ProductUse { product: 0, last_active: None };
        let late = Instant { seconds: 0, nanoseconds: 1_000_000_000 };
        for (member, message) in [
            (Member { id: String::new(), ..testing::member("1") }, "a member has no id"),
            (Member { uses: vec![one_use], ..testing::member("1") }, "a member uses a product that the page does not have"),
            (Member { name: "x".repeat(5_000), ..testing::member("1") }, "a member's text is too long"),
            (Member { last_seen: Some(late), ..testing::member("1") }, "an instant has more than a second of nanoseconds"),
        ] {
            assert_eq!(said(page(&page_of(member))), message);
        }
        let endless = MemberPage { next: Some("x".repeat(LONGEST_CURSOR + 1)), ..page_of(testing::member("1")) };
        assert_eq!(said(page(&endless)), "a cursor is empty or longer than 8192 bytes");
        assert_eq!(page(&page_of(testing::member("1"))), Ok(()));
    }

    #[test]
    fn a_report_without_checks_or_with_a_hintless_failure_is_refused() {
        assert_eq!(said(report(&Report { checks: vec![] })), "its report has no check");
        let failed = crate::contract::Failure {
            kind: crate::contract::FailureKind::Other,
            message: "x".into(),
            hint: " ".into(),
            setting: None,
            vendor_code: None,
            retry_after_seconds: None,
        };
        let check = Check { id: "a".into(), title: "A".into(), required: true, outcome: Outcome::Failed(failed) };
        assert_eq!(said(report(&Report { checks: vec![check] })), "a failure has no hint");
    }
}
