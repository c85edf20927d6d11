//! Tests of the right answers, for each situation of the organization.

use super::*;

const ID: &str = "0rg-own";

fn world(situation: Situation) -> World {
    let (id, name) = (ID.to_owned(), "Brightloom".to_owned());
    let organization =
        Organization { id, name, seed: 7, size: 250, now: 1_763_640_000, published_only: false };
    World { organization, situation, page_size: 100, others: 0, externals: 0, directories: 1 }
}

fn question(organization_id: &str) -> Question<'_> {
    Question { path: "/p", organization_id, cursor: None, body: None, faults: &[] }
}

fn ask(world: &World, call: Call, organization_id: &str) -> (u16, Value) {
    let answer = world.answer(call, question(organization_id));
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn each_situation_answers_as_the_vendor_does() {
    for (situation, org, users, domains, listed) in [
        (Situation::Usual, 200, 200, 200, true),
        (Situation::NoDomain, 200, 200, 200, true),
        (Situation::Unverified, 200, 200, 200, true),
        (Situation::MissingToken, 200, 200, 200, true),
        (Situation::Unclaimed, 200, 200, 200, true),
        (Situation::DomainsRefused, 200, 200, 403, true),
        (Situation::UnknownOrganization, 404, 404, 404, false),
        (Situation::ForbiddenOrganization, 403, 403, 403, false),
        (Situation::SiteAdmin, 200, 403, 403, true),
    ] {
        let world = world(situation);
        let status = |call| ask(&world, call, ID).0;
        assert_eq!(
            (status(Call::Org), status(Call::Users), status(Call::Domains)),
            (org, users, domains)
        );
        let (_, organizations) = ask(&world, Call::Orgs, "");
        assert_eq!(
            organizations["data"].as_array().unwrap().iter().any(|org| org["id"] == ID),
            listed
        );
    }
}

#[test]
fn an_organization_without_members_says_so() {
    let (status, page) = ask(&world(Situation::Unclaimed), Call::Users, ID);
    assert_eq!((status, &page["data"], &page["meta"]["total"]), (200, &json!([]), &json!(0)));
}

#[test]
fn the_own_organization_comes_after_the_others() {
    let world = World { others: 2, page_size: 2, ..world(Situation::Usual) };
    let (_, first) = ask(&world, Call::Orgs, "");
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    assert!(first["data"].as_array().unwrap().iter().all(|org| org["id"] != ID));
    assert!(first["links"]["next"].is_string());
}

#[test]
fn an_organization_of_somebody_else_is_not_found() {
    let (status, body) = ask(&world(Situation::Usual), Call::Users, "somebody-elses");
    assert_eq!((status, &body["errors"][0]["code"]), (404, &json!("ADMIN-404-2")));
}

#[test]
fn everyone_is_refused_where_the_members_are() {
    for (situation, status) in [
        (Situation::Usual, 200),
        (Situation::Unclaimed, 200),
        (Situation::SiteAdmin, 403),
        (Situation::UnknownOrganization, 404),
    ] {
        let world = world(situation);
        for call in [Call::Count, Call::Search, Call::Workspaces, Call::Keys] {
            assert_eq!(ask(&world, call, ID).0, status, "{situation:?} {call:?}");
        }
    }
}

#[test]
fn the_number_of_people_counts_each_once_and_may_change() {
    let world = World { externals: 20, directories: 2, ..world(Situation::Usual) };
    assert_eq!(ask(&world, Call::Count, ID).1, json!({"count": 270}));
    let faults = [Fault::Total(super::super::Total::Off(3))];
    let answer = world.answer(Call::Count, Question { faults: &faults, ..question(ID) });
    assert_eq!(answer.body, br#"{"count":273}"#);
}

#[test]
fn a_later_page_of_sites_is_asked_for_with_the_cursor_alone() {
    let world = world(Situation::Usual);
    let body = json!({"limit": 1_000, "cursor": "c"});
    let question = Question { cursor: Some("c"), body: Some(&body), ..question(ID) };
    let answer = world.answer(Call::Workspaces, question);
    assert!(String::from_utf8_lossy(&answer.body).contains("ADMIN-400-24"));
}

#[test]
fn product_sites_are_listed_by_pages_with_their_seats_and_how_many_there_are() {
    for (seed, bare) in [(0, true), (2, false)] {
        let mut world = World { page_size: 5, externals: 20, ..world(Situation::Usual) };
        world.organization.seed = seed;
        let (mut entries, mut body, mut pages) = (Vec::new(), json!({"limit": 1_000}), 0);
        loop {
            let cursor = body["cursor"].as_str();
            let question = Question { cursor, body: Some(&body), ..question(ID) };
            let page = world.answer(Call::Workspaces, question).body;
            let page: Value = serde_json::from_slice(&page).unwrap();
            assert_eq!(page["meta"]["total"], 14);
            entries.extend(page["data"].as_array().unwrap().clone());
            pages += 1;
            let Some(next) = page["links"]["next"].as_str() else { break };
            assert_eq!(next.starts_with("https://"), !bare, "{next}");
            let next = next.split_once("?cursor=").map_or(next, |(_, cursor)| cursor);
            let next = percent_encoding::percent_decode_str(next).decode_utf8().unwrap();
            body = json!({ "cursor": next });
        }
        let seats = world.directory().seats();
        assert_eq!(pages, 3);
        assert_eq!(entries, seats.iter().map(Seats::entry).collect::<Vec<_>>());
    }
}

#[test]
fn the_list_of_product_sites_has_the_faults_of_every_list() {
    let world = world(Situation::Usual);
    let ask = |fault| {
        let question = Question { faults: &[fault], ..question(ID) };
        let body = world.answer(Call::Workspaces, question).body;
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(ask(Fault::Total(super::super::Total::Off(2)))["meta"]["total"], 16);
    assert_eq!(ask(Fault::Total(super::super::Total::Absent))["meta"]["total"], Value::Null);
    assert_eq!(ask(Fault::EmptyPage)["data"], json!([]));
    assert!(ask(Fault::Endless)["links"]["next"].is_string());
}

#[test]
fn an_organization_of_somebody_else_lists_no_product_site() {
    let world = World { others: 1, ..world(Situation::Usual) };
    let (status, page) = ask(&world, Call::Workspaces, &world.other_id(0));
    assert_eq!((status, &page["data"], &page["meta"]["total"]), (200, &json!([]), &json!(0)));
}

#[test]
fn both_ends_of_a_listing_occur() {
    let next = |seed| {
        let mut world = world(Situation::Unclaimed);
        world.organization.seed = seed;
        ask(&world, Call::Users, ID).1["links"].get("next").cloned()
    };
    assert_eq!((next(0), next(1)), (Some(Value::Null), None));
}
