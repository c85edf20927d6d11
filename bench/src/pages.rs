//! The traffic of the measurements: any number of pages in the format of the vendor's API, with
//! distinct members.
//!
//! A page is made once. Only numbers of a fixed width differ between pages, and are written into a
//! copy. So making the traffic costs almost nothing compared with reading it.

use std::fmt::Write as _;
use std::ops::Range;

/// The organization of the traffic.
pub const ORGANIZATION: &str = "2b4c6d8e-1a2b-3c4d-5e6f-zk9m8n7p6q5r";
/// Members of a usual page.
pub const USUAL: u64 = 100;

/// Placeholder for the number of a member, until a page is copied.
const MEMBER: &str = "############";
/// Placeholder for the number of the next page.
const NEXT: &str = "@@@@@@@@@@@@";

/// All pages of an organization.
#[derive(Debug)]
pub struct Pages {
    number: u64,
    per_page: u64,
    /// A page that is not the last.
    inner: Template,
    /// The last page.
    last: Template,
}

#[derive(Debug)]
struct Template {
    body: Vec<u8>,
    members: Vec<(u64, Range<usize>)>,
    next: Vec<Range<usize>>,
}

impl Pages {
    /// This many pages of this many members each.
    #[must_use]
    pub fn new(number: u64, per_page: u64) -> Self {
        let template =
            |is_last| Template::of(&page(per_page, number * per_page, is_last), per_page);
        Self { number, per_page, inner: template(false), last: template(true) }
    }

    /// Number of pages.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Number of members of all pages.
    #[must_use]
    pub fn members(&self) -> u64 {
        self.number * self.per_page
    }

    /// The body of a page, counted from 0.
    #[must_use]
    pub fn body(&self, page: u64) -> Vec<u8> {
        let template = if page + 1 < self.number { &self.inner } else { &self.last };
        template.filled(page * self.per_page, page + 1)
    }

    /// The body for a request, by its path and query.
    #[must_use]
    pub fn asked(&self, path_and_query: &str) -> Vec<u8> {
        let cursor =
            path_and_query.rsplit_once("cursor=page-").and_then(|(_, number)| number.parse().ok());
        self.body(cursor.unwrap_or(0))
    }
}

impl Template {
    fn of(page: &str, per_page: u64) -> Self {
        let range = |(at, text): (usize, &str)| at..at + text.len();
        let places: Vec<_> = page.match_indices(MEMBER).map(range).collect();
        let each = places.len() / usize::try_from(per_page.max(1)).unwrap_or(1);
        let members = places
            .chunks(each.max(1))
            .zip(0..)
            .flat_map(|(places, member)| places.iter().map(move |at| (member, at.clone())));
        Self {
            body: page.as_bytes().to_vec(),
            members: members.collect(),
            next: page.match_indices(NEXT).map(range).collect(),
        }
    }

    fn filled(&self, first_member: u64, next: u64) -> Vec<u8> {
        let mut body = self.body.clone();
        for (member, place) in &self.members {
            write_number(&mut body, place, first_member + member);
        }
        for place in &self.next {
            write_number(&mut body, place, next);
        }
        body
    }
}

fn write_number(body: &mut [u8], place: &Range<usize>, mut number: u64) {
    for digit in body.get_mut(place.clone()).into_iter().flatten().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// A page in the vendor's format: each member has the fields of the published API file, at usual
/// lengths.
fn page(members: u64, total: u64, is_last: bool) -> String {
    const NAMES: [&str; 5] = [
        "Amélie Laurent",
        "Bjørn Halvorsen",
        "Gareth Llewellyn",
        "陈静怡",
        "Maximiliane Oberhauser",
    ];
    const PRODUCTS: [(&str, &str); 5] = [
        ("jira-software", "Jira"),
        ("confluence", "Confluence"),
        ("jira-servicedesk", "Jira Service Management"),
        ("trello", "Trello"),
        ("bitbucket", "Bitbucket"),
    ];
    const SITES: [&str; 2] =
        ["https://acme.atlassian.example", "https://acme-lab.atlassian.example"];
    let mut text = String::from(r#"{"data":["#);
    for member in 0..members {
        let pick = |from: usize, step: u64| usize::try_from(member / step).unwrap_or(0) % from;
        let uses: Vec<String> = (0..3)
            .map(|number| {
                let (key, name) = PRODUCTS.into_iter().cycle().nth(pick(PRODUCTS.len(), 1) + number).unwrap_or_default();
                let site = SITES.into_iter().cycle().nth(pick(SITES.len(), 3) + number / 2).unwrap_or_default();
                let minute = (member + u64::try_from(number).unwrap_or(0)) % 60;
                format!(
                    r#"{{"key":"{key}","name":"{name}","url":"{site}","last_active":"2026-11-{:02}T08:{minute:02}:31Z"}}"#,
                    1 + member % 20
                )
            })
            .collect();
        let name = NAMES.into_iter().cycle().nth(pick(NAMES.len(), 1)).unwrap_or_default();
        let status = if member % 20 == 19 { "inactive" } else { "active" };
        let _ = write!(
            text,
            concat!(
                r#"{}{{"account_id":"557058:4a1f77c2-0000-4000-8000-{}","account_type":"atlassian","account_status":"{}","name":"{}","#,
                r#""picture":"https://avatars.example/{}/128","nickname":"member","email":"member-{}@acme.example","#,
                r#""access_billable":true,"last_active":"2026-11-{:02}T09:30:00.000Z","product_access":[{}],"#,
                r#""links":{{"self":"https://api.atlassian.com/users/{}"}}}}"#
            ),
            if member == 0 { "" } else { "," },
            MEMBER,
            status,
            name,
            MEMBER,
            MEMBER,
            1 + member % 20,
            uses.join(","),
            MEMBER
        );
    }
    let base = format!("https://api.atlassian.com/admin/v1/orgs/{ORGANIZATION}/users");
    let next = if is_last { "null".to_owned() } else { format!(r#""{base}?cursor=page-{NEXT}""#) };
    let _ =
        write!(text, r#"],"meta":{{"total":{total}}},"links":{{"self":"{base}","next":{next}}}}}"#);
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_pages_hold_as_many_members_as_they_say_each_another_one() {
        let pages = Pages::new(3, 100);
        let mut ids = HashSet::new();
        for number in 0..3 {
            let page: Value = serde_json::from_slice(&pages.body(number)).expect("JSON");
            for member in page["data"].as_array().expect("a list") {
                assert_eq!(member["product_access"].as_array().map(Vec::len), Some(3));
                ids.insert(member["account_id"].to_string());
            }
            assert_eq!(page["meta"]["total"], 300);
            assert_eq!(page["links"]["next"].is_null(), number == 2);
        }
        assert_eq!(ids.len(), 300);
    }

    #[test]
    fn a_page_is_as_large_as_usual_ones() {
        let length = Pages::new(2, USUAL).body(0).len();
        assert!((70_000..80_000).contains(&length), "{length}");
    }

    #[test]
    fn a_cursor_leads_to_its_page() {
        let pages = Pages::new(3, 2);
        assert_eq!(pages.asked("/users"), pages.body(0));
        assert_eq!(pages.asked("/users?cursor=page-000000000002"), pages.body(2));
    }
}
