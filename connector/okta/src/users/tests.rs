//! Tests of a page of people.

use proptest::prelude::*;
use smp_connector_kit::testing::{Script, answer, answer_with};
use smp_connector_kit::{FailureKind, Instant, Product, Setting};

use super::*;
use crate::site::SITE;

const NEXT: &str = "<https://acme.okta.com/api/v1/users?after=00u2&limit=200>; rel=\"next\"";
const OWN: &str = "<https://acme.okta.com/api/v1/users?limit=200>; rel=\"self\"";

#[test]
fn a_person_is_read_whole() {
    let page = page(
        r#"[{"id":"00u1","status":"ACTIVE","created":"2020-01-01T00:00:00.000Z",
            "lastLogin":"2026-01-02T03:04:05.000Z","type":{"id":"oty1"},
            "profile":{"login":"ada@acme.test","email":"ada@mail.test","firstName":"Ada",
            "lastName":"Byron","displayName":"Ada B.","nickName":"A","userType":"Employee"},
            "_links":{"self":{"href":"x"}}}]"#,
    );
    let at = time::from_unix_seconds(1_767_323_045);
    let site = Some("acme.okta.com".to_owned());
    assert_eq!(page.products, [Product { key: "okta".into(), name: "Okta".into(), site }]);
    let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Member {
        email: Some("ada@mail.test".into()),
        name: "Ada B.".into(),
        nickname: Some("A".into()),
        role: "Okta".into(),
        uses: vec![ProductUse { product: 0, last_active: Some(at) }],
        last_seen: Some(at),
        status: Some(MemberStatus::Active),
        kind: Some(MemberKind::Person),
        affiliation: Some(Affiliation::Managed),
        attributes: vec![
            attribute("login", "ada@acme.test"),
            attribute("user-type", "Employee"),
            attribute("okta-status", "ACTIVE"),
        ],
        ..Member::new("00u1")
    };
    assert_eq!((page.members, page.total, page.notes), (vec![expected], None, vec![]));
}

#[test]
fn every_status_has_its_meaning_and_only_those_who_can_sign_in_or_have_use_okta() {
    use MemberStatus::{Active, Inactive, Invited, Suspended};
    let never = "null";
    let once = r#""2026-01-02T03:04:05.000Z""#;
    let rows = [
        ("ACTIVE", never, Active, "Okta"),
        ("PASSWORD_EXPIRED", never, Active, "Okta"),
        ("LOCKED_OUT", once, Active, "Okta"),
        ("RECOVERY", once, Active, "Okta"),
        ("STAGED", never, Invited, ""),
        ("PROVISIONED", never, Invited, ""),
        ("SUSPENDED", never, Suspended, ""),
        ("SUSPENDED", once, Suspended, "Okta"),
        ("DEPROVISIONED", never, Inactive, ""),
        ("FROZEN", never, MemberStatus::Other("FROZEN".into()), ""),
    ];
    for (word, login, status, role) in rows {
        let body = format!(r#"[{{"id":"00u1","status":"{word}","lastLogin":{login}}}]"#);
        let page = page(&body);
        assert_eq!(page.members[0].status, Some(status), "{word}");
        assert_eq!(page.members[0].role, role, "{word} {login}");
        assert_eq!(page.products.len(), usize::from(!role.is_empty()), "{word} {login}");
    }
}

#[test]
fn a_name_is_the_best_of_those_that_are_there() {
    let rows = [
        (r#""displayName":"","firstName":"Ada","lastName":"Byron""#, "Ada Byron"),
        (r#""displayName":null,"lastName":"Byron""#, "Byron"),
        (r#""login":"ada""#, "ada"),
        (r#""email":"ada@acme.test""#, ""),
    ];
    for (profile, name) in rows {
        let page = page(&format!(r#"[{{"id":"00u1","profile":{{{profile}}}}}]"#));
        assert_eq!(page.members[0].name, name);
    }
    let bare = Member {
        kind: Some(MemberKind::Person),
        affiliation: Some(Affiliation::Managed),
        ..Member::new("00u1")
    };
    assert_eq!(page(r#"[{"id":"00u1"}]"#).members, [bare]);
}

#[test]
fn a_sign_in_at_an_odd_time_is_unknown_and_noted_once() {
    let page = page(r#"[{"id":"a","lastLogin":"soon"},{"id":"b","lastLogin":"later"}]"#);
    let seen: Vec<Option<Instant>> = page.members.iter().map(|member| member.last_seen).collect();
    assert_eq!((seen, page.notes.len()), (vec![None, None], 1));
    assert_eq!(page.members[0].role, "Okta");
}

#[test]
fn the_people_are_requested_page_by_page() {
    let cursor = Cursor::new("a=&b".to_owned());
    let mut host = Script::new()
        .expect_get("/api/v1/users?limit=200", answer_with(200, &[(LINK, OWN), (LINK, NEXT)], "[]"))
        .expect_get("/api/v1/users?limit=200&after=a%3D%26b", answer(200, "[]"));
    let first = get(&mut host, &site(), None).unwrap();
    assert_eq!(first, MemberPage { next: Some("00u2".into()), ..MemberPage::default() });
    let last = get(&mut host, &site(), cursor.as_ref()).unwrap();
    assert_eq!(last, MemberPage::default());
}

#[test]
fn a_full_page_is_the_last_only_if_okta_says_so() {
    let users = |count| {
        let users: Vec<String> = (0..count).map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        format!("[{}]", users.join(","))
    };
    let read = |count, headers: &[(&str, &str)]| {
        let response = answer_with(200, headers, &users(count)).unwrap();
        super::read(&response, &site(), None).map(|page| page.members.len())
    };
    assert_eq!(read(200, &[(LINK, OWN)]), Ok(200));
    assert_eq!(read(199, &[]), Ok(199));
    assert!(matches!(read(200, &[]), Err(Unreadable::Unusable { .. })));
}

#[test]
fn a_link_that_cannot_be_used_is_not_the_end() {
    for header in ["<x", "</api/v1/users>; rel=next", "<?after=one>; rel=next"] {
        let response = answer_with(200, &[(LINK, header)], "[]").unwrap();
        let asked = Cursor::new("one".to_owned());
        let page = read(&response, &site(), asked.as_ref());
        assert!(matches!(page, Err(Unreadable::Next(_))), "{header}");
    }
}

#[test]
fn an_answer_of_another_shape_is_refused_and_never_shown() {
    for body in [
        "",
        "{}",
        "null",
        "7",
        "[null]",
        r#"["jane@acme.test"]"#,
        r#"[["00u1"]]"#,
        r#"[{"status":"ACTIVE"}]"#,
        r#"[{"id":""}]"#,
        r#"[{"id":7}]"#,
        r#"[{"id":"a","profile":[]}]"#,
        r#"{"errorCode":"E0000011","errorSummary":"jane@acme.test"}"#,
    ] {
        let mut host = Script::new().expect_get("/api/v1/users?limit=200", answer(200, body));
        let failure = get(&mut host, &site(), None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse, "{body}");
        assert!(!format!("{failure:?}").contains("jane"), "{failure:?}");
    }
}

#[test]
fn one_odd_value_of_a_person_costs_that_value_alone() {
    for (odd, counts) in [
        (r#""profile":{"email":{"jane@acme.test":1}}"#, "1 value of another kind left out"),
        (r#""profile":{"email":7}"#, "1 value of another kind left out"),
        (r#""lastLogin":1767323045"#, "1 number in place of a text"),
        (r#""status":true"#, "1 value of another kind left out"),
    ] {
        let body = format!(r#"[{{"id":"a",{odd}}},{{"id":"b","status":"ACTIVE"}}]"#);
        let mut host = Script::new().expect_get("/api/v1/users?limit=200", answer(200, &body));
        let page = get(&mut host, &site(), None).unwrap();
        let [a, b] = page.members.as_slice() else { panic!("{odd}: {page:?}") };
        assert_eq!((a.id.as_str(), a.email.as_deref(), a.last_seen), ("a", None, None), "{odd}");
        assert_eq!(b.status, Some(MemberStatus::Active), "{odd}");
        assert_eq!(page.notes.len(), 1, "{odd}");
        let [(_, line)] = host.lines.as_slice() else { panic!("{odd}: {:?}", host.lines) };
        assert!(line.ends_with(counts) && !line.contains("jane"), "{line}");
    }
}

proptest! {
    #[test]
    fn any_json_of_the_right_words_is_a_page_or_refused(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40),
    ) {
        let response = answer(200, &parts.concat()).unwrap();
        if let Ok(page) = read(&response, &site(), None) {
            let mut uses = page.members.iter().flat_map(|member| &member.uses);
            prop_assert!(uses.all(|used| (used.product as usize) < page.products.len()));
            prop_assert!(page.members.iter().all(|member| !member.id.is_empty()));
        }
    }
}

const PARTS: [&str; 14] = [
    "[",
    "]",
    "{",
    "}",
    ",",
    "null",
    "7",
    r#""x""#,
    r#"{"id":"a""#,
    r#","status":"ACTIVE""#,
    r#","lastLogin":"2026-01-02T03:04:05.000Z""#,
    r#","profile":{"#,
    r#""email":"#,
    "}]",
];

fn page(body: &str) -> MemberPage {
    read(&answer(200, body).unwrap(), &site(), None).unwrap()
}

fn site() -> Site {
    Site::read(&[Setting { key: SITE.to_owned(), value: "acme".to_owned() }]).unwrap()
}
