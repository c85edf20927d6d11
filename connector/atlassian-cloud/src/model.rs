//! What a collection gives: a page of members, the products they use, and instants.
//!
//! Plain records in the shape of the contract, without behaviour and without a trace of how the vendor writes
//! them. An absent value is `None`, never an empty string, a zero or a made-up date.

use crate::cursor::Cursor;

/// The organization that the settings lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The organization id: it stays the same whatever the organization is renamed to.
    pub id: String,
    /// The name, for people.
    pub name: String,
}

/// A page of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPage {
    /// The product sites that the members of this page use, each once, in the order of first appearance.
    pub products: Vec<Product>,
    /// The members, as the vendor orders them.
    pub members: Vec<Member>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
    /// The number of managed accounts in the organization, where the vendor tells it.
    pub total: Option<u64>,
}

/// A product on a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The vendor's key, as it came.
    pub key: String,
    /// The name of the product.
    pub name: String,
    /// The site, without scheme and trailing slash.
    pub site: Option<String>,
}

/// A managed account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account id, as it came; never empty.
    pub id: String,
    /// The e-mail address; `None` where its owner hides it.
    pub email: Option<String>,
    /// The name as the vendor shows it, else the nickname, else empty.
    pub name: String,
    /// The distinct names of the products used, in byte order, joined by `, `.
    pub role: String,
    /// The products used.
    pub uses: Vec<ProductUse>,
    /// The newest activity of the account and its products; `None` is unknown.
    pub last_seen: Option<Instant>,
    /// Whether the account can be used.
    pub status: Option<MemberStatus>,
    /// What the account stands for.
    pub kind: Option<MemberKind>,
    /// Whether the vendor bills Atlassian Guard Standard for the account.
    pub billable: Option<bool>,
    /// What else is known, as pairs of a name and a value.
    pub attributes: Vec<(String, String)>,
}

/// A member's use of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductUse {
    /// The index into the page's products.
    pub product: u32,
    /// The newest activity there; `None` is unknown.
    pub last_active: Option<Instant>,
}

/// A point in time, in UTC, without leap seconds. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds of that second, below 1,000,000,000.
    pub nanoseconds: u32,
}

/// Whether an account can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberStatus {
    /// It can.
    Active,
    /// It was deactivated.
    Inactive,
    /// It was closed for good.
    Closed,
    /// The vendor's word for anything else.
    Other(String),
}

/// What an account stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A person of the organization.
    Person,
    /// A bot or an integration.
    App,
    /// A customer of the organization's help desk.
    Customer,
    /// The vendor's word for anything else.
    Other(String),
}
