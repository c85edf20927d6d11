//! Checks a component's records against the contract before the host uses them. It refuses only
//! values that could be misread; it never changes a record.

use std::collections::BTreeSet;

use crate::bounds::{Bound, Bounds, LONGEST_CURSOR};
use crate::error::Error;
use crate::records::{
    Account, Advice, Affiliation, Check, Entry, Failure, Instant, Member, MemberKind, MemberStatus,
    Outcome, Page, Record as _,
};

/// The result of a check.
pub type Checked = Result<(), Error>;

/// Requires that a component keeps the contract. The message says what is wrong, as the end of a
/// sentence.
///
/// # Errors
/// [`Error::Contract`] if it does not.
pub fn ensure(holds: bool, message: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Error::Contract(message())) }
}

/// Checks a failure that a component reports.
///
/// # Errors
/// [`Error::Contract`] or [`Error::Limit`], with what is wrong.
pub fn failure(failure: Failure<'_>, bounds: &Bounds) -> Checked {
    let Failure { message, hint, setting, vendor_code } = failure;
    ensure(!message.trim().is_empty(), || "a failure has no message".into())?;
    ensure(!hint.trim().is_empty(), || "a failure has no hint".into())?;
    texts(bounds, "a failure", [message, hint].into_iter().chain(setting).chain(vendor_code))
}

/// Checks a validation report and each check in it.
///
/// # Errors
/// [`Error::Contract`] or [`Error::Limit`], with what is wrong.
pub fn report<'a>(checks: impl ExactSizeIterator<Item = Check<'a>>, bounds: &Bounds) -> Checked {
    ensure(checks.len() > 0, || "its report has no check".into())?;
    entries(bounds, "its report", [checks.len()])?;
    let mut ids = BTreeSet::new();
    for Check { id, title, setting, outcome } in checks {
        ensure(is_name(id), || "a check's id is not made of a-z, 0-9 and -".into())?;
        ensure(ids.insert(id), || format!("the check `{id}` appears twice"))?;
        texts(bounds, "a check", [title].into_iter().chain(setting))?;
        match outcome {
            Outcome::Passed(text) | Outcome::Skipped(text) => texts(bounds, "a check", [text])?,
            Outcome::Warning(warned) => advice(warned, bounds, "a check")?,
            Outcome::Failed(failed) => failure(failed, bounds)?,
        }
    }
    Ok(())
}

/// Checks what needs attention.
fn advice(advice: Advice<'_>, bounds: &Bounds, whose: &str) -> Checked {
    texts(bounds, whose, [advice.message, advice.hint].into_iter().chain(advice.setting))
}

/// Checks an account.
///
/// # Errors
/// [`Error::Contract`] or [`Error::Limit`], with what is wrong.
pub fn account<'a>(
    account: Account<'a, impl ExactSizeIterator<Item = (&'a str, &'a str)>>,
    bounds: &Bounds,
) -> Checked {
    ensure(!account.id.trim().is_empty(), || "the account has no id".into())?;
    entries(bounds, "the account", [account.attributes.len()])?;
    let attributes = account.attributes.flat_map(|(name, value)| [name, value]);
    texts(bounds, "the account", [account.id, account.name].into_iter().chain(attributes))
}

/// Checks a page, and each member on it.
///
/// # Errors
/// [`Error::Contract`] or [`Error::Limit`], with what is wrong.
pub fn page<P: Page<Record: Member>>(page: &P, bounds: &Bounds) -> Checked {
    frame(page, bounds)?;
    let products = page.products().len();
    page.records().iter().try_for_each(|one| member(one, products, bounds))
}

/// Checks a page of usage, and each entry on it.
///
/// # Errors
/// [`Error::Contract`] or [`Error::Limit`], with what is wrong.
pub fn usage_page<P: Page<Record: Entry>>(page: &P, bounds: &Bounds) -> Checked {
    frame(page, bounds)?;
    page.records().iter().try_for_each(|entry| {
        ensure(!entry.id().is_empty(), || "an entry of usage has no id".into())?;
        let longest = entry.id().len().max(entry.plan().map_or(0, str::len));
        within(bounds, Some(longest), bounds.member_text)
    })
}

/// Checks all of a page but its records.
fn frame<P: Page>(page: &P, bounds: &Bounds) -> Checked {
    if let Some(next) = page.next() {
        ensure(!next.is_empty() && next.len() <= LONGEST_CURSOR, || {
            format!("a cursor is empty or longer than {LONGEST_CURSOR} bytes")
        })?;
    }
    if page.records().len().max(page.products().len()) > bounds.page_members {
        let what =
            format!("the connector puts more {} or products on a page than permitted", P::RECORDS);
        return Err(bounds.reached(Bound::PageMembers, what));
    }
    for product in page.products() {
        let texts = [Some(product.key), Some(product.name), product.site];
        within(bounds, texts.into_iter().flatten().map(str::len).max(), bounds.member_text)?;
    }
    entries(bounds, "a page", [page.notes().len()])?;
    for note in page.notes() {
        ensure(!note.message.trim().is_empty(), || "a note of a page has no message".into())?;
        advice(note, bounds, "a note")?;
    }
    Ok(())
}

fn member(member: &impl Member, products: usize, bounds: &Bounds) -> Checked {
    ensure(!member.id().is_empty(), || "a member has no id".into())?;
    let texts = [Some(member.id()), member.email(), Some(member.name()), member.nickname()];
    let texts = texts.into_iter().flatten().map(str::len);
    let attributes = member.attributes().flat_map(|(name, value)| [name.len(), value.len()]);
    let status = member
        .status()
        .map(|status| if let MemberStatus::Other(word) = status { word.len() } else { 0 });
    let kind =
        member.kind().map(|kind| if let MemberKind::Other(word) = kind { word.len() } else { 0 });
    let affiliation = member
        .affiliation()
        .map(|how| if let Affiliation::Other(word) = how { word.len() } else { 0 });
    let longest = texts.chain(attributes).chain(status).chain(kind).chain(affiliation).max();
    within(bounds, longest, bounds.member_text)?;
    // The role joins the names of all products, so it may be longer than any other text.
    within(bounds, Some(member.role().len()), bounds.member_text.saturating_mul(16))?;
    entries(bounds, "a member", [member.attributes().len()])?;
    if member.uses().len() > bounds.page_members {
        return Err(
            bounds.reached(Bound::PageMembers, "a member uses more products than permitted")
        );
    }
    for product_use in member.uses() {
        let there = usize::try_from(product_use.product).is_ok_and(|index| index < products);
        ensure(there, || "a member uses a product that the page does not have".into())?;
    }
    instants(
        member.uses().filter_map(|product_use| product_use.last_active).chain(member.last_seen()),
    )
}

/// Checks points in time.
///
/// # Errors
/// [`Error::Contract`], if one has more than a second of nanoseconds.
pub fn instants(instants: impl IntoIterator<Item = Instant>) -> Checked {
    ensure(instants.into_iter().all(|instant| instant.nanoseconds < 1_000_000_000), || {
        "an instant has more than a second of nanoseconds".into()
    })
}

/// Checks a record's longest text against a bound.
fn within(bounds: &Bounds, longest: Option<usize>, most: usize) -> Checked {
    if longest.unwrap_or(0) <= most {
        return Ok(());
    }
    Err(bounds.reached(Bound::MemberText, "a text of a record is longer than permitted"))
}

/// Checks the lengths of lists that a person reads.
///
/// # Errors
/// [`Error::Limit`] if one is too long.
pub fn entries(bounds: &Bounds, whose: &str, lengths: impl IntoIterator<Item = usize>) -> Checked {
    if lengths.into_iter().all(|length| length <= bounds.entries) {
        return Ok(());
    }
    Err(bounds
        .reached(Bound::Entries, format!("a list of {whose} has more entries than permitted")))
}

/// Checks the lengths of texts that a person reads.
///
/// # Errors
/// [`Error::Limit`] if one is too long.
pub fn texts<'a>(
    bounds: &Bounds,
    whose: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Checked {
    if texts.into_iter().all(|text| text.len() <= bounds.text) {
        return Ok(());
    }
    Err(bounds.reached(Bound::Text, format!("a text of {whose} is longer than permitted")))
}

/// Whether a text is a name as the contract defines it: 1 to 64 characters of `[a-z0-9-]`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let signs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(signs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Advice, Instant, ProductUse};
    use crate::testing::{Account as Record, Records, Seat, Seats, WIDE, member as record};

    const LONG: &str = concat!(
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    );
    const FAILED: Failure<'_> =
        Failure { message: "x", hint: "x", setting: None, vendor_code: None };

    fn of(member: Record) -> Records {
        Records { members: vec![member], ..Records::default() }
    }

    fn passed(id: &str) -> Check<'_> {
        Check { id, title: "A", setting: None, outcome: Outcome::Passed("x") }
    }

    fn failing(failed: Failure<'_>) -> Check<'_> {
        Check { outcome: Outcome::Failed(failed), ..passed("a") }
    }

    #[test]
    fn records_that_keep_the_contract_are_taken() {
        let used = ProductUse {
            product: 1,
            last_active: Some(Instant { seconds: 1, nanoseconds: 999_999_999 }),
        };
        let whole = Record {
            uses: vec![used],
            role: "x".repeat(1_600),
            kind: Some(MemberKind::Other("x")),
            ..record("1")
        };
        let products =
            vec![(String::new(), "a".into(), None), ("b".into(), String::new(), Some("c".into()))];
        let whole = Records { products, next: Some("x".repeat(LONGEST_CURSOR)), ..of(whole) };
        assert_eq!(page(&whole, &WIDE), Ok(()));
        assert_eq!(
            report(
                [passed("a"), failing(FAILED)]
                    .map(|check| Check { id: "b", ..check })
                    .into_iter()
                    .take(1),
                &WIDE
            ),
            Ok(())
        );
        assert_eq!(
            account(Account { id: "1", name: "", attributes: [("a", "b")].into_iter() }, &WIDE),
            Ok(())
        );
    }

    #[test]
    fn what_breaks_the_contract_is_named() {
        let late = Some(Instant { seconds: 0, nanoseconds: 1_000_000_000 });
        let used = |last_active| vec![ProductUse { product: 0, last_active }];
        let on_a_page = |products: usize, member| Records {
            products: vec![Default::default(); products],
            ..of(member)
        };
        let cursor = |next: &str| Records { next: Some(next.into()), ..Records::default() };
        for (checked, message) in [
            (page(&of(record("")), &WIDE), "a member has no id"),
            (
                page(&of(Record { uses: used(None), ..record("1") }), &WIDE),
                "a member uses a product that the page does not have",
            ),
            (
                page(&on_a_page(1, Record { uses: used(late), ..record("1") }), &WIDE),
                "an instant has more than a second of nanoseconds",
            ),
            (
                page(&of(Record { last_seen: late, ..record("1") }), &WIDE),
                "an instant has more than a second of nanoseconds",
            ),
            (page(&cursor(""), &WIDE), "a cursor is empty or longer than 8192 bytes"),
            (
                page(&cursor(&"x".repeat(LONGEST_CURSOR + 1)), &WIDE),
                "a cursor is empty or longer than 8192 bytes",
            ),
            (report([].into_iter(), &WIDE), "its report has no check"),
            (
                report([passed("A")].into_iter(), &WIDE),
                "a check's id is not made of a-z, 0-9 and -",
            ),
            (report([passed("a"), passed("a")].into_iter(), &WIDE), "the check `a` appears twice"),
            (
                report([failing(Failure { hint: " ", ..FAILED })].into_iter(), &WIDE),
                "a failure has no hint",
            ),
            (failure(Failure { message: "", ..FAILED }, &WIDE), "a failure has no message"),
            (
                account(Account { id: " ", name: "x", attributes: [].into_iter() }, &WIDE),
                "the account has no id",
            ),
        ] {
            assert_eq!(checked, Err(Error::Contract(message.into())));
        }
    }

    #[test]
    fn usage_is_held_to_the_same_bounds() {
        let good = Seats { entries: vec![Seat("1", Some("x"))], next: None };
        assert_eq!(usage_page(&good, &WIDE), Ok(()));
        let nameless = Seats { entries: vec![Seat("", None)], next: None };
        assert_eq!(
            usage_page(&nameless, &WIDE),
            Err(Error::Contract("an entry of usage has no id".into()))
        );
        let nowhere = Seats { next: Some(""), ..good.clone() };
        assert_eq!(
            usage_page(&nowhere, &WIDE),
            Err(Error::Contract("a cursor is empty or longer than 8192 bytes".into()))
        );
        for (entries, bound) in [
            (vec![Seat(LONG, None)], Bound::MemberText),
            (vec![Seat("1", Some(LONG))], Bound::MemberText),
            (vec![Seat("1", None); 6], Bound::PageMembers),
        ] {
            let reached = usage_page(&Seats { entries, next: None }, &WIDE).unwrap_err();
            assert!(
                matches!(&reached, Error::Limit { bound: of, what, .. }
                    if *of == bound && (bound == Bound::MemberText || what.contains("entries"))),
                "{reached}"
            );
        }
    }

    #[test]
    fn a_bound_that_is_reached_is_named_with_its_value() {
        let advice = Advice { message: "x", hint: "x", setting: Some(LONG) };
        let many = |count| [("a", "b")].into_iter().cycle().take(count).collect::<Vec<_>>();
        let product = |key: &str, site: &str| Records {
            products: vec![(key.into(), String::new(), Some(site.into()))],
            ..of(record("1"))
        };
        for (checked, bound) in [
            (failure(Failure { message: LONG, ..FAILED }, &WIDE), Bound::Text),
            (failure(Failure { setting: Some(LONG), ..FAILED }, &WIDE), Bound::Text),
            (failure(Failure { vendor_code: Some(LONG), ..FAILED }, &WIDE), Bound::Text),
            (report([Check { title: LONG, ..passed("a") }].into_iter(), &WIDE), Bound::Text),
            (
                report(
                    [Check { outcome: Outcome::Skipped(LONG), ..passed("a") }].into_iter(),
                    &WIDE,
                ),
                Bound::Text,
            ),
            (
                report(
                    [Check { outcome: Outcome::Warning(advice), ..passed("a") }].into_iter(),
                    &WIDE,
                ),
                Bound::Text,
            ),
            (report(["a", "b", "c", "d"].map(passed).into_iter(), &WIDE), Bound::Entries),
            (
                account(Account { id: "1", name: LONG, attributes: [].into_iter() }, &WIDE),
                Bound::Text,
            ),
            (
                account(
                    Account { id: "1", name: "", attributes: [("a", LONG)].into_iter() },
                    &WIDE,
                ),
                Bound::Text,
            ),
            (
                account(Account { id: "1", name: "", attributes: many(4).into_iter() }, &WIDE),
                Bound::Entries,
            ),
            (page(&of(Record { name: LONG.into(), ..record("1") }), &WIDE), Bound::MemberText),
            (
                page(&of(Record { email: Some(LONG.into()), ..record("1") }), &WIDE),
                Bound::MemberText,
            ),
            (
                page(&of(Record { status: Some(MemberStatus::Other(LONG)), ..record("1") }), &WIDE),
                Bound::MemberText,
            ),
            (
                page(&of(Record { kind: Some(MemberKind::Other(LONG)), ..record("1") }), &WIDE),
                Bound::MemberText,
            ),
            (
                page(&of(Record { attributes: vec![("a", LONG)], ..record("1") }), &WIDE),
                Bound::MemberText,
            ),
            (
                page(&of(Record { role: "x".repeat(1_601), ..record("1") }), &WIDE),
                Bound::MemberText,
            ),
            (page(&product(LONG, ""), &WIDE), Bound::MemberText),
            (page(&product("", LONG), &WIDE), Bound::MemberText),
            (page(&of(Record { attributes: many(4), ..record("1") }), &WIDE), Bound::Entries),
            (
                page(
                    &of(Record {
                        uses: vec![ProductUse { product: 0, last_active: None }; 6],
                        ..record("1")
                    }),
                    &WIDE,
                ),
                Bound::PageMembers,
            ),
            (
                page(&Records { members: vec![record("1"); 6], ..Records::default() }, &WIDE),
                Bound::PageMembers,
            ),
            (
                page(
                    &Records { products: vec![Default::default(); 6], ..Records::default() },
                    &WIDE,
                ),
                Bound::PageMembers,
            ),
        ] {
            let error = checked.unwrap_err();
            assert!(
                matches!(error, Error::Limit { bound: told, most, .. } if told == bound && most == WIDE.most(bound)),
                "{error}"
            );
            assert!(
                error
                    .to_string()
                    .ends_with(&format!(": the limit `{bound}` is {}", WIDE.most(bound))),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_is_short_and_plain() {
        for (text, expected) in [
            ("a-1", true),
            ("", false),
            ("A", false),
            ("a b", false),
            ("a_b", false),
            (&"x".repeat(64), true),
        ] {
            assert_eq!(is_name(text), expected, "{text}");
        }
        assert!(!is_name(&"x".repeat(65)));
    }
}
