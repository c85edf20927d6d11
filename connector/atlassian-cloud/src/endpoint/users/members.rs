//! Makes members of the users of a page, while the page is read.
//!
//! Each user becomes a member as soon as it is complete, so a page is never held twice. The product
//! sites of the page are each kept once, in the order of first appearance; two entries of a user
//! for one site are one use.

mod sites;

use serde::de::{Deserialize, Deserializer};
use smp_connector_kit::json::{self, Flag, List, Object, Text};
use smp_connector_kit::{
    Affiliation, Instant, Member, MemberKind, MemberStatus, Product, ProductUse, text, time,
};

use self::sites::Sites;

/// The members of a page with the product sites they use.
#[derive(Debug, Default)]
pub struct Members {
    /// The product sites, each once.
    pub products: Vec<Product>,
    /// The members, in the order of the page.
    pub members: Vec<Member>,
    /// How many points in time could not be read.
    pub unreadable_times: u32,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
    account_type: Option<Text<'a>>,
    account_status: Option<Text<'a>>,
    name: Option<Text<'a>>,
    nickname: Option<Text<'a>>,
    email: Option<Text<'a>>,
    access_billable: Option<Flag>,
    last_active: Option<Text<'a>>,
    product_access: Option<List<Option<Object<Access<'a>>>>>,
}

/// A user's access to a product on a site.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Access<'a> {
    #[serde(borrow)]
    key: Option<Text<'a>>,
    name: Option<Text<'a>>,
    url: Option<Text<'a>>,
    last_active: Option<Text<'a>>,
}

/// The page so far.
#[derive(Default)]
struct Gathering<'a> {
    members: Vec<Member>,
    sites: Sites<'a>,
    unreadable_times: u32,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut page = Gathering::default();
        json::each(deserializer, |Object(user)| {
            let member = page.member(user).ok_or("a user without an id")?;
            page.members.push(member);
            Ok(())
        })?;
        let Gathering { members, sites, unreadable_times } = page;
        Ok(Self { products: sites.into_products(), members, unreadable_times })
    }
}

impl<'a> Gathering<'a> {
    /// Makes a member of a user, which it cannot be without an id.
    fn member(&mut self, user: User<'a>) -> Option<Member> {
        let id = user.account_id.and_then(Text::filled)?;
        let mut last_seen = self.instant(user.last_active);
        let List(accesses) = user.product_access.unwrap_or_default();
        let mut uses = Vec::with_capacity(accesses.len());
        for Object(access) in accesses.into_iter().flatten() {
            let last_active = self.instant(access.last_active);
            last_seen = last_seen.max(last_active);
            if let Some(product) = self.sites.product(access.key, access.name, access.url) {
                self.add_use(&mut uses, ProductUse { product, last_active });
            }
        }
        let nickname = user.nickname.and_then(Text::filled).map(Text::into_string);
        let name = user.name.and_then(Text::filled).map(Text::into_string);
        let name = name.or_else(|| nickname.clone()).unwrap_or_default();
        Some(Member {
            id: id.into_string(),
            email: user.email.and_then(Text::filled).map(Text::into_string),
            name,
            nickname,
            role: self.sites.role(&uses),
            uses,
            last_seen,
            status: user.account_status.and_then(Text::filled).map(status),
            kind: user.account_type.and_then(Text::filled).map(kind),
            // The call lists the accounts that the organization manages, and no other.
            affiliation: Some(Affiliation::Managed),
            billable: user.access_billable.map(|Flag(billable)| billable),
            attributes: Vec::new(),
        })
    }

    /// Adds a use of the next member; a second one of the same site only makes the first one newer.
    fn add_use(&mut self, uses: &mut Vec<ProductUse>, next: ProductUse) {
        match self
            .sites
            .used_before(next.product, self.members.len(), uses.len())
            .and_then(|place| uses.get_mut(place))
        {
            Some(earlier) => earlier.last_active = earlier.last_active.max(next.last_active),
            None => uses.push(next),
        }
    }

    /// Reads a point in time; one that cannot be read is unknown, and counted.
    fn instant(&mut self, text: Option<Text<'_>>) -> Option<Instant> {
        let text = text.and_then(Text::filled)?;
        let instant = time::parse(text.as_str());
        if instant.is_none() {
            self.unreadable_times = self.unreadable_times.saturating_add(1);
        }
        instant
    }
}

/// A URL without its scheme and the slashes at its end.
fn bare(url: &str) -> &str {
    text::without_scheme(url).unwrap_or(url).trim_end_matches('/')
}

fn status(word: Text<'_>) -> MemberStatus {
    match word.as_str().as_bytes() {
        b"active" => MemberStatus::Active,
        b"inactive" => MemberStatus::Inactive,
        b"closed" => MemberStatus::Closed,
        _ => MemberStatus::Other(word.into_string()),
    }
}

fn kind(word: Text<'_>) -> MemberKind {
    match word.as_str().as_bytes() {
        b"atlassian" => MemberKind::Person,
        b"app" => MemberKind::App,
        b"customer" => MemberKind::Customer,
        _ => MemberKind::Other(word.into_string()),
    }
}

#[cfg(test)]
mod tests;
