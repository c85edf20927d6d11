//! Tests of runs that a fault stops: too many requests, an outage, a full disk, a key, a cursor.

use std::fs;

use rustix::process::Signal;
use serde_json::json;
use smp_tests::harness::{Ended, KEY_VARIABLE};
use smp_tests::mock::{Call, ErrorAnswer, Fault, LoggedRequest, Shape, When};

use crate::setup::{
    FORMATS, MEMBERS, ON_A_PAGE, PAGES, PATIENCE, Setup, organization, pages, send, undisturbed,
};

#[test]
fn a_run_that_is_told_to_wait_longer_than_it_may_stops_and_goes_on() {
    for format in FORMATS {
        let stage = Setup::new(format);
        stage.mock.set_fault(Call::Users, When::From(5), Fault::rate_limited(3_000));
        let ended = stage.run().args(["--max-wait", "1000"]).end();
        let error = ended.error();
        assert_eq!(
            (ended.code, &error["code"], &error["retryable"]),
            (Some(3), &json!("rate-limited"), &json!(true)),
            "{}",
            ended.stderr
        );
        assert_eq!(error["retry_after_s"], json!(3_000));
        assert_eq!((&stage.report()["outcome"], stage.delivered()), (&json!("stopped"), 4));
        stage.mock.clear_faults();
        stage.finish();
        assert_eq!(stage.asked(), pages(&[(1, 5), (5, PAGES)]));
    }
}

#[test]
fn an_outage_of_any_kind_stops_a_run_and_it_goes_on() {
    for (fault, tries) in [
        (Fault::status(503), 1),
        (Fault::status(500), 1),
        (Fault::Drop, 1),
        (Fault::DropBody, 1),
        (Fault::StallBody, 1),
    ] {
        for page in [1, 6, PAGES] {
            let stage = Setup::new("ndjson");
            stage.mock.set_fault(Call::Users, When::From(page as u64), fault.clone());
            let ended = stage.run().args(["--max-wait", "0", "--timeout", "1"]).end();
            assert_eq!(
                (ended.code, &ended.error()["code"]),
                (Some(3), &json!("upstream")),
                "{fault} {page}: {}",
                ended.stderr
            );
            assert_eq!(
                (stage.delivered(), stage.asked().len()),
                (page - 1, page - 1 + tries),
                "{fault} {page}"
            );
            stage.mock.clear_faults();
            stage.finish();
            assert_eq!(stage.asked(), pages(&[(1, page), (page, PAGES)]), "{fault} {page}");
        }
    }
}

#[test]
fn an_outage_from_the_first_connection_on_stops_a_run_and_it_goes_on() {
    let stage = Setup::new("csv");
    let gone = organization().start().unwrap();
    let run = stage.run_at(&gone).args(["--max-wait", "0"]);
    drop(gone);
    let ended = run.end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(3), &json!("upstream")),
        "{}",
        ended.stderr
    );
    stage.finish();
    assert_eq!(stage.asked(), pages(&[(1, PAGES)]));
}

/// Blocks of 512 bytes that every run needs: the engine keeps the component's memory in an unnamed
/// file.
const LEAST_DISK: usize = 96;

#[test]
fn a_disk_that_is_full_at_any_point_stops_a_run_and_it_goes_on() {
    for format in FORMATS {
        let whole = undisturbed(format).bytes.len() / 512;
        assert!(whole > LEAST_DISK + 29, "{format}: some disk is too small for it");
        for blocks in (LEAST_DISK..=whole).step_by(29) {
            let stage = Setup::new(format);
            let ended = stage.run().on_a_disk_of(u32::try_from(blocks).unwrap()).end();
            assert_eq!(
                (ended.code, &ended.error()["code"]),
                (Some(3), &json!("output")),
                "{format} {blocks}: {}",
                ended.stderr
            );
            assert!(!stage.output().exists());
            let (asked, delivered, report) = (stage.asked(), stage.delivered(), stage.report());
            assert_eq!(asked, pages(&[(1, delivered + 1)]), "{format} {blocks}");
            assert_eq!(
                (&report["outcome"], &report["pages"]),
                (&json!("stopped"), &json!(delivered)),
                "{format} {blocks}"
            );
            assert_eq!(report["members"], json!(delivered * ON_A_PAGE), "{format} {blocks}");
            stage.finish();
            assert_eq!(
                stage.asked()[asked.len()..],
                pages(&[(delivered + 1, PAGES)]),
                "{format} {blocks}"
            );
        }
    }
}

#[test]
fn a_disk_that_has_no_room_for_the_checkpoint_stops_a_run_and_it_goes_on() {
    // With an empty page before each page of one member, the checkpoint grows faster than the rows.
    let members = 120;
    let stage = Setup::on(
        organization().members(members).page_size(1).fault(
            Call::Users,
            When::Always,
            Fault::EmptyPage,
        ),
        "csv",
    );
    let ended = stage.run().on_a_disk_of(u32::try_from(LEAST_DISK).unwrap()).end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(3), &json!("output")),
        "{}",
        ended.stderr
    );
    assert!(ended.error()["message"].as_str().unwrap().contains("checkpoint"), "{}", ended.stderr);
    assert_eq!(stage.report()["pages"], json!(stage.delivered()));
    assert_eq!(stage.run().end().code, Some(0));
    // Only the page whose entry found no room is requested twice, and the domains once.
    assert_eq!(stage.mock.requests(), 2 * members + 2);
    let rows = fs::read_to_string(stage.output()).unwrap();
    for member in stage.mock.expected_members() {
        assert_eq!(rows.matches(&member.account_id).count(), 1, "{}", member.account_id);
    }
}

#[test]
fn a_key_that_stops_working_midway_fails_the_run_and_a_right_one_goes_on() {
    for (fault, code) in
        [(Fault::unauthorized(), "credentials"), (Fault::access_denied(), "permission")]
    {
        let stage = Setup::new("csv");
        stage.mock.set_fault(Call::Users, When::From(7), fault);
        let ended = stage.run().end();
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (Some(1), &json!(code)),
            "{}",
            ended.stderr
        );
        assert!(
            ended.error()["hint"].as_str().unwrap().contains("it resumes where it stopped"),
            "{}",
            ended.stderr
        );
        assert_eq!((&stage.report()["outcome"], stage.delivered()), (&json!("failed"), 6));
        stage.mock.clear_faults();

        let ended = stage.run().env(KEY_VARIABLE, "ATCTTanother-key-that-is-not-right").end();
        assert_eq!(
            (ended.code, &ended.error()["code"], stage.delivered()),
            (Some(1), &json!("credentials"), 6),
            "{}",
            ended.stderr
        );

        stage.finish();
        let asked = stage.asked();
        assert!(
            asked.starts_with(&pages(&[(1, 7)])) && asked.ends_with(&pages(&[(7, PAGES)])),
            "{asked:?}"
        );
        assert!(asked[..asked.len() - PAGES + 6].iter().all(|page| *page <= 7), "{asked:?}");
    }
}

#[test]
fn a_cursor_that_is_refused_on_going_on_begins_again_without_a_duplicate() {
    for format in FORMATS {
        let stage = Setup::stopped_at(format, 6);
        stage.mock.set_fault(Call::Users, When::Nth(1), Fault::CursorExpired);
        assert_eq!(stage.run().end().code, Some(0));
        assert_eq!(stage.asked(), pages(&[(1, 6), (6, 6), (1, PAGES)]));
        assert!(fs::read(stage.output()).unwrap() == undisturbed(format).bytes);
        let report = stage.report();
        assert_eq!(
            (&report["members"], &report["duplicates"], &report["pages"]),
            (&json!(MEMBERS), &json!(0), &json!(5 + PAGES))
        );
    }
}

#[test]
fn a_second_sweep_that_is_stopped_goes_on_in_the_second_sweep() {
    for page in 1..=PAGES {
        let stage = Setup::stopped_at("csv", 6);
        stage.mock.set_fault(Call::Users, When::Nth(1), Fault::CursorExpired);
        assert_eq!(stage.stop_at(1 + page, Signal::KILL).code, None);
        assert_eq!(stage.delivered(), 5 + page - 1);
        assert_eq!(stage.run().end().code, Some(0));
        assert_eq!(stage.asked(), pages(&[(1, 6), (6, 6), (1, page), (page, PAGES)]));
        assert!(fs::read(stage.output()).unwrap() == undisturbed("csv").bytes);
    }
}

#[test]
fn a_cursor_that_is_refused_in_the_second_sweep_too_ends_the_collection_also_across_runs() {
    let stage = Setup::stopped_at("csv", 6);
    stage.mock.set_fault(Call::Users, When::Nth(1), Fault::CursorExpired);
    stage.stop_at(4, Signal::TERM);
    stage.mock.set_fault(Call::Users, When::Nth(1), Fault::CursorExpired);
    let ended = stage.run().end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("cursor-expired")),
        "{}",
        ended.stderr
    );
    assert_eq!(stage.files(), []);
}

#[test]
fn a_cursor_that_is_refused_again_starts_over_while_each_sweep_gets_further() {
    let stage = Setup::on(
        organization().fault(Call::Users, When::Nth(4), Fault::CursorExpired).fault(
            Call::Users,
            When::Nth(10),
            Fault::CursorExpired,
        ),
        "ndjson",
    );
    let ended = stage.run().end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(stage.asked(), pages(&[(1, 4), (1, 6), (1, PAGES)]));
    assert!(fs::read(stage.output()).unwrap() == undisturbed("ndjson").bytes);
}

#[test]
fn a_failure_that_going_on_cannot_mend_leaves_nothing_to_go_on_from() {
    let stage = Setup::new("csv");
    stage.mock.set_fault(Call::Users, When::Nth(5), Fault::organization_not_found());
    let ended = stage.run().end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("not-found")),
        "{}",
        ended.stderr
    );
    assert_eq!(stage.files(), []);
    stage.finish();
    assert_eq!(stage.asked()[5..], pages(&[(1, PAGES)]));
}

#[test]
fn a_page_that_is_not_recognized_keeps_the_pages_before_it() {
    for fault in [
        Fault::WrongTypes,
        Fault::SameCursor,
        ErrorAnswer::new(400).code("ADMIN-400-4").into(),
        ErrorAnswer::new(404).code("ADMIN-404-1").into(),
        Fault::status(407),
        ErrorAnswer::new(451).shape(Shape::Wrapped).into(),
    ] {
        let stage = Setup::new("csv");
        stage.mock.set_fault(Call::Users, When::Nth(3), fault.clone());
        let ended = stage.run().end();
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (Some(3), &json!("unexpected-response")),
            "{fault}: {}",
            ended.stderr
        );
        assert_eq!((&stage.report()["outcome"], stage.delivered()), (&json!("stopped"), 2));
        assert!(stage.partial().exists(), "{fault}");
        stage.finish();
        assert_eq!(stage.asked(), pages(&[(1, 3), (3, PAGES)]), "{fault}");
    }
}

#[test]
fn a_page_that_stays_too_large_stops_a_run_that_says_so() {
    let stage = Setup::new("csv");
    let large = Fault::Oversized { bytes: 9 << 20, told: true };
    stage.mock.set_fault(Call::Users, When::From(3), large);
    let ended = stage.run().args(["--max-wait", "0"]).end();
    let error = ended.error();
    let hint = error["hint"].as_str().unwrap();
    assert_eq!((ended.code, &error["remedy"]["kind"]), (Some(3), &json!("raise-limit")));
    assert!(hint.contains("limit `response` is 8 MiB") && hint.contains("it resumes"), "{hint}");
    assert_eq!(stage.delivered(), 2);
    assert_eq!(stage.run().args(["--limit", "response=16MiB"]).end().code, Some(0));
    assert_eq!(stage.asked(), pages(&[(1, 3), (3, PAGES)]));
}

/// Answers that are none of the service, and the code of a run in which one stays.
fn bad_pages() -> [(Fault, &'static str); 20] {
    let error = |status, shape| Fault::from(ErrorAnswer::new(status).shape(shape));
    [
        (Fault::Errors, "incomplete"),
        (Fault::Redirect { to: "https://sign-in.test/".into() }, "unexpected-response"),
        (error(200, Shape::Wrapped), "unexpected-response"),
        (error(200, Shape::Gateway), "unexpected-response"),
        (error(204, Shape::None), "unexpected-response"),
        (error(206, Shape::Wrapped), "unexpected-response"),
        (error(400, Shape::None), "unexpected-response"),
        (error(409, Shape::Wrapped), "unexpected-response"),
        (error(421, Shape::None), "unexpected-response"),
        (error(400, Shape::Html), "unexpected-response"),
        (error(404, Shape::None), "unexpected-response"),
        (error(404, Shape::Html), "unexpected-response"),
        (error(418, Shape::Wrapped), "unexpected-response"),
        (Fault::Oversized { bytes: 9 << 20, told: false }, "unexpected-response"),
        (Fault::Html, "unexpected-response"),
        (Fault::Truncated, "unexpected-response"),
        (Fault::EmptyBody, "unexpected-response"),
        (Fault::InvalidUtf8, "unexpected-response"),
        (Fault::status(408), "upstream"),
        (Fault::status(425), "upstream"),
    ]
}

#[test]
fn a_bad_page_that_passes_costs_a_wait_and_nothing_else() {
    for (fault, _) in bad_pages() {
        let stage = Setup::new("ndjson");
        stage.mock.set_fault(Call::Users, When::Nth(3), fault.clone());
        let report = stage.finish();
        assert_eq!(stage.asked(), pages(&[(1, 3), (3, PAGES)]), "{fault}");
        assert_eq!(report["retries"], json!(1), "{fault}");
    }
}

#[test]
fn a_bad_page_that_stays_stops_a_run_that_has_pages_and_it_goes_on() {
    let refused = ErrorAnswer::new(403).shape(Shape::Html).into();
    for (fault, code) in bad_pages().into_iter().chain([(refused, "unexpected-response")]) {
        let stage = Setup::new("csv");
        stage.mock.set_fault(Call::Users, When::From(5), fault.clone());
        let ended = stage.run().args(["--max-wait", "0"]).end();
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (Some(3), &json!(code)),
            "{fault}: {}",
            ended.stderr
        );
        assert_eq!((&stage.report()["outcome"], stage.delivered()), (&json!("stopped"), 4));
        assert!(stage.partial().exists() && !stage.output().exists(), "{fault}");
        stage.mock.clear_faults();
        stage.finish();
        assert_eq!(stage.asked(), pages(&[(1, 5), (5, PAGES)]), "{fault}");
    }
}

#[test]
fn a_bad_page_at_the_beginning_leaves_nothing_to_go_on_from() {
    let stage = Setup::new("csv");
    stage.mock.set_fault(Call::Users, When::From(1), Fault::Html);
    let ended = stage.run().args(["--max-wait", "0"]).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.error()["retryable"], json!(true));
    assert_eq!(stage.files(), []);
}

#[test]
fn a_run_that_waits_for_the_server_can_be_stopped_at_once() {
    let stage = Setup::new("csv");
    stage.mock.set_fault(Call::Users, When::Nth(3), Fault::rate_limited(600));
    let child = stage.run().start();
    let refused = |log: &[LoggedRequest]| log.iter().any(|one| one.status == Some(429));
    assert!(stage.mock.wait_until(PATIENCE, refused));
    send(&child, Signal::INT);
    let ended = Ended::of(child);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(3), &json!("interrupted")),
        "{}",
        ended.stderr
    );
    stage.finish();
}
