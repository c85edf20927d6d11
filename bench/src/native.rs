//! The yardstick: the connector's core, compiled for this machine, reading the same pages.

use anyhow::{Result, anyhow};
use atlassian_cloud::AtlassianCloud;
use smp_connector_kit::{Connector, Host, HttpError, Level, Request, Response, Setting};

use crate::pages::{ORGANIZATION, Pages};

/// A host that answers from memory.
struct Replaying<'a>(&'a Pages);

impl Host for Replaying<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        Ok(Response { status: 200, headers: json(), body: self.0.asked(&request.path_with_query) })
    }

    fn log(&mut self, _: Level, _: &str) {}
}

fn json() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/json".to_owned())]
}

/// Reads all pages in order, and returns the number of members on them.
///
/// # Errors
/// When the core refuses a page.
pub fn read_all(pages: &Pages) -> Result<usize> {
    let settings = [Setting { key: "organization-id".to_owned(), value: ORGANIZATION.to_owned() }];
    let (mut host, mut cursor, mut members) = (Replaying(pages), None, 0);
    loop {
        let page = AtlassianCloud::collect(&mut host, &settings, cursor);
        let page = page.map_err(|failure| anyhow!("the core refuses its page: {failure:?}"))?;
        members += std::hint::black_box(&page).members.len();
        match page.next {
            Some(next) => cursor = Some(next),
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
