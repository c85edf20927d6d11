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

/// The request for a page of an organization's list, or for the organization.
fn request(endpoint: &Endpoint, organization: &OrganizationId, cursor: Option<&Cursor>) -> Request {
    Request { path_with_query: cursor::append_to(path(endpoint, organization), cursor) }
}

/// The path with the organization id in its place, the only one that there is.
fn path(endpoint: &Endpoint, organization: &OrganizationId) -> String {
    let template = endpoint.path;
    let (before, rest) = template.split_once('{').unwrap_or((template, ""));
    match rest.split_once('}') {
        Some((_, after)) => [before, organization.as_str(), after].concat(),
        None => template.to_owned(),
    }
}

object! {
    /// Where a list goes on.
    struct Links<'a> {
        next: Option<Text<'a>> = b"next",
    }
}

/// The cursor of the next page of a list that was asked for with `asked`.
fn next(links: &Links<'_>, asked: Option<&Cursor>) -> Result<Option<Cursor>, Unreadable> {
    cursor::next(links.next.as_ref().map(Text::as_str), asked).map_err(Unreadable::Next)
}
