//! People as the search has them, and the members they become.

use proptest::prelude::*;
use smp_connector_kit::testing::{Script, answer};
use smp_connector_kit::{Affiliation, MemberKind, MemberStatus, ProductUse, time};

use super::*;
use crate::sites::Site;
use crate::testing::{Below, everyone};

#[test]
fn people_are_asked_for_with_their_products_page_by_page() {
    let answer = || answer(200, r#"{"data":[]}"#);
    let mut host = Script::new()
        .searched(r#"{"limit":100,"expand":["productAccess"]}"#, answer())
        .searched(r#"{"limit":100,"expand":["productAccess"],"cursor":"a\"b/"}"#, answer());
    let cursor = Cursor::new("a\"b/".to_owned());
    get(&mut host, &everyone(), None, &Sites::default()).unwrap();
    get(&mut host, &everyone(), cursor.as_ref(), &Sites::default()).unwrap();
}

#[test]
fn a_person_becomes_a_member_whole() {
    let page = page(
        r#"{"accountId":"712020:ab","accountType":"atlassian","status":"active",
        "accountStatus":"active","membershipStatus":"active","addedToOrg":"2025-01-01T00:00:00Z",
        "name":"Jane Doe","nickname":"jane","email":"jane@acme.test","emailVerified":true,
        "claimStatus":"unmanaged","platformRoles":[],"mfaEnabled":null,"counts":{"resources":1},
        "productAccess":[{"key":"confluence","id":"ari:cloud:confluence::site/1",
        "lastActiveTimestamp":"2026-11-19T00:00:00.1Z"}],"groups":[]}"#,
    );
    let expected = Member {
        email: Some("jane@acme.test".to_owned()),
        name: "Jane Doe".to_owned(),
        nickname: Some("jane".to_owned()),
        role: "Confluence".to_owned(),
        uses: vec![ProductUse { product: 0, last_active: at(1_795_046_400, 100_000_000) }],
        last_seen: at(1_795_046_400, 100_000_000),
        status: Some(MemberStatus::Active),
        kind: Some(MemberKind::Person),
        affiliation: Some(Affiliation::External),
        ..Member::new("712020:ab")
    };
    assert_eq!(page.members, [expected]);
    assert_eq!(page.products, [product("confluence", "Confluence", Some("acme.atlassian.net"))]);
    assert!(!page.lacks_products);
}

#[test]
fn everything_but_the_id_may_be_absent_or_null() {
    let nulls = r#"{"accountId":"a","accountType":null,"status":null,"accountStatus":null,
        "claimStatus":null,"name":null,"nickname":null,"email":null,"productAccess":null}"#;
    let empty = r#"{"accountId":"a","accountType":"","status":"","accountStatus":"",
        "claimStatus":"","name":"","nickname":"","email":"","productAccess":[]}"#;
    for person in [r#"{"accountId":"a"}"#, nulls, empty] {
        assert_eq!(page(person).members, [Member::new("a")], "{person}");
    }
}

#[test]
fn every_state_has_its_case_and_a_closed_account_is_closed() {
    let other = |word: &str| Some(MemberStatus::Other(word.to_owned()));
    let rows = [
        ("active", "active", Some(MemberStatus::Active)),
        ("suspended", "active", Some(MemberStatus::Suspended)),
        ("deactivated", "inactive", Some(MemberStatus::Inactive)),
        ("not_invited", "active", other("not-invited")),
        ("for_deletion", "active", other("for-deletion")),
        ("dormant", "active", other("dormant")),
        ("active", "closed", Some(MemberStatus::Closed)),
        ("suspended", "closed", Some(MemberStatus::Closed)),
        ("", "inactive", Some(MemberStatus::Inactive)),
        ("", "active", Some(MemberStatus::Active)),
        ("", "", None),
    ];
    for (status, account, case) in rows {
        let person =
            format!(r#"{{"accountId":"a","status":"{status}","accountStatus":"{account}"}}"#);
        assert_eq!(page(&person).members[0].status, case, "{status} {account}");
    }
}

#[test]
fn an_account_belongs_to_the_organization_or_to_somebody_else() {
    let rows = [
        ("managed", Affiliation::Managed),
        ("unmanaged", Affiliation::External),
        ("shared", Affiliation::Other("shared".to_owned())),
    ];
    for (word, case) in rows {
        let person = format!(r#"{{"accountId":"a","claimStatus":"{word}"}}"#);
        assert_eq!(page(&person).members[0].affiliation, Some(case));
    }
}

#[test]
fn a_service_account_is_known_by_its_type_or_its_address() {
    for fields in [
        r#""accountType":"service_account""#,
        r#""accountType":"app","email":"ci@serviceaccount.atlassian.com""#,
    ] {
        let person = format!(r#"{{"accountId":"a",{fields}}}"#);
        assert_eq!(page(&person).members[0].kind, Some(MemberKind::ServiceAccount));
    }
}

#[test]
fn a_site_that_is_not_listed_keeps_its_key_and_the_id_of_its_cloud() {
    let page = page(&accesses(
        r#"{"key":"jira-software","id":"ari:cloud:jira-software::site/77"},
        {"key":"brand-new","id":"ari:cloud:brand-new::site/77"},{"key":"trello"},null,{}"#,
    ));
    let expected = [
        product("jira-software", "Jira", Some("77")),
        product("brand-new", "brand-new", Some("77")),
        product("trello", "Trello", None),
    ];
    assert_eq!(page.products, expected);
    assert_eq!(page.members[0].role, "Jira, Trello, brand-new");
}

#[test]
fn somebody_in_two_directories_is_one_member() {
    let wiki = r#"{"key":"confluence","id":"ari:cloud:confluence::site/1","lastActiveTimestamp":"#;
    let page = page(&format!(
        r#"{{"accountId":"a","status":"suspended","productAccess":[{wiki}"2026-11-18"}}]}},
        {{"accountId":"b","status":"active"}},
        {{"accountId":"a","status":"active","name":"Jane","email":"j@acme.test","nickname":"j",
        "accountType":"atlassian","claimStatus":"managed",
        "productAccess":[{wiki}"2026-11-19"}},{{"key":"trello"}}]}}"#,
    ));
    let ids: Vec<&str> = page.members.iter().map(|member| member.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    let expected = Member {
        email: Some("j@acme.test".to_owned()),
        name: "Jane".to_owned(),
        nickname: Some("j".to_owned()),
        role: "Confluence, Trello".to_owned(),
        uses: vec![
            ProductUse { product: 0, last_active: at(1_795_046_400, 0) },
            ProductUse { product: 1, last_active: None },
        ],
        last_seen: at(1_795_046_400, 0),
        status: Some(MemberStatus::Active),
        kind: Some(MemberKind::Person),
        affiliation: Some(Affiliation::Managed),
        ..Member::new("a")
    };
    assert_eq!(page.members[0], expected);
}

#[test]
fn an_account_that_one_directory_calls_closed_is_closed() {
    for (first, second, case) in [
        ("active", "closed", MemberStatus::Closed),
        ("closed", "active", MemberStatus::Closed),
        ("inactive", "active", MemberStatus::Active),
        ("active", "inactive", MemberStatus::Active),
    ] {
        let page = page(&format!(
            r#"{{"accountId":"a","accountStatus":"{first}"}},
            {{"accountId":"a","accountStatus":"{second}"}}"#
        ));
        assert_eq!(page.members[0].status, Some(case), "{first} {second}");
    }
}

#[test]
fn dates_that_mean_nothing_are_unknown_and_counted() {
    let list = accesses(
        r#"{"key":"a","lastActiveTimestamp":"soon"},
        {"key":"b","lastActiveTimestamp":"1970-01-01T00:00:00Z"},
        {"key":"c","lastActiveTimestamp":"2026-11-22T00:00:00Z"},
        {"key":"d","lastActiveTimestamp":"2026-11-20T00:00:00.123456789Z"}"#,
    );
    let date = time::http_date("Fri, 20 Nov 2026 10:15:30 GMT");
    let body = format!(r#"{{"data":[{list}]}}"#);
    let page = read(body.as_bytes(), None, &Sites::default(), date).unwrap();
    assert_eq!(page.members[0].last_seen, at(1_795_132_800, 123_456_789));
    assert_eq!(page.odd_dates, OddDates { unreadable: 1, never: 1, ahead: 1 });
}

#[test]
fn people_without_any_word_on_products_are_told() {
    let rows = [
        ("", false),
        (r#"{"accountId":"a"},{"accountId":"b","productAccess":null}"#, true),
        (r#"{"accountId":"a"},{"accountId":"b","productAccess":[]}"#, false),
    ];
    for (people, lacks_products) in rows {
        assert_eq!(page(people).lacks_products, lacks_products, "{people}");
    }
}

#[test]
fn a_list_goes_on_by_a_bare_cursor_or_by_a_link() {
    for link in ["two", "https://elsewhere.test/?cursor=two"] {
        let body = format!(r#"{{"data":[],"links":{{"self":"x","next":"{link}"}}}}"#);
        let page = read(body.as_bytes(), None, &Sites::default(), None).unwrap();
        assert_eq!(page.next, Cursor::new("two".to_owned()));
        let again = read(body.as_bytes(), page.next.as_ref(), &Sites::default(), None);
        assert_eq!(again, Err(Unreadable::Next(BadLink::Repeated)));
    }
    for end in ["", r#","links":null"#, r#","links":{"next":null}"#] {
        let body = format!(r#"{{"data":[]{end}}}"#);
        let page = read(body.as_bytes(), None, &Sites::default(), None).unwrap();
        assert_eq!(page.next, None);
    }
}

#[test]
fn a_cursor_that_cannot_be_handed_on_is_refused() {
    let body = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, "c".repeat(8_190));
    let page = read(body.as_bytes(), None, &Sites::default(), None);
    assert_eq!(page, Err(Unreadable::Next(BadLink::TooLong)));
}

#[test]
fn an_answer_of_another_shape_is_none() {
    for body in [
        "{}",
        r#"{"data":null}"#,
        r#"{"data":{}}"#,
        r#"{"data":[null]}"#,
        r#"{"data":[{}]}"#,
        r#"{"data":[{"accountId":""}]}"#,
        r#"{"data":[{"accountId":7}]}"#,
        r#"{"data":[{"accountId":"a","productAccess":{}}]}"#,
        r#"{"data":[{"accountId":"a","productAccess":["jira"]}]}"#,
        r#"{"data":[{"accountId":"a","email":["x"]}]}"#,
        r#"{"data":[],"links":{"next":7}}"#,
    ] {
        let page = read(body.as_bytes(), None, &Sites::default(), None);
        assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
    }
}

proptest! {
    #[test]
    fn any_people_have_uses_of_the_products_of_the_page(
        people in prop::collection::vec(
            ("[a-c]", prop::collection::vec(("[jk]?", "(ari:cloud:j::site/)?[12]?"), 0..4)),
            0..6,
        ),
    ) {
        let people: Vec<String> = people
            .iter()
            .map(|(id, accesses)| {
                let accesses: Vec<String> = accesses
                    .iter()
                    .map(|(key, id)| format!(r#"{{"key":"{key}","id":"{id}"}}"#))
                    .collect();
                format!(r#"{{"accountId":"{id}","productAccess":[{}]}}"#, accesses.join(","))
            })
            .collect();
        let page = page(&people.join(","));
        for member in &page.members {
            let mut products: Vec<u32> = member.uses.iter().map(|used| used.product).collect();
            prop_assert!(products.iter().all(|place| (*place as usize) < page.products.len()));
            products.sort_unstable();
            products.dedup();
            prop_assert_eq!(products.len(), member.uses.len());
        }
    }
}

fn page(people: &str) -> SearchPage {
    let mut sites = Sites::default();
    let (product, address) = ("Confluence".to_owned(), "acme.atlassian.net".to_owned());
    sites.add("ari:cloud:confluence::site/1", Site { product, address });
    read(format!(r#"{{"data":[{people}]}}"#).as_bytes(), None, &sites, None).unwrap()
}

fn accesses(list: &str) -> String {
    format!(r#"{{"accountId":"a","productAccess":[{list}]}}"#)
}

fn product(key: &str, name: &str, site: Option<&str>) -> Product {
    Product { key: key.to_owned(), name: name.to_owned(), site: site.map(str::to_owned) }
}

fn at(seconds: i64, nanoseconds: u32) -> Option<Instant> {
    Some(Instant { seconds, nanoseconds })
}
