//! The contract's records, as far as they are judged: traits for pages and their records, which the
//! guard takes apart, and borrowed views of the rest. A host implements the traits for the types of
//! its bindings.

/// A page of records of one kind.
pub trait Page {
    /// A record of the page: a member, or an entry of usage.
    type Record: Record;

    /// What such records are called in messages, for example `members`.
    const RECORDS: &'static str;

    /// The products that the records refer to.
    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>>;

    /// The records, in their order.
    fn records(&self) -> &[Self::Record];

    /// The records, mutable, so that the guard can remove those that were delivered before.
    fn records_mut(&mut self) -> &mut Vec<Self::Record>;

    /// Where the next page begins; `None` on the last page.
    fn next(&self) -> Option<&str>;

    /// Number of records in the organization, if the service states it.
    fn total(&self) -> Option<u64>;

    /// What needs attention, although the page is right.
    fn notes(&self) -> impl ExactSizeIterator<Item = Advice<'_>>;
}

/// A record that has an identifier.
pub trait Record {
    /// Identifier at the service.
    fn id(&self) -> &str;

    /// Whether it counts as a person.
    fn is_person(&self) -> bool;
}

/// A member.
pub trait Member: Record {
    /// E-mail address, if it is known.
    fn email(&self) -> Option<&str>;

    /// Name. May be empty.
    fn name(&self) -> &str;

    /// A second name, where there is one.
    fn nickname(&self) -> Option<&str>;

    /// The names of the products used, joined.
    fn role(&self) -> &str;

    /// The products used.
    fn uses(&self) -> impl ExactSizeIterator<Item = ProductUse>;

    /// The latest instant at which the member was seen, if it is known.
    fn last_seen(&self) -> Option<Instant>;

    /// Whether the account can be used, if that is known.
    fn status(&self) -> Option<MemberStatus<'_>>;

    /// What the account stands for, if that is known.
    fn kind(&self) -> Option<MemberKind<'_>>;

    /// How the member belongs to the organization, if that is known.
    fn affiliation(&self) -> Option<Affiliation<'_>>;

    /// Further attributes, as pairs of a name and a value.
    fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)>;
}

/// Usage of a product on a site. Its product is among the page's products, at its own place.
pub trait Entry: Record {
    /// The plan, in the vendor's word.
    fn plan(&self) -> Option<&str>;
}

/// A product on a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product<'a> {
    /// The vendor's key for it.
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The site, if the product has one.
    pub site: Option<&'a str>,
}

/// A member's use of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductUse {
    /// Index into the page's products.
    pub product: u32,
    /// The latest activity there, if it is known.
    pub last_active: Option<Instant>,
}

/// A point in time, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds of that second.
    pub nanoseconds: u32,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStatus<'a> {
    /// It can.
    Active,
    /// It was deactivated.
    Inactive,
    /// It was closed permanently.
    Closed,
    /// It was blocked for a while.
    Suspended,
    /// The person has not accepted the invitation.
    Invited,
    /// Anything else, in the vendor's word.
    Other(&'a str),
}

/// What an account stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind<'a> {
    /// A person of the organization.
    Person,
    /// An application.
    App,
    /// A customer of the organization.
    Customer,
    /// An account for programs of the organization.
    ServiceAccount,
    /// Anything else, in the vendor's word.
    Other(&'a str),
}

/// How a member belongs to the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affiliation<'a> {
    /// The organization owns the account.
    Managed,
    /// The account belongs to somebody else.
    External,
    /// Anything else, in the vendor's word.
    Other(&'a str),
}

/// One check of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check<'a> {
    /// Stable identifier.
    pub id: &'a str,
    /// What is checked, for people.
    pub title: &'a str,
    /// Key of the setting concerned.
    pub setting: Option<&'a str>,
    /// Its outcome.
    pub outcome: Outcome<'a>,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Nothing is wrong.
    Passed(&'a str),
    /// It works, but an administrator should look at it.
    Warning(Advice<'a>),
    /// It does not work.
    Failed(Failure<'a>),
    /// It could not be run.
    Skipped(&'a str),
}

/// What to look at, though it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice<'a> {
    /// What was found.
    pub message: &'a str,
    /// What to do about it.
    pub hint: &'a str,
    /// Key of the setting concerned.
    pub setting: Option<&'a str>,
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// What happened.
    pub message: &'a str,
    /// What an administrator does about it.
    pub hint: &'a str,
    /// Key of the setting concerned.
    pub setting: Option<&'a str>,
    /// The vendor's own code for it.
    pub vendor_code: Option<&'a str>,
}

/// The account at the service that the settings identify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a, A> {
    /// Stable identifier at the service.
    pub id: &'a str,
    /// Name, for people.
    pub name: &'a str,
    /// Further attributes: an iterator over pairs of a name and a value.
    pub attributes: A,
}
