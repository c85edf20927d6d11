//! Makes members of the users of a page, while the page is read.
//!
//! Each user becomes a member as soon as it is complete, so a page is never held twice. The product sites of the
//! page are each kept once, in the order of first appearance; two entries of a user for one site are one use.

use crate::json::{self, Input, Kind, List, Place, Text, Unreadable, object};
use crate::model::{Instant, Member, MemberKind, MemberStatus, Product, ProductUse};
use crate::{product_names, text, time};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};

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

object! {
    struct User<'a> {
        account_id: Option<Text<'a>> = "account_id",
        account_type: Option<Text<'a>> = "account_type",
        account_status: Option<Text<'a>> = "account_status",
        name: Option<Text<'a>> = "name",
        nickname: Option<Text<'a>> = "nickname",
        email: Option<Text<'a>> = "email",
        access_billable: Option<bool> = "access_billable",
        last_active: Option<Text<'a>> = "last_active",
        product_access: List<Access<'a>> = "product_access",
    }
}

object! {
    /// A user's access to a product on a site.
    struct Access<'a> {
        key: Option<Text<'a>> = "key",
        name: Option<Text<'a>> = "name",
        url: Option<Text<'a>> = "url",
        last_active: Option<Text<'a>> = "last_active",
    }
}

/// The page so far: the place of the list of users.
#[derive(Default)]
pub struct Gathering<'a> {
    is_there: bool,
    done: Members,
    known: BTreeMap<ProductSite<'a>, Known>,
}

/// What makes a product on a site the same: key, name and site.
type ProductSite<'a> = (Text<'a>, Text<'a>, Option<Text<'a>>);

/// A product site that appeared before.
struct Known {
    /// Its place among the products of the page.
    product: u32,
    /// The last member that uses it, as the number of members before, and the place among that one's uses.
    last_use: (usize, usize),
}

impl<'de> Place<'de> for Gathering<'de> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        if input.kind()? != Kind::List {
            return json::null(input);
        }
        json::begin(&mut self.is_there)?;
        // Each user's entries are put where those of the one before were.
        let mut accesses = Vec::new();
        input.list(|input| {
            let mut user = User::default();
            user.product_access.items = std::mem::take(&mut accesses);
            user.read(input)?;
            accesses = std::mem::take(&mut user.product_access.items);
            self.add(user, accesses.drain(..))
        })
    }
}

impl<'a> Gathering<'a> {
    /// The members; `None` if there was no list.
    pub fn finish(self) -> Option<Members> {
        self.is_there.then_some(self.done)
    }

    /// Adds a user to the members, which it cannot be without an id.
    fn add(&mut self, user: User<'a>, accesses: impl ExactSizeIterator<Item = Access<'a>>) -> Result<(), Unreadable> {
        let id = user.account_id.and_then(Text::filled).ok_or(Unreadable::Shape)?;
        let mut last_seen = self.instant(user.last_active);
        let mut uses = Vec::with_capacity(accesses.len());
        for access in accesses {
            let last_active = self.instant(access.last_active);
            last_seen = last_seen.max(last_active);
            if let Some(site) = product_site(access.key, access.name, access.url) {
                self.add_use(&mut uses, site, last_active);
            }
        }
        let nickname = user.nickname.and_then(Text::filled).map(Text::into_string);
        let name = user.name.and_then(Text::filled).map(Text::into_string);
        self.done.members.push(Member {
            id: id.into_string(),
            email: user.email.and_then(Text::filled).map(Text::into_string),
            name: name.or_else(|| nickname.clone()).unwrap_or_default(),
            role: role(&self.done.products, &uses),
            uses,
            last_seen,
            status: user.account_status.and_then(Text::filled).map(status),
            kind: user.account_type.and_then(Text::filled).map(kind),
            billable: user.access_billable,
            attributes: nickname.map(|nickname| ("nickname".to_owned(), nickname)).into_iter().collect(),
        });
        Ok(())
    }

    /// Adds a use of the next member; a second one of the same site only makes the first one newer.
    fn add_use(&mut self, uses: &mut Vec<ProductUse>, site: ProductSite<'a>, last_active: Option<Instant>) {
        let this_use = (self.done.members.len(), uses.len());
        let product = match self.known.entry(site) {
            Entry::Vacant(vacant) => {
                // A page with more products than a `u32` counts would not fit into any memory.
                let product = self.done.products.len() as u32;
                let (key, name, site) = vacant.key();
                self.done.products.push(Product {
                    key: key.as_str().to_owned(),
                    name: name.as_str().to_owned(),
                    site: site.as_ref().map(|site| site.as_str().to_owned()),
                });
                vacant.insert(Known { product, last_use: this_use });
                product
            }
            Entry::Occupied(occupied) => {
                let known = occupied.into_mut();
                let (member, place) = known.last_use;
                if member == this_use.0
                    && let Some(earlier) = uses.get_mut(place)
                {
                    earlier.last_active = earlier.last_active.max(last_active);
                    return;
                }
                known.last_use = this_use;
                known.product
            }
        };
        uses.push(ProductUse { product, last_active });
    }

    /// Reads a point in time; one that cannot be read is unknown, and counted.
    fn instant(&mut self, text: Option<Text<'_>>) -> Option<Instant> {
        let text = text.and_then(Text::filled)?;
        let instant = time::parse(text.as_str());
        if instant.is_none() {
            self.done.unreadable_times = self.done.unreadable_times.saturating_add(1);
        }
        instant
    }
}

/// The product site of an entry; none when nothing says which it is.
fn product_site<'a>(key: Option<Text<'a>>, name: Option<Text<'a>>, url: Option<Text<'a>>) -> Option<ProductSite<'a>> {
    let key = key.unwrap_or(Text("".into()));
    let name = name
        .and_then(Text::filled)
        .unwrap_or_else(|| product_names::name_of(key.as_str()).map_or_else(|| key.clone(), |name| Text(name.into())));
    let site = url.map(|url| url.narrowed(bare)).and_then(Text::filled);
    let is_told = !name.as_str().is_empty() || site.is_some();
    is_told.then_some((key, name, site))
}

/// A URL without its scheme and the slashes at its end.
fn bare(url: &str) -> &str {
    text::without_scheme(url).unwrap_or(url).trim_end_matches('/')
}

/// The distinct names of the products used, in byte order.
fn role(products: &[Product], uses: &[ProductUse]) -> String {
    let names: BinaryHeap<&str> = uses
        .iter()
        .filter_map(|used| products.get(used.product as usize))
        .map(|product| product.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let mut names = names.into_sorted_vec();
    names.dedup();
    names.join(", ")
}

fn status(word: Text<'_>) -> MemberStatus {
    match word.as_str() {
        "active" => MemberStatus::Active,
        "inactive" => MemberStatus::Inactive,
        "closed" => MemberStatus::Closed,
        _ => MemberStatus::Other(word.into_string()),
    }
}

fn kind(word: Text<'_>) -> MemberKind {
    match word.as_str() {
        "atlassian" => MemberKind::Person,
        "app" => MemberKind::App,
        "customer" => MemberKind::Customer,
        _ => MemberKind::Other(word.into_string()),
    }
}

#[cfg(test)]
mod tests;
