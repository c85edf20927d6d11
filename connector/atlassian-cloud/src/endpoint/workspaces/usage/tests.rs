//! What is read of product sites and their seats, and what is refused.

use proptest::prelude::*;
use smp_connector_kit::testing::{Script, answer};

use super::*;
use crate::sites::Sites;
use crate::testing::{Below, config};

#[test]
fn seats_are_asked_for_page_by_page() {
    let answer = || answer(200, r#"{"data":[]}"#);
    let mut host = Script::new()
        .listed(super::super::FIRST, answer())
        .listed(r#"{"cursor":"a\"b"}"#, answer());
    let cursor = Cursor::new("a\"b".to_owned());
    let empty = SeatsPage { entries: Vec::new(), next: None, total: None };
    assert_eq!(get(&mut host, &config(), None), Ok(empty));
    get(&mut host, &config(), cursor.as_ref()).unwrap();
}

#[test]
fn an_entry_has_the_product_as_members_have_it_and_its_seats() {
    let body = br#"{"data":[{"id":"ari:cloud:jira::site/1","type":"workspace","attributes":
        {"name":"acme","typeKey":"jira-software","type":"Jira","status":"online",
        "sandbox":{"type":"NONE"},"usage":100,"capacity":120,"hostUrl":"https://acme.atlassian.net/",
        "labels":["x"],"createdAt":null},"relationships":{"entitlement":[{"id":"e","type":"e",
        "attributes":{"key":"jira-software","plan":"Premium","planKey":"premium"}}]}}],
        "links":{"self":"x","next":null},"meta":{"pageSize":1,"startIndex":null,"total":7}}"#;
    let SeatsPage { entries, next, total } = read(body, None).unwrap();
    let expected = Entry {
        id: "ari:cloud:jira::site/1".to_owned(),
        product: Product {
            key: "jira-software".to_owned(),
            name: "Jira".to_owned(),
            site: Some("acme.atlassian.net".to_owned()),
        },
        plan: Some("Premium".to_owned()),
        purchased: Some(120),
        used: Some(100),
        sandbox: Some(false),
    };
    assert_eq!((entries, next, total), (vec![expected], None, Some(7)));
}

#[test]
fn a_product_is_called_as_well_as_it_can_be() {
    let wiki = "ari:cloud:confluence::site/7f3c";
    let rows = [
        (wiki, r#""typeKey":"confluence","type":"confluence""#, ("confluence", "Confluence", None)),
        (wiki, r#""typeKey":"confluence","type":"Team Wiki""#, ("confluence", "Team Wiki", None)),
        (wiki, r#""typeKey":"brand-new","type":null"#, ("brand-new", "brand-new", None)),
        (wiki, r#""hostUrl":"a.test/wiki/""#, ("confluence", "Confluence", Some("a.test/wiki"))),
        (wiki, "", ("confluence", "Confluence", None)),
        ("i", r#""type":"Loom","hostUrl":"""#, ("", "Loom", None)),
        ("i", r#""type":"","hostUrl":null"#, ("", "i", None)),
    ];
    for (id, attributes, (key, name, site)) in rows {
        let entry = one(&format!(r#""id":"{id}","attributes":{{{attributes}}}"#)).unwrap();
        let product = entry.product;
        assert_eq!(
            (product.key.as_str(), product.name.as_str(), product.site.as_deref()),
            (key, name, site),
            "{attributes}"
        );
    }
}

#[test]
fn what_is_not_told_is_absent_and_never_zero() {
    for rest in [
        "",
        r#","attributes":null,"relationships":null"#,
        r#","attributes":{"usage":null,"capacity":null,"sandbox":null},"relationships":{}"#,
        r#","attributes":{"sandbox":{"type":null}},"relationships":{"a":null,"b":[]}"#,
        r#","attributes":{"sandbox":{"type":"OTHER"}},"relationships":{"a":[null,{"id":"x"}]}"#,
    ] {
        let entry = one(&format!(r#""id":"i"{rest}"#)).unwrap();
        assert_eq!((entry.plan, entry.sandbox), (None, None), "{rest}");
        assert_eq!((entry.purchased, entry.used), (None, None), "{rest}");
    }
}

#[test]
fn a_whole_number_is_read_however_it_is_written_and_no_other() {
    for (number, seats) in [
        ("0", 0),
        ("25", 25),
        ("25.0", 25),
        ("2.5e1", 25),
        (r#""25""#, 25),
        ("18446744073709551615", u64::MAX),
    ] {
        let attributes = format!(r#""capacity":{number},"usage":{number}"#);
        let entry = one(&format!(r#""id":"i","attributes":{{{attributes}}}"#)).unwrap();
        assert_eq!((entry.purchased, entry.used), (Some(seats), Some(seats)), "{number}");
    }
    for field in ["capacity", "usage"] {
        for number in ["-1", "2.5", "1e300", r#""-25""#, "true", "[25]", r#"{"plan":[{}]}"#] {
            let body = format!(
                r#"{{"data":[{{"id":"i"}},{{"id":"j","attributes":{{"{field}":{number}}}}}]}}"#
            );
            let Err(Unreadable::Shape(place)) = read(body.as_bytes(), None) else {
                panic!("{body}")
            };
            let told = format!("`data[1].attributes.{field}` is not a whole number of 0 or more");
            assert_eq!(place.to_string(), told, "{number}");
            assert!(super::super::read(body.as_bytes(), None, &mut Sites::default()).is_ok());
        }
    }
}

#[test]
fn a_plan_is_that_of_the_product_by_its_word_or_its_key() {
    let rows = [
        (r#""e":[{"attributes":{"plan":"Premium","planKey":"premium"}}]"#, Some("Premium")),
        (r#""e":[{"attributes":{"plan":null,"planKey":"premium"}}]"#, Some("premium")),
        (r#""e":[{"attributes":{"plan":"","planKey":"premium"}}]"#, Some("premium")),
        (r#""e":[{"attributes":{"plan":"","planKey":""}},{"attributes":null}]"#, None),
        (r#""e":[{"attributes":{"plan":7,"planKey":{"plan":[]}}}],"f":"x","g":[[],7]"#, None),
        (
            r#""domains":{"links":{"related":"x"}},"e":[{"attributes":{"plan":"a\u0062c"}}]"#,
            Some("abc"),
        ),
        (r#""a":[{"attributes":{"deep":{"plan":"Not looked for"}}}]"#, None),
        (
            r#""p":[{"attributes":{"fields":{"a":{}}}}],"e":[{"attributes":{"plan":"Free"}}]"#,
            Some("Free"),
        ),
        (
            r#""e":[{"attributes":{"key":"add-on","plan":"Basic"}},
                {"attributes":{"key":"jira-software","planKey":"premium"}}]"#,
            Some("premium"),
        ),
        (
            r#""e":[{"attributes":{"key":"add-on","plan":"Basic"}}],
                "f":[{"attributes":{"key":"other","plan":"Premium"}}]"#,
            Some("Basic"),
        ),
    ];
    for (relationships, plan) in rows {
        let entry = one(&format!(
            r#""id":"i","attributes":{{"typeKey":"jira-software"}},
            "relationships":{{{relationships}}}"#
        ));
        assert_eq!(entry.unwrap().plan.as_deref(), plan, "{relationships}");
    }
}

#[test]
fn a_sandbox_is_told_by_its_word() {
    for (word, is_sandbox) in [("CHILD", Some(true)), ("NONE", Some(false)), ("child", None)] {
        let entry =
            one(&format!(r#""id":"i","attributes":{{"sandbox":{{"type":"{word}"}}}}"#)).unwrap();
        assert_eq!(entry.sandbox, is_sandbox, "{word}");
    }
}

#[test]
fn an_entry_that_cannot_be_told_apart_is_refused_by_its_place() {
    for entry in ["null", "{}", r#"{"id":null}"#, r#"{"id":""}"#] {
        let body = format!(r#"{{"data":[{{"id":"i"}},{entry}]}}"#);
        let Err(Unreadable::Shape(place)) = read(body.as_bytes(), None) else { panic!("{body}") };
        assert_eq!(place.to_string(), "`data[1].id` is missing");
    }
}

#[test]
fn a_list_goes_on_by_a_link_or_by_a_bare_cursor() {
    for link in ["https://elsewhere.test/x?cursor=two", "two"] {
        let body = format!(r#"{{"data":[],"links":{{"next":"{link}"}}}}"#);
        let next = read(body.as_bytes(), None).unwrap().next;
        assert_eq!(next, Cursor::new("two".to_owned()));
        let again = read(body.as_bytes(), next.as_ref());
        assert_eq!(again, Err(Unreadable::Next(BadLink::Repeated)));
    }
    let body = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, "c".repeat(8_190));
    assert_eq!(read(body.as_bytes(), None), Err(Unreadable::Next(BadLink::TooLong)));
}

#[test]
fn an_answer_of_another_shape_is_none() {
    for body in [
        "{}",
        "[]",
        r#"{"data":null}"#,
        r#"{"data":{}}"#,
        r#"{"data":["x"]}"#,
        r#"{"data":[],"meta":{"total":"seven"}}"#,
        r#"{"data":[],"meta":{"total":-1}}"#,
        r#"{"data":[],"meta":{"total":2.5}}"#,
        r#"{"data":[{"id":7}]}"#,
        r#"{"data":[{"id":"i","attributes":[]}]}"#,
        r#"{"data":[{"id":"i","attributes":{"sandbox":"CHILD"}}]}"#,
        r#"{"code":401,"message":"Unauthorized"}"#,
    ] {
        let page = read(body.as_bytes(), None);
        assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
    }
}

#[test]
fn a_total_is_read_however_it_is_written() {
    for (total, count) in [("null", None), ("7", Some(7)), ("7.0", Some(7)), (r#""7""#, Some(7))] {
        let body = format!(r#"{{"data":[],"meta":{{"total":{total}}}}}"#);
        assert_eq!(read(body.as_bytes(), None).unwrap().total, count);
    }
}

proptest! {
    #[test]
    fn bytes_at_random_are_no_page(body in any::<Vec<u8>>()) {
        prop_assert!(read(&body, None).is_err());
    }

    #[test]
    fn any_json_of_the_right_words_is_a_page_or_no_page(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40),
    ) {
        if let Ok(page) = read(parts.concat().as_bytes(), None) {
            prop_assert!(page.entries.iter().all(|entry| !entry.id.is_empty()));
            prop_assert!(page.entries.iter().all(|entry| !entry.product.name.is_empty()));
        }
    }

    #[test]
    fn every_number_of_seats_is_read_as_it_is_told(purchased: u64, used: u64) {
        let attributes = format!(r#""capacity":{purchased},"usage":{used}"#);
        let entry = one(&format!(r#""id":"i","attributes":{{{attributes}}}"#)).unwrap();
        prop_assert_eq!((entry.purchased, entry.used), (Some(purchased), Some(used)));
    }
}

const PARTS: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    "null",
    "7",
    "-1",
    "2.5",
    r#""x""#,
    r#"{"data":["#,
    r#"{"id":"i""#,
    r#","attributes":{"#,
    r#""typeKey":"k","#,
    r#""usage":"#,
    r#""capacity":"#,
    r#""sandbox":{"type":"CHILD"}"#,
    r#","relationships":{"e":["#,
    r#"{"attributes":{"plan":"#,
    "]}",
];

/// The entry of a page that has one, with these fields.
fn one(fields: &str) -> Result<Entry, Unreadable> {
    let mut page = read(format!(r#"{{"data":[{{{fields}}}]}}"#).as_bytes(), None)?;
    assert_eq!(page.entries.len(), 1);
    Ok(page.entries.remove(0))
}
