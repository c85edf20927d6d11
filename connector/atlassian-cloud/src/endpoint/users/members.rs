//! Makes members of the users of a page, while the page is read.
//!
//! Each user becomes a member as soon as it is complete, so a page is never held twice. The product
//! sites of the page are each kept once, in the order of first appearance; two entries of a user
//! for one site are one use.

mod sites;

use serde::de::{Deserialize, Deserializer};
use smp_connector_kit::json::{self, Any, Flag, List, Object, Text};
use smp_connector_kit::{Affiliation, Instant, Member, MemberStatus, Product, ProductUse};

use self::sites::Sites;
use crate::accounts;
use crate::dates::OddDates;

/// Members for whom there is room from the start, so that none is moved while the body is held too.
/// The service states no size of a page: a larger one makes more room.
const USUAL: usize = 100;

/// The members of a page with the product sites they use.
#[derive(Debug, Default)]
pub struct Members {
    /// The product sites, each once.
    pub products: Vec<Product>,
    /// The members, in the order of the page.
    pub members: Vec<Member>,
    /// The dates that were left out.
    pub odd_dates: OddDates,
    /// How many entries of products say nothing of which product they are.
    pub unnamed: usize,
    /// Whether the products of anybody were told, be they none.
    pub has_products: bool,
}

impl Members {
    /// Leaves out the dates that have not come yet at the date of the answer, and tells when each
    /// member was last seen: in any product, or as the service says of the account.
    #[must_use]
    pub fn seen(mut self, answered: Option<Instant>) -> Self {
        for member in &mut self.members {
            let mut last_seen = self.odd_dates.come(member.last_seen, answered);
            for used in &mut member.uses {
                used.last_active = self.odd_dates.come(used.last_active, answered);
                last_seen = last_seen.max(used.last_active);
            }
            member.last_seen = last_seen;
        }
        self
    }
}

/// An account, in the words of either list of them. Both have one reader, for the size of the
/// component: what only the list of everyone tells is absent in the other.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct User<'a> {
    /// What the account is known by.
    #[serde(borrow, alias = "accountId")]
    account_id: Option<Text<'a>>,
    /// What it stands for.
    #[serde(alias = "accountType")]
    account_type: Option<Text<'a>>,
    /// Whether it can be used.
    #[serde(alias = "accountStatus")]
    account_status: Option<Text<'a>>,
    /// The name, as far as its owner shows it.
    name: Option<Text<'a>>,
    /// The name that its owner chose.
    nickname: Option<Text<'a>>,
    /// The address, unless its owner hides it.
    email: Option<Text<'a>>,
    /// Whether it is billed for.
    access_billable: Option<Flag>,
    /// When it was used last.
    last_active: Any<'a>,
    /// The product sites.
    #[serde(alias = "productAccess")]
    product_access: Option<List<Option<Object<Access<'a>>>>>,
    /// In the list of everyone: whether it can be used in its directory.
    status: Option<Text<'a>>,
    /// In the list of everyone: whom it belongs to.
    #[serde(rename = "claimStatus")]
    claim_status: Option<Text<'a>>,
}

/// A user's access to a product on a site.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Access<'a> {
    /// The key of the product.
    #[serde(borrow)]
    key: Option<Text<'a>>,
    /// The name of the product.
    name: Option<Text<'a>>,
    /// The address of the site.
    url: Option<Text<'a>>,
    /// When it was used last.
    #[serde(alias = "lastActiveTimestamp")]
    last_active: Any<'a>,
    /// In the list of everyone: what the site is known by, in place of an address.
    id: Option<Text<'a>>,
}

/// The page so far.
#[derive(Default)]
struct Gathering<'a> {
    members: Vec<Member>,
    sites: Sites<'a>,
    odd_dates: OddDates,
    unnamed: usize,
    has_products: bool,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Vec::with_capacity(USUAL);
        let mut page = Gathering { members, ..Gathering::default() };
        json::each(deserializer, |Object(user)| {
            let member = page.member(user).ok_or("a user without an id")?;
            page.members.push(member);
            Ok(())
        })?;
        let Gathering { members, sites, odd_dates, unnamed, has_products } = page;
        Ok(Self { products: sites.into_products(), members, odd_dates, unnamed, has_products })
    }
}

impl<'a> Gathering<'a> {
    /// Makes a member of a user, which it cannot be without an id.
    fn member(&mut self, user: User<'a>) -> Option<Member> {
        let id = user.account_id.and_then(Text::filled)?;
        self.has_products |= user.product_access.is_some();
        let mut last_seen = self.odd_dates.read(&user.last_active);
        let List(accesses) = user.product_access.unwrap_or_default();
        let mut uses = Vec::with_capacity(accesses.len());
        for access in accesses {
            let Object(access) = access.unwrap_or_default();
            let last_active = self.odd_dates.read(&access.last_active);
            match self.sites.product(access.key, access.name, access.url.or(access.id)) {
                Some(product) => self.add_use(&mut uses, ProductUse { product, last_active }),
                None => {
                    self.unnamed += 1;
                    last_seen = last_seen.max(last_active);
                }
            }
        }
        let nickname = user.nickname.and_then(Text::filled).map(Text::into_string);
        let name = user.name.and_then(Text::filled).map(Text::into_string);
        let name = name.or_else(|| nickname.clone()).unwrap_or_default();
        let email = user.email.and_then(Text::filled);
        let kind = accounts::kind(user.account_type, email.as_ref().map(Text::as_str));
        Some(Member {
            id: id.into_string(),
            email: email.map(Text::into_string),
            name,
            nickname,
            role: self.sites.role(&uses),
            uses,
            last_seen,
            status: status(user.status, user.account_status),
            kind,
            affiliation: user.claim_status.and_then(Text::filled).map(affiliation),
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
}

/// Whether an account can be used: a closed one cannot, whatever its directory says.
fn status(in_directory: Option<Text<'_>>, of_account: Option<Text<'_>>) -> Option<MemberStatus> {
    let of_account = of_account.and_then(Text::filled);
    if of_account.as_ref().is_some_and(|word| word.as_str() == "closed") {
        return Some(MemberStatus::Closed);
    }
    let word = in_directory.and_then(Text::filled).or(of_account)?;
    Some(match word.as_str().as_bytes() {
        b"active" => MemberStatus::Active,
        b"suspended" => MemberStatus::Suspended,
        b"deactivated" | b"inactive" => MemberStatus::Inactive,
        b"not_invited" => MemberStatus::Other("not-invited".to_owned()),
        b"for_deletion" => MemberStatus::Other("for-deletion".to_owned()),
        _ => MemberStatus::Other(word.into_string()),
    })
}

fn affiliation(word: Text<'_>) -> Affiliation {
    match word.as_str().as_bytes() {
        b"managed" => Affiliation::Managed,
        b"unmanaged" => Affiliation::External,
        _ => Affiliation::Other(word.into_string()),
    }
}

#[cfg(test)]
mod tests;
