//! Everyone in the directories of the made-up organization: the managed accounts and external
//! people, as the search of the API shows them, with the API keys; `seats` has the product sites.
//!
//! Like `organization` it stores nothing: a person depends on the seed and the index alone. With
//! several directories, one person in ten is in two of them, and is listed a second time behind all
//! others.

use serde_json::{Map, Value, json};

use super::products::{ProductSite, SITES};
use super::{Field, Member, Moment, Organization, ProductAccess};

/// External people have indices from here on, so that no managed account has the same identifier.
const EXTERNALS: u64 = 1 << 40;

/// One in so many is in two directories.
const TWICE: u64 = 10;

/// Somebody in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account, as the list of managed accounts would show it.
    pub member: Member,
    /// Whether the account belongs to somebody else.
    pub is_external: bool,
    /// Whether it is an account for programs, which its address tells.
    pub is_service_account: bool,
    /// The state in the directory.
    pub status: &'static str,
}

/// Everyone in the organization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directory<'a> {
    pub(super) organization: &'a Organization,
    /// Number of managed accounts that the API shows.
    pub(super) managed: u64,
    /// Number of external people.
    pub(super) externals: u64,
    /// Number of directories.
    pub(super) directories: u64,
}

impl Directory<'_> {
    /// Number of people, each counted once.
    pub(super) fn people(&self) -> u64 {
        self.managed + self.externals
    }

    /// Number of entries that a search finds.
    pub(super) fn entries(&self) -> u64 {
        self.people() + if self.directories > 1 { self.people().div_ceil(TWICE) } else { 0 }
    }

    /// The person at an index of the entries.
    pub(super) fn person(&self, entry: u64) -> Person {
        let index = if entry < self.people() { entry } else { (entry - self.people()) * TWICE };
        let is_external = index >= self.managed;
        let place = if is_external { EXTERNALS + index - self.managed } else { index };
        let mut member = self.organization.member(place);
        let is_service_account = !is_external && member.account_type == "app";
        if let Field::Value(email) = &mut member.email {
            let letters = email.split('@').next().unwrap_or_default();
            if is_external {
                *email = format!("{letters}@partner.example");
            }
        }
        if is_service_account {
            member.email = Field::Value(format!("robot-{index}@serviceaccount.atlassian.com"));
        }
        let status = match (member.account_status, place % 17) {
            ("inactive", _) => "deactivated",
            (_, 3) => "suspended",
            (_, 5) if is_external => "not_invited",
            (_, 11) => "for_deletion",
            _ => "active",
        };
        Person { member, is_external, is_service_account, status }
    }
}

impl Person {
    /// The entry of a search; `productAccess` only where it was asked for.
    pub(super) fn entry(&self, with_products: bool) -> Value {
        let member = &self.member;
        let account_status = match member.account_status {
            "suspended-by-policy" => "active",
            other => other,
        };
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
        put("accountId", json!(member.account_id));
        put("accountType", json!(member.account_type));
        put("status", json!(self.status));
        put("accountStatus", json!(account_status));
        put("claimStatus", json!(if self.is_external { "unmanaged" } else { "managed" }));
        put("name", json!(member.name));
        if !member.nickname.is_absent() {
            put("nickname", json!(member.nickname));
        }
        if !member.email.is_absent() {
            put("email", json!(member.email));
        }
        if with_products {
            put("productAccess", member.products().iter().map(access).collect());
        }
        Value::Object(entry)
    }
}

/// The place of a product site in the table.
pub(super) fn place_of(access: &ProductAccess) -> Option<usize> {
    let same = |site: &&ProductSite| site.key == access.key && site.name == access.name;
    let of_url = |site: &&ProductSite| site.url.value() == access.url.value();
    SITES.iter().position(|site| same(&site) && of_url(&site))
}

/// The identifier of a product site.
fn ari(access: &ProductAccess) -> String {
    id_of(access.key, place_of(access).unwrap_or(SITES.len()))
}

pub(super) fn id_of(key: &str, place: usize) -> String {
    format!("ari:cloud:{key}::site/6d2f0a1c-93b7-4c5e-8f12-0000000000{place:02}")
}

/// Adds a field to an object.
fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn access(access: &ProductAccess) -> Value {
    let mut entry = json!({"key": access.key, "id": ari(access)});
    match &access.last_active {
        Field::Absent => {}
        moment => put(&mut entry, "lastActiveTimestamp", json!(moment)),
    }
    entry
}

/// The API keys: the first is the one of the requests, the second is older, the third never ends.
pub(super) fn key(organization: &Organization, index: u64) -> Value {
    const DAY: i64 = 86_400;
    let at = |days: i64| Moment::date_time(organization.now + days * DAY, 0, 3, 0);
    let (label, ends, used) = match index {
        0 => ("SMP integration", Some(at(60)), at(0)),
        1 => ("Backup", Some(at(9)), at(-3)),
        _ => ("Old script", None, at(-400)),
    };
    let mut key = json!({
        "id": format!("key-{index}"),
        "label": label,
        "createdAt": at(-300),
        "lastActiveAt": used,
        "scopes": [],
        "targetResources": [],
    });
    if let Some(ends) = ends {
        put(&mut key, "expiresAt", json!(ends));
    }
    key
}

/// Number of API keys.
pub(super) const KEYS: u64 = 3;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn organization() -> Organization {
        let (id, name) = ("o".to_owned(), "Brightloom".to_owned());
        let now = 1_795_176_000;
        Organization { id, name, seed: 7, size: 100, now, published_only: false }
    }

    #[test]
    fn one_in_ten_is_listed_a_second_time_behind_all_others() {
        let organization = organization();
        let directory =
            Directory { organization: &organization, managed: 100, externals: 30, directories: 2 };
        let ids: Vec<String> = (0..directory.entries())
            .map(|entry| directory.person(entry).member.account_id)
            .collect();
        assert_eq!((directory.people(), ids.len()), (130, 143));
        assert_eq!(ids[..130].iter().collect::<HashSet<_>>().len(), 130);
        assert_eq!((&ids[130], &ids[131]), (&ids[0], &ids[10]));
        assert_eq!(Directory { directories: 1, ..directory }.entries(), 130);
    }

    #[test]
    fn a_hundred_and_thirty_people_are_of_every_kind() {
        let organization = organization();
        let directory =
            Directory { organization: &organization, managed: 100, externals: 30, directories: 1 };
        let people: Vec<Person> = (0..130).map(|entry| directory.person(entry)).collect();
        for status in ["active", "deactivated", "suspended", "not_invited", "for_deletion"] {
            assert!(people.iter().any(|person| person.status == status), "{status}");
        }
        assert!(people.iter().any(|person| person.is_service_account));
        assert_eq!(people.iter().filter(|person| person.is_external).count(), 30);
        assert!(people.iter().any(|person| person.member.account_status == "closed"));
        let unlisted = id_of("tomorrow-preview", SITES.len() - 1);
        assert!(people.iter().any(|person| person.entry(true).to_string().contains(&unlisted)));
    }

    #[test]
    fn products_are_told_only_where_they_are_asked_for() {
        let organization = organization();
        let directory =
            Directory { organization: &organization, managed: 1, externals: 0, directories: 1 };
        let person = directory.person(0);
        assert!(person.entry(true)["productAccess"].is_array());
        assert!(person.entry(false).get("productAccess").is_none());
    }
}
