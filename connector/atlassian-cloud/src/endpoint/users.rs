//! `GET /admin/v1/orgs/{organization-id}/users`: the managed accounts, a page at a time.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-users/#api-v1-orgs-orgid-users-get)

pub mod members;

use serde::Deserialize;
use smp_connector_kit::call::{Need, Route};
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::{self, Any, Count, Object, Place, Unreadable};
use smp_connector_kit::{Affiliation, Host, Instant, MemberPage};

use self::members::Members;
use super::list::{Links, Meta, next, without};
use crate::config::{Config, MANAGED, PEOPLE};
use crate::dates::OddDates;
use crate::refusal::Refusal;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/v1/orgs/{organization-id}/users",
    "Reads the managed accounts with the products they use",
    Some("read:accounts:admin"),
)
.when(&[Need::Setting(PEOPLE, MANAGED)])
.reading(&[super::DATE]);

/// A page of users.
#[derive(Debug, PartialEq, Eq)]
pub struct UsersPage {
    /// The page as it is handed on.
    pub page: MemberPage,
    /// The dates that were left out of it.
    pub odd_dates: OddDates,
    /// How many other values were.
    pub left_out: usize,
}

/// Asks for a page, the first or the one at the cursor.
///
/// # Errors
///
/// When there is no such page, it cannot be read, or the organization may be none of the key's.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
) -> Result<UsersPage, Refusal> {
    super::get_dated(host, &ROUTE, config, asked, |body, answered| {
        let page = read(body, asked, answered.at)?;
        Ok(UsersPage { left_out: page.left_out + answered.left_out, ..page })
    })
}

/// Reads a page that was asked for with `asked`, of an answer of that date.
///
/// # Errors
///
/// When the answer is not one of this call, or an account on it has no id.
pub fn read(
    body: &[u8],
    asked: Option<&Cursor>,
    answered: Option<Instant>,
) -> Result<UsersPage, Unreadable> {
    let AccountsPage { accounts, next, total } = accounts(body, asked, answered)?;
    let Members { products, mut members, odd_dates, unnamed, has_products: _ } = accounts;
    for member in &mut members {
        // The call lists the accounts that the organization manages, and no other.
        member.affiliation = Some(Affiliation::Managed);
    }
    let next = next.map(Cursor::into_string);
    let page = MemberPage { products, members, next, total, notes: Vec::new() };
    Ok(UsersPage { page, odd_dates, left_out: unnamed })
}

/// A page of either list of accounts.
pub struct AccountsPage {
    /// The accounts.
    pub accounts: Members,
    /// Where the list goes on.
    pub next: Option<Cursor>,
    /// How many accounts there are, if that was told.
    pub total: Option<u64>,
}

/// Reads a page of either list of accounts. Kept whole, for the size of the component.
///
/// # Errors
///
/// When the answer is no list of accounts, or one on it has no id.
#[inline(never)]
pub fn accounts(
    body: &[u8],
    asked: Option<&Cursor>,
    answered: Option<Instant>,
) -> Result<AccountsPage, Unreadable> {
    let Object(answer) = json::read_page::<Object<Answer<'_>>>(body)?;
    let data = answer.data.ok_or_else(|| Unreadable::Shape(Place::missing("data")))?;
    let total = answer.meta.and_then(|meta| meta.0.total).map(|Count(total)| total);
    without(&answer.errors, &answer.error)?;
    Ok(AccountsPage { accounts: data.seen(answered), next: next(answer.links, asked)?, total })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer<'a> {
    data: Option<Members>,
    meta: Option<Object<Meta>>,
    #[serde(borrow)]
    links: Option<Object<Links<'a>>>,
    errors: Any<'a>,
    error: Any<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use smp_connector_kit::Member;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, config};

    #[test]
    fn the_users_are_asked_for_page_by_page() {
        let answer = || answer(200, r#"{"data":[]}"#);
        let cursor = Cursor::new("a=&b".to_owned());
        let mut host =
            Script::new().at("/{org}/users", answer()).at("/{org}/users?cursor=a%3D%26b", answer());
        get(&mut host, &config(), None).unwrap();
        get(&mut host, &config(), cursor.as_ref()).unwrap();
    }

    #[test]
    fn a_page_has_members_a_next_cursor_and_a_total() {
        let body = br#"{"data":[{"account_id":"1"},{"account_id":"2"}],"meta":{"total":7},
            "links":{"self":"x","prev":null,"next":"https://elsewhere.test/users?cursor=two"}}"#;
        let page = read(body, None, None).unwrap().page;
        let ids: Vec<&str> = page.members.iter().map(|member| member.id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(page.next.as_deref(), Some("two"));
        assert_eq!(page.total, Some(7));
        let is_managed = |member: &Member| member.affiliation == Some(Affiliation::Managed);
        assert!(page.members.iter().all(is_managed));
    }

    #[test]
    fn a_page_may_be_the_last_and_say_no_total() {
        for rest in
            ["", r#","links":null,"meta":null"#, r#","links":{"next":null},"meta":{"total":null}"#]
        {
            let page = read(format!(r#"{{"data":[]{rest}}}"#).as_bytes(), None, None).unwrap().page;
            assert_eq!(page, MemberPage::default());
        }
    }

    #[test]
    fn a_total_is_a_whole_number_however_it_is_written_or_the_page_is_none() {
        for (total, count) in [
            ("30", Some(30)),
            ("30.0", Some(30)),
            ("3e1", Some(30)),
            (r#""30""#, Some(30)),
            ("-1", None),
            ("2.5", None),
            (r#""many""#, None),
            ("[]", None),
        ] {
            let body = format!(r#"{{"data":[],"meta":{{"total":{total}}}}}"#);
            match read(body.as_bytes(), None, None) {
                Ok(page) => assert_eq!(page.page.total, count, "{total}"),
                Err(Unreadable::Shape(place)) => {
                    assert!(count.is_none() && place.to_string().starts_with("`meta.total` is "))
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn errors_beside_the_data_are_a_list_that_may_lack_a_part() {
        for (errors, is_page) in [
            ("null", true),
            ("[]", true),
            ("{}", true),
            (r#"[{"code":"ADMIN-500-1"}]"#, false),
            (r#"{"a":"jane@acme.test"}"#, false),
            (r#""jane@acme.test""#, false),
            (r#""""#, true),
        ] {
            for name in ["error", "errors"] {
                let body = format!(r#"{{"data":[{{"account_id":"a"}}],"{name}":{errors}}}"#);
                let page = read(body.as_bytes(), None, None);
                assert_eq!(page.is_ok(), is_page, "{name} {errors}");
                assert!(is_page || matches!(page, Err(Unreadable::Unusable { setting: None, .. })));
            }
        }
        for (told, is_page) in [(r#""error":false"#, true), (r#""errors":false"#, false)] {
            let body = format!(r#"{{"data":[],{told}}}"#);
            assert_eq!(read(body.as_bytes(), None, None).is_ok(), is_page, "{told}");
        }
    }

    #[test]
    fn one_odd_value_of_a_member_costs_that_value_alone() {
        for (odd, counts) in [
            (r#""last_active":1793000000"#, None),
            (r#""access_billable":"true""#, None),
            (r#""access_billable":"yes""#, Some("1 value of another kind left out")),
            (r#""access_billable":1"#, Some("1 value of another kind left out")),
            (r#""account_status":1"#, Some("1 number in place of a text")),
            (r#""account_type":[]"#, Some("1 value of another kind left out")),
            (r#""email":5"#, Some("1 value of another kind left out")),
            (r#""name":true"#, Some("1 value of another kind left out")),
            (r#""name":20260101"#, Some("1 number in place of a text")),
            (r#""product_access":[{"key":"jira","url":7}]"#, Some("1 number in place of a text")),
        ] {
            let body = format!(r#"{{"data":[{{"account_id":"a",{odd}}},{{"account_id":"b"}}]}}"#);
            let mut host = Script::new().at("/{org}/users", answer(200, &body));
            let page = get(&mut host, &config(), None).unwrap().page;
            let ids: Vec<&str> = page.members.iter().map(|member| member.id.as_str()).collect();
            assert_eq!(ids, ["a", "b"], "{odd}");
            assert_eq!(page.members[0].email, None, "{odd}");
            let told: Vec<&str> = host.lines.iter().map(|(_, line)| line.as_str()).collect();
            assert_eq!(told.len(), usize::from(counts.is_some()), "{odd}: {told:?}");
            assert!(told.iter().all(|line| line.ends_with(counts.unwrap_or_default())), "{told:?}");
        }
        for odd in [
            r#"{"account_id":7}"#,
            "7",
            "null",
            r#"["a"]"#,
            // Without its products, a person would be one who uses none.
            r#"{"account_id":"a","product_access":{}}"#,
            r#"{"account_id":"a","product_access":["jira"]}"#,
            r#"{"account_id":"a","product_access":[{"key":"jira"}],"product_access":[]}"#,
            r#"{"account_id":"a","account_id":"c"}"#,
        ] {
            let body = format!(r#"{{"data":[{odd},{{"account_id":"b"}}]}}"#);
            let mut host = Script::new().at("/{org}/users", answer(200, &body));
            assert!(get(&mut host, &config(), None).is_err(), "{odd}");
        }
    }

    #[test]
    fn of_two_lists_or_two_next_pages_none_is_chosen() {
        for body in [
            r#"{"data":[{"account_id":"a"}],"data":[{"account_id":"b"}]}"#,
            r#"{"data":[{"account_id":"a"}],"links":{"next":null,"next":"/x?cursor=c"}}"#,
            r#"{"data":[{"account_id":"a"}],"links":{"next":null},"links":{"next":"/x?cursor=c"}}"#,
            r#"{"data":[{"account_id":"a"}],"meta":{"total":1,"total":2}}"#,
        ] {
            let mut host = Script::new().at("/{org}/users", answer(200, body));
            let Err(refusal) = get(&mut host, &config(), None) else { panic!("{body}") };
            assert!(format!("{refusal:?}").contains("is there twice"), "{refusal:?}");
        }
    }

    #[test]
    fn a_product_that_nothing_names_is_counted() {
        for (access, left_out) in [
            (r#"[{"key":"jira"},{"name":"Loom"}]"#, 0),
            (r#"[{"key":{},"name":"Loom"}]"#, 1),
            (r#"[{"key":{}}]"#, 2),
            (r#"[{"key":null},{},null]"#, 3),
            ("null", 0),
        ] {
            let body = format!(r#"{{"data":[{{"account_id":"a","product_access":{access}}}]}}"#);
            let mut host = Script::new().at("/{org}/users", answer(200, &body));
            assert_eq!(get(&mut host, &config(), None).unwrap().left_out, left_out, "{access}");
        }
    }

    #[test]
    fn a_few_values_are_left_out_and_counted_and_more_are_another_shape() {
        for (odd, left_out) in [(0, Some(0)), (1, Some(1)), (8, Some(8)), (9, None)] {
            let user = |at: usize| {
                let email = if at < odd { "{}" } else { r#""a@b.test""# };
                format!(r#"{{"account_id":"{at}","email":{email}}}"#)
            };
            let users: Vec<String> = (0..20).map(user).collect();
            let body = format!(r#"{{"data":[{}]}}"#, users.join(","));
            let mut host = Script::new().at("/{org}/users", answer(200, &body));
            let page = get(&mut host, &config(), None).ok();
            assert_eq!(page.map(|page| page.left_out), left_out, "{odd}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        for body in [
            "{}",
            r#"{"data":null}"#,
            r#"{"data":{}}"#,
            r#"{"data":[null]}"#,
            r#"{"data":["a"]}"#,
            r#"{"data":[["a"]]}"#,
            r#"{"data":[],"data":[]}"#,
            r#"{"data":[],"meta":[]}"#,
            r#"{"data":[],"meta":{"total":"seven"}}"#,
            r#"{"data":[],"links":"x"}"#,
            r#"{"data":[],"links":{"next":7}}"#,
            r#"{"code":401,"message":"Unauthorized"}"#,
        ] {
            let page = read(body.as_bytes(), None, None);
            assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
        }
    }

    #[test]
    fn the_same_page_again_is_refused() {
        let asked = Cursor::new("a".to_owned());
        let body = br#"{"data":[],"links":{"next":"https://a.test/?cursor=a"}}"#;
        assert!(matches!(read(body, asked.as_ref(), None), Err(Unreadable::Next(_))));
    }

    proptest! {
        #[test]
        fn bytes_at_random_are_no_page(body in any::<Vec<u8>>()) {
            prop_assert!(read(&body, None, None).is_err());
        }

        #[test]
        fn any_json_of_the_right_words_is_a_page_or_no_page(
            parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40),
        ) {
            if let Ok(UsersPage { page, .. }) = read(parts.concat().as_bytes(), None, None) {
                let uses = page.members.iter().flat_map(|member| &member.uses);
                prop_assert!(uses.into_iter().all(|used| (used.product as usize) < page.products.len()));
                prop_assert!(page.members.iter().all(|member| !member.id.is_empty()));
            }
        }
    }

    const PARTS: [&str; 20] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "7",
        "-1",
        "true",
        r#""x""#,
        r#""2026-11-20""#,
        r#"{"data":["#,
        r#"{"account_id":"a""#,
        r#","product_access":["#,
        r#"{"key":"k","#,
        r#""last_active":"#,
        r#","links":"#,
        r#""next":"#,
        "]}",
    ];
}
