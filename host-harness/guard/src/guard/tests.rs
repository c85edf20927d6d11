//! Tests of the guard: pages of made-up members, admitted one after the other and judged.

use super::*;
use crate::testing::{Records, WIDE, member};

fn page(ids: &[&str], next: Option<&str>, total: Option<u64>) -> Records {
    let members = ids.iter().map(|id| member(id)).collect();
    Records { members, next: next.map(Into::into), total, ..Records::default() }
}

fn ids(page: &Records) -> Vec<&str> {
    page.members.iter().map(|member| member.id.as_str()).collect()
}

fn guard() -> Guard {
    Guard::new(Bounds { pages: 10, pages_without_news: 3, ..WIDE })
}

#[test]
fn members_that_come_again_are_dropped_and_counted() {
    let (mut guard, mut first, mut second) =
        (guard(), page(&["a", "b", "a"], Some("2"), None), page(&["b", "c"], None, None));
    guard.admit(&mut first, None).unwrap();
    guard.admit(&mut second, Some("2")).unwrap();
    assert_eq!((ids(&first), ids(&second)), (vec!["a", "b"], vec!["c"]));
    assert_eq!(
        (guard.counts().members, guard.counts().duplicates, guard.counts().pages),
        (3, 2, 2)
    );
}

#[test]
fn apps_customers_and_unknown_kinds_are_written_and_are_no_people() {
    let mut mixed = page(&["a", "b", "c", "d", "e"], None, None);
    let kinds = [
        Some(MemberKind::Person),
        None,
        Some(MemberKind::App),
        Some(MemberKind::Customer),
        Some(MemberKind::Other("x")),
    ];
    for (member, kind) in mixed.members.iter_mut().zip(kinds) {
        member.kind = kind;
    }
    let mut guard = guard();
    guard.admit(&mut mixed, None).unwrap();
    assert_eq!((guard.counts().members, guard.counts().people), (5, 2));
}

#[test]
fn a_cursor_that_leads_back_ends_the_run_at_once() {
    for (first, second) in [("2", "2"), ("2", "1")] {
        let mut guard = guard();
        guard.admit(&mut page(&["a"], Some("1"), None), None).unwrap();
        guard.admit(&mut page(&["b"], Some(first), None), Some("1")).unwrap();
        let error = guard.admit(&mut page(&["c"], Some(second), None), Some(first)).unwrap_err();
        assert!(matches!(error, Error::Endless(_)), "{error}");
        assert_eq!(guard.counts().pages, 2);
    }
}

#[test]
fn an_empty_page_in_the_middle_is_fine() {
    let mut guard = guard();
    for (ids, next) in [
        (&["a"][..], Some("1")),
        (&[], Some("2")),
        (&[], Some("3")),
        (&["b"], Some("4")),
        (&[], None),
    ] {
        guard.admit(&mut page(ids, next, Some(2)), None).unwrap();
    }
    assert_eq!(guard.judge(), Ok(()));
}

#[test]
fn pages_without_end_are_ended() {
    let mut stale = guard();
    let mut answers = (0..).map(|number: u32| {
        (number, stale.admit(&mut page(&["a"], Some(&number.to_string()), None), None))
    });
    let (number, stopped) =
        answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
    assert!(number == 3 && matches!(stopped, Error::Endless(_)), "{number}: {stopped}");
    let mut fresh = guard();
    let mut answers = (0..).map(|number: u32| {
        let cursor = number.to_string();
        (number, fresh.admit(&mut page(&[&cursor], Some(&cursor), None), None))
    });
    let (number, stopped) =
        answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
    assert_eq!(
        (number, &*stopped.to_string()),
        (10, "the list has more pages than any organization's: the limit `pages` is 10")
    );
}

#[test]
fn no_more_members_are_remembered_than_the_bound_says() {
    let mut guard = Guard::new(Bounds { members: 3, ..WIDE });
    guard.admit(&mut page(&["a", "b", "a"], Some("1"), None), None).unwrap();
    guard.admit(&mut page(&["c", "b"], Some("2"), None), Some("1")).unwrap();
    // A second sweep brings the same members again.
    guard.restart();
    guard.admit(&mut page(&["c", "b", "a"], Some("1"), None), None).unwrap();
    let error = guard.admit(&mut page(&["d"], None, None), Some("1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the list has more members than any organization's: the limit `members` is 3"
    );
    assert_eq!((guard.counts().members, guard.counts().pages), (3, 3));
}

#[test]
fn fewer_members_than_the_smaller_total_is_incomplete() {
    for (first, last, whole) in [
        (Some(3), Some(3), false),
        (Some(3), Some(2), true),
        (Some(2), Some(5), true),
        (Some(2), None, true),
        (None, Some(3), false),
        (None, None, true),
        // What the service says at the end is no total of what it gave before.
        (Some(3), Some(0), false),
        (Some(3), Some(1), false),
        (Some(2), Some(0), true),
    ] {
        let mut guard = guard();
        guard.admit(&mut page(&["a"], Some("1"), first), None).unwrap();
        guard.admit(&mut page(&["b", "a"], None, last), Some("1")).unwrap();
        assert_eq!(guard.judge().is_ok(), whole, "{first:?} {last:?}");
    }
}

#[test]
fn of_many_members_a_few_may_leave_after_they_came() {
    for (came, first, last, whole) in
        [(398, 400, 394, true), (398, 400, 393, false), (398, 399, 398, true), (200, 300, 0, false)]
    {
        let mut guard = Guard::new(WIDE);
        let ids: Vec<String> = (0..came).map(|id| id.to_string()).collect();
        for (at, id) in ids.iter().enumerate() {
            let (next, total) = match at {
                0 => (Some(id.as_str()), Some(first)),
                at if at + 1 == ids.len() => (None, Some(last)),
                _ => (Some(id.as_str()), None),
            };
            guard.admit(&mut page(&[id], next, total), None).unwrap();
        }
        assert_eq!(guard.judge().is_ok(), whole, "{came} {first} {last}");
    }
}

#[test]
fn a_total_that_what_came_contradicts_is_not_believed_wherever_it_stands() {
    for (totals, sizes, missing) in [
        // Too small from the beginning, on one page or on several.
        ([Some(0), Some(30), Some(30)], [10, 10, 0], Some(30)),
        ([Some(0), Some(30), Some(30)], [0, 10, 10], Some(30)),
        ([Some(1), Some(30), None], [10, 10, 0], Some(30)),
        ([Some(9), Some(9), Some(30)], [10, 10, 0], Some(30)),
        ([Some(10), Some(30), Some(30)], [10, 10, 0], Some(30)),
        ([Some(0), Some(30), Some(0)], [10, 10, 0], Some(30)),
        ([Some(0), Some(30), Some(0)], [0, 10, 10], Some(30)),
        // Too small later.
        ([Some(30), Some(5), None], [10, 10, 0], Some(30)),
        ([Some(30), Some(20), Some(30)], [10, 10, 0], Some(30)),
        ([Some(30), Some(30), Some(19)], [10, 10, 0], Some(30)),
        // It shrank, and what came is what is left.
        ([Some(30), Some(30), Some(20)], [10, 10, 0], None),
        ([Some(30), Some(20), None], [10, 10, 0], None),
        // It grew by what came, or what joined stands on a page that was read before.
        ([Some(20), Some(30), Some(30)], [10, 10, 10], None),
        ([Some(20), Some(30), Some(40)], [10, 10, 0], None),
        ([Some(200), Some(204), Some(204)], [100, 100, 2], None),
        ([Some(200), Some(204), Some(204)], [100, 100, 3], Some(204)),
        // Totals of the page say nothing about the list.
        ([Some(10), Some(10), Some(5)], [10, 10, 5], None),
    ] {
        let mut guard = Guard::new(WIDE);
        for (at, (total, size)) in totals.into_iter().zip(sizes).enumerate() {
            let ids: Vec<String> = (0..size).map(|id| format!("{at}-{id}")).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let next = at.to_string();
            let next = (at < 2).then_some(next.as_str());
            guard.admit(&mut page(&ids, next, total), None).unwrap();
        }
        let judged = guard.judge().err().map(|error| match error {
            Error::Incomplete { told, .. } => told,
            error => panic!("{error}"),
        });
        assert_eq!(judged, missing, "{totals:?} {sizes:?}");
    }
}

#[test]
fn sweeps_begin_again_while_each_gets_further_up_to_a_bound() {
    let mut guard = Guard::new(WIDE);
    assert!(guard.may_restart());
    let sweep = |guard: &mut Guard, members: u32| {
        for id in (0..members).map(|id| id.to_string()) {
            guard.admit(&mut page(&[&id], Some(&id), None), None).unwrap();
        }
    };
    for members in 1..=RESTARTS {
        sweep(&mut guard, members);
        assert!(guard.may_restart(), "{members}");
        guard.restart();
        // Before it got further than the sweep before, there is no other.
        assert!(!guard.may_restart(), "{members}");
    }
    sweep(&mut guard, RESTARTS + 1);
    assert!(!guard.may_restart());
    assert_eq!(guard.counts().members, u64::from(RESTARTS) + 1);
}

#[test]
fn after_a_restart_the_second_sweep_decides() {
    let mut guard = guard();
    guard.admit(&mut page(&["a", "b"], Some("1"), Some(4)), None).unwrap();
    guard.restart();
    let mut first = page(&["a", "c"], Some("1"), Some(3));
    let admitted = guard.admit(&mut first, None).unwrap();
    assert_eq!((ids(&first), admitted.again.len()), (vec!["c"], 1));
    assert_eq!(guard.judge().unwrap_err().to_string(), "the list ended after 2 of 3 members");
    guard.admit(&mut page(&["b"], None, Some(3)), Some("1")).unwrap();
    assert_eq!(guard.judge(), Ok(()));
    assert_eq!((guard.counts().members, guard.counts().duplicates), (3, 0));
}

#[test]
fn a_guard_that_recalls_is_the_guard_that_was() {
    let (mut one, mut seen) = (guard(), Seen::default());
    for (ids, next, asked) in [(["a", "b"], "1", None), (["b", "c"], "2", Some("1"))] {
        let admitted = one.admit(&mut page(&ids, Some(next), Some(9)), asked).unwrap();
        seen.page(&admitted.marks, Some(next));
    }
    let mut other = Guard::resumed(one.bounds, seen, one.counts());
    let mut last = page(&["c", "d"], None, Some(9));
    assert_eq!(other.admit(&mut last, Some("2")).unwrap().marks.new.len(), 1);
    assert!(other.admit(&mut page(&["e"], Some("1"), None), Some("2")).is_err());
    assert_eq!(other.judge().unwrap_err().to_string(), "the list ended after 4 of 9 members");
}

#[test]
fn a_guard_goes_on_in_the_second_sweep_from_what_was_told_member_by_member() {
    let mut seen = Seen::default();
    ["a", "b"].iter().for_each(|id| seen.member(mark(id)));
    seen.cursor("1");
    seen.restart();
    seen.member(mark("a"));
    let mut guard = Guard::resumed(WIDE, seen, Counts { pages: 2, ..Counts::default() });
    assert!(guard.seen.restarts == 1 && !guard.has_no_member());
    let mut next = page(&["a", "b", "c"], Some("1"), Some(4));
    let admission = guard.admit(&mut next, None).unwrap();
    assert_eq!((ids(&next), admission.again), (vec!["c"], vec![member("b")]));
    assert_eq!((admission.marks.again, guard.counts().duplicates), (vec![mark("b")], 1));
    assert_eq!(guard.judge().unwrap_err().to_string(), "the list ended after 3 of 4 members");
}
