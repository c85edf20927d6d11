//! Users as the vendor writes them, and the members they become.

use smp_connector_kit::{MemberKind, json, time};

use super::*;

#[test]
fn a_user_becomes_a_member_whole() {
    let members = read(
        r#"[{"account_id":"712020:ab|c","account_type":"atlassian","account_status":"active","name":"Jane Doe",
        "picture":"https://x.test/p","nickname":"jane","email":"jane@acme.test","access_billable":true,
        "last_active":"2026-11-20T10:15:30.5Z","links":{"self":"x"},"product_access":[
        {"key":"jira-software","name":"Jira","url":"https://acme.atlassian.net/","last_active":"2026-11-19"}]}]"#,
    );
    let expected = Member {
        id: "712020:ab|c".to_owned(),
        email: Some("jane@acme.test".to_owned()),
        name: "Jane Doe".to_owned(),
        role: "Jira".to_owned(),
        uses: vec![ProductUse { product: 0, last_active: at(1_795_046_400, 0) }],
        last_seen: at(1_795_169_730, 500_000_000),
        status: Some(MemberStatus::Active),
        kind: Some(MemberKind::Person),
        nickname: Some("jane".to_owned()),
        affiliation: None,
        billable: Some(true),
        attributes: Vec::new(),
    };
    assert_eq!(members.members, [expected]);
    assert_eq!(members.products, [product("jira-software", "Jira", Some("acme.atlassian.net"))]);
}

#[test]
fn everything_but_the_id_may_be_absent_or_null() {
    let nulls = r#"{"account_id":"a","account_type":null,"account_status":null,"name":null,"nickname":null,
        "email":null,"access_billable":null,"last_active":null,"product_access":null}"#;
    let empty = r#"{"account_id":"a","account_type":"","account_status":"","name":"","nickname":"","email":"",
        "last_active":"","product_access":[]}"#;
    for user in [r#"{"account_id":"a"}"#, nulls, empty] {
        let members = read(&format!("[{user}]"));
        assert_eq!(members.members, [Member::new("a")], "{user}");
        assert_eq!(members.odd_dates, OddDates::default());
    }
}

#[test]
fn a_user_without_an_id_makes_the_page_unreadable() {
    for id in ["", r#""account_id":null"#, r#""account_id":"""#, r#""account_id":7"#] {
        let list = format!(r#"[{{"account_id":"a"}},{{{id}}}]"#);
        assert!(json::read_page::<Members>(list.as_bytes()).is_err(), "{id}");
    }
}

#[test]
fn a_field_of_the_wrong_type_makes_the_page_unreadable() {
    for field in [
        r#""name":7"#,
        r#""email":[]"#,
        r#""access_billable":"yes""#,
        r#""product_access":{}"#,
        r#""product_access":["jira"]"#,
        r#""product_access":[{"url":false}]"#,
    ] {
        let list = format!(r#"[{{"account_id":"a",{field}}}]"#);
        assert!(json::read_page::<Members>(list.as_bytes()).is_err(), "{field}");
    }
}

#[test]
fn an_unknown_word_is_kept() {
    let members = read(r#"[{"account_id":"a","account_type":"robot","account_status":"dormant"}]"#);
    assert_eq!(members.members[0].kind, Some(MemberKind::Other("robot".to_owned())));
    assert_eq!(members.members[0].status, Some(MemberStatus::Other("dormant".to_owned())));
}

#[test]
fn every_known_word_has_its_case() {
    for (word, case) in [
        ("active", MemberStatus::Active),
        ("inactive", MemberStatus::Inactive),
        ("closed", MemberStatus::Closed),
        ("suspended", MemberStatus::Suspended),
    ] {
        assert_eq!(status(None, Some(word.into())), Some(case));
    }
}

#[test]
fn a_nickname_stands_in_for_a_name() {
    let members = read(r#"[{"account_id":"a","name":"","nickname":"jd"}]"#);
    assert_eq!(members.members[0].name, "jd");
    assert_eq!(members.members[0].nickname.as_deref(), Some("jd"));
}

#[test]
fn a_product_is_named_by_the_answer_else_the_table_else_its_key() {
    let members = read(&accesses(
        r#"{"key":"confluence","name":"Wiki"},{"key":"confluence","name":""},{"key":"brand-new"},{"name":"Nameless key"}"#,
    ));
    let expected = [
        product("confluence", "Wiki", None),
        product("confluence", "Confluence", None),
        product("brand-new", "brand-new", None),
        product("", "Nameless key", None),
    ];
    assert_eq!(members.products, expected);
    assert_eq!(members.members[0].role, "Confluence, Nameless key, Wiki, brand-new");
}

#[test]
fn a_product_on_two_sites_is_two_products_and_one_role() {
    let members = read(&accesses(
        r#"{"key":"jira","name":"Jira","url":"https://b.atlassian.net"},{"key":"jira","name":"Jira","url":"a.atlassian.net//"}"#,
    ));
    let expected = [
        product("jira", "Jira", Some("b.atlassian.net")),
        product("jira", "Jira", Some("a.atlassian.net")),
    ];
    assert_eq!(members.products, expected);
    assert_eq!(members.members[0].role, "Jira");
    assert_eq!(members.members[0].uses.len(), 2);
}

#[test]
fn a_site_that_is_a_scheme_and_nothing_else_is_none() {
    assert_eq!(
        read(&accesses(r#"{"key":"k","url":"https:\/\/"}"#)).products,
        [product("k", "k", None)]
    );
}

#[test]
fn members_share_the_products_of_the_page() {
    let members = read(
        r#"[{"account_id":"a","product_access":[{"key":"jira"},{"key":"trello"}]},
        {"account_id":"b","product_access":[{"key":"trello"}]}]"#,
    );
    assert_eq!(members.products.len(), 2);
    assert_eq!(members.members[1].uses[0].product, 1);
    assert_eq!(members.members[1].role, "Trello");
}

#[test]
fn two_entries_for_one_site_are_one_use_with_the_newer_activity() {
    let members = read(&accesses(
        r#"{"key":"jira","last_active":"2026-11-20"},{"key":"trello"},{"key":"jira","last_active":"2026-11-19"},
        {"key":"trello","last_active":"1970-01-02"}"#,
    ));
    let times: Vec<_> = members.members[0].uses.iter().map(|used| used.last_active).collect();
    assert_eq!(times, [at(1_795_132_800, 0), at(86_400, 0)]);
}

#[test]
fn last_seen_is_the_newest_of_all_that_is_known() {
    let rows = [
        (r#"null"#, r#"{"key":"a"},{"key":"b"}"#, None),
        (r#""1970-01-02""#, r#"{"key":"a"}"#, at(86_400, 0)),
        (r#"null"#, r#"{"key":"a","last_active":"1970-01-02"},null,{"key":"b"}"#, at(86_400, 0)),
        (r#""1970-01-01""#, r#"{"last_active":"1970-01-02"}"#, at(86_400, 0)),
        (
            r#""1970-01-03""#,
            r#"{"key":"a","last_active":"1970-01-02T23:00:00-09:00"}"#,
            at(201_600, 0),
        ),
    ];
    for (account, products, last_seen) in rows {
        let list = format!(
            r#"[{{"account_id":"a","last_active":{account},"product_access":[{products}]}}]"#
        );
        assert_eq!(read(&list).members[0].last_seen, last_seen, "{list}");
    }
}

#[test]
fn a_time_that_cannot_be_read_is_unknown_and_counted() {
    let members = read(
        r#"[{"account_id":"a","last_active":"yesterday",
        "product_access":[{"key":"k","last_active":"20261120"}]},
        {"account_id":"b","last_active":1793000000,
        "product_access":[{"key":"k","last_active":1793000000123},
        {"key":"l","last_active":-1.5},{"key":"m","last_active":{"at":[]}}]}]"#,
    );
    assert_eq!(members.members[0].last_seen, None);
    assert_eq!((members.members[1].last_seen, members.members[1].uses.len()), (None, 3));
    assert_eq!(members.odd_dates, OddDates { unreadable: 6, ..OddDates::default() });
}

#[test]
fn a_date_that_means_never_or_has_not_come_is_unknown_and_counted() {
    let list = r#"[{"account_id":"a","last_active":"2026-11-22T10:15:31Z","product_access":[
        {"key":"jira","last_active":"0001-01-01T00:00:00Z"},
        {"key":"trello","last_active":"2026-11-21T10:15:30Z"}]},
        {"account_id":"b","last_active":"1970-01-01T00:00:00Z"}]"#;
    let answered = time::http_date("Fri, 20 Nov 2026 10:15:30 GMT");
    let members = json::read_page::<Members>(list.as_bytes()).unwrap().seen(answered);
    let [a, b] = members.members.as_slice() else { panic!("{members:?}") };
    let uses: Vec<_> = a.uses.iter().map(|used| used.last_active).collect();
    assert_eq!(uses, [None, at(1_795_256_130, 0)]);
    assert_eq!((a.last_seen, b.last_seen), (at(1_795_256_130, 0), None));
    assert_eq!(members.odd_dates, OddDates { unreadable: 0, never: 2, ahead: 1 });
}

#[test]
fn a_service_account_is_known_by_its_address() {
    let members = read(
        r#"[{"account_id":"a","account_type":"app","email":"ci-1@serviceaccount.atlassian.com"}]"#,
    );
    assert_eq!(members.members[0].kind, Some(MemberKind::ServiceAccount));
}

#[test]
fn an_entry_that_says_nothing_is_no_product() {
    let members = read(&accesses(r#"{},null,{"key":"","name":null,"url":""}"#));
    assert_eq!(members.products, []);
    assert_eq!(members.members[0].uses, []);
}

fn read(list: &str) -> Members {
    json::read_page::<Members>(list.as_bytes()).unwrap().seen(None)
}

fn accesses(list: &str) -> String {
    format!(r#"[{{"account_id":"a","product_access":[{list}]}}]"#)
}

fn product(key: &str, name: &str, site: Option<&str>) -> Product {
    Product { key: key.to_owned(), name: name.to_owned(), site: site.map(str::to_owned) }
}

fn at(seconds: i64, nanoseconds: u32) -> Option<Instant> {
    Some(Instant { seconds, nanoseconds })
}
