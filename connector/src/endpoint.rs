//! The four calls of the connector, a file each: how it is asked, and what its answer says.
//!
//! | file | call | for |
//! |---|---|---|
//! | `orgs` | `GET /admin/v1/orgs` | telling a wrong organization id from a key that may not read |
//! | `org` | `GET /admin/v1/orgs/{organization-id}` | the name of the organization, and the connection check |
//! | `domains` | `GET /admin/v1/orgs/{organization-id}/domains` | saying why there are no members |
//! | `users` | `GET /admin/v1/orgs/{organization-id}/users` | the members |
//!
//! An endpoint knows nothing of hosts and keys, and nothing of answers that are no success: those are alike for
//! all, and `refusal` reads them.

pub mod domains;
pub mod org;
pub mod orgs;
pub mod users;

use crate::config::OrganizationId;
use crate::cursor::{self, Cursor};
use crate::descriptor::Endpoint;
use crate::host::Request;
use crate::json::{Text, Unreadable, object};

/// The place of the organization id in a path.
const PLACE: &str = "{organization-id}";

/// The request for a page of an organization's list, or for the organization.
fn request(endpoint: &Endpoint, organization: &OrganizationId, cursor: Option<&Cursor>) -> Request {
    let path = endpoint.path.replace(PLACE, organization.as_str());
    Request { path_with_query: cursor::append_to(path, cursor) }
}

object! {
    /// Where a list goes on.
    struct Links<'a> {
        next: Option<Text<'a>> = "next",
    }
}

/// The cursor of the next page of a list that was asked for with `asked`.
fn next(links: &Links<'_>, asked: Option<&Cursor>) -> Result<Option<Cursor>, Unreadable> {
    cursor::next(links.next.as_ref().map(Text::as_str), asked).map_err(Unreadable::Next)
}
