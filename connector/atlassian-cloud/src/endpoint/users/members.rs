//! Makes members of the users of a page, while the page is read.
//!
//! Each user becomes a member as soon as it is complete, so a page is never held twice. The product sites of the
//! page are each kept once, in the order of first appearance; two entries of a user for one site are one use.

mod sites;

use self::sites::Sites;
use crate::json::{self, Input, Kind, List, Place, Text, Unreadable, object};
use crate::model::{Instant, Member, MemberKind, MemberStatus, Product, ProductUse};
use crate::{text, time};

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
        account_id: Option<Text<'a>> = b"account_id",
        account_type: Option<Text<'a>> = b"account_type",
        account_status: Option<Text<'a>> = b"account_status",
        name: Option<Text<'a>> = b"name",
        nickname: Option<Text<'a>> = b"nickname",
        email: Option<Text<'a>> = b"email",
        access_billable: Option<bool> = b"access_billable",
        last_active: Option<Text<'a>> = b"last_active",
        product_access: List<Access<'a>> = b"product_access",
    }
}

object! {
    /// A user's access to a product on a site.
    struct Access<'a> {
        key: Option<Text<'a>> = b"key",
        name: Option<Text<'a>> = b"name",
        url: Option<Text<'a>> = b"url",
        last_active: Option<Text<'a>> = b"last_active",
    }
}

/// The page so far: the place of the list of users.
#[derive(Default)]
pub struct Gathering<'a> {
    is_there: bool,
    members: Vec<Member>,
    sites: Sites<'a>,
    unreadable_times: u32,
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
        let Self { is_there, members, sites, unreadable_times } = self;
        is_there.then(|| Members { products: sites.into_products(), members, unreadable_times })
    }

    /// Adds a user to the members, which it cannot be without an id.
    fn add(&mut self, user: User<'a>, accesses: impl ExactSizeIterator<Item = Access<'a>>) -> Result<(), Unreadable> {
        let id = user.account_id.and_then(Text::filled).ok_or(Unreadable::Shape)?;
        let mut last_seen = self.instant(user.last_active);
        let mut uses = Vec::with_capacity(accesses.len());
        for access in accesses {
            let last_active = self.instant(access.last_active);
            last_seen = last_seen.max(last_active);
            if let Some(product) = self.sites.product(access.key, access.name, access.url) {
                self.add_use(&mut uses, ProductUse { product, last_active });
            }
        }
        let nickname = user.nickname.and_then(Text::filled).map(Text::into_string);
        let name = user.name.and_then(Text::filled).map(Text::into_string);
        self.members.push(Member {
            id: id.into_string(),
            email: user.email.and_then(Text::filled).map(Text::into_string),
            name: name.or_else(|| nickname.clone()).unwrap_or_default(),
            role: self.sites.role(&uses),
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
    fn add_use(&mut self, uses: &mut Vec<ProductUse>, next: ProductUse) {
        match self.sites.used_before(next.product, self.members.len(), uses.len()).and_then(|place| uses.get_mut(place)) {
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
