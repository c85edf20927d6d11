//! What the answers of all calls but the two lists of accounts are read as: one shape, in which each
//! of them is, so that the component has one reader of it.
//!
//! Those calls are made a few times in a run. A field of one of them that is of the wrong type makes
//! an answer of another one unreadable, too; none of them has a field that is another thing
//! elsewhere. What only seats are made of is taken as it comes, so that names are read without it.

use serde::{Deserialize, Deserializer};
use smp_connector_kit::call::Trouble;
use smp_connector_kit::cursor::{self, Cursor};
use smp_connector_kit::json::{self, Any, Count, List, Object, Place, Text, Unreadable};

use super::CURSOR;

/// What is told of a whole list.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// How many there are.
    pub total: Option<Count>,
}

/// An entry of a list.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Entry<'a> {
    /// Of an organization and a product site: what it is known by.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Of an organization, a domain and a product site: what it is.
    pub attributes: Option<Object<Attributes<'a>>>,
    /// Of a product site: what it may be used for, by which plan, and more; of an organization
    /// something else.
    pub relationships: Any<'a>,
    /// Of an API key: what it is called.
    pub label: Option<Text<'a>>,
    /// Of an API key: when it ends.
    #[serde(rename = "expiresAt")]
    pub expires: Any<'a>,
    /// Of an API key: when it was used last.
    #[serde(rename = "lastActiveAt")]
    pub last_active: Any<'a>,
}

/// What an entry is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Attributes<'a> {
    /// Of an organization and a domain: what it is called.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// Of a domain: how far its verification is.
    pub claim: Option<Object<State<'a>>>,
    /// Of a product site: the key of the product.
    #[serde(rename = "typeKey")]
    pub type_key: Option<Text<'a>>,
    /// Of a product site: the name of the product.
    #[serde(rename = "type")]
    pub product: Option<Text<'a>>,
    /// Of a product site: the address.
    #[serde(rename = "hostUrl")]
    pub host_url: Option<Text<'a>>,
    /// Of a product site: whether it is a sandbox.
    pub sandbox: Option<Object<State<'a>>>,
    /// Of a product site: how many seats it has.
    pub capacity: Number,
    /// Of a product site: how many seats are taken.
    pub usage: Number,
}

/// The claim to a domain, or what a product site is as a sandbox.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct State<'a> {
    /// Of a claim: how far it is.
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    /// Of a claim: its method. Of a sandbox: whether it is one.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
}

/// A number that may be anything else: the names of product sites are read from the same answers as
/// their seats, and are not lost for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Number {
    /// It is not told.
    #[default]
    Untold,
    /// It is this.
    Told(u64),
    /// It is something else than a whole number of 0 or more.
    NoCount,
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Any::deserialize(deserializer)? {
            Any::Null => Self::Untold,
            Any::Count(number) => Self::Told(number),
            Any::Text(text) => json::digits(text.as_str()).map_or(Self::NoCount, Self::Told),
            _ => Self::NoCount,
        })
    }
}

/// Where a list goes on.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Links<'a> {
    #[serde(borrow)]
    next: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<List<Option<Object<Entry<'a>>>>>,
    links: Option<Object<Links<'a>>>,
    meta: Option<Object<Meta>>,
    count: Option<Count>,
    errors: Any<'a>,
    error: Any<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerOfOne<'a> {
    #[serde(borrow)]
    data: Option<Object<Entry<'a>>>,
}

/// Reads a page of a list that was asked for with `asked`: its entries, and where it goes on.
///
/// # Errors
///
/// When the answer is no list.
pub fn read<'a>(
    body: &'a [u8],
    asked: Option<&Cursor>,
) -> Result<(impl Iterator<Item = Entry<'a>>, Option<Cursor>), Unreadable> {
    let Page { entries, next, .. } = read_page(body, asked)?;
    Ok((entries.into_iter().flatten().map(|Object(entry)| entry), next))
}

/// A page of a list as it came.
pub struct Page<'a> {
    /// The entries; null may stand in place of one.
    pub entries: Vec<Option<Object<Entry<'a>>>>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
    /// How many entries there are, if that was told.
    pub total: Option<u64>,
}

/// Reads a page of a list that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is no list.
pub fn read_page<'a>(body: &'a [u8], asked: Option<&Cursor>) -> Result<Page<'a>, Unreadable> {
    let answer = answer(body)?;
    let List(entries) = answer.data.ok_or_else(|| Unreadable::Shape(Place::missing("data")))?;
    without(&answer.errors, &answer.error)?;
    let total = answer.meta.and_then(|meta| meta.0.total).map(|Count(total)| total);
    Ok(Page { entries, next: next(answer.links, asked)?, total })
}

/// Reads what is no list, but one entry.
///
/// # Errors
///
/// When the answer is none of one.
pub fn read_one(body: &[u8]) -> Result<Entry<'_>, Unreadable> {
    let Object(answer) = json::read_page::<Object<AnswerOfOne<'_>>>(body)?;
    let entry = answer.data.ok_or_else(|| Unreadable::Shape(Place::missing("data")))?;
    Ok(entry.0)
}

/// Reads a number that stands alone, as `count`.
///
/// # Errors
///
/// When the answer has no such number.
pub fn read_count(body: &[u8]) -> Result<u64, Unreadable> {
    let count = answer(body)?.count.map(|Count(count)| count);
    count.ok_or_else(|| Unreadable::Shape(Place::missing("count")))
}

/// Checks that nothing went wrong beside what is told: a list with errors may lack a part.
///
/// # Errors
///
/// When there is an error.
pub fn without(errors: &Any<'_>, error: &Any<'_>) -> Result<(), Unreadable> {
    let is_none = |errors: &Any<'_>| match errors {
        Any::Null => true,
        Any::Text(error) => error.as_str().is_empty(),
        Any::List(errors) => errors.is_empty(),
        Any::Object(errors) => errors.is_empty(),
        Any::Count(_) | Any::Other => false,
    };
    // A single one may be told by a mere yes or no, which says nothing.
    if is_none(errors) && (is_none(error) || matches!(error, Any::Other)) {
        return Ok(());
    }
    let hint = Trouble::Unknown.hint();
    Err(Unreadable::Unusable { what: "has errors beside the list", hint, setting: None })
}

/// The cursor of the next page of a list that was asked for with `asked`.
///
/// # Errors
///
/// When there is a next page that cannot be asked for.
pub fn next(
    links: Option<Object<Links<'_>>>,
    asked: Option<&Cursor>,
) -> Result<Option<Cursor>, Unreadable> {
    let link = links.and_then(|links| links.0.next);
    cursor::next(link.as_ref().map(Text::as_str), CURSOR, asked).map_err(Unreadable::Next)
}

/// Kept whole, for the size of the component.
#[inline(never)]
fn answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    json::read_page::<Object<Answer<'_>>>(body).map(|Object(answer)| answer)
}
