//! `POST /admin/v2/orgs/{organization-id}/directories/-/users/search`: everyone in the directories
//! of the organization, a page at a time.
//!
//! A search changes nothing. It has no total of its own, and the products of a person are ids of
//! product sites: [`super::count`] and [`super::workspaces`] have the rest.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-users/)

mod people;

use smp_connector_kit::call::{Need, Route};
use smp_connector_kit::cursor::{BadLink, Cursor};
use smp_connector_kit::json::{self, Unreadable};
use smp_connector_kit::{Host, Instant, Member, Product};

use self::people::people;
use super::users::{self, AccountsPage};
use crate::config::{Config, EVERYONE, PEOPLE};
use crate::dates::OddDates;
use crate::place;
use crate::refusal::Refusal;
use crate::sites::Sites;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::post(
    "/admin/v2/orgs/{organization-id}/directories/-/users/search",
    "Reads everyone in the organization with the products they use",
    Some("read:directories:admin"),
)
.when(&[Need::Setting(PEOPLE, EVERYONE)])
.reading(&[super::DATE]);

/// How the body of every request begins: a hundred people, with their products.
const BODY: &str = r#"{"limit":100,"expand":["productAccess"]"#;

/// A page of people.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// The product sites that they use, each once.
    pub products: Vec<Product>,
    /// The people, in the order of the answer, each once.
    pub members: Vec<Member>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
    /// The dates that were left out.
    pub odd_dates: OddDates,
    /// How many other values were.
    pub left_out: usize,
    /// Whether there are people, and nothing tells the products of any of them.
    pub lacks_products: bool,
}

/// Asks for a page, the first or the one at the cursor, with the product sites that are known.
///
/// # Errors
///
/// When there is no such page, it cannot be read, or the organization may be none of the key's.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
    sites: &Sites,
) -> Result<SearchPage, Refusal> {
    let mut body = BODY.to_owned();
    if let Some(cursor) = asked {
        body.push_str(r#","cursor":"#);
        body.push_str(&json::quoted(cursor.as_str()));
    }
    body.push('}');
    super::post(host, &ROUTE, config, asked, body, |body, answered| {
        let page = read(body, asked, sites, answered.at)?;
        Ok(SearchPage { left_out: page.left_out + answered.left_out, ..page })
    })
}

/// Reads a page that was asked for with `asked`, of an answer of that date.
///
/// # Errors
///
/// When the answer is not one of this call, or a person in it has no id.
pub fn read(
    body: &[u8],
    asked: Option<&Cursor>,
    sites: &Sites,
    answered: Option<Instant>,
) -> Result<SearchPage, Unreadable> {
    let AccountsPage { accounts, next, .. } = users::accounts(body, asked, answered)?;
    if next.as_ref().is_some_and(|next| place::write(next, &Sites::default()).is_none()) {
        return Err(Unreadable::Next(BadLink::TooLong));
    }
    let (odd_dates, has_products) = (accounts.odd_dates, accounts.has_products);
    let left_out = accounts.unnamed;
    let (products, members) = people(accounts, sites);
    let lacks_products = !members.is_empty() && !has_products;
    Ok(SearchPage { products, members, next, odd_dates, left_out, lacks_products })
}

#[cfg(test)]
mod tests;
