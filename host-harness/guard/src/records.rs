//! The contract's records, as far as they are judged: a trait for what the guard takes apart, a
//! borrowed view for the rest. A host implements the traits for the types that its bindings make.

/// A page of members.
pub trait Page {
    /// A member of it.
    type Member: Member;

    /// The products that its members use.
    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>>;

    /// Its members, in their order.
    fn members(&self) -> &[Self::Member];

    /// Its members, to take out those that were delivered before.
    fn members_mut(&mut self) -> &mut Vec<Self::Member>;

    /// Where the next page begins; none on the last.
    fn next(&self) -> Option<&str>;

    /// Number of members in the organization, where the service tells it.
    fn total(&self) -> Option<u64>;
}

/// A member.
pub trait Member {
    /// Account identifier at the service.
    fn id(&self) -> &str;

    /// E-mail address, where it is known.
    fn email(&self) -> Option<&str>;

    /// Name. May be empty.
    fn name(&self) -> &str;

    /// The names of the products used, joined.
    fn role(&self) -> &str;

    /// The products used.
    fn uses(&self) -> impl ExactSizeIterator<Item = ProductUse>;

    /// The latest instant at which the member was seen, where it is known.
    fn last_seen(&self) -> Option<Instant>;

    /// Whether the account can be used, where that is known.
    fn status(&self) -> Option<MemberStatus<'_>>;

    /// What the account stands for, where that is known.
    fn kind(&self) -> Option<MemberKind<'_>>;

    /// What else is known, as pairs of a name and a value.
    fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)>;
}

/// A product on a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product<'a> {
    /// The vendor's key for it.
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The site, where it has one.
    pub site: Option<&'a str>,
}

/// A member's use of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductUse {
    /// Index into the page's products.
    pub product: u32,
    /// The latest activity there, where it is known.
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
    /// It was closed for good.
    Closed,
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
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// All is well.
    Passed(&'a str),
    /// It works, but somebody should look.
    Warning(Advice<'a>),
    /// It does not work.
    Failed(Failure<'a>),
    /// It could not be made.
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

/// Why there is no result.
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

/// The account at the service that the settings lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a, A> {
    /// Stable identifier at the service.
    pub id: &'a str,
    /// Name, for people.
    pub name: &'a str,
    /// What else is known: an iterator over pairs of a name and a value.
    pub attributes: A,
}
