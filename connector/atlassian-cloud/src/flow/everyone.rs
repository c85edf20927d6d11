//! Reads one page of everyone in the organization.
//!
//! ```text
//! no cursor ─▶ count ─▶ sites ─▶ search ─┬─ there is a next page ─────────▶ page
//!    cursor ─┬─ with the names ─────▲    └─ it is the last ─▶ count ───────▶ page
//!            └─ without ─▶ sites ───┘
//! ```
//!
//! The search has no total, so the number of people is asked for before the first page and after the
//! last one: the host compares both with what it got.

use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{Failure, FailureKind, Host, Level, MemberPage, mend};

use super::standing::settled;
use crate::config::Config;
use crate::endpoint::search::{self, SearchPage};
use crate::endpoint::{count, workspaces};
use crate::place::{self, Place};
use crate::refusal;
use crate::sites::Sites;

/// Most pages of product sites that are read, of a thousand each: the largest organizations have a
/// few hundred sites.
const MOST_SITE_PAGES: u32 = 10;

/// Reads the first page, or the one at the cursor.
///
/// # Errors
///
/// When the cursor is none of this list, the page cannot be read, or nothing in it tells products.
pub fn page(
    host: &mut dyn Host,
    config: &Config,
    cursor: Option<String>,
) -> Result<MemberPage, Failure> {
    let place = cursor.map(|text| Place::read(&text).ok_or_else(refusal::foreign_cursor));
    let place = place.transpose()?;
    let before = match place {
        None => Some(count(host, config)?),
        Some(_) => None,
    };
    let (asked, known) = place.map_or((None, None), |place| (Some(place.cursor), place.sites));
    let sites = known.map_or_else(|| sites(host, config), Ok)?;
    let page = search(host, config, asked.as_ref(), &sites)?;
    let SearchPage { products, members, next, odd_dates, left_out, lacks_products: _ } = page;
    let after = match next {
        None => Some(count(host, config)?),
        Some(_) => None,
    };
    Ok(MemberPage {
        products,
        members,
        // Of a list of one page both can be told in one place alone: the host goes by the smaller.
        total: before.into_iter().chain(after).min(),
        next: next.and_then(|next| place::write(&next, &sites)),
        notes: odd_dates.note(host).into_iter().chain(mend::note(left_out)).collect(),
    })
}

/// How many people there are.
///
/// # Errors
///
/// When it cannot be read.
pub fn count(host: &mut dyn Host, config: &Config) -> Result<u64, Failure> {
    count::get(host, config).map_err(|refusal| settled(host, config, refusal))
}

/// The product sites, as many as are read.
///
/// # Errors
///
/// When they cannot be read.
pub fn sites(host: &mut dyn Host, config: &Config) -> Result<Sites, Failure> {
    let (mut sites, mut cursor) = (Sites::default(), None);
    for _ in 0..MOST_SITE_PAGES {
        cursor = workspaces::get(host, config, cursor.as_ref(), &mut sites)
            .map_err(|refusal| settled(host, config, refusal))?;
        if cursor.is_none() {
            return Ok(sites);
        }
    }
    host.log(Level::Warn, "there are more product sites than are read; the others have no name");
    Ok(sites)
}

/// A page of people, of whom somebody's products are told.
///
/// # Errors
///
/// When it cannot be read, or lacks what it is read for.
pub fn search(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
    sites: &Sites,
) -> Result<SearchPage, Failure> {
    let page = search::get(host, config, asked, sites)
        .map_err(|refusal| settled(host, config, refusal))?;
    if page.lacks_products {
        return Err(Failure::new(
            FailureKind::Other,
            format!(
                "Atlassian lists the people of this organization without the products they use \
                 ({}), so who uses what cannot be told.",
                search::ROUTE
            ),
            "Try again with an API key without scopes, made by an organization admin. If it stays \
             so, Atlassian does not give these data for your organization: choose the managed \
             accounts only in the settings, and send this message to the support of your SaaS \
             management platform.",
        )
        .at(crate::config::PEOPLE));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{HttpError, Product, Response};

    use crate::flow::collect::collect;
    use crate::testing::{Below, ORGANIZATION, dated, settings_for_everyone};

    const COUNT: &str = "/{org}/directories/-/users/count";
    const FIRST: &str = r#"{"limit":100,"expand":["productAccess"]}"#;
    const SECOND: &str = r#"{"limit":100,"expand":["productAccess"],"cursor":"two"}"#;
    const SITES: &str = r#"{"limit":1000}"#;
    const ONE_SITE: &str = r#"{"data":[{"id":"ari:cloud:confluence::site/1","attributes":
        {"typeKey":"confluence","type":"Confluence","hostUrl":"https://acme.atlassian.net"}}]}"#;

    #[test]
    fn the_first_page_is_asked_for_after_the_number_and_the_sites() {
        let mut host = Script::new()
            .at_v2(COUNT, counted(2))
            .listed(SITES, answer(200, ONE_SITE))
            .searched(FIRST, people("a", Some("two")));
        let page = collect(&mut host, &settings_for_everyone(), None).unwrap();
        assert_eq!((page.members.len(), page.total), (1, Some(2)));
        assert_eq!(page.products, [wiki("acme.atlassian.net")]);
        let next = r#"e1n["two","confluence::site/1","Confluence","acme.atlassian.net"]"#;
        assert_eq!(page.next.as_deref(), Some(next));
    }

    #[test]
    fn the_last_page_is_followed_by_the_number_once_more() {
        let cursor = r#"e1n["two","confluence::site/1","Confluence","acme.atlassian.net"]"#;
        let mut host = Script::new().searched(SECOND, people("b", None)).at_v2(COUNT, counted(3));
        let page = read(&mut host, cursor).unwrap();
        assert_eq!((page.next, page.total), (None, Some(3)));
        assert_eq!(page.products, [wiki("acme.atlassian.net")]);
    }

    #[test]
    fn names_that_did_not_fit_are_asked_for_again() {
        let mut host = Script::new()
            .listed(SITES, answer(200, ONE_SITE))
            .searched(SECOND, people("b", Some("three")));
        let page = read(&mut host, r#"e1a["two"]"#).unwrap();
        assert_eq!((page.total, page.products), (None, vec![wiki("acme.atlassian.net")]));
    }

    #[test]
    fn a_list_of_one_page_has_the_smaller_of_both_numbers() {
        for (before, after) in [(1, 2), (2, 1), (1, 1)] {
            let mut host = Script::new()
                .at_v2(COUNT, counted(before))
                .listed(SITES, answer(200, ONE_SITE))
                .searched(FIRST, people("a", None))
                .at_v2(COUNT, counted(after));
            let page = collect(&mut host, &settings_for_everyone(), None).unwrap();
            assert_eq!(page.total, Some(1));
        }
    }

    #[test]
    fn sites_are_read_page_by_page_up_to_a_bound() {
        let mut host = Script::new().at_v2(COUNT, counted(1));
        for page in 0..MOST_SITE_PAGES {
            let body =
                if page == 0 { SITES.to_owned() } else { format!(r#"{{"cursor":"{page}"}}"#) };
            let next = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1);
            host = host.listed(&body, answer(200, &next));
        }
        let mut host = host.searched(FIRST, people("a", Some("two")));
        let page = collect(&mut host, &settings_for_everyone(), None).unwrap();
        assert_eq!(page.products, [wiki("1")]);
        assert_eq!(host.lines.len(), 1);
    }

    #[test]
    fn people_without_products_are_no_list() {
        let without_products = r#"{"data":[{"accountId":"a"},{"accountId":"b"}]}"#;
        let mut host = Script::new()
            .at_v2(COUNT, counted(2))
            .listed(SITES, answer(200, ONE_SITE))
            .searched(FIRST, answer(200, without_products));
        let failure = collect(&mut host, &settings_for_everyone(), None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Other);
        assert!(failure.message.contains("without the products"), "{}", failure.message);
        assert!(failure.hint.contains("without scopes"), "{}", failure.hint);
    }

    #[test]
    fn a_cursor_of_another_list_is_refused_in_both() {
        for cursor in ["c2Vjb25k", "", r#"e1n["two""#, r#"e9n["two"]"#] {
            let failure = read(&mut Script::new(), cursor).unwrap_err();
            assert_eq!(failure.kind, FailureKind::CursorExpired, "{cursor}");
        }
        let cursor = Some(r#"e1a["two"]"#.to_owned());
        let settings = crate::testing::settings();
        let failure = collect(&mut Script::new(), &settings, cursor).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CursorExpired);
    }

    #[test]
    fn a_key_without_the_scope_is_told_which_it_lacks() {
        let listed = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
        let scope = r#"{"code":401,"message":"Unauthorized; scope does not match"}"#;
        for status in [401, 403] {
            for (body, looks) in [("", true), (scope, false)] {
                let mut host = Script::new().at_v2(COUNT, answer(status, body));
                if looks {
                    host = host.at("", answer(200, &listed));
                }
                lacks(&mut host, "read:directories:admin");
                let mut host =
                    Script::new().at_v2(COUNT, counted(1)).listed(SITES, answer(status, body));
                if looks {
                    host = host.at("", answer(200, &listed));
                }
                lacks(&mut host, "read:workspaces:admin");
            }
        }
    }

    #[test]
    fn a_date_ahead_of_the_answer_is_noted() {
        let body = r#"{"data":[{"accountId":"a","productAccess":[{"key":"confluence",
            "lastActiveTimestamp":"2027-01-01T00:00:00Z"}]}]}"#;
        let mut host = Script::new()
            .at_v2(COUNT, counted(1))
            .listed(SITES, answer(200, ONE_SITE))
            .searched(FIRST, dated("Fri, 20 Nov 2026 10:15:30 GMT", body))
            .at_v2(COUNT, counted(1));
        let page = collect(&mut host, &settings_for_everyone(), None).unwrap();
        assert_eq!((page.members[0].last_seen, page.notes.len()), (None, 1));
    }

    /// Checks that the failure names the scope, and every scope that a key with scopes needs.
    fn lacks(host: &mut Script, scope: &str) {
        let failure = collect(host, &settings_for_everyone(), None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permission);
        assert_eq!(failure.setting.as_deref(), Some("api-key"));
        let said = format!("{} {}", failure.message, failure.hint);
        assert!(said.matches(scope).count() >= 2, "{said}");
        for word in ["read:directories:admin", "read:workspaces:admin", "without scopes"] {
            assert!(failure.hint.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("read:accounts:admin"), "{said}");
    }

    fn read(host: &mut Script, cursor: &str) -> Result<MemberPage, Failure> {
        collect(host, &settings_for_everyone(), Some(cursor.to_owned()))
    }

    fn counted(number: u64) -> Result<Response, HttpError> {
        answer(200, &format!(r#"{{"count":{number}}}"#))
    }

    fn people(id: &str, next: Option<&str>) -> Result<Response, HttpError> {
        let next = next.map_or_else(|| "null".to_owned(), |next| format!(r#""{next}""#));
        answer(
            200,
            &format!(
                r#"{{"data":[{{"accountId":"{id}","productAccess":[{{"key":"confluence",
                "id":"ari:cloud:confluence::site/1"}}]}}],"links":{{"next":{next}}}}}"#
            ),
        )
    }

    fn wiki(site: &str) -> Product {
        Product {
            key: "confluence".to_owned(),
            name: "Confluence".to_owned(),
            site: Some(site.to_owned()),
        }
    }
}
