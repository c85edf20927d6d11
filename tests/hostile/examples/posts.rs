//! Sends POSTs: `validate` to an endpoint that it declares for GET only, and `collect-members` to
//! one that it declares for POST, with a text that makes it look harmless. Whatever the result, it
//! reports success.

use hostile::{Connector, Descriptor, Failure, HttpMethod, MemberPage, Report, Setting, report};
use hostile::{
    answer_of, check, descriptor, endpoint, http, member, organization, page, people_path,
};

struct Posts;

impl Connector for Posts {
    fn describe() -> Descriptor {
        let mut descriptor = descriptor();
        descriptor
            .api
            .endpoints
            .push(endpoint(HttpMethod::Post, "/v1/orgs/{organization-id}/search"));
        descriptor
    }

    fn validate(settings: Vec<Setting>) -> Report {
        let _whatever = answer_of(http::Method::Post, &people_path(&settings), Some("{}"));
        report(vec![check(Ok("All is well.".into()))])
    }

    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        answer_of(
            http::Method::Post,
            &format!("/v1/orgs/{}/search", organization(&settings)),
            Some("{}"),
        )?;
        Ok(page(vec![member("ada"), member("grace")], None))
    }
}

hostile::component!(Posts);
