//! The seats of the product sites, in the same answer as their names: how many the organization may
//! fill, and how many are taken.
//!
//! Atlassian counts seats of some products only. What it does not tell is absent, never zero.

use smp_connector_kit::cursor::{BadLink, Cursor};
use smp_connector_kit::json::{Any, Object, Place, Text, Unreadable};
use smp_connector_kit::{Entry, Host, Product};

use super::{ROUTE, body_of, site};
use crate::config::Config;
use crate::endpoint::list::{self, Attributes, Number, Page};
use crate::place;
use crate::refusal::Refusal;
use crate::sites::{self, Named};

/// A page of product sites with their seats.
#[derive(Debug, PartialEq, Eq)]
pub struct SeatsPage {
    /// The product sites, in the order of the answer.
    pub entries: Vec<Entry>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
    /// How many there are, if that was told.
    pub total: Option<u64>,
}

/// Asks for a page, the first or the one at the cursor.
///
/// # Errors
///
/// When there is no such page, it cannot be read, or the organization may be none of the key's.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
) -> Result<SeatsPage, Refusal> {
    super::super::post(host, &ROUTE, config, asked, body_of(asked), |body, _| read(body, asked))
}

/// Reads a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is not one of this call, a product site has no id, or a number of seats is no
/// count.
pub fn read(body: &[u8], asked: Option<&Cursor>) -> Result<SeatsPage, Unreadable> {
    let Page { entries: told, next, total } = list::read_page(body, asked)?;
    let mut entries = Vec::with_capacity(told.len());
    for (place, workspace) in told.into_iter().enumerate() {
        entries.push(entry(place, &workspace.unwrap_or_default().0)?);
    }
    if next.as_ref().is_some_and(|next| place::usage::write(next, None).is_none()) {
        return Err(Unreadable::Next(BadLink::TooLong));
    }
    Ok(SeatsPage { entries, next, total })
}

/// The product site at a place of the list.
fn entry(place: usize, workspace: &list::Entry<'_>) -> Result<Entry, Unreadable> {
    let list::Entry { id, attributes, relationships, .. } = workspace;
    let id = id.as_ref().map_or("", Text::as_str);
    if id.is_empty() {
        return Err(Unreadable::Shape(Place::missing(&format!("data[{place}].id"))));
    }
    let untold = Attributes::default();
    let attributes = attributes.as_ref().map_or(&untold, |Object(attributes)| attributes);
    let known = site(attributes);
    let key = attributes.type_key.as_ref().map_or("", Text::as_str);
    let sandbox = attributes.sandbox.as_ref().and_then(|Object(sandbox)| sandbox.kind.as_ref());
    // Where nothing says which product it is, its id is all that there is to call it by.
    let nameless = Named { key, name: id, site: None };
    let named = sites::named(Some(&known), key, id).unwrap_or(nameless);
    Ok(Entry {
        plan: plan(relationships, named.key),
        purchased: seats(attributes.capacity, place, "capacity")?,
        used: seats(attributes.usage, place, "usage")?,
        sandbox: sandbox.and_then(|word| is_sandbox(word.as_str())),
        ..Entry::new(
            id,
            Product {
                key: named.key.to_owned(),
                name: named.name.to_owned(),
                site: named.site.map(str::to_owned),
            },
        )
    })
}

/// A number of seats, which is told, or absent.
fn seats(number: Number, place: usize, field: &str) -> Result<Option<u64>, Unreadable> {
    match number {
        Number::Untold => Ok(None),
        Number::Told(number) => Ok(Some(number)),
        Number::NoCount => {
            let field = format!("data[{place}].attributes.{field}");
            Err(Unreadable::Shape(Place::no_count(field)))
        }
    }
}

/// The plan of the product with this key, or the first one of anything that is related to it:
/// `{"entitlements":[{"attributes":{"key","plan","planKey"}}]}`, beside which other things stand.
fn plan(relationships: &Any<'_>, key: &str) -> Option<String> {
    let Any::Object(lists) = relationships else { return None };
    let mut first = None;
    for related in lists.iter().flat_map(|(_, list)| list.entries()) {
        let Some(told) = related.get("attributes") else { continue };
        let word = |name| told.get(name)?.text().filter(|word| !word.is_empty());
        let plan = word("plan").or_else(|| word("planKey"));
        if plan.is_some() && word("key") == Some(key) {
            return plan.map(str::to_owned);
        }
        first = first.or(plan);
    }
    first.map(str::to_owned)
}

/// Whether it is a sandbox of another site, by the word for it.
fn is_sandbox(word: &str) -> Option<bool> {
    match word {
        "CHILD" => Some(true),
        "NONE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
