//! A member with its products looked up, as json writes it. `line.rs` writes the same for ndjson.
//!
//! It borrows from the page and copies nothing. A use of a product that the page does not have is
//! left out; the host has refused such a page before.

use std::collections::HashSet;

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use crate::contract::{
    Affiliation, Instant, Member, MemberKind, MemberStatus, Product, ProductUse,
};
use crate::instant::rfc3339;

/// A member and the products of its page.
pub(super) struct Row<'p> {
    pub(super) member: &'p Member,
    pub(super) products: &'p [Product],
}

/// The status as written in the output.
pub fn status(status: &MemberStatus) -> &str {
    match status {
        MemberStatus::Active => "active",
        MemberStatus::Inactive => "inactive",
        MemberStatus::Closed => "closed",
        MemberStatus::Suspended => "suspended",
        MemberStatus::Invited => "invited",
        MemberStatus::Other(word) => word,
    }
}

/// The kind as written in the output.
pub fn kind(kind: &MemberKind) -> &str {
    match kind {
        MemberKind::Person => "person",
        MemberKind::App => "app",
        MemberKind::Customer => "customer",
        MemberKind::ServiceAccount => "service-account",
        MemberKind::Other(word) => word,
    }
}

/// The word for how a member belongs to the organization.
pub fn affiliation(affiliation: &Affiliation) -> &str {
    match affiliation {
        Affiliation::Managed => "managed",
        Affiliation::External => "external",
        Affiliation::Other(word) => word,
    }
}

/// The products that the member uses, each with its use.
pub fn uses<'p, P>(
    member: &'p Member,
    products: &'p [P],
) -> impl Iterator<Item = (&'p P, &'p ProductUse)> {
    member
        .uses
        .iter()
        .filter_map(|used| Some((products.get(usize::try_from(used.product).ok()?)?, used)))
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = self.member;
        let mut row = serializer.serialize_struct("Member", 11)?;
        row.serialize_field("id", &member.id)?;
        row.serialize_field("email", &member.email)?;
        row.serialize_field("name", &member.name)?;
        row.serialize_field("role", &member.role)?;
        row.serialize_field("products", &Uses(self))?;
        row.serialize_field("last_seen", &Written(member.last_seen.as_ref()))?;
        row.serialize_field("status", &member.status.as_ref().map(status))?;
        row.serialize_field("kind", &member.kind.as_ref().map(kind))?;
        row.serialize_field("affiliation", &member.affiliation.as_ref().map(affiliation))?;
        row.serialize_field("billable", &member.billable)?;
        row.serialize_field("attributes", &Attributes(member))?;
        row.end()
    }
}

struct Uses<'r>(&'r Row<'r>);

impl Serialize for Uses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for (product, used) in uses(self.0.member, self.0.products) {
            list.serialize_element(&Use { product, used })?;
        }
        list.end()
    }
}

struct Use<'r> {
    product: &'r Product,
    used: &'r ProductUse,
}

impl Serialize for Use<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut product = serializer.serialize_struct("Product", 4)?;
        product.serialize_field("key", &self.product.key)?;
        product.serialize_field("name", &self.product.name)?;
        product.serialize_field("site", &self.product.site)?;
        product.serialize_field("last_active", &Written(self.used.last_active.as_ref()))?;
        product.end()
    }
}

/// An instant in RFC 3339; null if it is absent or cannot be written.
struct Written<'r>(Option<&'r Instant>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.and_then(rfc3339) {
            Some(written) => serializer.serialize_str(written.as_str()),
            None => serializer.serialize_none(),
        }
    }
}

/// Nickname and attributes as an object.
struct Attributes<'r>(&'r Member);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(attributes(self.0))
    }
}

/// Nickname and attributes. Of a repeated name the first is kept, because readers disagree about
/// repeated keys.
pub(super) fn attributes(member: &Member) -> impl Iterator<Item = (&str, &str)> {
    let nickname = member.nickname.as_deref().map(|nickname| ("nickname", nickname));
    let others = member.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut seen = HashSet::new();
    // A set takes memory of its own, which one attribute does without.
    let is_one = usize::from(nickname.is_some()) + member.attributes.len() < 2;
    nickname.into_iter().chain(others).filter(move |(name, _)| is_one || seen.insert(*name))
}
