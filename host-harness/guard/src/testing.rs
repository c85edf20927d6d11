//! Records of a foreign host for the tests: plain types, as other bindings would generate them.

use crate::bounds::Bounds;
use crate::records::{
    Advice, Affiliation, Entry, Instant, Member, MemberKind, MemberStatus, Page, Product,
    ProductUse, Record,
};

/// Bounds that no test reaches by accident.
pub(crate) const WIDE: Bounds = Bounds {
    text: 100,
    member_text: 100,
    entries: 3,
    page_members: 5,
    pages: 1_000,
    members: 1_000,
    pages_without_news: 100,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) products: Vec<(String, String, Option<String>)>,
    pub(crate) members: Vec<Account>,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<u64>,
    pub(crate) notes: Vec<Advice<'static>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) name: String,
    pub(crate) nickname: Option<String>,
    pub(crate) role: String,
    pub(crate) uses: Vec<ProductUse>,
    pub(crate) last_seen: Option<Instant>,
    pub(crate) status: Option<MemberStatus<'static>>,
    pub(crate) kind: Option<MemberKind<'static>>,
    pub(crate) affiliation: Option<Affiliation<'static>>,
    pub(crate) attributes: Vec<(&'static str, &'static str)>,
}

/// A member of which only the identifier is known.
pub(crate) fn member(id: &str) -> Account {
    Account { id: id.into(), ..Account::default() }
}

impl Page for Records {
    type Record = Account;

    const RECORDS: &'static str = "members";

    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>> {
        self.products.iter().map(|(key, name, site)| Product { key, name, site: site.as_deref() })
    }

    fn records(&self) -> &[Account] {
        &self.members
    }

    fn records_mut(&mut self) -> &mut Vec<Account> {
        &mut self.members
    }

    fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn notes(&self) -> impl ExactSizeIterator<Item = Advice<'_>> {
        self.notes.iter().copied()
    }
}

impl Record for Account {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_person(&self) -> bool {
        crate::guard::is_person(self)
    }
}

impl Member for Account {
    fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn nickname(&self) -> Option<&str> {
        self.nickname.as_deref()
    }

    fn role(&self) -> &str {
        &self.role
    }

    fn uses(&self) -> impl ExactSizeIterator<Item = ProductUse> {
        self.uses.iter().copied()
    }

    fn last_seen(&self) -> Option<Instant> {
        self.last_seen
    }

    fn status(&self) -> Option<MemberStatus<'_>> {
        self.status
    }

    fn kind(&self) -> Option<MemberKind<'_>> {
        self.kind
    }

    fn affiliation(&self) -> Option<Affiliation<'_>> {
        self.affiliation
    }

    fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.attributes.iter().copied()
    }
}

/// A page of usage.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    pub(crate) entries: Vec<Seat>,
    pub(crate) next: Option<&'static str>,
}

/// An entry: its id and its plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seat(pub(crate) &'static str, pub(crate) Option<&'static str>);

impl Page for Seats {
    type Record = Seat;

    const RECORDS: &'static str = "entries";

    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>> {
        self.entries.iter().map(|_| Product { key: "", name: "", site: None })
    }

    fn records(&self) -> &[Seat] {
        &self.entries
    }

    fn records_mut(&mut self) -> &mut Vec<Seat> {
        &mut self.entries
    }

    fn next(&self) -> Option<&str> {
        self.next
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn notes(&self) -> impl ExactSizeIterator<Item = Advice<'_>> {
        [].into_iter()
    }
}

impl Record for Seat {
    fn id(&self) -> &str {
        self.0
    }

    fn is_person(&self) -> bool {
        false
    }
}

impl Entry for Seat {
    fn plan(&self) -> Option<&str> {
        self.1
    }
}
