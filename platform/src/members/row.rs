//! A member as the database keeps it: its record, what it is found by, and two hashes that tell
//! whether it changed.

use std::io;

use ring::digest::{SHA256, digest};
use serde::Serialize;
use smp_host::contract::{Instant, Member, MemberPage, Product, ProductUse};
use smp_host::files::row::{affiliation, kind, status};
use smp_host::files::rowed::Rowed;

use crate::clock;
use crate::problem::Problem;

/// Parts the products of a member, in the column that finds them.
pub(super) const PART: char = '\u{1f}';

/// What a member is compared by.
pub type Hash = [u8; 16];

/// A member of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account's id.
    pub id: String,
    /// The record, as ndjson has it.
    pub record: String,
    /// Hash of all of it: of [`Row::core`] and the activity.
    pub hash: Hash,
    /// Hash of all but the activity, which changes daily and is no change of the member.
    pub core: Hash,
    /// By which it is sorted: the name in lower case, or else what there is.
    pub sort: String,
    /// In which is searched: name, nickname and e-mail in lower case.
    pub search: String,
    /// The status.
    pub status: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The affiliation.
    pub affiliation: Option<String>,
    /// When it was last seen.
    pub last_seen: Option<i64>,
    /// Keys and names of its products, in lower case.
    pub uses: String,
}

/// The members of a page.
///
/// # Errors
/// If a record cannot be written, which does not happen.
pub fn of(page: &MemberPage) -> Result<Vec<Row>, Problem> {
    let products: Vec<Found> = page.products.iter().map(Found::of).collect();
    let (mut members, mut rows) = (page.members.iter(), Vec::with_capacity(page.members.len()));
    page.lines(&mut Vec::new(), |line| {
        let record = str::from_utf8(line).map_err(io::Error::other)?;
        rows.extend(members.next().map(|member| row(&products, record.to_owned(), member)));
        line.clear();
        Ok(())
    })
    .map_err(|error| Problem::broken(format!("a member cannot be written: {error}")))?;
    Ok(rows)
}

/// What a member that uses a product has of it: written once for a page.
struct Found {
    /// What finds the product, in [`Row::uses`].
    uses: String,
    /// What is hashed of it, in [`Row::core`].
    core: Vec<u8>,
}

impl Found {
    fn of(product: &Product) -> Self {
        let (key, name) = (product.key.to_lowercase(), product.name.to_lowercase());
        let mut core = Vec::new();
        add(&mut core, Some(&product.key));
        add(&mut core, Some(&product.name));
        add(&mut core, product.site.as_deref());
        Self { uses: format!("{PART}{key}{PART}{PART}{name}{PART}"), core }
    }
}

/// What a product is found by in [`Row::uses`]: its key or its name.
#[must_use]
pub fn product(text: &str) -> String {
    format!("{PART}{}{PART}", text.to_lowercase())
}

fn row(products: &[Found], record: String, member: &Member) -> Row {
    let email = member.email.as_deref().unwrap_or_default();
    let nickname = member.nickname.as_deref().unwrap_or_default();
    let sort =
        [&member.name, email, &member.id].into_iter().map(str::trim).find(|text| !text.is_empty());
    let used = |used: &ProductUse| products.get(usize::try_from(used.product).ok()?);
    let used: Vec<&Found> = member.uses.iter().filter_map(used).collect();
    let core = core(&used, member);
    Row {
        id: member.id.clone(),
        hash: hash(&core, member),
        core,
        sort: sort.map(|text| text.to_lowercase()).unwrap_or_default(),
        search: format!("{}\n{nickname}\n{email}", member.name).to_lowercase(),
        status: member.status.as_ref().map(|known| status(known).to_owned()),
        kind: member.kind.as_ref().map(|known| kind(known).to_owned()),
        affiliation: member.affiliation.as_ref().map(|known| affiliation(known).to_owned()),
        last_seen: member.last_seen.as_ref().map(clock::of),
        uses: used.iter().map(|product| product.uses.as_str()).collect(),
        record,
    }
}

/// Half of the SHA-256: no two values of a member have the same.
fn shortened(value: &[u8]) -> Hash {
    let mut short = Hash::default();
    short.iter_mut().zip(digest(&SHA256, value).as_ref()).for_each(|(to, from)| *to = *from);
    short
}

/// The hash of a member with its activity, which is short: the record, which is long, has nothing
/// else in it.
fn hash(core: &Hash, member: &Member) -> Hash {
    let mut value = core.to_vec();
    let mut add = |at: Option<&Instant>| match at {
        None => value.push(0),
        Some(at) => {
            value.push(1);
            value.extend(at.seconds.to_be_bytes());
            value.extend(at.nanoseconds.to_be_bytes());
        }
    };
    add(member.last_seen.as_ref());
    member.uses.iter().for_each(|used| add(used.last_active.as_ref()));
    shortened(&value)
}

/// Adds a text to what is hashed, so that no other texts give the same.
fn add(value: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return value.push(0) };
    value.push(1);
    value.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    value.extend(text.as_bytes());
}

fn core(used: &[&Found], member: &Member) -> Hash {
    let mut value = Vec::with_capacity(512);
    let mut add = |text: Option<&str>| add(&mut value, text);
    add(member.email.as_deref());
    add(Some(&member.name));
    add(member.nickname.as_deref());
    add(Some(&member.role));
    add(member.status.as_ref().map(status));
    add(member.kind.as_ref().map(kind));
    add(member.affiliation.as_ref().map(affiliation));
    add(member.billable.map(|billable| if billable { "yes" } else { "no" }));
    for (name, value) in &member.attributes {
        add(Some(name));
        add(Some(value));
    }
    add(None);
    used.iter().for_each(|product| value.extend(&product.core));
    shortened(&value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn page(change: impl FnOnce(&mut Member)) -> Row {
        let mut member = Member {
            id: "a1".into(),
            email: Some("Zoe@Example.test".into()),
            name: "Zoë ÄRGER".into(),
            nickname: Some("ZZ".into()),
            role: "Jira".into(),
            uses: vec![ProductUse { product: 0, last_active: None }],
            last_seen: None,
            status: None,
            kind: None,
            affiliation: None,
            billable: None,
            attributes: Vec::new(),
        };
        change(&mut member);
        let product = Product { key: "jira-software".into(), name: "Jira".into(), site: None };
        let page = MemberPage {
            products: vec![product],
            members: vec![member],
            next: None,
            total: None,
            notes: Vec::new(),
        };
        of(&page).unwrap().remove(0)
    }

    #[test]
    fn a_member_is_found_in_lower_case_by_name_nickname_and_email() {
        let row = page(|_| ());
        assert_eq!(
            (row.sort.as_str(), row.search.as_str()),
            ("zoë ärger", "zoë ärger\nzz\nzoe@example.test")
        );
        assert!(
            row.uses.contains(&product("Jira")) && row.uses.contains(&product("JIRA-software"))
        );
        assert!(!row.uses.contains(&product("jira-soft")));
        assert_eq!(page(|member| member.name.clear()).sort, "zoe@example.test");
    }

    #[test]
    fn activity_changes_the_record_and_not_the_member() {
        let (row, seen) = (page(|_| ()), Instant { seconds: 5, nanoseconds: 0 });
        let active = page(|member| member.last_seen = Some(seen));
        assert_eq!(active.core, row.core);
        assert_ne!(active.hash, row.hash);
        assert_eq!(active.last_seen, Some(5_000));
        let used = page(|member| member.uses[0].last_active = Some(seen));
        assert_eq!(used.core, row.core);
        for changed in [
            page(|member| member.name.push('x')),
            page(|member| member.email = None),
            page(|member| member.nickname = None),
            page(|member| member.role.clear()),
            page(|member| member.uses.clear()),
            page(|member| member.billable = Some(false)),
            page(|member| member.attributes.push(("title".into(), "x".into()))),
        ] {
            assert_ne!(changed.core, row.core, "{}", changed.record);
        }
    }
}
