//! The yardstick: the connector's own core, compiled for this machine, reading the same pages.

use anyhow::{Result, anyhow};
use atlassian_cloud::config::Setting;
use atlassian_cloud::cursor::Cursor;
use atlassian_cloud::flow::collect::collect;
use atlassian_cloud::host::{Host, HttpError, Request, Response};

use crate::pages::{ORGANIZATION, Pages};

/// A host that answers out of memory.
struct Replaying<'a>(&'a Pages);

impl Host for Replaying<'_> {
    fn send(&mut self, Request { path_with_query }: Request) -> Result<Response, HttpError> {
        Ok(Response { status: 200, headers: json(), body: self.0.asked(&path_with_query) })
    }

    fn warn(&mut self, _: &str) {}
}

fn json() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/json".to_owned())]
}

/// Reads all pages one after the other, and gives the number of members on them.
///
/// # Errors
/// When the core refuses a page.
pub fn read_all(pages: &Pages) -> Result<usize> {
    let settings = [Setting { key: "organization-id".to_owned(), value: ORGANIZATION.to_owned() }];
    let (mut host, mut cursor, mut members) = (Replaying(pages), None, 0);
    loop {
        let page = collect(&mut host, &settings, cursor).map_err(|failure| anyhow!("the core refuses its page: {failure:?}"))?;
        members += std::hint::black_box(&page).members.len();
        match page.next {
            Some(next) => cursor = Some(Cursor::into_string(next)),
            None => return Ok(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_reads_every_member() {
        assert_eq!(read_all(&Pages::new(3, 100)).expect("it reads"), 300);
    }
}
