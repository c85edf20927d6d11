//! Reads a stored record again, as the page of one member that the formats of smp-host write.

use serde::Deserialize;
use smp_host::contract::{
    Affiliation, Instant, Member, MemberKind, MemberPage, MemberStatus, Product, ProductUse,
};

use crate::problem::Problem;

#[derive(Deserialize)]
struct Record {
    id: String,
    email: Option<String>,
    name: String,
    role: String,
    products: Vec<Use>,
    last_seen: Option<String>,
    status: Option<String>,
    kind: Option<String>,
    affiliation: Option<String>,
    billable: Option<bool>,
    attributes: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Use {
    key: String,
    name: String,
    site: Option<String>,
    last_active: Option<String>,
}

/// The page of one member.
///
/// # Errors
/// If the record is not one that was stored here.
pub fn page(record: &str) -> Result<MemberPage, Problem> {
    let record: Record = serde_json::from_str(record)
        .map_err(|_| Problem::broken("a stored member cannot be read"))?;
    let (mut products, mut uses) = (Vec::new(), Vec::new());
    for (number, used) in record.products.into_iter().enumerate() {
        let product = u32::try_from(number).unwrap_or(u32::MAX);
        uses.push(ProductUse {
            product,
            last_active: used.last_active.as_deref().and_then(instant),
        });
        products.push(Product { key: used.key, name: used.name, site: used.site });
    }
    let member = Member {
        id: record.id,
        email: record.email,
        name: record.name,
        // It is among the attributes, first.
        nickname: None,
        role: record.role,
        uses,
        last_seen: record.last_seen.as_deref().and_then(instant),
        status: record.status.map(status),
        kind: record.kind.map(kind),
        affiliation: record.affiliation.map(affiliation),
        billable: record.billable,
        attributes: record
            .attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect(),
    };
    Ok(MemberPage { products, members: vec![member], next: None, total: None, notes: Vec::new() })
}

fn instant(text: &str) -> Option<Instant> {
    let at: jiff::Timestamp = text.parse().ok()?;
    let nanoseconds = u32::try_from(at.subsec_nanosecond().rem_euclid(1_000_000_000)).ok()?;
    let seconds = at.as_nanosecond().div_euclid(1_000_000_000);
    Some(Instant { seconds: i64::try_from(seconds).ok()?, nanoseconds })
}

fn status(word: String) -> MemberStatus {
    match word.as_str() {
        "active" => MemberStatus::Active,
        "inactive" => MemberStatus::Inactive,
        "closed" => MemberStatus::Closed,
        "suspended" => MemberStatus::Suspended,
        "invited" => MemberStatus::Invited,
        _ => MemberStatus::Other(word),
    }
}

fn kind(word: String) -> MemberKind {
    match word.as_str() {
        "person" => MemberKind::Person,
        "app" => MemberKind::App,
        "customer" => MemberKind::Customer,
        "service-account" => MemberKind::ServiceAccount,
        _ => MemberKind::Other(word),
    }
}

fn affiliation(word: String) -> Affiliation {
    match word.as_str() {
        "managed" => Affiliation::Managed,
        "external" => Affiliation::External,
        _ => Affiliation::Other(word),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::members::row;

    #[test]
    fn a_record_that_is_read_and_written_again_is_the_same() {
        let record = r#"{"id":"a1","email":null,"name":"Zoë","role":"Jira","products":[{"key":"jira","name":"Jira","site":"acme.test","last_active":"1969-12-31T23:59:59.5Z"}],"last_seen":"2026-01-02T03:04:05.000000001Z","status":"odd","kind":"service-account","affiliation":"external","billable":true,"attributes":{"nickname":"zz","title":"x"}}"#;
        let page = page(record).unwrap();
        let rows = row::of(&page).unwrap();
        assert_eq!(rows[0].record, record);
        assert!(super::page("{}").is_err());
    }
}
