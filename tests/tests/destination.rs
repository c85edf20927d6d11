//! Tests of the interface to a database: a collection into a ledger that stores what a database
//! would, in the same form.
//!
//! The ledger claims, fences and commits like a platform's; it decides nothing about the list. So
//! these tests hold for every destination: which requests a run sends, what it delivers, and which
//! ending it reports.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "destination/ledger.rs"]
mod ledger;
#[path = "destination/service.rs"]
mod service;

use serde_json::json;
use smp_host::collect::destination::Ending;
use smp_host::collect::in_memory::InMemory;
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::failure::Code;

use self::ledger::{Database, Trouble};
use self::service::{Answer, Service, now};

/// Members of the usual organization, in its order.
const ALL: &str = "ada ben cleo dina emil";

/// Three pages.
fn usual() -> Service {
    Service::new(
        &[
            ("", &["ada", "ben"], "two"),
            ("two", &["cleo", "dina"], "three"),
            ("three", &["emil"], ""),
        ],
        Some(5),
    )
}

#[test]
fn a_whole_list_is_delivered_once_and_only_it_says_who_is_gone() {
    let (service, database) = (usual(), Database::with_members_of_before(&["ada", "otto"]));
    let report = database.run(&service, Trouble::None);
    assert_eq!(
        (report.outcome, report.counts.members, report.resumed),
        (Outcome::Complete, 5, false)
    );
    assert_eq!((database.members(), database.gone()), (ALL.to_owned(), "otto".to_owned()));
    assert_eq!(
        (database.endings(), service.asked()),
        (vec![Ending::Complete], "first two three".to_owned())
    );
}

#[test]
fn a_run_takes_little_while_it_waits() {
    let (service, mut members) = (usual(), InMemory::default());
    let run = service.session().collect_members(&mut members, std::future::pending());
    // The session, some two thousand bytes, is on the heap once: it is in none of the futures.
    assert!(size_of_val(&run) < 5_000, "{}", size_of_val(&run));
}

#[test]
fn a_list_that_is_not_whole_is_incomplete_whatever_the_destination_says() {
    let (service, database) = (usual().telling(6), Database::with_members_of_before(&["otto"]));
    let report = database.run(&service, Trouble::None);
    assert_eq!((report.outcome, code(&report)), (Outcome::Failed, Some(Code::Incomplete)));
    assert_eq!((database.endings(), database.gone()), (vec![Ending::Incomplete], String::new()));
    assert!(report.error.unwrap().hint.unwrap().starts_with("All of it is in the ledger. "));
}

#[test]
fn a_page_that_cannot_be_kept_stops_the_run_and_the_next_one_goes_on_at_that_page() {
    for page in 0..3 {
        let (service, database) = (usual(), Database::default());
        let report = database.run(&service, Trouble::FailsAt(page));
        assert_eq!(
            (report.outcome, code(&report)),
            (Outcome::Stopped, Some(Code::Output)),
            "{page}"
        );
        assert_eq!((report.counts.pages, database.pages()), (page, page));
        let report = database.run(&service, Trouble::None);
        assert_eq!(
            (report.outcome, report.resumed, report.counts.members),
            (Outcome::Complete, page > 0, 5)
        );
        assert_eq!((database.members(), database.delivered_twice()), (ALL.to_owned(), 0), "{page}");
        assert_eq!(database.endings(), [Ending::Stopped, Ending::Complete]);
        assert_eq!(service.requests(), 4, "{page}: {}", service.asked());
    }
}

#[test]
fn a_run_that_someone_else_holds_ends_at_once_and_touches_nothing_more() {
    for page in 0..3 {
        let (service, database) = (usual(), Database::default());
        let report = database.run(&service, Trouble::ClaimedAt(page));
        assert_eq!(
            (report.outcome, code(&report)),
            (Outcome::Fenced, Some(Code::Interrupted)),
            "{page}"
        );
        assert_eq!((database.pages(), database.endings()), (page, vec![]), "{page}");
        assert_eq!(database.run(&service, Trouble::None).outcome, Outcome::Complete);
        assert_eq!((database.members(), database.delivered_twice()), (ALL.to_owned(), 0), "{page}");
    }
    let (service, database) = (usual(), Database::default());
    assert_eq!(database.run(&service, Trouble::ClaimedAtTheEnd).outcome, Outcome::Fenced);
    assert_eq!((database.pages(), database.endings()), (3, vec![]));
}

#[test]
fn a_list_from_other_traffic_than_the_recorded_one_is_never_concluded() {
    let (service, database) = (usual().objecting(), Database::with_members_of_before(&["otto"]));
    let report = database.run(&service, Trouble::None);
    assert_eq!((report.outcome, code(&report)), (Outcome::Failed, Some(Code::Fixture)));
    assert_eq!((database.endings(), database.gone()), (vec![Ending::Over], String::new()));
}

#[test]
fn a_run_that_goes_on_is_held_to_the_rest_of_its_traffic_too() {
    let (service, database) = (usual().objecting(), Database::default());
    assert_eq!(database.run(&service, Trouble::FailsAt(1)).outcome, Outcome::Stopped);
    let report = database.run(&service, Trouble::None);
    assert_eq!(
        (report.outcome, code(&report), report.resumed, service.finished()),
        (Outcome::Failed, Some(Code::Fixture), true, 1),
        "{:?}",
        report.error
    );
    let mut session = usual().objecting().session();
    let failures =
        now(async { [session.validate().await.map(drop), session.connect().await.map(drop)] });
    assert_eq!(failures.map(|failure| failure.unwrap_err().code), [Code::Fixture; 2]);
}

#[test]
fn a_run_that_is_stopped_keeps_the_page_that_came_and_goes_on_after_it() {
    let (service, database) = (usual(), Database::default());
    let report = database.run(&service, Trouble::StoppedAt(1));
    assert_eq!(
        (report.outcome, code(&report), report.counts.pages),
        (Outcome::Stopped, Some(Code::Interrupted), 2)
    );
    let report = database.run(&service, Trouble::None);
    assert_eq!((report.outcome, report.resumed, report.counts.pages), (Outcome::Complete, true, 3));
    assert_eq!(
        (service.asked(), database.members()),
        ("first two three".to_owned(), ALL.to_owned())
    );
}

#[test]
fn a_run_that_ended_without_a_word_goes_on_too() {
    for page in 0..3 {
        let (service, database) = (usual(), Database::default());
        database.run_that_dies(&service, page);
        assert_eq!((database.pages(), database.endings()), (page, vec![]));
        assert_eq!(database.run(&service, Trouble::None).outcome, Outcome::Complete, "{page}");
        assert_eq!((database.members(), database.delivered_twice()), (ALL.to_owned(), 0), "{page}");
    }
}

#[test]
fn when_the_service_forgets_the_cursor_the_second_sweep_decides() {
    let (service, database) = (usual().once("three", Answer::CursorExpired), Database::default());
    let report = database.run(&service, Trouble::None);
    assert_eq!(
        (report.outcome, report.counts.members, report.counts.pages),
        (Outcome::Complete, 5, 5)
    );
    assert_eq!(service.asked(), "first two three first two three");
    assert_eq!((database.restarts(), database.again()), (1, "ada ben cleo dina".to_owned()));
    assert_eq!((database.delivered_twice(), report.counts.duplicates), (0, 0));
}

#[test]
fn a_run_that_stops_in_the_second_sweep_goes_on_in_it() {
    // A member that has left by then counts only if the second sweep has seen it: the first one
    // does not make the list complete.
    for (fails_at, outcome) in [(2, Outcome::Failed), (3, Outcome::Complete)] {
        let (service, database) =
            (usual().once("three", Answer::CursorExpired), Database::default());
        assert_eq!(database.run(&service, Trouble::FailsAt(fails_at)).outcome, Outcome::Stopped);
        service.leaves("ada");
        let report = database.run(&service, Trouble::None);
        assert_eq!(
            (report.outcome, database.restarts()),
            (outcome, 1),
            "{fails_at}: {:?}",
            report.error
        );
        assert_eq!((database.members(), database.delivered_twice()), (ALL.to_owned(), 0));
    }
    let (service, database) = (usual().once("three", Answer::CursorExpired), Database::default());
    assert_eq!(database.run(&service, Trouble::FailsAt(3)).outcome, Outcome::Stopped);
    let service = service.once("two", Answer::CursorExpired);
    let report = database.run(&service, Trouble::None);
    assert_eq!(
        (report.outcome, code(&report)),
        (Outcome::Failed, Some(Code::CursorExpired)),
        "no third sweep"
    );
    assert_eq!(database.endings(), [Ending::Stopped, Ending::Over]);
}

#[test]
fn what_a_person_must_mend_is_kept_and_what_never_works_is_over() {
    for (answer, ending, outcome) in [
        (Answer::KeyRefused, Ending::Kept, Outcome::Failed),
        (Answer::Unavailable, Ending::Stopped, Outcome::Stopped),
        (Answer::LeadsBack, Ending::Stopped, Outcome::Stopped),
        (Answer::NoOrganization, Ending::Over, Outcome::Failed),
    ] {
        let (service, database) = (usual().once("two", answer), Database::default());
        let report = database.run(&service, Trouble::None);
        assert_eq!((report.outcome, database.endings()), (outcome, vec![ending]), "{answer:?}");
        assert_eq!(
            (report.counts.pages, database.pages()),
            (1, if ending == Ending::Over { 0 } else { 1 })
        );
    }
}

#[test]
fn why_an_organization_is_empty_is_asked_and_the_destination_is_told() {
    let (service, database) =
        (Service::new(&[("", &[], "")], Some(0)), Database::with_members_of_before(&["otto"]));
    let report = database.run(&service, Trouble::None);
    assert_eq!((report.outcome, code(&report)), (Outcome::Failed, Some(Code::NoMembers)));
    assert_eq!((database.endings(), database.gone()), (vec![Ending::Over], String::new()));
}

#[test]
fn after_the_last_page_nothing_is_asked_again_and_the_list_is_judged_still() {
    for (told, outcome) in [(5, Outcome::Complete), (6, Outcome::Failed)] {
        let (service, database) = (usual().telling(told), Database::default());
        database.run_that_dies_before_it_concludes(&service);
        assert_eq!((service.requests(), database.pages(), database.endings()), (3, 3, vec![]));
        let report = database.run(&service, Trouble::None);
        assert_eq!(
            (report.outcome, report.resumed, service.requests()),
            (outcome, true, 3),
            "{told}"
        );
    }
}

#[test]
fn a_collection_that_was_concluded_is_complete_without_a_request() {
    let (service, database) = (usual(), Database::default());
    database.run(&service, Trouble::None);
    let report = database.run(&service, Trouble::None);
    assert_eq!(
        (report.outcome, report.counts.members, report.figures.requests),
        (Outcome::Complete, 5, 0)
    );
    assert_eq!((service.requests(), database.endings()), (3, vec![Ending::Complete]));
}

#[test]
fn an_end_that_cannot_be_noted_is_no_complete_list() {
    let (service, database) = (usual(), Database::with_members_of_before(&["otto"]));
    let report = database.run(&service, Trouble::FailsAtTheEnd);
    assert_eq!((report.outcome, code(&report)), (Outcome::Stopped, Some(Code::Output)));
    assert_eq!((database.endings(), database.gone()), (vec![Ending::Stopped], String::new()));
    assert_eq!(database.run(&service, Trouble::None).outcome, Outcome::Complete);
    assert_eq!((service.requests(), database.gone()), (3, "otto".to_owned()));
}

#[test]
fn a_destination_learns_whose_collection_it_keeps() {
    let (service, database) = (usual(), Database::default());
    database.run(&service, Trouble::None);
    let whose = serde_json::to_value(database.whose()).unwrap();
    assert_eq!(
        (&whose["connector"], &whose["origin"]),
        (&json!("atlassian-cloud"), &json!("https://api.example.test"))
    );
    assert!(whose["component"].as_str().unwrap().starts_with("sha256:"));
    assert!(
        !whose.to_string().contains(service::ORGANIZATION),
        "the organization is named only by a hash: {whose}"
    );
}

#[test]
fn members_are_collected_into_memory_and_go_on_there_after_a_stop() {
    let (service, mut members) = (usual().once("three", Answer::Unavailable), InMemory::default());
    let stopped = service.collect(&mut members, std::future::pending());
    assert_eq!(
        (stopped.outcome, members.ending(), members.pages().len()),
        (Outcome::Stopped, Some(Ending::Stopped), 2)
    );
    let whole = service.collect(&mut members, std::future::pending());
    assert_eq!(
        (whole.outcome, whole.resumed, members.ending()),
        (Outcome::Complete, true, Some(Ending::Complete))
    );
    let ids: Vec<_> = members
        .pages()
        .iter()
        .flat_map(|page| &page.members)
        .map(|member| member.id.as_str())
        .collect();
    assert_eq!(ids.join(" "), ALL);
    let few = service.collect(&mut InMemory::of_at_most(3), std::future::pending());
    assert_eq!((few.outcome, code(&few)), (Outcome::Failed, Some(Code::Limit)));
}

fn code(report: &RunReport) -> Option<Code> {
    report.error.as_ref().map(|failure| failure.code)
}
