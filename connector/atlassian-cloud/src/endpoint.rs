//! The calls of the connector, a file each: how it is asked, and what its answer says.
//!
//! | file | call | for |
//! |---|---|---|
//! | `orgs` | `GET /admin/v1/orgs` | telling a wrong organization id from a key that may not read |
//! | `org` | `GET /admin/v1/orgs/{organization-id}` | the name of the organization, and the connection check |
//! | `domains` | `GET /admin/v1/orgs/{organization-id}/domains` | saying why there are no members |
//! | `users` | `GET /admin/v1/orgs/{organization-id}/users` | the managed accounts |
//! | `count` | `GET /admin/v2/orgs/{organization-id}/directories/-/users/count` | how many everyone is |
//! | `workspaces` | `POST /admin/v2/orgs/{organization-id}/workspaces` | the names of product sites, and their seats |
//! | `search` | `POST /admin/v2/orgs/{organization-id}/directories/-/users/search` | everyone |
//! | `keys` | `GET /admin/api-access/v1/orgs/{organization-id}/api-keys` | when the key ends |
//!
//! An endpoint knows nothing of hosts and keys, and nothing of answers that are no success: those
//! are alike for all, and `refusal` reads them. A field may be absent or `null`, which is the same;
//! a field of the wrong type makes the answer unreadable. `list` reads what is no list of accounts.

pub mod list;

pub mod domains;
pub mod org;
pub mod orgs;
pub mod users;

pub mod count;
pub mod workspaces;

pub mod search;

pub mod keys;

use smp_connector_kit::call::{self, Route};
use smp_connector_kit::cursor::{self, Cursor};
use smp_connector_kit::json::Unreadable;
use smp_connector_kit::{Host, Instant, Request, time};

use crate::config::Config;
use crate::refusal::{Asked, Refusal};

/// The parameter that a list is asked for with, and its links name.
const CURSOR: &str = "cursor";

/// The header that says when an answer was given.
const DATE: &str = "date";

/// What is known of an answer beside its body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answered {
    /// When it was given.
    pub at: Option<Instant>,
    /// How many values are left out of it, because they are of another kind.
    pub left_out: usize,
}

/// Asks for a page of a list, or for what is no list, and reads the answer.
fn get<T>(
    host: &mut dyn Host,
    route: &'static Route,
    config: &Config,
    cursor: Option<&Cursor>,
    mut read: impl FnMut(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, Refusal> {
    get_dated(host, route, config, cursor, |body, _| read(body))
}

/// The same, with what is known of the answer for its reader.
fn get_dated<T>(
    host: &mut dyn Host,
    route: &'static Route,
    config: &Config,
    cursor: Option<&Cursor>,
    read: impl FnMut(&[u8], Answered) -> Result<T, Unreadable>,
) -> Result<T, Refusal> {
    let path = cursor::append_to(path(route, config), CURSOR, cursor);
    send(host, &Request::get(path), route, config, cursor, read)
}

/// Asks with a body, and reads the answer.
fn post<T>(
    host: &mut dyn Host,
    route: &'static Route,
    config: &Config,
    cursor: Option<&Cursor>,
    body: String,
    read: impl FnMut(&[u8], Answered) -> Result<T, Unreadable>,
) -> Result<T, Refusal> {
    send(host, &Request::post(path(route, config), body), route, config, cursor, read)
}

fn path(route: &Route, config: &Config) -> String {
    route.path_of(&[config.organization().as_str()])
}

fn send<T>(
    host: &mut dyn Host,
    request: &Request,
    route: &'static Route,
    config: &Config,
    cursor: Option<&Cursor>,
    mut read: impl FnMut(&[u8], Answered) -> Result<T, Unreadable>,
) -> Result<T, Refusal> {
    let call = Asked::for_page(route, config.people(), cursor);
    call::send_whole(host, request, &call, |response, left_out| {
        let at = response.header(DATE).and_then(time::http_date);
        read(&response.body, Answered { at, left_out })
    })
}
