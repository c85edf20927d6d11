//! The four calls of the connector, a file each: how it is asked, and what its answer says.
//!
//! | file | call | for |
//! |---|---|---|
//! | `orgs` | `GET /admin/v1/orgs` | telling a wrong organization id from a key that may not read |
//! | `org` | `GET /admin/v1/orgs/{organization-id}` | the name of the organization, and the connection check |
//! | `domains` | `GET /admin/v1/orgs/{organization-id}/domains` | saying why there are no members |
//! | `users` | `GET /admin/v1/orgs/{organization-id}/users` | the members |
//!
//! An endpoint knows nothing of hosts and keys, and nothing of answers that are no success: those
//! are alike for all, and `refusal` reads them. A field may be absent or `null`, which is the same;
//! a field of the wrong type makes the answer unreadable.

pub mod domains;
pub mod org;
pub mod orgs;
pub mod users;

use serde::Deserialize;
use smp_connector_kit::Host;
use smp_connector_kit::call::{self, Route};
use smp_connector_kit::cursor::{self, Cursor};
use smp_connector_kit::json::{Object, Text, Unreadable};

use crate::config::OrganizationId;
use crate::refusal::{Asked, Refusal};

/// The parameter that a list is asked for with, and its links name.
const CURSOR: &str = "cursor";

/// Asks for a page of a list, or for what is no list, and reads the answer.
fn get<T>(
    host: &mut dyn Host,
    route: &'static Route,
    organization: &OrganizationId,
    cursor: Option<&Cursor>,
    read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, Refusal> {
    let path = cursor::append_to(route.path_of(&[organization.as_str()]), CURSOR, cursor);
    call::get(host, path, &Asked::for_page(route, cursor), read)
}

/// Where a list goes on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Links<'a> {
    #[serde(borrow)]
    next: Option<Text<'a>>,
}

/// The cursor of the next page of a list that was asked for with `asked`.
fn next(
    links: Option<Object<Links<'_>>>,
    asked: Option<&Cursor>,
) -> Result<Option<Cursor>, Unreadable> {
    let link = links.and_then(|links| links.0.next);
    cursor::next(link.as_ref().map(Text::as_str), CURSOR, asked).map_err(Unreadable::Next)
}
